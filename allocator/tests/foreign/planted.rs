//! Wrong strategies, which the same questions must find out.

use arenite::{
    AlignedSource, ArenaTable, Classic39, ClassicHeap, NextAllocator, Ownership, SystemMalloc,
    Violation,
};

use crate::child::alone;
use crate::kernel;
use crate::kinds::Kind;
use crate::posix::{self, Forked};
use crate::questions::{Tally, ask};
use crate::recorded::{Reads, Recorded};

const QUESTIONS: usize = 50_000;

/// A strategy that keeps nothing but, if need be, the lowest base.
trait Wrong: Sized {
    const NAME: &'static str;
    const NEW: Self;

    /// # Safety
    /// As for [`Ownership::owns`].
    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool;
    fn mark(&mut self, _base: usize) {}
    /// The word at the start of every arena, if the strategy keeps one there.
    const WORD: Option<u64> = None;
}

/// A wrong strategy in a heap.
struct Planted<W>(W);

// SAFETY: none, they are wrong on purpose; the heap is asked to free nothing but blocks of pools,
// which each of them knows.
unsafe impl<W: Wrong> Ownership<Classic39> for Planted<W> {
    const NAME: &'static str = W::NAME;
    const MAX_POOL_BYTES: usize = 4096;
    const NEEDS_ALIGNED_ARENAS: bool = true;
    const HEAD_BYTES: usize = if W::WORD.is_some() { size_of::<u64>() } else { 0 };
    const NEW: Self = Self(W::NEW);

    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { self.0.owns(ptr, arenas) }
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        self.0.mark(base);
        true
    }

    unsafe fn stamp(&mut self, arena: *mut u8) {
        if let Some(word) = W::WORD {
            // SAFETY: the head of an arena is the strategy's (caller), aligned.
            unsafe { arena.cast::<u64>().write(word) };
        }
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {}

    fn check(&self, _arenas: &ArenaTable) -> Result<(), Violation> {
        Ok(())
    }
}

type Heap<W> = ClassicHeap<Classic39, Planted<W>, AlignedSource, SystemMalloc>;

fn ask_planted<W: Wrong + Send + 'static>(reads: Reads) -> Tally {
    let tally = ask(W::NAME, Box::new(Recorded::<Heap<W>>::new(reads)), QUESTIONS);
    println!("{tally}");
    tally
}

/// All above the first arena is ours.
struct WithoutUpperBound(usize);

impl Wrong for WithoutUpperBound {
    const NAME: &'static str = "without-upper-bound";
    const NEW: Self = Self(usize::MAX);

    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        ptr.addr() >= self.0
    }

    fn mark(&mut self, base: usize) {
        self.0 = self.0.min(base);
    }
}

#[test]
fn a_strategy_without_an_upper_bound_is_found_out() {
    alone(|| {
        let tally = ask_planted::<WithoutUpperBound>(Reads::Nothing);
        assert!(tally.of(Kind::NonCanonical).wrong > 0);
        assert!(tally.of(Kind::Edge).wrong > 0, "{:?}", tally.of(Kind::Edge).asked);
    });
}

/// The arena that the word of the pool header names, if the index has a slot.
///
/// # Safety
/// The OS page of `ptr` can be read.
unsafe fn named_base(ptr: *mut u8, arenas: &ArenaTable) -> Option<usize> {
    /// Where a pool header has the index of its arena.
    const INDEX_OFFSET: usize = 0x20;
    let word = ptr.map_addr(|addr| addr & !4095 | INDEX_OFFSET).cast::<u32>();
    // SAFETY: the caller's promise, aligned. Volatile: the memory may be foreign.
    let index = unsafe { word.read_volatile() };
    // SAFETY: below the number of slots.
    (index < arenas.slots()).then(|| unsafe { arenas.base_unchecked(index) })
}

/// The arena index whose vacant slots, of base 0, own the lowest addresses.
struct WithoutBaseClause;

impl Wrong for WithoutBaseClause {
    const NAME: &'static str = "without-base-clause";
    const NEW: Self = Self;

    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: forwarded to the caller.
        let base = unsafe { named_base(ptr, arenas) };
        base.is_some_and(|base| ptr.addr().wrapping_sub(base) < 256 << 10)
    }
}

#[test]
fn a_strategy_whose_vacant_slots_own_the_lowest_addresses_is_found_out() {
    alone(|| {
        let tally = ask_planted::<WithoutBaseClause>(Reads::OwnPage);
        if !tally.has_lowest {
            println!("SKIPPED: the lowest addresses cannot be mapped here");
            return;
        }
        let wrong_elsewhere = tally.sum(|kind| kind.wrong) - tally.of(Kind::Lowest).wrong;
        assert!(tally.went > 0 && tally.of(Kind::Lowest).wrong > 0);
        assert_eq!(wrong_elsewhere, 0, "the other clauses are there");
    });
}

/// The arena index that believes the header it reads, whatever arena that names.
struct WithoutComparison;

impl Wrong for WithoutComparison {
    const NAME: &'static str = "without-comparison";
    const NEW: Self = Self;

    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { named_base(ptr, arenas) }.is_some_and(|base| base != 0)
    }
}

#[test]
fn a_strategy_that_believes_any_header_is_found_out() {
    alone(|| {
        let tally = ask_planted::<WithoutComparison>(Reads::OwnPage);
        assert!(tally.of(Kind::Heap).wrong > 0 && tally.of(Kind::Forged).wrong > 0);
    });
}

/// A cookie that is the same in every arena, so that a copy of it elsewhere is one.
struct WithoutAddress {
    low: usize,
    high: usize,
}

impl Wrong for WithoutAddress {
    const NAME: &'static str = "without-address";
    const NEW: Self = Self { low: usize::MAX, high: 0 };
    const WORD: Option<u64> = Some(0x5eed_c00c_1e00_0001);

    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        let arena = ptr.map_addr(|addr| addr & !((256 << 10) - 1));
        (self.low..=self.high).contains(&arena.addr()) && {
            // SAFETY: the caller's promise, aligned. Volatile: the memory may be foreign.
            Some(unsafe { arena.cast::<u64>().read_volatile() }) == Self::WORD
        }
    }

    fn mark(&mut self, base: usize) {
        (self.low, self.high) = (self.low.min(base), self.high.max(base));
    }
}

#[test]
fn a_cookie_that_can_be_copied_is_found_out() {
    alone(|| {
        let tally = ask_planted::<WithoutAddress>(Reads::ArenaStart);
        assert!(tally.of(Kind::Forged).wrong > 0);
    });
}

/// A right arena index that is said to read nothing foreign.
struct Understated;

impl Wrong for Understated {
    const NAME: &'static str = "understated";
    const NEW: Self = Self;

    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: none, on purpose: nobody has looked whether that memory can be read.
        let base = unsafe { named_base(ptr, arenas) };
        base.is_some_and(|base| base != 0 && ptr.addr().wrapping_sub(base) < 256 << 10)
    }
}

#[test]
fn a_strategy_that_faults_where_it_promised_not_to_ends_the_process() {
    alone(|| {
        let heap = Recorded::<Heap<Understated>>::new(Reads::Nothing);
        match posix::fork() {
            Forked::Child => {
                kernel::die_by_faults();
                ask(Understated::NAME, Box::new(heap), QUESTIONS);
                posix::end(0);
            }
            Forked::Parent(child) => assert_eq!(child.wait(), 256 + kernel::FAULTS[1]),
        }
    });
}
