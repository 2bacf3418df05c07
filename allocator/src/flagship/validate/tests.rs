//! Each invariant that is checked is broken once, at least, and must be named. There is one heap in
//! a process, and nothing that is left of a broken one can be trusted: every test runs in a child.

use std::any;
use std::collections::HashSet;
use std::env;
use std::format;
use std::process::Command;
use std::ptr;
use std::string::String;
use std::thread;
use std::vec::Vec;

use super::{FlagshipInvariant, FlagshipViolation};
use crate::flagship::Arenite;
use crate::flagship::heap::Heap;
use crate::flagship::range;
use crate::flagship::slice::{self, Place, Span, State};
use crate::flagship::span_store;
use crate::flagship::thread_local;
use crate::flagship::threads;

/// A heap with everything in it: pools of several classes that are current, asleep, available and
/// sparse, fronts, chains on their way, large and huge blocks, dirty and clean spans, a parked heap.
/// Live blocks of the class of 512 bytes.
fn furnished() -> Vec<*mut u8> {
    // So large that it is budgeted: in a loose heap most of it would lie in fronts.
    for _ in 0..5000 {
        let _lives_on = Arenite::malloc(4096);
    }
    let mut blocks: Vec<*mut u8> = (0..920).map(|_| Arenite::malloc(512)).collect();
    // More than the front of the class takes.
    for block in blocks.split_off(600) {
        // SAFETY: live, freed once.
        unsafe { Arenite::free(block) };
    }
    // Huge ones first: as they come and go, dirty spans grow old.
    for size in [3 << 20, 2 << 20, 24, 5000, 40_000, 200_000] {
        for _ in 0..4 {
            let (freed, _kept) = (Arenite::malloc(size), Arenite::malloc(size));
            // SAFETY: live, freed once.
            unsafe { Arenite::free(freed) };
        }
    }
    // Of the first six pools every second block, of the next six all but one.
    let capacity = 32;
    for pool in 0..12 {
        for at in 0..capacity {
            if (pool < 6 && at % 2 == 0) || (pool >= 6 && at > 0) {
                let block = core::mem::replace(&mut blocks[pool * capacity + at], ptr::null_mut());
                // SAFETY: live, freed once.
                unsafe { Arenite::free(block) };
            }
        }
    }
    let elsewhere: Vec<usize> = blocks[500..570].iter().map(|block| block.addr()).collect();
    let lent: Vec<usize> = thread::spawn(move || {
        for block in elsewhere {
            // SAFETY: live, freed once.
            unsafe { Arenite::free(ptr::with_exposed_provenance_mut(block)) };
        }
        (0..10).map(|_| Arenite::malloc(512).expose_provenance()).collect()
    })
    .join()
    .unwrap();
    // Being gathered for the heap of the thread that ended.
    for block in lent.into_iter().take(5) {
        // SAFETY: live, freed once.
        unsafe { Arenite::free(ptr::with_exposed_provenance_mut(block)) };
    }
    blocks.drain(500..570);
    blocks.retain(|block| !block.is_null());
    assert_eq!(Arenite::validate(), Ok(()));
    let stats = Arenite::stats();
    assert_eq!(stats.accounted_bytes(), stats.mapped_bytes(), "{stats}");
    blocks
}

const CHILD: &str = "TEST_ALONE";

/// Runs `body` in a process of its own, which must not fail.
fn alone(test: &str, body: impl FnOnce()) {
    if env::var_os(CHILD).is_some() {
        return body();
    }
    let path = test.split_once("::").unwrap().1.split("::{{").next().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", path, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{path}: {said}{err}");
}

/// Damages a furnished heap, once for each way, and checks that exactly this invariant is named.
/// What the damage returns repairs it.
fn breaks<R: FnOnce() + 'static>(
    invariant: FlagshipInvariant,
    damage: impl FnOnce(&[*mut u8]) -> R,
) {
    alone(any::type_name_of_val(&damage), || {
        let blocks = furnished();
        let repair = damage(&blocks);
        let found = Arenite::validate().map_err(|violation| violation.invariant);
        assert_eq!(found, Err(invariant));
        repair();
        assert_eq!(Arenite::validate(), Ok(()), "repaired");
    });
}

const OFFSET_512: usize = 512;

fn own_heap() -> Heap {
    Heap(thread_local::heap())
}

/// The record of the pool around a block.
fn pool_of(block: *mut u8) -> Span {
    let (range, index) = range::locate(block).unwrap();
    range.record(index).head()
}

/// A pool of 512-byte blocks in this place.
fn pool_in(place: Place) -> Span {
    let mut found = None;
    own_heap()
        .each_pool(OFFSET_512, |pool| {
            found = if pool.place() == place { Some(pool) } else { found };
            Ok::<_, ()>(())
        })
        .unwrap();
    found.unwrap_or_else(|| panic!("no pool is {place:?}"))
}

/// A free span in this state.
fn free_span(state: State) -> Span {
    let range = range::primary();
    let mut found = None;
    let visited = span_store::with(range, |store| {
        store.each_span(range, |span, _| {
            found = if span.state() == state { Some(span) } else { found };
            Ok::<_, ()>(())
        })
    });
    visited.unwrap();
    found.unwrap()
}

fn set_link(block: *mut u8, next: *mut u8) -> impl FnOnce() + 'static {
    // SAFETY: a dead block.
    let old = unsafe { slice::link(block) };
    // SAFETY: as above.
    unsafe { slice::set_link(block, next) };
    // SAFETY: as above.
    move || unsafe { slice::set_link(block, old) }
}

#[test]
fn r2_entry_that_is_not_what_the_slice_is() {
    breaks(FlagshipInvariant::MapEntries, |blocks| {
        let (range, index) = range::locate(blocks[0]).unwrap();
        let entry = range.entry(index);
        range.set_entries(index, 1, 0);
        move || range.set_entries(index, 1, entry)
    });
}

#[test]
fn r2_entry_of_a_free_slice() {
    breaks(FlagshipInvariant::MapEntries, |_| {
        let range = range::primary();
        let index = range.index_of_record(free_span(State::Clean));
        range.set_entries(index, 1, 1 << range::OWNER_SHIFT | 64);
        move || range.set_entries(index, 1, 0)
    });
}

#[test]
fn f1_slice_of_a_pool_that_names_another_pool() {
    breaks(FlagshipInvariant::SpanRecords, |_| {
        let block = Arenite::malloc(32 << 10);
        let pool = pool_of(block);
        assert!(pool.slices() > 2, "the first and last have other checks");
        pool.after(1).set_head(pool.after(1));
        move || pool.after(1).set_head(pool)
    });
}

#[test]
fn f4_pool_with_a_block_too_few_or_a_tail_astray() {
    breaks(FlagshipInvariant::PoolCounts, |_| {
        let pool = pool_in(Place::Available);
        pool.set_live(pool.live() + 1);
        move || pool.set_live(pool.live() - 1)
    });
}

#[test]
fn f4_tail_that_is_not_the_last_link() {
    breaks(FlagshipInvariant::PoolCounts, |_| {
        let pool = pool_in(Place::Available);
        let tail = pool.tail();
        pool.set_tail(pool.list_begin());
        move || pool.set_tail(tail)
    });
}

#[test]
fn f4_free_list_with_a_circle() {
    breaks(FlagshipInvariant::PoolCounts, |_| {
        let first = pool_in(Place::Available).first();
        set_link(first, first)
    });
}

#[test]
fn f4_free_list_that_leaves_its_pool() {
    breaks(FlagshipInvariant::PoolCounts, |_| {
        set_link(pool_in(Place::Available).first(), pool_in(Place::Sparse).first())
    });
}

#[test]
fn p1_last_record_that_is_not_of_the_span() {
    breaks(FlagshipInvariant::SpanEnds, |_| {
        let span = free_span(State::Clean);
        let last = span.after(usize::from(span.slices()) - 1);
        assert!(last != span);
        last.set_head(last);
        move || last.set_head(span)
    });
}

#[test]
fn p2_list_without_its_first_span() {
    breaks(FlagshipInvariant::SpanLists, |_| {
        let range = range::primary();
        span_store::with(range, span_store::SpanStore::forget_a_list)
    });
}

#[test]
fn p3_stamp_from_the_future() {
    breaks(FlagshipInvariant::DirtyAges, |_| {
        let span = free_span(State::Dirty);
        let stamp = span.stamp();
        span.set_stamp(stamp.wrapping_add(1 << 30));
        move || span.set_stamp(stamp)
    });
}

#[test]
fn p4_two_free_neighbours_of_one_state() {
    breaks(FlagshipInvariant::SpanNeighbours, |_| {
        let range = range::primary();
        let span = free_span(State::Clean);
        span_store::with(range, |store| store.split(span));
        move || span_store::with(range, |store| store.unite(span))
    });
}

#[test]
fn p5_slice_that_is_counted_twice() {
    breaks(FlagshipInvariant::SliceCounts, |_| {
        span_store::with(range::primary(), |store| store.used += 1);
        || span_store::with(range::primary(), |store| store.used -= 1)
    });
}

#[test]
fn h2_block_in_its_pool_and_in_the_front() {
    breaks(FlagshipInvariant::DeadBlocks, |_| {
        let free = pool_in(Place::Available).first();
        // Behind the block that would be popped next.
        set_link(own_heap().front(OFFSET_512), free)
    });
}

#[test]
fn h2_circle_in_a_front() {
    breaks(FlagshipInvariant::DeadBlocks, |_| {
        let front = own_heap().front(OFFSET_512);
        set_link(front, front)
    });
}

#[test]
fn h2_front_that_leaves_the_heap() {
    breaks(FlagshipInvariant::DeadBlocks, |_| {
        set_link(own_heap().front(OFFSET_512), ptr::without_provenance_mut(0x1230))
    });
}

#[test]
fn h2_front_with_a_block_of_another_class() {
    breaks(FlagshipInvariant::DeadBlocks, |_| {
        set_link(own_heap().front(OFFSET_512), Arenite::malloc(24))
    });
}

#[test]
fn h3_pool_with_another_place() {
    breaks(FlagshipInvariant::PoolLists, |_| {
        let pool = pool_in(Place::Available);
        pool.set_place(Place::Asleep);
        move || pool.set_place(Place::Available)
    });
}

#[test]
fn h3_list_with_a_circle() {
    breaks(FlagshipInvariant::PoolLists, |_| {
        let pool = pool_in(Place::Available);
        let next = pool.next();
        pool.set_next(pool);
        move || pool.set_next(next)
    });
}

#[test]
fn h3_list_without_its_last_pools() {
    breaks(FlagshipInvariant::PoolLists, |_| {
        let pool = pool_in(Place::Asleep);
        let before = pool.prev();
        assert!(!before.is_null());
        before.set_next(Span::NULL);
        move || before.set_next(pool)
    });
}

#[test]
fn h3_heap_that_counts_a_slice_too_many() {
    breaks(FlagshipInvariant::PoolLists, |_| {
        own_heap().fields().slices += 1;
        || own_heap().fields().slices -= 1
    });
}

#[test]
fn h4_sleeping_pool_that_should_be_awake() {
    breaks(FlagshipInvariant::PoolEvents, |_| {
        let pool = pool_in(Place::Asleep);
        let event = pool.event();
        pool.set_event(pool.live() as u16);
        move || pool.set_event(event)
    });
}

#[test]
fn h4_current_pool_that_waits_for_something() {
    breaks(FlagshipInvariant::PoolEvents, |_| {
        let pool = pool_in(Place::Current);
        pool.set_event(3);
        move || pool.set_event(slice::NEVER)
    });
}

#[test]
fn m1_chain_with_a_block_of_another_class() {
    breaks(FlagshipInvariant::ChainEntries, |_| set_link(carrier(), Arenite::malloc(24)));
}

/// The first block that was gathered here, which carries the others.
fn carrier() -> *mut u8 {
    let mut first = ptr::null_mut::<u8>();
    own_heap()
        .each_outgoing(|block, _| {
            first = if first.is_null() { block } else { first };
            Ok::<_, ()>(())
        })
        .unwrap();
    first
}

fn set_passenger(carrier: *mut u8, seat: usize, block: *mut u8) -> impl FnOnce() + 'static {
    // SAFETY: a dead block.
    let old = unsafe { slice::passenger(carrier, seat) };
    // SAFETY: as above.
    unsafe { slice::set_passenger(carrier, seat, block) };
    // SAFETY: as above.
    move || unsafe { slice::set_passenger(carrier, seat, old) }
}

#[test]
fn m1_passenger_of_another_class() {
    breaks(FlagshipInvariant::ChainEntries, |_| set_passenger(carrier(), 3, Arenite::malloc(24)));
}

#[test]
fn h2_passenger_that_is_its_own_carrier() {
    breaks(FlagshipInvariant::DeadBlocks, |_| {
        let sent = own_heap().inbox().newest.load(core::sync::atomic::Ordering::Relaxed);
        set_passenger(sent, 0, sent)
    });
}

/// What lies behind the hole would be lost.
#[test]
fn m4_empty_seat_of_a_carrier_that_is_not_the_first() {
    breaks(FlagshipInvariant::ChainEntries, |_| {
        let last = own_heap().inbox().newest.load(core::sync::atomic::Ordering::Relaxed);
        // SAFETY: the first carrier of a chain; the one sent before is a full chain of two carriers.
        let full = unsafe { slice::second(last) };
        // SAFETY: as above.
        let older = unsafe { slice::link(full) };
        set_passenger(older, 5, ptr::null_mut())
    });
}

#[test]
fn m1_inbox_with_a_block_of_another_heap() {
    breaks(FlagshipInvariant::ChainEntries, |_| {
        let parked = threads::check::heaps().find(|&heap| heap != own_heap()).unwrap();
        let newest = &parked.inbox().newest;
        let old = newest.load(core::sync::atomic::Ordering::Relaxed);
        newest.store(Arenite::malloc(512), core::sync::atomic::Ordering::Relaxed);
        move || newest.store(old, core::sync::atomic::Ordering::Relaxed)
    });
}

#[test]
fn a1_heap_under_another_number() {
    breaks(FlagshipInvariant::HeapNumbers, |_| {
        threads::check::exchange_numbers();
        threads::check::exchange_numbers
    });
}

#[test]
fn a2_heap_in_use_that_looks_parked() {
    breaks(FlagshipInvariant::HeapStates, |_| {
        let parked = &own_heap().inbox().parked;
        parked.store(true, core::sync::atomic::Ordering::Relaxed);
        || parked.store(false, core::sync::atomic::Ordering::Relaxed)
    });
}

#[test]
fn g1_mapping_of_half_an_os_page() {
    breaks(FlagshipInvariant::HugePlaces, |_| {
        crate::flagship::huge::check::damage_length();
        crate::flagship::huge::check::damage_length
    });
}

#[test]
fn g2_mapping_that_is_not_where_it_is_looked_for() {
    breaks(FlagshipInvariant::HugeProbing, |_| {
        crate::flagship::huge::check::damage_places();
        crate::flagship::huge::check::damage_places
    });
}

#[test]
fn g3_kept_mapping_that_is_live() {
    breaks(FlagshipInvariant::KeptMappings, |_| crate::flagship::huge::check::damage_kept());
}

#[test]
fn u1_slice_in_use_that_is_not_counted() {
    use crate::flagship::usage::USED;
    breaks(FlagshipInvariant::UsageCounts, |_| {
        USED.set(USED.get() - 1);
        || USED.set(USED.get() + 1)
    });
}

#[test]
fn statistics_account_for_every_byte_and_print() {
    alone(any::type_name_of_val(&|| {}), || {
        let blocks = furnished();
        let stats = Arenite::stats();
        let live = stats.classes()[OFFSET_512 / 16].live_blocks;
        // Five of the other thread's were kept.
        assert_eq!(live, blocks.len() + 5);
        assert_eq!(stats.huge_blocks, 8);
        let text = format!("{stats}");
        for part in ["   32    512", "# bytes in dirty slices", "Total"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    });
}

#[test]
fn invariants_print_their_names() {
    let texts: HashSet<_> = FlagshipInvariant::ALL
        .map(|invariant| {
            let text = format!("{}", FlagshipViolation { invariant, addr: 0x30 });
            assert!(text.starts_with(&format!("{} broken at 0x30: ", invariant.name())), "{text}");
            text
        })
        .into();
    assert_eq!(texts.len(), FlagshipInvariant::ALL.len());
}
