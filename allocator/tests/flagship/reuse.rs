//! What is freed serves what is asked for next, without the system's help, and goes back in time.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use arenite::{Arenite, FlagshipStats};

use crate::block::{Block, Called, Request, fill, free, touched};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::posix;
use crate::process::{data_bytes, faults, resident_bytes};

/// Bytes of arenas that are in use: pools and large blocks.
fn used_bytes(stats: &FlagshipStats) -> usize {
    stats.mapped_bytes() - stats.dirty_bytes - stats.clean_bytes
}

/// The classes of a program may change: what others sent home serves all of them.
#[test]
fn blocks_that_others_freed_serve_other_classes() {
    const BYTES: usize = 16 << 20;
    alone(|| {
        for size in [100, 200, 300, 400, 500, 600] {
            let blocks = fill(BYTES, size);
            let stats = Arenite::stats();
            assert!(used_bytes(&stats) < BYTES / 4 * 5, "with blocks of {size}: {stats}");
            thread::spawn(|| drop(blocks)).join().unwrap();
        }
        assert_sound();
        assert_empty();
    });
}

/// What others sent home does not lie for good where the owner asks for no more memory.
#[test]
fn blocks_that_others_freed_go_home_while_the_owner_needs_little() {
    const BYTES: usize = 64 << 20;
    alone(|| {
        let blocks = fill(BYTES, 100);
        thread::spawn(|| drop(blocks)).join().unwrap();
        for _ in 0..3 {
            drop(fill(256 << 10, 200));
        }
        let stats = Arenite::stats();
        assert!(used_bytes(&stats) < BYTES / 2, "{stats}");
        assert_empty();
    });
}

/// Fills a small address space with blocks that another thread then frees; asks for one of `size`.
fn serves_when_memory_is_out(size: usize) {
    let (sender, receiver) = mpsc::channel::<Vec<Block<Called>>>();
    let freeing = Arc::new(Barrier::new(2));
    let through = Arc::clone(&freeing);
    // Started while there is room for its stack, which is not given back before the end, and neither
    // is the list.
    let other = thread::spawn(move || {
        let mut blocks = receiver.recv().unwrap();
        blocks.clear();
        through.wait();
        through.wait();
    });
    let mut blocks = Vec::with_capacity(64 << 10);
    posix::limit_address_space(64 << 20);
    let mut rest = Vec::with_capacity(64 << 10);
    let mut freed = Vec::with_capacity(64 << 10);
    // What sending and the end of a thread ask of the system malloc.
    let spare = [0; 24].map(|_: i32| Vec::<u8>::with_capacity(4096));
    let fill = |blocks: &mut Vec<Block<Called>>, size| {
        while let Some(block) = Block::new(Called, Request::of(size), blocks.len()) {
            blocks.push(block);
        }
    };
    fill(&mut blocks, 1000);
    fill(&mut rest, size);
    drop(spare);
    freed.extend(blocks.drain(blocks.len() / 4..));
    sender.send(freed).unwrap();
    freeing.wait();
    assert!(Block::new(Called, Request::of(size), 0).is_some());
    freeing.wait();
    other.join().unwrap();
    assert_sound();
}

/// What others sent home may lie for a while, but not where memory would be refused for it.
#[test]
fn blocks_that_others_freed_serve_another_class_when_memory_is_out() {
    alone(|| serves_when_memory_is_out(3000));
}

#[test]
fn blocks_that_others_freed_serve_a_large_block_when_memory_is_out() {
    alone(|| serves_when_memory_is_out(50_000));
}

/// Goes through the same memory again and again.
fn cycle(count: usize, size: usize) {
    let mut blocks = Vec::with_capacity(count);
    let mut before = 0;
    for round in 0..8 {
        if round == 3 {
            before = faults();
        }
        blocks.extend((0..count).map(|_| touched(size)));
        blocks.drain(..).for_each(free);
    }
    let faults = faults() - before;
    assert!(faults < 500, "{faults} page faults in 5 cycles of {count} blocks of {size}");
    assert_empty();
}

#[test]
fn cycling_through_large_blocks_keeps_their_memory() {
    alone(|| cycle(60, 512 << 10));
}

#[test]
fn cycling_through_small_blocks_keeps_their_memory() {
    alone(|| cycle(100_000, 200));
}

/// More than waits for its reuse before anything is known of the program.
#[test]
fn cycling_through_much_memory_teaches_to_keep_it() {
    alone(|| cycle(400, 512 << 10));
}

/// Frees as much as one cycle, and how much of it is kept.
fn dirty_bytes_after_a_cycle() -> usize {
    let blocks: Vec<_> = (0..400).map(|_| touched(512 << 10)).collect();
    blocks.into_iter().for_each(free);
    Arenite::stats().dirty_bytes
}

#[test]
fn what_was_learnt_is_forgotten_and_memory_goes_back() {
    alone(|| {
        cycle(400, 512 << 10);
        assert!(dirty_bytes_after_a_cycle() > 160 << 20, "it was learnt");
        // 20 GiB freed and taken of a few slices.
        for turn in 0..(20_u64 << 30) / (512 << 10) {
            let block = Arenite::malloc(256 << 10);
            // A little that went back is needed again, now and then.
            let more = (turn % 2048 == 0).then(|| Arenite::malloc(160 << 10));
            free(block);
            more.into_iter().for_each(free);
        }
        let stats = Arenite::stats();
        assert!(stats.dirty_bytes < 24 << 20, "{stats}");
        let dirty = dirty_bytes_after_a_cycle();
        assert!(dirty < 144 << 20, "it is forgotten: {dirty}");
        assert_empty();
    });
}

#[test]
fn huge_blocks_take_the_place_of_what_was_learnt_to_be_kept() {
    const COUNT: usize = 1200;
    alone(|| {
        cycle(COUNT, 512 << 10);
        let blocks: Vec<_> = (0..COUNT).map(|_| touched(512 << 10)).collect();
        blocks.into_iter().for_each(free);
        assert!(Arenite::stats().dirty_bytes > 560 << 20, "it was learnt");
        let before = resident_bytes();
        let blocks: Vec<_> = (0..6).map(|_| touched(100 << 20)).collect();
        let more = resident_bytes().saturating_sub(before);
        assert!(more < 160 << 20, "{more} bytes more than at the peak before");
        blocks.into_iter().for_each(free);
        assert_empty();
    });
}

#[test]
fn dirty_spans_make_room_for_a_huge_block_when_memory_is_out() {
    alone(|| {
        drop(fill(8 << 20, 3000));
        let dirty = dirty_bytes_after_a_cycle();
        assert!(dirty > 100 << 20, "{dirty}");
        // What went back is reserved and no longer writable, or the limit would say nothing.
        posix::limit_data(data_bytes() + (1 << 20));
        let block = Arenite::malloc(80 << 20);
        assert!(!block.is_null());
        free(block);
        assert_sound();
    });
}

/// Holes between blocks went back; waiting longer would not have made them serve what is larger.
#[test]
fn growing_beyond_holes_that_went_back_teaches_nothing() {
    alone(|| {
        let mut blocks = Vec::with_capacity(3000);
        let mut holes = Vec::with_capacity(2000);
        for _ in 0..1000 {
            holes.push(touched(48 << 10));
            blocks.push(touched(200 << 10));
        }
        holes.drain(..).for_each(free);
        for _ in 0..300 {
            free(Arenite::malloc(256 << 10));
        }
        assert!(Arenite::stats().dirty_bytes < 4 << 20, "{}", Arenite::stats());
        blocks.extend((0..500).map(|_| touched(400 << 10)));
        blocks.drain(..).for_each(free);
        let stats = Arenite::stats();
        assert!(stats.dirty_bytes < 144 << 20, "{stats}");
        assert_empty();
    });
}

#[test]
fn dirty_spans_go_back_while_only_huge_blocks_come_and_go() {
    alone(|| {
        let dirty = dirty_bytes_after_a_cycle();
        assert!(dirty > 100 << 20, "{dirty}");
        let cycle = || free(touched(20 << 20));
        (0..40).for_each(|_| cycle());
        let stats = Arenite::stats();
        assert!(stats.dirty_bytes < 24 << 20, "{stats}");
        let before = faults();
        (0..10).for_each(|_| cycle());
        let faults = faults() - before;
        assert!(faults < 1000, "{faults} page faults, of 5000 each time");
        assert_empty();
    });
}

/// Neither the dirty one nor the clean one is long enough, and what is resident stays so.
#[test]
fn free_neighbours_of_both_kinds_serve_a_large_block_together() {
    const SLICE: usize = 16 << 10;
    alone(|| {
        let rest: Vec<_> = [64, 48, 48].map(|slices| touched(slices * SLICE)).into();
        free(touched(48 * SLICE));
        let stats = Arenite::stats();
        let (dirty, clean) = (stats.dirty_bytes, stats.clean_bytes);
        assert_eq!((stats.arenas, dirty, clean), (1, 48 * SLICE, 48 * SLICE), "{stats}");
        let before = faults();
        let block = touched(64 * SLICE);
        let faults = faults() - before;
        assert!(faults < 100, "{faults} page faults for 16 slices that were clean");
        assert_eq!(Arenite::stats().arenas, 1);
        assert_sound();
        rest.into_iter().chain([block]).for_each(free);
        assert_empty();
    });
}

/// Neighbours of three, of which an aligned request leaves some slices on either side.
#[test]
fn free_neighbours_serve_an_aligned_block_and_what_is_left_of_them_is_joined() {
    const SLICE: usize = 16 << 10;
    alone(|| {
        let blocks: Vec<_> = (0..64).map(|_| touched(4 * SLICE)).collect();
        let stats = Arenite::stats();
        assert_eq!((stats.dirty_bytes, stats.clean_bytes), (0, 0), "{stats}");
        // In an arena each, in the order of their places.
        free(blocks[21]);
        Arenite::purge();
        free(blocks[20]);
        free(blocks[22]);
        assert_eq!(Arenite::stats().clean_bytes, 4 * SLICE);
        let block = Arenite::aligned_alloc(2 * SLICE, 7 * SLICE);
        assert!(!block.is_null());
        assert_eq!(Arenite::stats().arenas, stats.arenas);
        assert_sound();
        free(block);
        blocks
            .iter()
            .enumerate()
            .filter(|(at, _)| !(20..23).contains(at))
            .for_each(|(_, &block)| free(block));
        assert_empty();
    });
}

/// More dirty spans than are looked at for neighbours lie before the pair that serves the request.
#[test]
fn free_neighbours_are_found_behind_many_others_when_memory_is_out() {
    const SLICE: usize = 16 << 10;
    alone(|| {
        let pair = [touched(4 * SLICE), touched(4 * SLICE)];
        let blocks: Vec<_> = (0..800).map(|_| touched(3 * SLICE)).collect();
        let mut rest = Vec::with_capacity(1000);
        posix::limit_data(data_bytes());
        // Until no clean span is as long.
        loop {
            let block = Arenite::malloc(3 * SLICE);
            if block.is_null() {
                break;
            }
            rest.push(block);
        }
        free(pair[0]);
        Arenite::purge();
        blocks.iter().step_by(2).for_each(|&block| free(block));
        free(pair[1]);
        let block = Arenite::malloc(8 * SLICE);
        assert!(!block.is_null());
        assert_sound();
        rest.push(block);
        rest.extend(blocks.iter().skip(1).step_by(2));
        rest.into_iter().for_each(free);
        assert_sound();
    });
}

/// Frees that touch one pool after another, so that none of them ends a pool's life at once.
#[test]
fn medium_blocks_freed_in_strides_leave_few_pools() {
    const STRIDE: usize = 20;
    alone(|| {
        let sizes: Vec<usize> = Arenite::stats()
            .classes()
            .iter()
            .map(|class| class.block_bytes)
            .filter(|&bytes| bytes > 2048)
            .collect();
        assert_eq!((sizes.first(), sizes.last()), (Some(&2560), Some(&32_768)));
        for size in sizes {
            let blocks: Vec<_> = (0..600).map(|_| Arenite::malloc(size)).collect();
            for first in 0..STRIDE {
                blocks.iter().skip(first).step_by(STRIDE).copied().for_each(free);
            }
        }
        let stats = Arenite::stats();
        assert_eq!(stats.live_blocks(), 0);
        assert!(used_bytes(&stats) < 4 << 20, "before any purge: {stats}");
        assert_empty();
    });
}
