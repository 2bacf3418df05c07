//! What the heap takes from the system, and what it gives back.

use std::fs;

use arenite::Arenite;

use crate::block::{Block, Called, Request};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::posix;
use crate::process::resident_bytes;
use crate::random::Random;

fn blocks(count: usize, size: usize) -> Vec<Block<Called>> {
    (0..count).map(|at| Block::new(Called, Request::of(size), at).unwrap()).collect()
}

#[test]
fn memory_goes_back_when_everything_is_freed() {
    alone(|| {
        drop(blocks(100, 100));
        assert_empty();
        let before = resident_bytes();
        let mut random = Random::seeded("memory", 6);
        let mut all = blocks(100_000, 200);
        all.extend(blocks(2000, 10_000));
        all.extend(blocks(100, 200_000));
        all.extend(blocks(5, 4 << 20));
        assert!(resident_bytes() > before + (30 << 20));
        while !all.is_empty() {
            drop(all.swap_remove(random.below(all.len())));
        }
        drop(all);
        assert_empty();
        let after = resident_bytes();
        // The records of the arenas stay, and what the test itself had.
        assert!(after < before + (4 << 20), "{before} to {after}");
    });
}

/// No purge is asked for: age alone, counted in slices that come and go.
#[test]
fn free_slices_go_back_after_a_while() {
    alone(|| {
        drop(blocks(500, 100_000));
        // 26 slices freed and taken each, in all several times the longest delay.
        for _ in 0..2000 {
            drop(blocks(1, 200_000));
        }
        let stats = Arenite::stats();
        assert!(stats.arenas <= 2 && stats.dirty_bytes <= 1024 * 16384, "{stats}");
        assert_sound();
    });
}

#[test]
fn freed_huge_blocks_make_the_process_no_larger_than_it_was_but_for_an_arenas_worth() {
    alone(|| {
        let mapped = || {
            let maps = fs::read_to_string("/proc/self/statm").unwrap();
            maps.split(' ').next().unwrap().parse::<usize>().unwrap() * 4096
        };
        const KEPT_BYTES: usize = 4 << 20;
        drop(blocks(200, 2 << 20));
        // Until that peak is forgotten.
        (0..300).for_each(|_| drop(blocks(1, 2 << 20)));
        Arenite::purge();
        let before = mapped();
        let mut random = Random::seeded("huge", 7);
        let mut live: Vec<Block<Called>> = Vec::with_capacity(100);
        let mut peak = 0;
        for _ in 0..800 {
            let size = (1 << 20) + 1 + random.below(8 << 20);
            match live.len() {
                20.. => drop(live.swap_remove(random.below(20))),
                1.. if random.below(3) == 0 => {
                    let at = random.below(live.len());
                    assert!(live[at].resize(size));
                }
                _ => {
                    let align = 1 << random.below(24);
                    let zeroed = align == 1;
                    let request = Request { size, align, zeroed };
                    live.push(Block::new(Called, request, size).unwrap());
                }
            }
            let bytes: usize = live.iter().map(Block::usable_size).sum();
            peak = peak.max(bytes);
            let most = peak.max(bytes + KEPT_BYTES);
            assert!((before + bytes..=before + most).contains(&mapped()));
            assert_eq!(Arenite::stats().huge_bytes, bytes);
        }
        drop(live);
        Arenite::purge();
        assert_eq!(mapped(), before);
        assert_empty();
    });
}

/// Fills and empties as far as memory goes. The heap must get by with little address space.
fn lives_within(bytes: u64) {
    // The list of blocks is not to stand in the way.
    let mut all = Vec::with_capacity(bytes as usize / 1000);
    posix::limit_address_space(bytes);
    for round in 0..3 {
        for size in [1000, 3000, 50_000, 2 << 20] {
            while let Some(block) = Block::new(Called, Request::of(size), all.len()) {
                all.push(block);
                assert!(all.len() * size < bytes as usize, "the limit is a limit");
            }
            let used = all.len() * size;
            // Ranges stay reserved, so that little may be left for mappings beside them.
            let least = if size > 1 << 20 { 1 } else { bytes as usize / 8 };
            assert!(used > least, "round {round}: {used} of {size}");
            assert!(Block::new(Called, Request::of(1 << 30), 1).is_none());
            assert_sound();
            all.clear();
            Arenite::purge();
            assert_sound();
            assert_eq!(Arenite::stats().live_blocks(), 0);
        }
    }
}

#[test]
fn heap_lives_within_256_mebibytes_of_address_space() {
    alone(|| lives_within(256 << 20));
}

#[test]
fn heap_lives_within_64_mebibytes_of_address_space() {
    alone(|| lives_within(64 << 20));
}

#[test]
fn full_range_is_followed_by_another() {
    alone(|| {
        // Read when the first heap is made.
        posix::set_environment(c"ARENITE_RESERVE", c"1");
        let live = blocks(2500, 1 << 20);
        let stats = Arenite::stats();
        assert!(stats.reserved_bytes > 2 << 30, "more than two ranges: {stats}");
        assert_sound();
        // Blocks of pools in the later ranges, freed by their owner and by others.
        let (mine, others): (Vec<_>, Vec<_>) =
            blocks(1000, 5000).into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
        std::thread::spawn(|| drop(others)).join().unwrap();
        assert_sound();
        drop((live, mine));
        Arenite::purge();
        assert_sound();
        let stats = Arenite::stats();
        assert_eq!(stats.live_blocks(), 0);
        assert!(stats.arenas <= 3, "at most one in a range: {stats}");
    });
}

/// Another range is for want of address space alone.
#[test]
fn failed_calls_reserve_nothing_where_the_kernel_refuses_memory() {
    const LIMIT: u64 = 64 << 20;
    alone(|| {
        posix::set_environment(c"ARENITE_RESERVE", c"1");
        drop(blocks(1, 1000));
        let reserved = Arenite::stats().reserved_bytes;
        // The list of blocks is not to stand in the way.
        let mut live = Vec::with_capacity(LIMIT as usize / 1000);
        posix::limit_data(LIMIT);
        while let Some(block) = Block::new(Called, Request::of(1000), live.len()) {
            live.push(block);
        }
        let (full, mut failed) = (live.len(), 0);
        for _ in 0..20 {
            for size in [1000, 5000, 500_000] {
                failed += usize::from(Block::new(Called, Request::of(size), 0).is_none());
            }
        }
        let stats = Arenite::stats();
        drop(live);
        Arenite::purge();
        assert!(full * 1000 > LIMIT as usize / 4, "{full} blocks of 1000 bytes");
        assert!(failed >= 40, "{failed} of 60 calls failed");
        assert_eq!(stats.reserved_bytes, reserved, "{stats}");
        assert_empty();
    });
}

#[test]
fn settings_that_are_unknown_or_no_number_are_named_once_and_ignored() {
    const LINES: [&str; 6] = [
        "arenite: not a number in its limits: ARENITE_VALGRIND, ignored",
        "arenite: not a number in its limits: ARENITE_RED_ZONE, ignored",
        "arenite: not a number in its limits: ARENITE_QUARANTINE, ignored",
        "arenite: not a number in its limits: ARENITE_PURGE_DELAY, ignored",
        "arenite: not a number in its limits: ARENITE_RESERVE, ignored",
        "arenite: unknown setting ARENITE_COLOUR, ignored",
    ];
    let said = alone(|| {
        posix::set_environment(c"ARENITE_PURGE_DELAY", c"soon");
        posix::set_environment(c"ARENITE_RESERVE", c"33");
        posix::set_environment(c"ARENITE_VALGRIND", c"2");
        posix::set_environment(c"ARENITE_RED_ZONE", c"15");
        posix::set_environment(c"ARENITE_QUARANTINE", c"");
        posix::set_environment(c"ARENITE_COLOUR", c"red");
        drop(blocks(10, 100));
        std::thread::spawn(|| drop(blocks(10, 100))).join().unwrap();
        assert!(Arenite::stats().reserved_bytes > 31 << 30, "the default");
    });
    for line in LINES {
        let count = |said: String| said.lines().filter(|&other| other == line).count();
        assert!(said.clone().is_none_or(|said| count(said) == 1), "{line}");
    }
}

/// With no delay, whatever is freed is decommitted at once, and reads as zeroes for calloc.
#[test]
fn purge_delay_of_zero_keeps_nothing_dirty() {
    alone(|| {
        posix::set_environment(c"ARENITE_PURGE_DELAY", c"0");
        for size in [40_000, 200_000, 1 << 20] {
            let dirty = Arenite::malloc(size);
            // SAFETY: live, and that large.
            unsafe { dirty.write_bytes(0xff, size) };
            // SAFETY: live, freed once.
            unsafe { Arenite::free(dirty) };
            assert_eq!(Arenite::stats().dirty_bytes, 0);
            let zeroed = Request { size, align: 1, zeroed: true };
            drop(Block::new(Called, zeroed, size).unwrap());
        }
        assert_empty();
    });
}
