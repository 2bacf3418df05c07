//! `dict-resize`: a population of dicts, each dropped and grown again from empty.
//!
//! The program (`programs/dict_resize.py`); `numbers` is a range made beforehand, and one of four
//! functions belongs to each place of the population:
//! ```python
//! def grow_str(numbers):             # 60 % of the dicts
//!     table = {}
//!     for i in numbers: table[str(i)] = i
//! def grow_int(numbers):             # 25 %
//!     ...               table[i] = i + 1
//! def grow_mixed(numbers, half):     # 5 %: a str key and later an int key
//!     ...               table[str(i) if i < half else i] = i
//! def grow_window(numbers, width):   # 10 %: the newest `width` of 3 x `width` keys
//!     ...               table[i] = i
//!                       if i >= deleting: del table[i - width]    # deleting = numbers[0] + width
//! population[place] = grow(...)
//! ```
//! The final sizes have a heavy tail: the chance of at least x entries is 4 / x, up to a quarter of
//! all live entries. So half the dicts stay below 8 entries, a third outgrow the 512-byte
//! threshold of the pools, and the rare large ones hold a good part of all entries.
//!
//! One insert with a str key in 3.x:
//! ```text
//! malloc i            one-digit int, the loop's and the value
//! malloc 32           scratch of the conversion to decimal (not in 2.x)
//! malloc 49 + digits  the key (41 from 3.12, 37 in 2.7, 40 in 2.3)
//! free scratch
//! malloc new table, free old table    when the table is full (`dict_table`), never realloc
//! ```
//! The new dict is complete before the old one of its place dies: its keys and values in order of
//! insertion (in 2.x in order of the hashes), then its table, then the dict object.
//!
//! Dict objects (80, not in 2.3) and tables of the least size (80, from 3.11 only with 16-byte
//! entries) come from free lists when they can. In 3.6 tables that are replaced are not kept.
//!
//! Sources: `dictobject.c`, `longobject.c:long_to_decimal_string_internal`, and recordings of the
//! program on CPython 3.6 to 3.13.

use super::Spec;
use super::dice::Dice;
use super::dict_objects::{Dict, DictObjects, Key};
use super::emitter::Emitter;
use super::era::Era;
use super::int_objects::IntObjects;
use crate::event::Op;

/// Entries that every dict can have.
const LEAST_ENTRIES: u64 = 4;

/// Which function grows the dict of a place.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Str,
    Int,
    Mixed,
    Window,
}

/// A place of the population: always the same kind and final size, so that the live set is the
/// same whenever no dict is growing.
struct Place {
    kind: Kind,
    entries: u64,
    dict: Option<Dict>,
}

impl Place {
    /// Numbers that go through the dict.
    fn rounds(&self) -> u64 {
        match self.kind {
            Kind::Window => 3 * self.entries,
            _ => self.entries,
        }
    }
}

/// Emits the live set and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let mut grower = Grower::new(spec.era);
    let mut places = draw_places(spec.live, dice);
    heap.malloc(8 * places.len() as u64);
    for place in &mut places {
        let digits = draw_digits(place.rounds(), dice);
        place.dict = Some(grower.grow(place, digits, heap));
    }

    heap.mark(Op::RegionStart);
    let start = heap.calls();
    while heap.calls() - start < operations {
        let at = dice.below(places.len() as u64) as usize;
        let place = &mut places[at];
        let digits = draw_digits(place.rounds(), dice);
        let grown = grower.grow(place, digits, heap);
        if let Some(dropped) = place.dict.replace(grown) {
            grower.dicts.release(dropped, &mut grower.ints, heap, dice);
        }
    }
}

fn draw_places(live: u64, dice: &mut Dice) -> Vec<Place> {
    let mut places = Vec::new();
    let mut left = live;
    while left > 0 {
        let entries = dice.heavy_tail(LEAST_ENTRIES, live / 4).min(left);
        left -= entries;
        let kind = match dice.below(100) {
            0..60 => Kind::Str,
            60..85 => Kind::Int,
            85..90 => Kind::Mixed,
            _ => Kind::Window,
        };
        places.push(Place { kind, entries, dict: None });
    }
    places
}

/// The interpreter that grows the dicts.
struct Grower {
    era: Era,
    ints: IntObjects,
    dicts: DictObjects,
}

impl Grower {
    fn new(era: Era) -> Self {
        Grower { era, ints: IntObjects::new(era), dicts: DictObjects::new(era) }
    }

    /// A dict grown from empty to the place's size, its numbers of so many decimal digits.
    fn grow(&mut self, place: &Place, digits: u64, heap: &mut Emitter<'_>) -> Dict {
        let rounds = place.rounds();
        let mut dict = self.dicts.empty(heap);
        // `numbers[0] + width`
        let deleting = matches!(place.kind, Kind::Window).then(|| {
            let first = self.ints.one_digit(heap);
            let deleting = self.ints.one_digit(heap);
            self.ints.release(first, heap);
            deleting
        });
        let iterator = heap.malloc(if self.era >= Era::V3_12 { 40 } else { 48 });
        for round in 0..rounds {
            let i = self.ints.one_digit(heap);
            let (key, value) = match place.kind {
                Kind::Int => (Key::Int(i), self.ints.one_digit(heap)),
                Kind::Window => (Key::Value, i),
                Kind::Mixed if round >= place.entries / 2 => (Key::Value, i),
                Kind::Str | Kind::Mixed => {
                    (Key::Str(self.dicts.decimal(digits, &mut self.ints, heap)), i)
                }
            };
            self.dicts.insert(&mut dict, key, value, heap);
            if matches!(place.kind, Kind::Window) && round >= place.entries {
                let oldest = self.ints.one_digit(heap);
                self.dicts.delete_oldest(&mut dict, &mut self.ints, heap);
                self.ints.release(oldest, heap);
            }
        }
        heap.free(iterator);
        if let Some(deleting) = deleting {
            self.ints.release(deleting, heap);
        }
        dict
    }
}

/// Decimal digits of the numbers of one dict: 4 to 9, enough for `count` numbers in a row.
fn draw_digits(count: u64, dice: &mut Dice) -> u64 {
    let least = u64::from((2 * count).max(1_000).ilog10()) + 1;
    least + dice.below(10 - least.min(9))
}

#[cfg(test)]
mod tests;
