//! Arenas from one reservation.
//!
//! ```text
//! reservation (no access, no memory)
//! | lost | arena 0 | arena 1 | arena 2 | ...                                     | lost |
//!        aligned to the arena size; a bit of `taken` per arena, set while it is handed out
//! ```
//!
//! Addresses are reserved once, with the first arena, and stay until the process ends. What is handed
//! out becomes accessible, what is given back loses its memory and its accessibility: a stale pointer
//! faults, and nobody else can be given the address.

use core::ptr;

use crate::source::ArenaSource;
use crate::sys;
use crate::valgrind;
use crate::watch::client_heap;

/// Largest reservation, in bytes. Valgrind cannot map more than 32 GiB at once.
const LARGEST_BYTES: usize = 16 << 30;
/// Bytes of the reservation where memcheck watches.
const WATCHED_BYTES: usize = 64 << 20;
const WORDS: usize = 1024;
/// Most arenas of a reservation.
const MOST_ARENAS: usize = WORDS * 64;

/// A mapping that has no memory before it is touched.
pub(crate) struct Reservation {
    pub(crate) base: *mut u8,
    pub(crate) bytes: usize,
}

impl Reservation {
    /// Readable, writable zeros.
    pub(crate) fn writable(bytes: usize) -> Option<Self> {
        Self::new(bytes, sys::PROT_READ_WRITE)
    }

    /// Addresses only.
    fn inaccessible(bytes: usize) -> Option<Self> {
        Self::new(bytes, sys::PROT_NONE)
    }

    fn new(bytes: usize, protection: core::ffi::c_int) -> Option<Self> {
        let flags = sys::MAP_RESERVATION;
        // SAFETY: a new anonymous mapping at a place of the kernel's choice disturbs nothing.
        let base = unsafe { sys::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        (base.addr() != sys::MAP_FAILED_ADDR).then(|| Self { base: base.cast(), bytes })
    }

    /// Gives the addresses back.
    ///
    /// # Safety
    /// Nothing in the mapping is used any more.
    pub(crate) unsafe fn release(self) {
        // SAFETY: the mapping is our own and not used (caller).
        let _refused = unsafe { sys::munmap(self.base.cast(), self.bytes) };
    }
}

/// Cuts arenas from one reservation of up to 16 GiB, aligned to their size.
///
/// A reservation that is refused, as under `ulimit -v`, is tried again with half the size until four
/// arenas do not fit. When all of it is handed out, further arenas are refused, and the heap's next
/// allocator serves. A source serves arenas of one size, that of the first. Holds 8 KiB, and looks
/// for a free place from the lowest that may be free: constant, unless many arenas below are taken
/// and given back in turn.
#[derive(Debug)]
pub struct ReservedSource {
    base: *mut u8,
    /// Arenas in the reservation; 0 before the first.
    arenas: usize,
    arena_bytes: usize,
    /// Words of `taken` below this are full.
    first_open: usize,
    taken: [u64; WORDS],
}

// SAFETY: the reservation is the source's own and changes through `&mut` only.
unsafe impl Send for ReservedSource {}

impl Default for ReservedSource {
    fn default() -> Self {
        Self::new()
    }
}

impl ReservedSource {
    /// A source that has reserved nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { base: ptr::null_mut(), arenas: 0, arena_bytes: 0, first_open: 0, taken: [0; WORDS] }
    }

    /// Reserves room for as many arenas of `bytes` as can be had.
    fn reserve(&mut self, bytes: usize) {
        let mut arenas = (LARGEST_BYTES / bytes).min(MOST_ARENAS);
        while arenas >= 4 {
            // One more than there are, for the alignment.
            if let Some(range) = Reservation::inaccessible((arenas + 1) * bytes) {
                let lost = range.base.addr().next_multiple_of(bytes) - range.base.addr();
                self.base = range.base.wrapping_add(lost);
                (self.arenas, self.arena_bytes) = (arenas, bytes);
                return;
            }
            arenas /= 2;
        }
    }

    /// A place for an arena of `bytes`, and where it lies.
    fn cut(&mut self, bytes: usize) -> Option<(usize, *mut u8)> {
        let place = if bytes == self.arena_bytes { self.vacant() } else { None }?;
        Some((place, self.base.wrapping_add(place * bytes)))
    }

    /// Hands out the place.
    fn take(&mut self, place: usize) {
        self.taken[place / 64] |= 1 << (place % 64);
    }

    /// Takes the place of the arena at `base` back.
    fn give(&mut self, base: *mut u8) {
        let place = (base.addr() - self.base.addr()) / self.arena_bytes;
        self.taken[place / 64] &= !(1 << (place % 64));
        self.first_open = self.first_open.min(place / 64);
    }

    /// A place that is not handed out.
    fn vacant(&mut self) -> Option<usize> {
        while self.first_open < WORDS && self.taken[self.first_open] == u64::MAX {
            self.first_open += 1;
        }
        let word = self.taken.get(self.first_open)?;
        let place = self.first_open * 64 + word.trailing_ones() as usize;
        (place < self.arenas).then_some(place)
    }
}

// SAFETY: places of the reservation are disjoint, and one is handed out again only when it is back.
unsafe impl ArenaSource for ReservedSource {
    const NAME: &'static str = "reserved";
    const ARENAS_ALIGNED: bool = true;
    const ONE_RESERVATION: bool = true;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        if self.arenas == 0 {
            self.reserve(bytes);
        }
        let Some((place, arena)) = self.cut(bytes) else { return ptr::null_mut() };
        // SAFETY: a part of our own reservation that nobody uses.
        let status = unsafe { sys::mprotect(arena.cast(), bytes, sys::PROT_READ_WRITE) };
        if status != 0 {
            return ptr::null_mut();
        }
        self.take(place);
        arena
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: a part of our own reservation that is not used any more (caller).
        let _refused = unsafe { sys::madvise(base.cast(), bytes, sys::MADV_DONTNEED) };
        // SAFETY: as above.
        let _refused = unsafe { sys::mprotect(base.cast(), bytes, sys::PROT_NONE) };
        self.give(base);
    }

    /// The reservation is a piece of the C library's memory, and smaller: memcheck keeps books on all
    /// of it.
    fn map_watched(&mut self, bytes: usize) -> *mut u8 {
        if self.arenas == 0 {
            let arenas = (WATCHED_BYTES / bytes).min(MOST_ARENAS);
            let base = client_heap::take(arenas * bytes, bytes);
            if !base.is_null() {
                (self.base, self.arenas, self.arena_bytes) = (base, arenas, bytes);
            }
        }
        let Some((place, arena)) = self.cut(bytes) else { return ptr::null_mut() };
        self.take(place);
        arena
    }

    unsafe fn unmap_watched(&mut self, base: *mut u8, bytes: usize) {
        valgrind::make_no_access(base, bytes);
        self.give(base);
    }
}
