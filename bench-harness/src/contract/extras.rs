//! What `arenite.h` promises beyond C: to tell its own addresses from all others, at a cost that does not grow
//! with the heap, to give back to the system what nobody needs, and to know beforehand how large a block is.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use std::{ptr, thread};

use super::crowd::{LANES, begin, churn, join};
use super::grown;
use super::resident::resident;
use super::row::Origin;
use super::rows::ORIGINS_OF_EVERY_KIND;
use super::trial::{Returned, fill, made};
use crate::os;
use crate::replay::team::Hooks;
use crate::subject::{Family, Owns};

/// Blocks of more bytes are known by their first address alone.
const INNER_MOST: usize = 32_768;
/// A block that is a mapping of its own, and how many the cost beside many is compared with.
const MAPPED: Origin = Origin::Malloc((1 << 20) + (1 << 17));
const FEW_MAPPINGS: usize = 30;
/// Questions that are timed.
const TIMED_QUESTIONS: usize = 20_000;

/// Asks of blocks of every kind, by this thread and by others, beside `mappings` large ones and while others
/// allocate, and of addresses that are not the allocator's. `None` where there is no such function.
pub(super) fn owned(family: &Family, hooks: Hooks, mappings: usize) -> Option<Result<(), String>> {
    let owns = family.owns?;
    Some(own_and_foreign(family, owns, hooks, mappings))
}

fn own_and_foreign(
    family: &Family,
    owns: Owns,
    hooks: Hooks,
    mappings: usize,
) -> Result<(), String> {
    let few = Known::of(family, [MAPPED].repeat(FEW_MAPPINGS))?;
    let beside_few = few.timed(owns);
    let many = Known::of(family, [MAPPED].repeat(mappings))?;
    let beside_many = few.timed(owns);
    let own = Known::of(family, ORIGINS_OF_EVERY_KIND.to_vec())?;
    let pages = os::Mapping::populated(3 * os::page_bytes()).map_err(|error| error.to_string())?;
    let (block, local) = (vec![0; 100_000], 0);
    let foreign = foreign(&pages, &block, &local);
    let all = || {
        let known = [&few, &many, &own].into_iter().try_for_each(|known| known.asked(owns));
        let mut foreign = foreign.into_iter();
        let other = foreign.find(|(_, address)| asked(owns, ptr::without_provenance(*address)));
        known.and(other.map_or(Ok(()), |(what, _)| Err(format!("1 of {what}"))))
    };
    all().map_err(|what| format!("{what} on its own thread"))?;
    let others = busy_beside(family, hooks, MAPPED.size(), || {
        let asked = thread::scope(|scope| {
            let asker = begin(scope, hooks, || {
                let of_another = Known::of(family, ORIGINS_OF_EVERY_KIND.to_vec())?;
                all().and(of_another.asked(owns))?;
                Ok::<_, String>(of_another)
            });
            asker.map(|asker| asker.join().unwrap_or_else(|_| Err("its thread died".to_owned())))
        });
        // A thread that this computer refuses is done without.
        let Ok(of_another) = asked else { return Ok(()) };
        let of_another = of_another?;
        let known = of_another.asked(owns).map_err(|what| format!("{what} of a thread that ended"));
        of_another.freed(family);
        known
    });
    others.map_err(|what| format!("{what} beside other threads"))?;
    let blocks = many.blocks.clone();
    for known in [few, many, own] {
        known.freed(family);
    }
    if let Some(purge) = family.purge {
        // SAFETY: may be called at any time.
        unsafe { purge() };
    }
    if let Some((new, _)) = blocks.iter().find(|(_, block)| asked(owns, *block)) {
        return Err(format!("1 of {new} after it was freed"));
    }
    grown::told(beside_few, beside_many)
        .map_err(|what| format!("{what} beside {mappings} large blocks"))
}

/// Has blocks of all sizes on `count` threads, `bytes` on each, half of which each frees itself and this one
/// the others, and asks for everything to be given back: what stays resident.
pub(super) fn purged(
    family: &Family,
    hooks: Hooks,
    count: usize,
    bytes: usize,
) -> Option<Returned> {
    let purge = family.purge?;
    let before = resident();
    let lived = (0..count).try_for_each(|at| {
        let left = thread::scope(|scope| {
            let live = || {
                let known = Known::of(family, sizes_of(bytes))?;
                known.written();
                Ok::<_, String>(known.half_freed(family))
            };
            let thread = begin(scope, hooks, live);
            thread.map(|thread| thread.join().unwrap_or_else(|_| Err(format!("thread {at} died"))))
        });
        // One that this computer refuses is done without.
        let Ok(left) = left else { return Ok(()) };
        left?.freed(family);
        let known = Known::of(family, sizes_of(bytes))?;
        known.written();
        known.freed(family);
        Ok(())
    });
    if let Err(why) = lived {
        return Some(Returned::Served(Err(why)));
    }
    // SAFETY: may be called at any time.
    unsafe { purge() };
    Some(Returned::Number(resident().saturating_sub(before)))
}

/// Asks for everything to be given back, `times` over, while other threads have blocks of `size` bytes and up
/// to four times as many: they keep what is written.
pub(super) fn swept(
    family: &Family,
    hooks: Hooks,
    size: usize,
    times: usize,
) -> Option<Result<(), String>> {
    let purge = family.purge?;
    Some(busy_beside(family, hooks, size, || {
        for at in 0..times {
            let seed = (1 + LANES + at) as u64;
            churn(family, size, seed, |calls| calls < 100).map_err(|flaw| flaw.to_string())?;
            // SAFETY: may be called at any time.
            unsafe { purge() };
        }
        Ok(())
    }))
}

/// Asks how large blocks will be, and has them.
pub(super) fn good_sizes(family: &Family) -> Option<Result<(), String>> {
    let (good_size, usable_size) = (family.good_size?, family.usable_size?);
    let small = 0..=2_048;
    let larger = (11..23).flat_map(|power| {
        let edge = 1_usize << power;
        [edge - 1, edge, edge + 1, edge + edge / 3, edge + edge / 2]
    });
    Some(small.chain(larger).try_for_each(|size| {
        // SAFETY: takes any size.
        let told = unsafe { good_size(size) };
        // SAFETY: malloc takes any size.
        let block = unsafe { (family.malloc)(size) };
        // SAFETY: null or a live block.
        let usable = unsafe { usable_size(block) };
        // SAFETY: null, or a live block that is not used again.
        unsafe { (family.free)(block) };
        let is_told = told == usable && told >= size;
        is_told.then_some(()).ok_or_else(|| format!("{told} of {size}, a block has {usable}"))
    }))
}

/// Does `work` while [`LANES`] threads have blocks of `size` bytes and up to four times as many.
fn busy_beside(
    family: &Family,
    hooks: Hooks,
    size: usize,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let is_over = &is_over;
        let start = |seed| {
            begin(scope, hooks, move || churn(family, size, seed, |_| !is_over.load(Relaxed)))
        };
        let running: Vec<_> = (1..=LANES as u64).map_while(|seed| start(seed).ok()).collect();
        let outcome = work();
        is_over.store(true, Relaxed);
        let ended = running.into_iter().map(|thread| join(thread, "another thread"));
        ended.fold(outcome, Result::and)
    })
}

/// Sizes of every kind, in turn, that make so many bytes.
fn sizes_of(bytes: usize) -> Vec<Origin> {
    const SIZES: [usize; 8] = [100, 24, 300, 2_000, 600, 40, 9_000, 50_000];
    let mut all = 0;
    let sizes = SIZES.into_iter().cycle().take_while(|size| {
        all += size;
        all <= bytes
    });
    sizes.map(Origin::Malloc).collect()
}

/// Blocks and what they were asked for with.
struct Known {
    blocks: Vec<(Origin, *mut u8)>,
}

// SAFETY: blocks of memory, which one thread at a time uses.
unsafe impl Send for Known {}

// SAFETY: shared, their addresses are all that is looked at.
unsafe impl Sync for Known {}

impl Known {
    fn of(family: &Family, origins: Vec<Origin>) -> Result<Self, String> {
        let block = |new: Origin| {
            let block = made(new, family).filter(|block| !block.is_null());
            block.map(|block| (new, block)).ok_or_else(|| format!("no block by {new}"))
        };
        Ok(Self { blocks: origins.into_iter().map(block).collect::<Result<_, _>>()? })
    }

    /// Whether each is told to be the allocator's, in its last byte too.
    fn asked(&self, owns: Owns) -> Result<(), String> {
        let is_told = |&&(new, block): &&(Origin, *mut u8)| {
            let last = block.wrapping_add(new.size() - 1);
            asked(owns, block) && (new.size() > INNER_MOST || asked(owns, last))
        };
        let other = self.blocks.iter().find(|known| !is_told(known));
        other.map_or(Ok(()), |(new, _)| Err(format!("0 of {new}")))
    }

    fn timed(&self, owns: Owns) -> Duration {
        let ask_all = || {
            for (_, block) in self.blocks.iter().cycle().take(TIMED_QUESTIONS) {
                black_box(asked(owns, black_box(*block)));
            }
            Some(())
        };
        grown::least_time(ask_all).unwrap_or_default()
    }

    fn written(&self) {
        self.blocks.iter().for_each(|(new, block)| fill(*block, new.size()));
    }

    fn half_freed(self, family: &Family) -> Self {
        let (kept, freed) =
            self.blocks.into_iter().enumerate().partition::<Vec<_>, _>(|(at, _)| at % 2 == 0);
        let blocks =
            |of: Vec<(usize, _)>| Self { blocks: of.into_iter().map(|(_, known)| known).collect() };
        blocks(freed).freed(family);
        blocks(kept)
    }

    fn freed(self, family: &Family) {
        for (_, block) in self.blocks {
            // SAFETY: a live block that is not used again.
            unsafe { (family.free)(block.cast()) };
        }
    }
}

/// Addresses that are not the allocator's, and what each is.
fn foreign(pages: &os::Mapping, block: &[u8], local: &u8) -> [(&'static str, usize); 9] {
    [
        ("null", 0),
        ("the first OS page", 8),
        ("an address between the program's and the kernel's", 1 << 62),
        ("the last address", usize::MAX),
        ("the program's own mapping", pages.start().addr() + os::page_bytes()),
        ("a block of another allocator", block.as_ptr().addr()),
        ("a variable on the stack", ptr::from_ref(local).addr()),
        ("a constant", ptr::from_ref(&ORIGINS_OF_EVERY_KIND).addr()),
        ("a function", (own_and_foreign as *const u8).addr()),
    ]
}

fn asked(owns: Owns, address: *const u8) -> bool {
    // SAFETY: takes any address.
    unsafe { owns(address.cast()) != 0 }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicPtr, AtomicUsize};

    use super::super::resident::found;
    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const MAPPINGS: usize = 300;

    fn arenite() -> Family {
        Family::of(&Subject::parse("arenite").unwrap()).unwrap().unwrap()
    }

    fn owning(owns: Owns) -> String {
        questions(&Family { owns: Some(owns), ..arenite() }, MAPPINGS).unwrap_err()
    }

    fn questions(family: &Family, mappings: usize) -> Result<(), String> {
        owned(family, Hooks::default(), mappings).unwrap()
    }

    fn is_owned(address: *const c_void) -> bool {
        arenite_capi::arenite_owns(address) != 0
    }

    unsafe extern "C" fn owns_all(_: *const c_void) -> c_int {
        1
    }

    unsafe extern "C" fn owns_no_large(address: *const c_void) -> c_int {
        c_int::from(is_owned(address) && !address.addr().is_multiple_of(4096))
    }

    /// Takes whatever lies so high for its own.
    unsafe extern "C" fn owns_what_nobody_has(address: *const c_void) -> c_int {
        c_int::from(is_owned(address) || address.addr() > usize::MAX / 2)
    }

    static STALE: AtomicUsize = AtomicUsize::new(0);
    static LARGE_SO_FAR: AtomicUsize = AtomicUsize::new(0);

    /// Keeps one of the large blocks in mind for good.
    unsafe extern "C" fn malloc_that_is_remembered(size: usize) -> *mut c_void {
        let block = arenite_capi::arenite_malloc(size);
        if size == MAPPED.size() && LARGE_SO_FAR.fetch_add(1, Relaxed) == FEW_MAPPINGS {
            STALE.store(block.addr(), Relaxed);
        }
        block
    }

    unsafe extern "C" fn owns_what_was_freed(address: *const c_void) -> c_int {
        c_int::from(is_owned(address) || address.addr() == STALE.load(Relaxed))
    }

    unsafe extern "C" fn owns_for_the_first_thread(address: *const c_void) -> c_int {
        static FIRST: AtomicUsize = AtomicUsize::new(0);
        // SAFETY: has no obligations.
        let own = unsafe { libc::pthread_self() } as usize;
        let first =
            FIRST.compare_exchange(0, own, Relaxed, Relaxed).map_or_else(|first| first, |_| own);
        c_int::from(is_owned(address) && first == own)
    }

    #[test]
    fn an_allocator_that_mistakes_addresses_is_found() {
        if !is_alone() {
            return;
        }
        questions(&arenite(), MAPPINGS).unwrap();
        assert_eq!(owning(owns_all), "1 of null on its own thread");
        assert_eq!(owning(owns_what_nobody_has), "1 of the last address on its own thread");
        let why = owning(owns_no_large);
        assert!(why.starts_with("0 of malloc(") && why.ends_with(" on its own thread"), "{why}");
        let why = owning(owns_for_the_first_thread);
        assert!(why.starts_with("0 of malloc(") && why.ends_with(" beside other threads"), "{why}");
    }

    #[test]
    fn a_block_that_is_still_known_when_it_is_freed_is_found() {
        if !is_alone() {
            return;
        }
        let owns = Some(owns_what_was_freed as Owns);
        let family = Family { owns, malloc: malloc_that_is_remembered, ..arenite() };
        let why = questions(&family, 2).unwrap_err();
        assert!(why.starts_with("1 of malloc(") && why.ends_with(" after it was freed"), "{why}");
    }

    static LARGE: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C" fn malloc_that_counts(size: usize) -> *mut c_void {
        LARGE.fetch_add(usize::from(size == MAPPED.size()), Relaxed);
        arenite_capi::arenite_malloc(size)
    }

    unsafe extern "C" fn owns_by_looking_at_all(address: *const c_void) -> c_int {
        let looked =
            (0..LARGE.load(Relaxed).min(20 * MAPPINGS)).fold(0, |sum, at| black_box(sum + at));
        c_int::from(black_box(looked) < usize::MAX && is_owned(address))
    }

    #[test]
    fn a_cost_that_grows_with_the_heap_is_found() {
        if !is_alone() {
            return;
        }
        let owns = Some(owns_by_looking_at_all as Owns);
        let family = Family { owns, malloc: malloc_that_counts, ..arenite() };
        let why = questions(&family, 20 * MAPPINGS).unwrap_err();
        assert!(why.contains(" times as long beside "), "{why}");
    }

    unsafe extern "C" fn purge_nothing() {}

    #[test]
    fn memory_that_stays_though_nobody_needs_it_is_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: Family| found(|| purged(&family, Hooks::default(), 4, 16 << 20));
        assert!(trial(arenite()) < 4 << 20);
        assert!(trial(Family { purge: Some(purge_nothing), ..arenite() }) > 4 << 20);
    }

    static HELD: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    thread_local! {
        static PURGES: Cell<bool> = const { Cell::new(false) };
    }

    unsafe extern "C" fn malloc_that_tells(size: usize) -> *mut c_void {
        let block = one_of_a_ring(size);
        if !PURGES.get() {
            HELD.store(block, Relaxed);
        }
        block
    }

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    /// A block that was given out a long time ago, and is free again as a rule.
    fn one_of_a_ring(size: usize) -> *mut c_void {
        const BLOCKS: usize = 1 << 14;
        const BYTES: usize = 400;
        static START: OnceLock<usize> = OnceLock::new();
        static GIVEN: AtomicUsize = AtomicUsize::new(0);
        assert!(size <= BYTES);
        // SAFETY: calloc takes any sizes.
        let map = || unsafe { libc::calloc(BLOCKS, BYTES) }.expose_provenance();
        let start = *START.get_or_init(map);
        ptr::with_exposed_provenance_mut(start + GIVEN.fetch_add(1, Relaxed) % BLOCKS * BYTES)
    }

    /// Takes the youngest block of another thread for one that nobody needs.
    unsafe extern "C" fn purge_the_youngest() {
        PURGES.set(true);
        thread::sleep(Duration::from_millis(1));
        let block: *mut u64 = HELD.load(Relaxed).cast();
        if !block.is_null() {
            // SAFETY: blocks of this malloc are never freed.
            unsafe { block.write_volatile(0) };
        }
    }

    #[test]
    fn blocks_that_are_given_back_while_they_are_held_are_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: &Family| swept(family, Hooks::default(), 100, 50).unwrap();
        trial(&arenite()).unwrap();
        let purge = Some(purge_the_youngest as crate::subject::Purge);
        let family = Family { malloc: malloc_that_tells, free: free_nothing, purge, ..arenite() };
        assert!(trial(&family).unwrap_err().contains("a block with others' contents"));
    }

    unsafe extern "C" fn good_size_as_asked(size: usize) -> usize {
        size
    }

    #[test]
    fn a_block_of_another_size_than_was_told_is_found() {
        good_sizes(&arenite()).unwrap().unwrap();
        let family = Family { good_size: Some(good_size_as_asked), ..arenite() };
        assert!(good_sizes(&family).unwrap().is_err());
    }
}
