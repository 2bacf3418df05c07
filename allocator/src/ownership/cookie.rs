//! Ownership by a random word at the start of every arena.
//!
//! Arenas are aligned to their size, so rounding a pointer down gives the start of its arena, if it
//! is ours. There stands a word that only this process knows, mixed with the address, so that a copy
//! of it elsewhere is no cookie:
//!
//! ```text
//! base (a multiple of ARENA_BYTES)
//! 0x00  cookie = secret ^ base          | the rest of the first pool is not used | pool | pool ...
//! ```
//!
//! The first pool gives way to the cookie. `erase` takes it out before the arena goes back.
//!
//! *What it touches*: eight bytes at the start of the arena that would hold the pointer. They are read
//! only if that start lies between the lowest and the highest arena there ever was: most foreign
//! pointers end there. *Foreign pointers*: between our arenas the word may be unmapped, and the read
//! faults, even on behalf of a live block of the next allocator that was mapped there by itself;
//! `tests/foreign` counts how often. It may be somebody else's, freed or never written, and memory
//! checkers report it. *Wrong answers*: a foreign word equals the cookie with a probability of 2^-64,
//! unless somebody read the secret out of an arena and forged it. *Cost*: one load, likely to miss the
//! cache when there are many arenas. *Pool sizes*: any. *Arena source*: one that aligns
//! ([`ARENAS_ALIGNED`](crate::ArenaSource::ARENAS_ALIGNED)).

use core::ptr;

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::sys;
use crate::validate::{Invariant, Violation};

/// A random word in the first bytes of aligned arenas.
///
/// ```
/// use arenite::{AlignedSource, ClassicHeap, Cookie, Python39, SystemMalloc};
/// type Heap = ClassicHeap<Python39, Cookie, AlignedSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(AlignedSource, SystemMalloc);
/// ```
///
/// Rounding down would miss the cookie of an arena that is not aligned:
///
/// ```compile_fail,E0080
/// use arenite::{ClassicHeap, Cookie, MmapSource, Python39, SystemMalloc};
/// type Heap = ClassicHeap<Python39, Cookie, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Debug)]
pub struct Cookie {
    /// The process's random word; 0 before the first arena.
    secret: u64,
    /// The lowest arena there ever was.
    low: usize,
    /// Bytes from there to the end of the highest.
    len: usize,
}

impl Cookie {
    fn at(&self, arena: usize) -> u64 {
        self.secret ^ arena as u64
    }

    /// A random word. Should the kernel have none, one made of where things lie, which is as random
    /// as the layout of the process.
    fn draw(&self) -> u64 {
        let mut word = 0_u64;
        // SAFETY: eight bytes of the local above.
        let drawn = unsafe { sys::syscall(sys::SYS_GETRANDOM, &raw mut word, size_of::<u64>(), 0) };
        if drawn == size_of::<u64>() as i64 {
            return word;
        }
        let places = ((&raw const word).addr() ^ ptr::from_ref(self).addr().rotate_left(32)) as u64;
        places.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

// SAFETY: the arenas' starts hold cookies, and no other word does but for the chance stated above.
unsafe impl<G: Geometry> Ownership<G> for Cookie {
    const NAME: &'static str = "cookie";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const NEEDS_ALIGNED_ARENAS: bool = true;
    const HEAD_BYTES: usize = size_of::<u64>();
    const NEW: Self = Self { secret: 0, low: 0, len: 0 };

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// The start of the arena that would hold `ptr` is mapped readable, or it lies outside of all
    /// arenas there ever were.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        let arena = ptr.map_addr(|addr| addr & !(G::ARENA_BYTES - 1));
        if arena.addr().wrapping_sub(self.low) >= self.len {
            return false;
        }
        // SAFETY: mapped readable (caller), aligned. Volatile: the memory may be foreign.
        unsafe { ptr::read_volatile(arena.cast::<u64>()) == self.at(arena.addr()) }
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        if self.secret == 0 {
            self.secret = self.draw();
        }
        let end = (self.low + self.len).max(base + G::ARENA_BYTES);
        self.low = if self.len == 0 { base } else { self.low.min(base) };
        self.len = end - self.low;
        true
    }

    unsafe fn stamp(&mut self, arena: *mut u8) {
        let cookie = self.at(arena.addr());
        // SAFETY: the head of an arena is the strategy's (caller), aligned.
        unsafe { arena.cast::<u64>().write(cookie) };
    }

    unsafe fn erase(&mut self, arena: *mut u8) {
        // SAFETY: as in `stamp`. Volatile: a store to memory about to be unmapped is not dropped.
        unsafe { ptr::write_volatile(arena.cast::<u64>(), 0) };
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {
        *self = <Self as Ownership<G>>::NEW;
    }

    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        for (_, arena) in arenas.mapped() {
            let base = arena.base.get();
            // SAFETY: the start of a mapped arena, written by `stamp`.
            let word = unsafe { base.cast::<u64>().read() };
            Invariant::OwnershipRecords.holds(word == self.at(base.addr()), base.addr())?;
        }
        Ok(())
    }
}
