//! Arena sources for tests.

use std::cell::{Cell, RefCell};

use arenite::{ArenaSource, MmapSource};

/// Remembers what it mapped and took back, in a list that the test keeps.
pub(crate) struct RecordingSource<'a> {
    log: &'a Log,
}

/// What a [`RecordingSource`] saw, in order of the calls.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) mapped: RefCell<Vec<usize>>,
    pub(crate) unmapped: RefCell<Vec<usize>>,
}

impl Log {
    pub(crate) fn source(&self) -> RecordingSource<'_> {
        RecordingSource { log: self }
    }

    /// Bases of the arenas that are mapped now, oldest first.
    pub(crate) fn live(&self) -> Vec<usize> {
        let mut live = self.mapped.borrow().clone();
        for base in self.unmapped.borrow().iter() {
            let place = live.iter().position(|mapped| mapped == base);
            live.remove(place.expect("only what was mapped is unmapped"));
        }
        live
    }
}

// SAFETY: memory comes from the inner source unchanged.
unsafe impl ArenaSource for RecordingSource<'_> {
    const NAME: &'static str = "recording";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let base = MmapSource.map(bytes);
        self.log.mapped.borrow_mut().push(base.addr());
        base
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        self.log.unmapped.borrow_mut().push(base.addr());
        // SAFETY: forwarded to the caller.
        unsafe { MmapSource.unmap(base, bytes) };
    }
}

/// Bytes of mapped memory on either side of each arena of a [`FencedSource`].
pub(crate) const FENCE_BYTES: usize = 32 << 10;

/// Puts readable memory before and after every arena, all of it filled with a 4-byte pattern: the
/// arena index that an ownership test would read there. `shift` moves arenas off the bounds of OS
/// pages. Tells the test where the last arena lies.
pub(crate) struct FencedSource<'a> {
    pub(crate) pattern: u32,
    pub(crate) shift: usize,
    pub(crate) base: &'a Cell<usize>,
}

// SAFETY: the arena is the inner part of one fresh mapping, which is unmapped as a whole.
unsafe impl ArenaSource for FencedSource<'_> {
    const NAME: &'static str = "fenced";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let whole = bytes + 2 * FENCE_BYTES + self.shift;
        let base = MmapSource.map(whole);
        for offset in (0..whole).step_by(4) {
            // SAFETY: in bounds of the fresh mapping.
            let word = unsafe { base.add(offset) };
            // SAFETY: as above, and aligned to 4.
            unsafe { word.cast::<u32>().write(self.pattern) };
        }
        let arena = base.wrapping_add(FENCE_BYTES + self.shift);
        self.base.set(arena.addr());
        arena
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        let whole = bytes + 2 * FENCE_BYTES + self.shift;
        // SAFETY: the mapping began that much before the arena; forwarded to the caller.
        unsafe { MmapSource.unmap(base.wrapping_sub(FENCE_BYTES + self.shift), whole) };
    }
}
