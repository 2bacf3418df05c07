//! Foreign addresses by kind, and the memory that the mapped ones lie in.
//!
//! What a strategy may read of foreign memory is made as misleading as can be: words that are arena
//! indices, and copies of the start of a live arena.

use arenite::{NextAllocator, SystemMalloc};

use crate::asked::Asked;
use crate::kernel::{self, OS_PAGE_BYTES};
use crate::random::Random;

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blocks of the system malloc, full of arena indices.
    Heap,
    /// Memory aligned as an arena, with the start of a live one copied into it.
    Forged,
    Stack,
    Text,
    Statics,
    Vdso,
    NullPage,
    /// Mapped memory at the lowest addresses, where an arena with base 0 would be.
    Lowest,
    /// No address of user space at all: not canonical, or the kernel's.
    NonCanonical,
    /// First and last bytes of arenas, and those beside them.
    Edge,
    /// Arenas that went back, mappings that are gone, and addresses without access.
    Hole,
    /// Any 47 bits.
    Anywhere,
}

impl Kind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Heap,
        Self::Forged,
        Self::Stack,
        Self::Text,
        Self::Statics,
        Self::Vdso,
        Self::NullPage,
        Self::Lowest,
        Self::NonCanonical,
        Self::Edge,
        Self::Hole,
        Self::Anywhere,
    ];

    /// Whether no heap can own such an address, whatever its arenas.
    pub(crate) fn is_surely_foreign(self) -> bool {
        !matches!(self, Self::Edge | Self::Hole | Self::Anywhere)
    }
}

/// Smallest address that is not in the lower half of the canonical ones.
const USER_END: usize = 1 << 47;
/// Blocks of the system malloc, from a few bytes to mappings of their own.
const BLOCKS: usize = 256;
/// Bytes of the largest arena, to which the forged ones are aligned.
const FORGED_ALIGN: usize = 2 << 20;
const FORGED_BYTES: usize = 64;
/// The lowest address that Linux maps by default is below it, and so is this much of an arena with
/// base 0.
const LOWEST: usize = 0x1_0000;
const LOWEST_PAGES: usize = 32;
const HOLE_BYTES: usize = 1 << 20;

static STATICS: [u8; 4 * OS_PAGE_BYTES] = [7; 4 * OS_PAGE_BYTES];

/// Memory that is nobody's arena.
pub(crate) struct Places {
    blocks: Vec<(*mut u8, usize)>,
    forged: *mut u8,
    stack: (usize, usize),
    vdso: Option<usize>,
    pub(crate) has_lowest: bool,
    inaccessible: usize,
    gone: usize,
}

/// Fills memory with small numbers, so that whatever is read as an arena index is one.
fn fill_with_indices(start: *mut u8, bytes: usize, random: &mut Random) {
    for at in (0..bytes / 4 * 4).step_by(4) {
        let word = start.wrapping_add(at).cast::<u32>();
        // SAFETY: in bounds of the caller's block, aligned as it is.
        unsafe { word.write(random.below(48) as u32) };
    }
}

impl Places {
    /// The places. `stack` is memory of the calling thread's stack that outlives them.
    pub(crate) fn new(stack: &[u8], random: &mut Random) -> Self {
        let blocks = (0..BLOCKS).map(|number| {
            let bytes = if number % 16 == 0 { 200_000 } else { 4 + random.below(12_000) };
            let block = SystemMalloc.malloc(bytes);
            assert!(!block.is_null());
            fill_with_indices(block, bytes, random);
            (block, bytes)
        });
        let blocks = blocks.collect();
        let forged = SystemMalloc.aligned_alloc(FORGED_ALIGN, FORGED_ALIGN);
        assert!(!forged.is_null());
        // SAFETY: a fresh block of this size.
        unsafe { forged.write_bytes(0, FORGED_ALIGN) };
        let lowest = kernel::map_at(LOWEST, LOWEST_PAGES * OS_PAGE_BYTES);
        if let Some(lowest) = lowest {
            for page in 0..LOWEST_PAGES {
                let start = lowest.wrapping_add(page * OS_PAGE_BYTES);
                for at in (0..64).step_by(4) {
                    // SAFETY: in bounds of the mapping, and aligned: every slot's number at the
                    // start of a page of its own.
                    unsafe { start.wrapping_add(at).cast::<u32>().write(page as u32) };
                }
            }
        }
        Self {
            blocks,
            forged,
            stack: (stack.as_ptr().addr(), stack.len()),
            vdso: kernel::vdso(),
            has_lowest: lowest.is_some(),
            inaccessible: kernel::map_inaccessible(HOLE_BYTES),
            gone: kernel::map_and_unmap(HOLE_BYTES),
        }
    }

    /// Copies the start of a live arena to every place where it could be taken for one.
    pub(crate) fn forge(&mut self, heap: &dyn Asked, random: &mut Random) {
        let Some(start) = heap.start(random) else { return };
        let start = std::ptr::with_exposed_provenance::<u8>(start);
        // Every OS page is the start of a pool, every 16th that of an arena of some size.
        for page in 0..FORGED_ALIGN / OS_PAGE_BYTES {
            let copy = self.forged.wrapping_add(page * OS_PAGE_BYTES);
            // SAFETY: the start of a mapped arena, and our own block.
            unsafe { start.copy_to_nonoverlapping(copy, FORGED_BYTES) };
        }
    }

    /// An address of this kind. A heap without arenas that went back, or a process without a vdso,
    /// gets one of another place of that name.
    pub(crate) fn address(&self, kind: Kind, heap: &dyn Asked, random: &mut Random) -> usize {
        let bits = random.next() as usize;
        match kind {
            Kind::Heap => {
                let (block, bytes) = self.blocks[bits % BLOCKS];
                block.addr() + random.below(bytes)
            }
            Kind::Forged => self.forged.addr() + bits % FORGED_ALIGN,
            Kind::Stack => self.stack.0 + bits % self.stack.1,
            Kind::Text => {
                let functions = [
                    Self::address as *const u8,
                    fill_with_indices as *const u8,
                    kernel::vdso as *const u8,
                ];
                functions[bits % 3].addr() + random.below(64)
            }
            Kind::Statics => STATICS.as_ptr().addr() + bits % STATICS.len(),
            Kind::Vdso => self.vdso.unwrap_or(self.stack.0) + bits % OS_PAGE_BYTES,
            Kind::NullPage => bits % OS_PAGE_BYTES,
            Kind::Lowest => LOWEST + bits % (LOWEST_PAGES * OS_PAGE_BYTES),
            Kind::NonCanonical if bits.is_multiple_of(2) => !(bits >> 17),
            Kind::NonCanonical => (bits | USER_END) & (usize::MAX >> 1),
            Kind::Edge => heap.edge(random),
            Kind::Hole => match heap.hole(random) {
                Some(addr) if bits.is_multiple_of(2) => addr,
                _ if bits & 2 == 0 => self.inaccessible + (bits >> 2) % HOLE_BYTES,
                _ => self.gone + (bits >> 2) % HOLE_BYTES,
            },
            Kind::Anywhere => bits >> 17,
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for (block, _) in self.blocks.drain(..).chain([(self.forged, 0)]) {
            // SAFETY: live, freed once.
            unsafe { SystemMalloc.free(block) };
        }
    }
}
