//! Checks everything a subject hands out: the oracle behind `--verify`.
//!
//! [`Verified`] stands between the replay loop and a subject and keeps, for every slot, what must be
//! true of its block. What is checked:
//! * V1 alignment: at least what was asked for, else the subject's promise, which never exceeds the
//!   largest power of two that is not above the size.
//! * V2 overlap: no two live blocks share a byte, usable bytes included.
//! * V3 contents: from birth to death every checked byte holds what was written into it.
//! * V4 calloc: every checked byte is zero.
//! * V5 realloc: the checked bytes of the common prefix are kept.
//! * V6 usable size: at least the request.
//!
//! Up to [`WHOLE_BYTES`] every byte is checked; of larger blocks both ends, and one stripe of
//! [`STRIPE_BYTES`] in every [`STRIDE_BYTES`]. The touch policy's header (`touch`, T1) covers the
//! first 16 bytes, which are therefore left to it after the birth checks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::allocator::Allocator;
use crate::plan::op::{Extent, Place};

/// Blocks up to this size are checked byte by byte.
pub(crate) const WHOLE_BYTES: usize = 64 << 10;
/// Bytes at both ends of larger blocks that are checked.
const EDGE_BYTES: usize = 4096;
/// Distance of the stripes between, in bytes.
const STRIDE_BYTES: usize = 4096;
/// Bytes of one stripe.
const STRIPE_BYTES: usize = 64;
/// Bytes that belong to the touch policy.
const HEADER_BYTES: usize = 16;

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Call at which it was noticed, counted from 0 over the whole replay.
    pub(crate) call: u64,
    /// What was wrong.
    pub(crate) what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}: {}", self.call, self.what)
    }
}

#[derive(Clone, Copy)]
struct Shadow {
    addr: usize,
    /// Bytes filled with the pattern.
    filled: usize,
    pattern: u64,
}

/// What is known of all live blocks of a subject, whatever thread they are on.
///
/// The lock is held for looking things up and never while the subject is called or a block is filled
/// or read, so that threads meet in the subject as they do without verification. A block leaves the
/// ledger before it is given back and enters it after it was handed out: whoever gets the same bytes
/// in between breaks no promise.
pub(crate) struct Ledger {
    promise: usize,
    state: Mutex<State>,
}

struct State {
    shadows: Vec<Option<Shadow>>,
    /// Start of every live block and its end.
    ranges: BTreeMap<usize, usize>,
    calls: u64,
    fault: Option<Fault>,
}

impl State {
    fn fault(&mut self, what: String) {
        if self.fault.is_none() {
            self.fault = Some(Fault { call: self.calls, what });
        }
    }

    /// Enters a block of `filled` bytes at `addr`; `None` when it overlaps another (V2).
    fn enter(&mut self, slot: Place, addr: usize, filled: usize, what: &str) -> Option<Shadow> {
        let end = addr.saturating_add(filled.max(1));
        let below = self.ranges.range(..end).next_back().map(|(&start, &end)| (start, end));
        if let Some((start, other_end)) = below
            && other_end > addr
        {
            self.fault(format!(
                "{what} returned {addr:#x}, inside the live block [{start:#x}, {other_end:#x})"
            ));
            return None;
        }
        self.ranges.insert(addr, end);
        let pattern =
            (slot.index() as u64 ^ self.calls << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let shadow = Shadow { addr, filled, pattern };
        self.shadows[slot.index()] = Some(shadow);
        Some(shadow)
    }
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with a lock held")
    }

    /// The first promise that was broken.
    pub(crate) fn first_fault(&self) -> Option<Fault> {
        self.lock().fault.clone()
    }

    fn fault(&self, what: String) {
        self.lock().fault(what);
    }

    /// Counts a call; whether every promise has been kept so far.
    fn count(&self) -> bool {
        let mut state = self.lock();
        state.calls += 1;
        state.fault.is_none()
    }

    fn is_kept(&self) -> bool {
        self.lock().fault.is_none()
    }

    fn retire(&self, slot: Place) -> Option<Shadow> {
        let mut state = self.lock();
        let shadow = state.shadows[slot.index()].take()?;
        state.ranges.remove(&shadow.addr);
        Some(shadow)
    }

    /// Checks the first `len` bytes of a block that is at `ptr` against its shadow (V3, V5).
    fn check(&self, shadow: &Shadow, ptr: *mut u8, len: usize, operation: &str) {
        let mut wrong = None;
        let len = len.min(shadow.filled);
        for_checked(shadow.filled, |at| {
            if at >= len || at < HEADER_BYTES || wrong.is_some() {
                return;
            }
            // SAFETY: `at < len`, which the block holds.
            let byte = unsafe { ptr.add(at) };
            // SAFETY: the byte is ours.
            if unsafe { byte.read() } != pattern_byte(shadow.pattern, at) {
                wrong = Some(at);
            }
        });
        if let Some(at) = wrong {
            self.fault(format!(
                "{operation}: byte {at} of the block at {:#x} has changed",
                ptr.addr()
            ));
        }
    }
}

/// An allocator whose every answer is checked.
pub(crate) struct Verified<A> {
    inner: A,
    ledger: Arc<Ledger>,
}

impl<A: Allocator> Verified<A> {
    /// Wraps a subject that promises `promise` bytes of alignment, for a plan with `slots` slots.
    pub(crate) fn new(inner: A, promise: usize, slots: u32) -> Self {
        let mut shadows = Vec::new();
        shadows.resize_with(slots as usize, || None);
        let state = State { shadows, ranges: BTreeMap::new(), calls: 0, fault: None };
        Self { inner, ledger: Arc::new(Ledger { promise, state: Mutex::new(state) }) }
    }

    /// What is known of all blocks, for when the replay is over.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Hands on a block, or null once a promise was broken: nothing a subject does after that is
    /// worth looking at, and it may well not survive it.
    fn hand_on(&self, ptr: *mut u8) -> *mut u8 {
        if self.ledger.count() { ptr } else { std::ptr::null_mut() }
    }

    /// Checks a block that was just handed out (V1, V2, V6) and fills it.
    fn admit(&mut self, slot: Place, ptr: *mut u8, extent: Extent, operation: &str) {
        if ptr.is_null() {
            return;
        }
        let addr = ptr.addr();
        let what = format_args!("{operation} of {} bytes", extent.size).to_string();
        let promised = self.ledger.promise.min(largest_power_of_two(extent.size)).max(extent.align);
        if !addr.is_multiple_of(promised) {
            self.ledger.fault(format!("{what} returned {addr:#x}, not aligned to {promised}"));
        }
        // SAFETY: the block is live, it was just handed out.
        let usable = unsafe { self.inner.usable_size(ptr) };
        let mut filled = extent.size;
        match usable {
            Some(usable) if usable < extent.size => {
                self.ledger.fault(format!("{what} returned a block with {usable} usable bytes"));
            }
            Some(usable) => filled = usable,
            None => {}
        }
        let entered = self.ledger.lock().enter(slot, addr, filled, &what);
        let Some(shadow) = entered else { return };
        for_checked(filled, |at| {
            // SAFETY: `at < filled`, which the block holds.
            let byte = unsafe { ptr.add(at) };
            // SAFETY: the byte is ours.
            unsafe { byte.write(pattern_byte(shadow.pattern, at)) };
        });
    }
}

/// Calls `visit` with every offset that is checked in a block of `len` bytes.
fn for_checked(len: usize, mut visit: impl FnMut(usize)) {
    if len <= WHOLE_BYTES {
        (0..len).for_each(visit);
        return;
    }
    (0..EDGE_BYTES).for_each(&mut visit);
    let mut stripe = EDGE_BYTES;
    while stripe + STRIPE_BYTES <= len - EDGE_BYTES {
        (stripe..stripe + STRIPE_BYTES).for_each(&mut visit);
        stripe += STRIDE_BYTES;
    }
    (len - EDGE_BYTES..len).for_each(visit);
}

fn pattern_byte(pattern: u64, at: usize) -> u8 {
    (pattern >> (at % 8 * 8)) as u8 ^ (at / 8) as u8
}

fn largest_power_of_two(size: usize) -> usize {
    if size == 0 { 1 } else { 1 << size.ilog2() }
}

// SAFETY: hands on what the wrapped allocator returns.
unsafe impl<A: Allocator> Allocator for Verified<A> {
    const MIN_SIZE: usize = A::MIN_SIZE;

    fn another(&self) -> Option<Self> {
        Some(Self { inner: self.inner.another()?, ledger: Arc::clone(&self.ledger) })
    }

    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        let ptr = self.inner.malloc(slot, size);
        self.admit(slot, ptr, Extent { size, align: 1 }, "malloc");
        self.hand_on(ptr)
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        let ptr = self.inner.calloc(slot, size);
        let mut dirty = None;
        if !ptr.is_null() {
            for_checked(size, |at| {
                // SAFETY: `at < size`, which the block holds.
                let byte = unsafe { ptr.add(at) };
                // SAFETY: the byte is ours.
                if dirty.is_none() && unsafe { byte.read() } != 0 {
                    dirty = Some(at);
                }
            });
        }
        if let Some(at) = dirty {
            self.ledger.fault(format!("calloc of {size} bytes: byte {at} is not zero"));
        }
        self.admit(slot, ptr, Extent { size, align: 1 }, "calloc");
        self.hand_on(ptr)
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        let ptr = self.inner.aligned(slot, extent);
        self.admit(slot, ptr, extent, "aligned allocation");
        self.hand_on(ptr)
    }

    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        let ptr = self.inner.realloc_new(slot, size);
        self.admit(slot, ptr, Extent { size, align: 1 }, "realloc of null");
        self.hand_on(ptr)
    }

    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        let shadow = self.ledger.retire(slot);
        if let Some(shadow) = &shadow {
            self.ledger.check(shadow, ptr, usize::MAX, "before realloc");
        }
        if !self.ledger.is_kept() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's obligation.
        let moved = unsafe { self.inner.realloc(slot, ptr, old, size) };
        if !moved.is_null() {
            if let Some(shadow) = &shadow {
                self.ledger.check(shadow, moved, old.size.min(size), "realloc");
            }
            // The header survives the fill below: the replay loop checks it after this call.
            let mut header = [0; HEADER_BYTES];
            let kept = HEADER_BYTES.min(size);
            // SAFETY: the block holds at least `kept` bytes, the array as well.
            unsafe { std::ptr::copy_nonoverlapping(moved, header.as_mut_ptr(), kept) };
            self.admit(slot, moved, Extent { size, align: 1 }, "realloc");
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(header.as_ptr(), moved, kept) };
        }
        self.hand_on(moved)
    }

    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent) {
        if let Some(shadow) = self.ledger.retire(slot) {
            self.ledger.check(&shadow, ptr, usize::MAX, "before free");
        }
        if !self.ledger.count() {
            return;
        }
        // SAFETY: the caller's obligation.
        unsafe { self.inner.free(slot, ptr, old) };
    }

    fn free_null(&mut self) {
        self.inner.free_null();
        self.ledger.count();
    }
}
