//! How much memory is in use, and how much was lately: what tells how much of it is worth keeping when
//! it is freed.
//!
//! Spans are counted under their lock and huge blocks under theirs; a sum of both may be off by what
//! is taken or freed meanwhile, and nothing but the time at which memory goes back hangs on it.
//!
//! Invariants:
//! * **U1** `USED` and `DIRTY` are the sums over all ranges of what their stores count; `HUGE` and `KEPT`
//!   are the slices of what the table of huge blocks holds, whole ones, and keeps, begun ones as well.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

/// How long a peak is remembered, in slices freed or taken: once to twice as long, and longer in a
/// process that regretted what it gave back (`patience.rs`).
pub(crate) const MEMORY_SLICES: u32 = 8192;

/// No block counts for more: ages are differences of a clock that wraps.
const MOST_AT_ONCE: usize = 1 << 24;

/// A number that is written under one lock.
pub(crate) struct Count(AtomicUsize);

impl Count {
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value of statics")]
    pub(crate) const ZERO: Self = Self(AtomicUsize::new(0));

    pub(crate) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Under the lock of what it counts.
    pub(crate) fn set(&self, value: usize) {
        self.0.store(value, Relaxed);
    }
}

/// Slices in spans in use, by all ranges.
pub(crate) static USED: Count = Count::ZERO;
/// Slices in dirty spans, by all ranges.
pub(crate) static DIRTY: Count = Count::ZERO;
/// Slices of huge blocks.
pub(crate) static HUGE: Count = Count::ZERO;
/// Slices of freed mappings that are kept.
pub(crate) static KEPT: Count = Count::ZERO;
/// How often [`time`] has doubled. Under the spans lock.
pub(crate) static DOUBLINGS: Count = Count::ZERO;
/// Slices of spans freed and taken so far.
pub(crate) static SPANS_CLOCK: Clock = Clock(AtomicU32::new(0));
/// Slices of huge blocks freed and taken so far.
pub(crate) static HUGE_CLOCK: Clock = Clock(AtomicU32::new(0));

/// Slices freed and taken, which wraps; it is written under one lock.
pub(crate) struct Clock(AtomicU32);

impl Clock {
    fn now(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Under the lock of what it counts.
    pub(crate) fn advance(&self, slices: usize) {
        self.0.store(self.now().wrapping_add(slices.min(MOST_AT_ONCE) as u32), Relaxed);
    }
}

/// Slices freed and taken so far, of all kinds. For a holder of the spans lock, whoever held it before,
/// it never goes back.
pub(crate) fn clock() -> u32 {
    SPANS_CLOCK.now().wrapping_add(HUGE_CLOCK.now())
}

/// How long a peak is remembered by now.
pub(crate) fn time() -> u32 {
    MEMORY_SLICES << DOUBLINGS.get()
}

/// Most slices in use since the last change of times, and in the time before it: a program that cycles
/// through its memory may have none in use when one time ends.
static HIGH: AtomicUsize = AtomicUsize::new(0);
static BEFORE: AtomicUsize = AtomicUsize::new(0);
static SINCE: AtomicU32 = AtomicU32::new(0);

/// Notes what is in use now. Whoever has taken some calls it.
pub(crate) fn note() {
    let used = USED.get() + HUGE.get();
    if used > HIGH.load(Relaxed) {
        HIGH.store(used, Relaxed);
    }
}

/// The most slices lately that were in use at once, in spans and huge blocks.
pub(crate) fn most_lately() -> usize {
    note();
    let (used, high) = (USED.get() + HUGE.get(), HIGH.load(Relaxed));
    let (now, since) = (clock(), SINCE.load(Relaxed));
    if now.wrapping_sub(since) > time()
        && SINCE.compare_exchange(since, now, Relaxed, Relaxed).is_ok()
    {
        // Nobody has asked for so long that the peak may be older still.
        let before = if now.wrapping_sub(since) > 2 * time() { used } else { high };
        BEFORE.store(before, Relaxed);
        HIGH.store(used, Relaxed);
        return before;
    }
    high.max(BEFORE.load(Relaxed))
}

/// Slices that may be kept beside all that is resident without more of it than lately; what is kept
/// is not among it.
pub(crate) fn room_lately() -> usize {
    most_lately().saturating_sub(USED.get() + DIRTY.get() + HUGE.get())
}
