//! Watched heaps: what memcheck and AddressSanitizer are told of blocks, so that an arena hides no
//! bug from them.
//!
//! A tool that watches a program knows of `malloc`, not of the pools inside of an arena: to it an
//! arena is one piece of memory that may be read and written. A heap that finds itself under such a
//! tool therefore hands out every block through this layer, which surrounds it with memory that may
//! not be touched, says when it is born and when it dies, and delays its reuse.
//!
//! ```text
//! memory of the heap below (one block of a class, one span, one mapping)
//! | header | red zone >= 16 | block: the bytes asked for | red zone >= 16, the rest of the class |
//! 0x00     0x10             ^ aligned as asked
//!
//! header, live   0x00 address of the block      0x08 bytes asked for
//!         dead   0x00 next dead memory | 1      0x08 bytes of this memory
//! ```
//! Header and red zones are out of bounds for the program; the heap reads and writes them in a
//! [`Silence`](crate::valgrind::Silence), and so it does with the links of dead blocks. The heap's
//! code is the same as ever.
//!
//! | file | is about |
//! |---|---|
//! | `watch/tool.rs` | which tool watches, and what it is told |
//! | `watch/quarantine.rs` | dead memory that waits for its reuse |
//! | `watch/client_heap.rs` | arenas that the leak search does not take for roots |
//!
//! Whether a tool watches is asked at run time, by slow paths alone: a thread's heap is attached
//! only where nobody watches, and without one no fast path succeeds.
//!
//! Invariants:
//! * **W1** Memory below is out of bounds for the program but for the bytes of live blocks.
//! * **W2** A header is that of a live block iff its first word is the address of a block in its own
//!   memory; in dead memory the word is odd.
//! * **W3** No word that the leak search reads holds the address of a live block because of us:
//!   headers lie in memory that is no root and may not be accessed.

pub(crate) mod client_heap;
mod quarantine;
#[cfg(test)]
mod tests;
pub(crate) mod tool;

use quarantine::Quarantine;
use tool::Tool;

/// Bytes of a header.
const HEADER_BYTES: usize = 16;
/// Alignment of memory from below and of every block.
const GRAIN: usize = 16;
/// Largest red zone that a block's own size asks for, in bytes: an OS page.
const MAX_RED_ZONE: usize = 4096;
/// Largest alignment that memory from below need not know of.
pub(crate) const PLAIN_ALIGN: usize = 4096;

/// What watched blocks are cut from.
pub(crate) trait Base {
    /// Alignment of all memory, in bytes: 8 or 16.
    const ALIGNMENT: usize = GRAIN;

    /// Memory of at least `bytes` bytes, or null. `align` is what the block in it is
    /// to be aligned to; there is room for that in `bytes`.
    fn take(&mut self, bytes: usize, align: usize) -> *mut u8;

    /// Takes memory back.
    ///
    /// # Safety
    /// `memory` came from `take` and nothing of it is used any more.
    unsafe fn give(&mut self, memory: *mut u8);

    /// The memory around `address`, which may be anything: handed out by `take`, given back, or
    /// never handed out, as long as it holds a header. `None` for foreign pointers.
    fn around(&self, address: *const u8) -> Option<Memory>;
}

/// A piece of memory from a [`Base`].
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) start: *mut u8,
    pub(crate) bytes: usize,
}

/// What an address is to a watched heap.
pub(crate) enum Found {
    /// A live block of so many bytes.
    Live(Memory, usize),
    /// In memory of the heap, but no live block; whether one died there.
    Wrong { dead: bool },
    /// Not in memory of the heap.
    Foreign,
}

/// How blocks are surrounded and how long they wait.
#[derive(Clone, Copy)]
pub(crate) struct Measures {
    /// Smallest red zone, in bytes; a multiple of 16.
    pub(crate) red_zone: usize,
    /// Bytes of small dead memory that wait, and as many of large.
    pub(crate) quarantine_bytes: usize,
}

impl Measures {
    /// The red zone on either side of a block: half of its size, within limits, so that a table
    /// that is overrun by a whole line is still overrun into nothing.
    pub(crate) fn red_zone_of(self, size: usize) -> usize {
        let limit = MAX_RED_ZONE.max(self.red_zone);
        size.min(2 * limit).div_ceil(2).next_multiple_of(GRAIN).clamp(self.red_zone, limit)
    }
}

/// The state of one watched heap.
pub(crate) struct Watch {
    quarantine: Quarantine,
}

impl Watch {
    pub(crate) const NEW: Self = Self { quarantine: Quarantine::EMPTY };

    /// A block of `size` bytes aligned to `align`, a power of two, its contents undefined; null when
    /// memory is out.
    pub(crate) fn take<B: Base>(
        &mut self,
        base: &mut B,
        (tool, measures): (Tool, Measures),
        size: usize,
        align: usize,
    ) -> *mut u8 {
        let align = align.max(B::ALIGNMENT);
        let red_zone = measures.red_zone_of(size);
        let overhead = HEADER_BYTES + 2 * red_zone + (align - B::ALIGNMENT);
        let Some(bytes) = size.checked_add(overhead).filter(|&bytes| bytes <= isize::MAX as usize)
        else {
            return core::ptr::null_mut();
        };
        let silence = tool.silence();
        let mut memory = base.take(bytes, align);
        if memory.is_null() && self.quarantine.release(base, 0) {
            memory = base.take(bytes, align);
        }
        if memory.is_null() {
            return memory;
        }
        let after_zone = memory.wrapping_add(HEADER_BYTES + red_zone);
        let block = after_zone.map_addr(|addr| addr.next_multiple_of(align));
        // SAFETY: the memory is ours, at least a header long and aligned to 8.
        unsafe { Header { word: block.addr(), bytes: size }.write(memory) };
        drop(silence);
        tool.born(block, size, red_zone);
        block
    }

    /// What `address` is, whatever it may be.
    pub(crate) fn find<B: Base>(base: &B, tool: Tool, address: *const u8) -> Found {
        let _silence = tool.silence();
        let Some(memory) = base.around(address) else { return Found::Foreign };
        // SAFETY: memory of the heap below begins with a header, or with a link of its lists.
        let header = unsafe { Header::read(memory.start) };
        let place = address.addr() - memory.start.addr();
        // The program may have written over the header: nothing that does not fit is believed.
        let fits = header.bytes <= memory.bytes.saturating_sub(place);
        if header.word == address.addr() && place >= HEADER_BYTES && fits {
            Found::Live(memory, header.bytes)
        } else {
            Found::Wrong { dead: header.word & 1 != 0 }
        }
    }

    /// The live block in `memory` with its size, if there is one.
    pub(crate) fn resident(tool: Tool, memory: Memory) -> Option<(*mut u8, usize)> {
        let _silence = tool.silence();
        // SAFETY: memory of the heap below begins with a header, or with a link of its lists.
        let header = unsafe { Header::read(memory.start) };
        let place = header.word.wrapping_sub(memory.start.addr());
        let fits = header.bytes <= memory.bytes.saturating_sub(place);
        let is_live = (HEADER_BYTES..memory.bytes).contains(&place) && fits;
        is_live.then(|| (memory.start.wrapping_add(place), header.bytes))
    }

    /// Lets a live block die: its memory waits in quarantine.
    ///
    /// # Safety
    /// `block` was found live in `memory`, with this size, and is not used any more.
    pub(crate) unsafe fn bury<B: Base>(
        &mut self,
        base: &mut B,
        (tool, measures): (Tool, Measures),
        block: *mut u8,
        memory: Memory,
        size: usize,
    ) {
        tool.died(block, size, measures.red_zone_of(size));
        let _silence = tool.silence();
        // SAFETY: the memory is the heap's from here on.
        unsafe { self.quarantine.add(memory) };
        self.quarantine.release(base, measures.quarantine_bytes);
    }
}

/// The two words at the start of a piece of memory.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    word: usize,
    bytes: usize,
}

const _: () = {
    assert!(size_of::<Header>() == HEADER_BYTES);
    assert!(core::mem::offset_of!(Header, bytes) == 8);
};

impl Header {
    /// # Safety
    /// `memory` is readable memory of ours, aligned to 8 and a header long.
    unsafe fn read(memory: *mut u8) -> Self {
        // SAFETY: the caller's obligation.
        unsafe { memory.cast::<Self>().read() }
    }

    /// # Safety
    /// `memory` is writable memory of ours, aligned to 8 and a header long.
    unsafe fn write(self, memory: *mut u8) {
        // SAFETY: the caller's obligation.
        unsafe { memory.cast::<Self>().write(self) };
    }
}
