//! The checks of P1 to P5, and of R2 and F1 for what the arenas are cut into.

use super::{LISTS, SpanStore, list_of};
use crate::flagship::class::{self, GRAIN, OFFSETS_END};
use crate::flagship::range::{ARENA_SLICES, LARGE, Range};
use crate::flagship::slice::{Span, State};
use crate::flagship::usage;
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation};

/// What was found of the free spans of a state.
#[derive(Clone, Copy, Default)]
struct Found {
    spans: usize,
    slices: usize,
}

impl SpanStore {
    /// Whether the arena is committed.
    fn is_committed(&self, arena: usize) -> bool {
        arena < self.arenas.start && self.vacant[arena / 64] & 1 << (arena % 64) == 0
    }

    /// Shows every span of the committed arenas, with the number of its first slice. An arena whose
    /// spans do not add up is left where that shows.
    pub(crate) fn each_span<E>(
        &self,
        range: &Range,
        mut visit: impl FnMut(Span, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let arenas = range.first_arena()..self.arenas.start;
        for arena in arenas.filter(|&arena| self.is_committed(arena)) {
            let end = (arena + 1) * ARENA_SLICES;
            let mut index = end - ARENA_SLICES;
            while index < end {
                let span = range.record(index);
                let slices = usize::from(span.slices());
                visit(span, index)?;
                if slices == 0 || index + slices > end {
                    break;
                }
                index += slices;
            }
        }
        Ok(())
    }

    /// Checks the range's free spans and what its slices are; adds its pools to `pools`.
    pub(crate) fn check(&self, range: &Range, pools: &mut usize) -> Result<(), FlagshipViolation> {
        let mut free = [Found::default(); 2];
        let mut used = 0;
        let mut before = State::Used;
        self.each_span(range, |span, index| {
            let (slices, state) = (usize::from(span.slices()), span.state());
            let room = ARENA_SLICES - index % ARENA_SLICES;
            let ends = FlagshipInvariant::SpanEnds;
            ends.holds((1..=room).contains(&slices), span.0.addr())?;
            let last = span.after(slices - 1);
            ends.holds(span.head() == span && last.head() == span, span.0.addr())?;
            ends.holds(last.state() == state, span.0.addr())?;
            let begins_arena = room == ARENA_SLICES;
            let differs = state == State::Used || begins_arena || before != state;
            FlagshipInvariant::SpanNeighbours.holds(differs, span.0.addr())?;
            before = state;
            if state == State::Used {
                used += slices;
                return check_used(range, span, index, pools);
            }
            let found = &mut free[list_of(state)];
            found.spans += 1;
            found.slices += slices;
            entries_are(range, index..index + slices, 0)
        })?;
        for arena in (range.first_arena()..self.arenas.start).filter(|&at| !self.is_committed(at)) {
            let first = arena * ARENA_SLICES;
            entries_are(range, first..first + ARENA_SLICES, 0)?;
        }
        for state in [State::Clean, State::Dirty] {
            self.check_lists(state, free[list_of(state)].spans)?;
        }
        let [clean, dirty] = free;
        self.check_ages(dirty.spans)?;
        let counts = FlagshipInvariant::SliceCounts;
        counts.holds(self.used == used, self.used)?;
        counts.holds(self.dirty == dirty.slices, self.dirty)?;
        let all = used + clean.slices + dirty.slices;
        counts.holds(self.committed * ARENA_SLICES == all, self.committed)
    }

    /// P2 for one state, of which there are `spans` spans.
    fn check_lists(&self, state: State, spans: usize) -> Result<(), FlagshipViolation> {
        let lists = FlagshipInvariant::SpanLists;
        let mut listed = 0;
        for length in 0..LISTS {
            let first = self.lists[list_of(state)][length];
            let bit = self.filled[list_of(state)][length / 64] >> (length % 64) & 1;
            lists.holds((bit == 1) != first.is_null(), length)?;
            let (mut span, mut prev) = (first, Span::NULL);
            while !span.is_null() {
                listed += 1;
                lists.holds(listed <= spans, span.0.addr())?;
                let fits = span.state() == state && usize::from(span.slices()) == length;
                lists.holds(fits && span.prev() == prev, span.0.addr())?;
                (span, prev) = (span.next(), span);
            }
        }
        lists.holds(listed == spans, spans)
    }

    /// P3, for `spans` dirty spans.
    fn check_ages(&self, spans: usize) -> Result<(), FlagshipViolation> {
        let ages = FlagshipInvariant::DirtyAges;
        let (mut span, mut older) = (self.oldest, Span::NULL);
        // An age beyond half of the clock is a stamp from the future.
        let (mut linked, mut age) = (0, u32::MAX / 2);
        while !span.is_null() {
            linked += 1;
            ages.holds(linked <= spans && span.older() == older, span.0.addr())?;
            let own_age = usage::clock().wrapping_sub(span.stamp());
            ages.holds(span.state() == State::Dirty && own_age <= age, span.0.addr())?;
            age = own_age;
            (span, older) = (span.younger(), span);
        }
        ages.holds(linked == spans && self.youngest == older, spans)
    }
}

fn entries_are(
    range: &Range,
    mut slices: core::ops::Range<usize>,
    entry: u32,
) -> Result<(), FlagshipViolation> {
    let other = slices.find(|&index| range.entry(index) != entry);
    FlagshipInvariant::MapEntries.holds(other.is_none(), other.unwrap_or(0))
}

/// A span in use is a pool or a large block, by its entries (R2) and records (F1).
fn check_used(
    range: &Range,
    span: Span,
    index: usize,
    pools: &mut usize,
) -> Result<(), FlagshipViolation> {
    let entry = range.entry(index);
    let slices = usize::from(span.slices());
    let records = FlagshipInvariant::SpanRecords;
    records.holds(span.start() == range.memory(index), span.0.addr())?;
    if entry & LARGE == LARGE {
        return entries_are(range, index + 1..index + slices, 0);
    }
    let offset = (entry & LARGE) as usize;
    let is_class = entry != 0 && offset < OFFSETS_END && offset.is_multiple_of(GRAIN);
    FlagshipInvariant::MapEntries.holds(is_class, index)?;
    entries_are(range, index..index + slices, entry)?;
    *pools += 1;
    records.holds(slices == usize::from(class::at(offset).slices), span.0.addr())?;
    for slice in 1..slices {
        records.holds(span.after(slice).head() == span, span.0.addr())?;
    }
    Ok(())
}

#[cfg(test)]
mod damage {
    //! Ways to break a store, for the tests of the checks.

    use super::{LISTS, Span, SpanStore, State, list_of};

    impl SpanStore {
        /// Takes a span out of its list without saying so; how to put it back.
        pub(crate) fn forget_a_list(&mut self) -> impl FnOnce() + use<> {
            let lists = &raw mut self.lists[list_of(State::Clean)];
            let length = (0..LISTS).find(|&at| !self.lists[list_of(State::Clean)][at].is_null());
            let length = length.expect("a clean span");
            let span =
                core::mem::replace(&mut self.lists[list_of(State::Clean)][length], Span::NULL);
            let place = lists.cast::<Span>().wrapping_add(length);
            // SAFETY: a place of the store, which is static; no other thread works.
            move || unsafe { place.write(span) }
        }

        /// Makes two spans of a clean one.
        pub(crate) fn split(&mut self, span: Span) {
            let slices = usize::from(span.slices());
            self.remove(span);
            self.insert(span, 1, State::Clean);
            self.insert(span.after(1), slices - 1, State::Clean);
        }

        /// Makes one span of two clean ones.
        pub(crate) fn unite(&mut self, span: Span) {
            let next = span.after(1);
            let slices = 1 + usize::from(next.slices());
            self.remove(span);
            self.remove(next);
            self.insert(span, slices, State::Clean);
        }
    }
}
