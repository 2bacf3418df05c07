//! Heaps with a lifetime.

use std::alloc::Layout;
use std::thread;

use arenite::{Arenite, Heap};

use crate::block::{Block, Called, Request};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::model::step;
use crate::random::Random;
use crate::requests::edges;

/// Blocks of every class, large and huge ones, aligned ones; all of them live.
fn fill(heap: &Heap) {
    for size in edges() {
        let block = Block::new(heap, Request::of(size), size).expect("memory");
        std::mem::forget(block);
    }
    for align in (5..=22).map(|shift| 1 << shift) {
        let block = Block::new(heap, Request { size: 100, align, zeroed: true }, align);
        std::mem::forget(block.expect("memory"));
    }
}

#[test]
fn dropped_heap_gives_back_whatever_lives_in_it() {
    alone(|| {
        for _ in 0..20 {
            let heap = Heap::new().expect("memory");
            fill(&heap);
            assert_sound();
            drop(heap);
            assert_sound();
            assert_eq!(Arenite::stats().live_blocks(), 0);
            assert_eq!(Arenite::stats().heaps, 1, "heaps are used again");
        }
        assert_empty();
    });
}

#[test]
fn cleared_heap_is_empty_and_goes_on() {
    alone(|| {
        let mut heap = Heap::new().expect("memory");
        for _ in 0..5 {
            fill(&heap);
            heap.clear();
            assert_sound();
            assert_eq!(Arenite::stats().live_blocks(), 0);
        }
        drop(Block::new(&heap, Request::of(100), 1).expect("memory"));
        drop(heap);
        assert_empty();
    });
}

#[test]
fn heap_goes_on_in_the_thread_it_is_sent_to() {
    alone(|| {
        let mut heap = Heap::new().expect("memory");
        for seed in 0..8 {
            heap = thread::spawn(move || {
                let mut random = Random::seeded("private", seed);
                let mut blocks = Vec::new();
                for _ in 0..5000 {
                    step(&heap, &mut random, &mut blocks, 200);
                }
                // Half is left alive.
                let half = blocks.split_off(blocks.len() / 2);
                half.into_iter().for_each(std::mem::forget);
                drop(blocks);
                heap
            })
            .join()
            .unwrap();
            assert_sound();
        }
        assert!(Arenite::stats().live_blocks() > 100);
        drop(heap);
        assert_empty();
    });
}

#[test]
fn heaps_side_by_side_do_not_touch_each_other() {
    alone(|| {
        let heaps = [0; 4].map(|_| Heap::new().expect("memory"));
        let mut random = Random::seeded("side by side", 9);
        let mut blocks: [Vec<_>; 4] = Default::default();
        let mut shared = Vec::new();
        for _ in 0..50_000 {
            let at = random.below(5);
            match heaps.get(at) {
                Some(heap) => step(heap, &mut random, &mut blocks[at], 100),
                None => step(Called, &mut random, &mut shared, 100),
            }
        }
        assert_sound();
        drop((blocks, shared));
        assert_eq!(Arenite::stats().live_blocks(), 0);
        drop(heaps);
        assert_empty();
    });
}

/// Nobody else knows the blocks of a heap, but the process's calls can tell what they are.
#[test]
fn blocks_of_a_heap_are_owned_by_the_process() {
    alone(|| {
        let heap = Heap::new().expect("memory");
        for size in [1, 1000, 20_000, 40_000, 2 << 20] {
            let block = heap.alloc(Layout::from_size_align(size, 1).unwrap());
            assert!(Arenite::owns(block));
            // SAFETY: live.
            assert_eq!(unsafe { heap.usable_size(block) }, Arenite::good_size(size));
            // SAFETY: live, freed once.
            unsafe { heap.dealloc(block) };
        }
    });
}

#[test]
fn more_heaps_at_a_time_than_are_made_at_a_time() {
    alone(|| {
        let heaps: Vec<_> = (0..100).map(|_| Heap::new().expect("memory")).collect();
        for (at, heap) in heaps.iter().enumerate() {
            std::mem::forget(Block::new(heap, Request::of(100), at).expect("memory"));
        }
        assert_sound();
        drop(heaps);
        assert_eq!(Arenite::stats().heaps, 100);
        assert_empty();
    });
}
