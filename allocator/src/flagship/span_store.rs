//! The free spans of a range: who gets which slices.
//!
//! Free spans are kept by length, *clean* ones (they read as zeroes and occupy no memory) apart from
//! *dirty* ones. Equal neighbours in an arena are joined at once, unequal ones when the dirty one is
//! decommitted or a request needs both. A dirty span is preferred to a clean one, the best fit to
//! others, what lies side by side to a further arena. A dirty span is decommitted when
//! [`settings::purge_delay`] further slices have been freed or taken since, or twice as many as were in
//! use lately, huge blocks included (up to 128 MiB), or longer, as `patience.rs` tells; sooner where
//! an arena more would make the process larger than it was lately. An arena that is wholly clean goes
//! back to the reservation, unless it is the only such arena.
//!
//! Invariants:
//! * **P1** First and last record of a free span bear its state and length; `head` of the last one
//!   is the first one.
//! * **P2** `lists[state][length]` holds exactly the free spans of that state and length, and
//!   `filled[state]` has a bit for each list that is not empty.
//! * **P3** The dirty spans are linked by age, oldest first, with stamps that never decrease.
//! * **P4** Two free neighbours in an arena have different states.
//! * **P5** `used` is the number of slices of committed arenas that are in no free span.
//!
//! Everything here happens under the spans lock.

mod check;

use core::ops::Range as Span0;

use super::huge;
use super::lock::{Held, Lock};
use super::os;
use super::patience;
use super::range::{self, ARENA_BYTES, ARENA_SLICES, MAX_ARENAS, Range};
use super::settings;
use super::slice::{SLICE_BYTES, Span, State};
use super::usage::{self, MEMORY_SLICES, SPANS_CLOCK};

/// Guards every range's store, and `head`, `state` and `slices` of every record.
pub(crate) static SPANS: Lock = Lock::new();

/// Dirty spans that are looked at for neighbours, oldest first.
const LOOKS: usize = 256;
const LISTS: usize = ARENA_SLICES + 1;
const WORDS: usize = LISTS.div_ceil(64);

/// The free spans of one range.
pub(crate) struct SpanStore {
    lists: [[Span; LISTS]; 2],
    filled: [[u64; WORDS]; 2],
    oldest: Span,
    youngest: Span,
    /// Arenas not committed yet, by number.
    pub(crate) arenas: Span0<usize>,
    /// Arenas that were given back, a bit each.
    vacant: [u64; MAX_ARENAS / 64],
    /// Slices of all dirty spans.
    pub(crate) dirty: usize,
    /// Slices in use.
    pub(crate) used: usize,
    /// Committed arenas.
    pub(crate) committed: usize,
}

/// The first of the free spans that lie side by side with a dirty one; `None` if another dirty one is
/// nearer to it.
fn first_of_run(range: &Range, dirty: Span) -> Option<Span> {
    let before = |index: usize| {
        let begins_arena = index.is_multiple_of(ARENA_SLICES);
        (!begins_arena).then(|| range.record(index - 1)).filter(|span| span.state() != State::Used)
    };
    // By P4 it is a clean one that lies before a dirty one.
    let Some(clean) = before(range.index_of_record(dirty)).map(Span::head) else {
        return Some(dirty);
    };
    before(range.index_of_record(clean)).is_none().then_some(clean)
}

/// Slices of the free spans from `first` on.
fn run_slices(range: &Range, first: Span) -> usize {
    let begin = range.index_of_record(first);
    let mut end = begin;
    loop {
        let span = range.record(end);
        if span.state() == State::Used {
            break;
        }
        end += usize::from(span.slices());
        if end.is_multiple_of(ARENA_SLICES) {
            break;
        }
    }
    end - begin
}

fn list_of(state: State) -> usize {
    usize::from(state == State::Dirty)
}

/// Takes a span of `slices` slices, its memory aligned to `align` slices, a power of two of at most
/// an arena; whether it reads as zeroes. The entries of its slices become `entry`, the record of
/// each that of a span in use.
pub(crate) fn take(slices: usize, align: usize, entry: u32) -> Option<(Span, bool)> {
    let taken = take_now(slices, align, entry);
    huge::look_after_kept();
    // What huge blocks left behind may be what there is no memory for.
    if taken.is_none() && huge::purge() { take_now(slices, align, entry) } else { taken }
}

fn take_now(slices: usize, align: usize, entry: u32) -> Option<(Span, bool)> {
    let _held = SPANS.hold();
    let wanted = slices + align - 1;
    if wanted > ARENA_SLICES {
        return None;
    }
    let found = range::all()
        .iter()
        .find_map(|range| with(range, |store| store.find(wanted)).map(|span| (range, span)))
        .or_else(|| grow(wanted));
    let (range, span) = found?;
    let cut = with(range, |store| store.cut(range, span, slices, align, entry));
    decommit_aged();
    Some(cut)
}

/// Decommits what has been dirty for too long, since huge blocks have been freed and taken, say.
/// Neither lock is held.
pub(crate) fn look_after_dirty() {
    if usage::DIRTY.get() > 0 {
        let _held = SPANS.hold();
        decommit_aged();
    }
}

/// In all ranges, what has been dirty for too long. The lock is held.
fn decommit_aged() {
    for range in range::all() {
        with(range, |store| store.decommit_aged(range));
    }
}

/// Room from free spans of both states that lie side by side, or from a further arena, or from a
/// further range.
#[cold]
fn grow(wanted: usize) -> Option<(&'static Range, Span)> {
    for range in range::all() {
        let gathered = with(range, |store| store.gather(range, wanted));
        let Some(span) = gathered.or_else(|| with(range, |store| store.add_arena(range, wanted)))
        else {
            continue;
        };
        return Some((range, span));
    }
    // Where the kernel refused memory, not address space, another range would not help.
    let has_room = range::all().iter().any(|range| with(range, |store| store.has_room()));
    let added = if has_room { None } else { range::add() };
    added
        .and_then(|range| Some((range, with(range, |store| store.add_arena(range, wanted))?)))
        .or_else(|| find_without_dirty(wanted))
}

/// What is left when there is no arena more: neighbours that were not looked at.
fn find_without_dirty(wanted: usize) -> Option<(&'static Range, Span)> {
    decommit_while(|| true);
    range::all()
        .iter()
        .find_map(|range| with(range, |store| store.find(wanted)).map(|span| (range, span)))
}

/// Decommits dirty spans of all ranges, the oldest of each first, as long as `is_wanted`. The lock is
/// held.
fn decommit_while(is_wanted: impl Fn() -> bool) {
    for range in range::all() {
        with(
            range,
            |store| {
                while is_wanted() && store.dirty > 0 && store.decommit_oldest(range) {}
            },
        );
    }
}

/// Before `slices` that lie elsewhere are taken: what is dirty beyond 128 MiB, which only patience keeps,
/// goes back as far as the process would else be larger than it was lately. Neither lock is held.
pub(crate) fn make_room(slices: usize) {
    let is_wanted = || usage::DIRTY.get() > MEMORY_SLICES as usize && slices > usage::room_lately();
    if is_wanted() {
        let _held = SPANS.hold();
        decommit_while(is_wanted);
    }
}

/// Decommits all that is dirty, since there is no memory; whether there was any. Neither lock is held.
pub(crate) fn give_all_back() -> bool {
    let is_any = usage::DIRTY.get() > 0;
    if is_any {
        let _held = SPANS.hold();
        decommit_while(|| true);
    }
    is_any
}

/// Gives a used span back.
pub(crate) fn give(span: Span) {
    let _held = SPANS.hold();
    let range = Range::of(span);
    with(range, |store| store.free(range, span));
    decommit_aged();
}

/// Shortens a used span to `slices` slices, fewer than it has.
pub(crate) fn shorten(span: Span, slices: usize) {
    let _held = SPANS.hold();
    let range = Range::of(span);
    let rest = usize::from(span.slices()) - slices;
    mark(span, slices, State::Used);
    let tail = span.after(slices);
    mark(tail, rest, State::Used);
    tail.set_start(span.start().wrapping_add(slices * SLICE_BYTES));
    with(range, |store| store.free(range, tail));
    decommit_aged();
}

/// Lengthens a used span to `slices` slices where the slices behind it are free.
pub(crate) fn lengthen(span: Span, slices: usize) -> bool {
    let is_longer = lengthen_now(span, slices);
    huge::look_after_kept();
    is_longer
}

fn lengthen_now(span: Span, slices: usize) -> bool {
    let _held = SPANS.hold();
    let range = Range::of(span);
    let index = range.index_of_record(span);
    let old = usize::from(span.slices());
    if index % ARENA_SLICES + slices > ARENA_SLICES {
        return false;
    }
    with(range, |store| {
        // By P4 clean and dirty ones take turns.
        let mut found = old;
        while found < slices && index % ARENA_SLICES + found < ARENA_SLICES {
            let next = span.after(found);
            if next.state() == State::Used {
                break;
            }
            found += usize::from(next.slices());
        }
        if found < slices {
            return false;
        }
        let (mut taken, mut clean) = (old, 0);
        while taken < slices {
            let next = span.after(taken);
            let length = usize::from(next.slices());
            let state = next.state();
            store.remove(next);
            let wanted = length.min(slices - taken);
            if wanted < length {
                store.insert(next.after(wanted), length - wanted, state);
            }
            mark(next, wanted, State::Used);
            taken += wanted;
            clean += if state == State::Clean { wanted } else { 0 };
        }
        mark(span, slices, State::Used);
        store.count_taken(slices - old, clean);
        store.decommit_aged(range);
        true
    })
}

/// Decommits everything that is free, in all ranges, and gives empty arenas back but one.
pub(crate) fn purge() {
    let _held = SPANS.hold();
    decommit_while(|| true);
    patience::was_asked();
}

/// Lets the caller work on a range's store. The spans lock is held.
pub(crate) fn with<T>(range: &Range, work: impl FnOnce(&mut SpanStore) -> T) -> T {
    // SAFETY: the spans lock is held, and no closure calls `with` for the same range.
    work(unsafe { &mut *range.store() })
}

/// Holds the spans lock, for whoever looks at several things at once.
pub(crate) fn hold() -> Held<'static> {
    SPANS.hold()
}

/// Writes state and length into the first and last record of a span (P1).
fn mark(span: Span, slices: usize, state: State) {
    let last = span.after(slices - 1);
    last.set_head(span);
    last.set_state(state);
    span.set_state(state);
    span.set_head(span);
    span.set_slices(slices as u16);
}

impl SpanStore {
    pub(crate) const EMPTY: Self = Self {
        lists: [[Span::NULL; LISTS]; 2],
        filled: [[0; WORDS]; 2],
        oldest: Span::NULL,
        youngest: Span::NULL,
        arenas: 0..0,
        vacant: [0; MAX_ARENAS / 64],
        dirty: 0,
        used: 0,
        committed: 0,
    };

    fn count_used(&mut self, slices: usize) {
        usage::USED.set(usage::USED.get() - self.used + slices);
        self.used = slices;
    }

    /// Slices have been taken, so many of them clean.
    fn count_taken(&mut self, slices: usize, clean: usize) {
        self.count_used(self.used + slices);
        SPANS_CLOCK.advance(slices);
        usage::note();
        if clean > 0 {
            patience::took_clean(clean, usage::clock());
        }
    }

    fn count_dirty(&mut self, slices: usize) {
        usage::DIRTY.set(usage::DIRTY.get() - self.dirty + slices);
        self.dirty = slices;
    }

    /// The best fit among the dirty spans, else among the clean ones.
    fn find(&self, slices: usize) -> Option<Span> {
        [State::Dirty, State::Clean].into_iter().find_map(|state| self.best(state, slices))
    }

    fn best(&self, state: State, slices: usize) -> Option<Span> {
        let filled = &self.filled[list_of(state)];
        let mut word = slices / 64;
        let mut bits = filled[word] & (u64::MAX << (slices % 64));
        while bits == 0 {
            word += 1;
            bits = *filled.get(word)?;
        }
        let length = word * 64 + bits.trailing_zeros() as usize;
        Some(self.lists[list_of(state)][length])
    }

    /// Cuts `slices` aligned slices out of a free span and makes them a used one.
    fn cut(
        &mut self,
        range: &Range,
        span: Span,
        slices: usize,
        align: usize,
        entry: u32,
    ) -> (Span, bool) {
        let state = span.state();
        let length = usize::from(span.slices());
        self.remove(span);
        let index = range.index_of_record(span);
        // Slice 0 is aligned to an arena (R1), so that indices tell alignment.
        let before = index.next_multiple_of(align) - index;
        let behind = length - before - slices;
        let cut = span.after(before);
        if before > 0 {
            self.insert(span, before, state);
        }
        if behind > 0 {
            self.insert(cut.after(slices), behind, state);
        }
        mark(cut, slices, State::Used);
        cut.set_start(range.memory(index + before));
        if entry & range::LARGE == range::LARGE {
            range.set_entries(index + before, 1, entry);
        } else {
            range.set_entries(index + before, slices, entry);
            for slice in 1..slices {
                cut.after(slice).set_head(cut);
            }
        }
        self.count_taken(slices, if state == State::Clean { slices } else { 0 });
        (cut, state == State::Clean)
    }

    /// Frees a used span.
    fn free(&mut self, range: &Range, span: Span) {
        let slices = usize::from(span.slices());
        range.set_entries(range.index_of_record(span), slices, 0);
        self.count_used(self.used - slices);
        SPANS_CLOCK.advance(slices);
        self.join(range, span, slices, State::Dirty);
    }

    /// Puts a free span among the others, joined with equal neighbours (P4).
    fn join(&mut self, range: &Range, span: Span, slices: usize, state: State) {
        let (mut span, mut slices) = (span, slices);
        let index = range.index_of_record(span);
        if !(index + slices).is_multiple_of(ARENA_SLICES) {
            let next = span.after(slices);
            if next.state() == state {
                slices += usize::from(next.slices());
                self.remove(next);
            }
        }
        if !index.is_multiple_of(ARENA_SLICES) && span.before().state() == state {
            let previous = span.before().head();
            slices += usize::from(previous.slices());
            self.remove(previous);
            span = previous;
        }
        self.insert(span, slices, state);
        if state == State::Clean && slices == ARENA_SLICES {
            self.release_arena(range, span);
        }
    }

    /// Writes a free span down (P1, P2, P3).
    fn insert(&mut self, span: Span, slices: usize, state: State) {
        mark(span, slices, state);
        let head = &mut self.lists[list_of(state)][slices];
        span.set_prev(Span::NULL);
        span.set_next(*head);
        if !head.is_null() {
            head.set_prev(span);
        }
        *head = span;
        self.filled[list_of(state)][slices / 64] |= 1 << (slices % 64);
        if state == State::Dirty {
            self.count_dirty(self.dirty + slices);
            span.set_stamp(usage::clock());
            span.set_older(self.youngest);
            span.set_younger(Span::NULL);
            if self.youngest.is_null() {
                self.oldest = span;
            } else {
                self.youngest.set_younger(span);
            }
            self.youngest = span;
        }
    }

    /// Strikes a free span out (P2, P3).
    fn remove(&mut self, span: Span) {
        let (state, slices) = (span.state(), usize::from(span.slices()));
        let (next, prev) = (span.next(), span.prev());
        if prev.is_null() {
            self.lists[list_of(state)][slices] = next;
            if next.is_null() {
                self.filled[list_of(state)][slices / 64] &= !(1 << (slices % 64));
            }
        } else {
            prev.set_next(next);
        }
        if !next.is_null() {
            next.set_prev(prev);
        }
        if state == State::Dirty {
            self.count_dirty(self.dirty - slices);
            let (older, younger) = (span.older(), span.younger());
            if older.is_null() {
                self.oldest = younger;
            } else {
                older.set_younger(younger);
            }
            if younger.is_null() {
                self.youngest = older;
            } else {
                younger.set_older(older);
            }
        }
    }

    /// Decommits the spans that have been dirty for longer than the delay.
    fn decommit_aged(&mut self, range: &Range) {
        let now = usage::clock();
        // The least delay first, which settles most calls.
        if self.oldest.is_null() || now.wrapping_sub(self.oldest.stamp()) < settings::purge_delay()
        {
            return;
        }
        let delay = patience::delay(now);
        while !self.oldest.is_null() {
            let (span, slices) = (self.oldest, usize::from(self.oldest.slices()));
            if now.wrapping_sub(span.stamp()) < delay {
                return;
            }
            if !self.decommit_oldest(range) {
                // Refused, for locked memory say: not to be tried again on every call.
                self.remove(span);
                self.insert(span, slices, State::Dirty);
                return;
            }
            patience::gave_back(slices);
        }
    }

    /// Decommits the span that has been dirty for longest; false when the kernel refuses.
    fn decommit_oldest(&mut self, range: &Range) -> bool {
        let span = self.oldest;
        let slices = usize::from(span.slices());
        let memory = range.memory(range.index_of_record(span));
        if !os::decommit(memory, slices * SLICE_BYTES) {
            return false;
        }
        self.remove(span);
        self.join(range, span, slices, State::Clean);
        true
    }

    /// Whether an arena could be added, memory permitting.
    fn has_room(&self) -> bool {
        !self.arenas.is_empty() || self.vacant.iter().any(|&word| word != 0)
    }

    /// Makes a dirty span of at least `wanted` slices out of free neighbours, the fewest that are found
    /// among the first [`LOOKS`] dirty spans.
    fn gather(&mut self, range: &Range, wanted: usize) -> Option<Span> {
        let mut best: Option<(usize, Span)> = None;
        let mut dirty = self.oldest;
        for _ in 0..LOOKS {
            if dirty.is_null() || best.is_some_and(|(least, _)| least == wanted) {
                break;
            }
            if let Some(first) = first_of_run(range, dirty) {
                let slices = run_slices(range, first);
                if slices >= wanted && best.is_none_or(|(least, _)| slices < least) {
                    best = Some((slices, first));
                }
            }
            dirty = dirty.younger();
        }
        let (_, first) = best?;
        let (mut slices, mut clean, mut state) = (0, 0, State::Dirty);
        while slices < wanted {
            let span = first.after(slices);
            let length = usize::from(span.slices());
            (slices, state) = (slices + length, span.state());
            clean += if state == State::Clean { length } else { 0 };
            self.remove(span);
        }
        if state == State::Clean && slices > wanted {
            self.insert(first.after(wanted), slices - wanted, State::Clean);
            (slices, clean) = (wanted, clean - (slices - wanted));
        }
        patience::took_clean(clean, usage::clock());
        self.join(range, first, slices, State::Dirty);
        Some(first)
    }

    /// A free arena for `wanted` slices: one that was given back, or the next that was never used. What is
    /// dirty goes back as far as the process would else be larger than it was lately.
    fn add_arena(&mut self, range: &Range, wanted: usize) -> Option<Span> {
        while wanted > usage::room_lately() && self.dirty > 0 && self.decommit_oldest(range) {}
        let vacant = self.vacant.iter().position(|&word| word != 0);
        let arena = match vacant {
            Some(word) => word * 64 + self.vacant[word].trailing_zeros() as usize,
            None if self.arenas.is_empty() => return None,
            None => self.arenas.start,
        };
        if !range.commit_arena(arena) {
            return None;
        }
        match vacant {
            Some(word) => self.vacant[word] &= !(1 << (arena % 64)),
            None => {
                self.arenas.start += 1;
                patience::has_new_arena();
            }
        }
        self.committed += 1;
        let span = range.record(arena * ARENA_SLICES);
        self.insert(span, ARENA_SLICES, State::Clean);
        Some(span)
    }

    /// Gives a wholly clean arena back to the reservation, unless it is the only one of its kind.
    fn release_arena(&mut self, range: &Range, span: Span) {
        let index = range.index_of_record(span);
        let others = self.lists[list_of(State::Clean)][ARENA_SLICES].next();
        // Memory of a watched process stays where it is: it is not ours to protect.
        if others.is_null()
            || settings::is_memcheck()
            || !os::uncommit(range.memory(index), ARENA_BYTES)
        {
            return;
        }
        self.remove(span);
        mark(span, ARENA_SLICES, State::Used);
        let arena = index / ARENA_SLICES;
        self.vacant[arena / 64] |= 1 << (arena % 64);
        self.committed -= 1;
        range.clear_tables(arena);
    }
}
