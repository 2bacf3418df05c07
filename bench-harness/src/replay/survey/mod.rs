//! Keeps books of what is alive while a subject is replayed: live bytes, sizes by slot, and what
//! blocks hold beyond what was asked for.
//!
//! [`Surveyed`] stands between the replay loop and a subject, as `probe` does. Its own memory is made
//! and written when it is made and never grows, so that readings of resident memory do not see it.
//! `map` looks at the pages behind the live blocks.

pub(crate) mod map;

use std::io;

use reports::record::WasteRow;

use super::allocator::Allocator;
use super::probe::stopwatch::{BANDS, band};
use crate::os::Mapping;
use crate::plan::op::{Extent, Place};

/// Requests of one size band and what was handed out for them, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Waste {
    requests: u64,
    requested: u64,
    usable: u64,
}

/// An allocator whose live blocks are known.
pub(crate) struct Surveyed<A> {
    inner: A,
    /// A word per slot: zero, or one more than the size of the live block.
    sizes: Mapping,
    live_bytes: u64,
    waste: [Waste; BANDS.len()],
    tells_usable: bool,
}

impl<A: Allocator> Surveyed<A> {
    /// Wraps a subject for a plan with `slots` slots.
    ///
    /// # Errors
    /// When there is no memory for the sizes.
    pub(crate) fn new(inner: A, slots: u32) -> io::Result<Self> {
        let sizes = Mapping::populated(slots as usize * 8)?;
        let waste = [Waste::default(); BANDS.len()];
        Ok(Self { inner, sizes, live_bytes: 0, waste, tells_usable: true })
    }

    /// Requested bytes of all live blocks.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Size of the live block in each slot, one more than it is; zero where there is none.
    pub(crate) fn sizes(&self) -> &[u64] {
        self.sizes.words()
    }

    /// What was handed out beyond what was asked for; empty where the subject cannot tell.
    pub(crate) fn waste(&self) -> Vec<WasteRow> {
        if !self.tells_usable {
            return Vec::new();
        }
        let rows = BANDS.iter().zip(&self.waste).filter(|(_, waste)| waste.requests > 0);
        let row = |(&(_, name), waste): (&(usize, &str), &Waste)| WasteRow {
            sizes: name.to_owned(),
            requests: waste.requests,
            requested_bytes: waste.requested,
            usable_bytes: waste.usable,
        };
        rows.map(row).collect()
    }

    fn size_mut(&mut self, slot: Place) -> &mut u64 {
        let at = slot.index() * 8;
        let bytes = &mut self.sizes.bytes_mut()[at..at + 8];
        // SAFETY: eight bytes at a multiple of eight of a mapping, and any bytes are a valid u64.
        unsafe { &mut *bytes.as_mut_ptr().cast() }
    }

    fn enter(&mut self, slot: Place, block: *mut u8, size: usize) {
        if block.is_null() {
            return;
        }
        *self.size_mut(slot) = size as u64 + 1;
        self.live_bytes += size as u64;
        // SAFETY: the subject has just handed out the block.
        match unsafe { self.inner.usable_size(block) } {
            Some(usable) => {
                let waste = &mut self.waste[band(size)];
                waste.requests += 1;
                waste.requested += size as u64;
                waste.usable += usable as u64;
            }
            None => self.tells_usable = false,
        }
    }

    fn leave(&mut self, slot: Place) {
        let size = std::mem::take(self.size_mut(slot));
        self.live_bytes -= size.saturating_sub(1);
    }
}

// SAFETY: hands on what the wrapped allocator returns.
unsafe impl<A: Allocator> Allocator for Surveyed<A> {
    const MIN_SIZE: usize = A::MIN_SIZE;

    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        let block = self.inner.malloc(slot, size);
        self.enter(slot, block, size);
        block
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        let block = self.inner.calloc(slot, size);
        self.enter(slot, block, size);
        block
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        let block = self.inner.aligned(slot, extent);
        self.enter(slot, block, extent.size);
        block
    }

    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        let block = self.inner.realloc_new(slot, size);
        self.enter(slot, block, size);
        block
    }

    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        let block = unsafe { self.inner.realloc(slot, ptr, old, size) };
        if !block.is_null() {
            self.leave(slot);
            self.enter(slot, block, size);
        }
        block
    }

    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent) {
        self.leave(slot);
        // SAFETY: the caller's obligation.
        unsafe { self.inner.free(slot, ptr, old) };
    }

    fn free_null(&mut self) {
        self.inner.free_null();
    }
}
