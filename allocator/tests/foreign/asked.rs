//! A heap whose ownership test is asked, as a trait object: what the questions need to know of it.

use std::collections::BTreeMap;

use arenite::Arenite;

use crate::kernel::is_readable;
use crate::random::Random;

pub(crate) trait Asked: Send {
    /// The ownership test.
    ///
    /// # Safety
    /// What lies at [`reads`](Self::reads) can be read.
    unsafe fn owns(&self, addr: usize) -> bool;
    /// Whether "ours" is no wrong answer for this address.
    fn may_own(&self, addr: usize) -> bool;
    /// The address that the test reads on behalf of `addr`, if any that is not the heap's own.
    fn reads(&self, addr: usize) -> Option<usize>;
    /// A size whose block is the heap's own.
    fn request(&self, random: &mut Random) -> usize;
    fn malloc(&mut self, size: usize) -> *mut u8;
    /// # Safety
    /// A live block of this size, dead afterwards.
    unsafe fn free(&mut self, block: *mut u8, size: usize);
    /// An address at the edge of what is ours, on either side of it.
    fn edge(&self, random: &mut Random) -> usize;
    /// An address that was ours and went back, if any did.
    fn hole(&self, random: &mut Random) -> Option<usize>;
    /// The start of an arena, if arenas are known.
    fn start(&self, random: &mut Random) -> Option<usize>;
    /// Gives back what is empty.
    fn settle(&mut self) {}
    /// Mappings that came and that went back so far: arenas, or Arenite's huge blocks.
    fn came_and_went(&self) -> (usize, usize);
    /// Checks the heap and gives all of it back. No block is live.
    fn finish(&mut self);
}

/// Blocks of at least this size are ours where they begin, and nowhere else.
const HUGE_BYTES: usize = 2 << 20;
/// Addresses remembered of blocks that were freed.
const REMEMBERED: usize = 64;

/// Arenite. Where its arenas are is its own affair; its blocks are known, and that what it calls its
/// own can be read.
#[derive(Default)]
pub(crate) struct Flagship {
    /// Size of each live block by address.
    live: BTreeMap<usize, usize>,
    gone: Vec<usize>,
    came: usize,
    went: usize,
}

impl Asked for Flagship {
    unsafe fn owns(&self, addr: usize) -> bool {
        Arenite::owns(std::ptr::without_provenance(addr))
    }

    fn may_own(&self, addr: usize) -> bool {
        let in_huge = self
            .live
            .range(..addr)
            .next_back()
            .is_some_and(|(start, size)| *size >= HUGE_BYTES && addr - start < *size);
        !in_huge && is_readable(addr)
    }

    fn reads(&self, _addr: usize) -> Option<usize> {
        None
    }

    /// Pools of every kind, spans and mappings.
    fn request(&self, random: &mut Random) -> usize {
        match random.below(1000) {
            0 => HUGE_BYTES,
            1..10 => 100_000,
            10..50 => 1 + random.below(30_000),
            _ => 1 + random.below(512),
        }
    }

    fn malloc(&mut self, size: usize) -> *mut u8 {
        let block = Arenite::malloc(size);
        self.live.insert(block.addr(), size);
        self.came += usize::from(size >= HUGE_BYTES);
        block
    }

    unsafe fn free(&mut self, block: *mut u8, size: usize) {
        self.live.remove(&block.addr());
        if size >= HUGE_BYTES {
            self.went += 1;
            if self.gone.len() == REMEMBERED {
                self.gone.remove(0);
            }
            self.gone.push(block.addr());
        }
        // SAFETY: forwarded to the caller.
        unsafe { Arenite::free(block) };
    }

    fn edge(&self, random: &mut Random) -> usize {
        let (low, high) = match (self.live.first_key_value(), self.live.last_key_value()) {
            (Some((low, _)), Some((high, _))) => (*low, *high),
            _ => return 0,
        };
        let from = low + random.below(high - low + 1);
        let (start, size) = self.live.range(from..).next().expect("the last block is one");
        let last = start + size - 1;
        [start - 1, *start, start + 1, last, last + 1, last + 2][random.below(6)]
    }

    fn hole(&self, random: &mut Random) -> Option<usize> {
        let count = self.gone.len();
        (count > 0).then(|| self.gone[random.below(count)] + random.below(HUGE_BYTES))
    }

    fn start(&self, _random: &mut Random) -> Option<usize> {
        None
    }

    fn settle(&mut self) {
        Arenite::purge();
    }

    fn came_and_went(&self) -> (usize, usize) {
        (self.came, self.went)
    }

    fn finish(&mut self) {
        Arenite::purge();
        if let Err(violation) = Arenite::validate() {
            panic!("{violation}");
        }
    }
}
