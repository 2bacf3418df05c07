//! What is done while memory is refused. Null is accepted everywhere; blocks that exist keep their
//! contents. No script leaves anything alive.

use std::alloc::Layout;
use std::thread;

use arenite::{Arenite, Heap};

use crate::block::{Block, Called, Request};
use crate::mappings;

/// Scripts by name.
pub(crate) const SCRIPTS: &[(&str, fn())] = &[
    ("one of each", one_of_each),
    ("fill arenas", fill_arenas),
    ("large", large),
    ("huge", huge),
    ("huge table", huge_table),
    ("resize", resize),
    ("resize huge", resize_huge),
    ("aligned", aligned),
    ("zeroed", zeroed),
    ("come and go", come_and_go),
    ("private heaps", private_heaps),
    ("other threads", other_threads),
];

fn block(size: usize) -> Option<Block<Called>> {
    Block::new(Called, Request::of(size), size)
}

/// A list that asks for nothing while calls are counted.
fn list<T>() -> Vec<T> {
    mappings::uncounted(|| Vec::with_capacity(4096))
}

fn one_of_each() {
    let mut live = list();
    for size in [0, 1, 16, 100, 1000, 1025, 5000, 30_000, 40_000, 1 << 20, (1 << 20) + 1, 8 << 20] {
        live.extend(block(size));
        live.extend(block(size));
    }
}

fn fill_arenas() {
    let mut live = list();
    for at in 0..600 {
        live.extend(block(30_000 + at));
    }
    let mut at = 0;
    live.retain(|_| {
        at += 1;
        at % 3 > 0
    });
    Arenite::purge();
    for at in 0..300 {
        live.extend(block(100_000 + at));
    }
}

fn large() {
    let mut live = list();
    for round in 0..3 {
        for at in 0..30 {
            live.extend(block((at + 1) << 15));
        }
        live.truncate(round * 10);
        Arenite::purge();
    }
}

fn huge() {
    let mut live = list();
    for at in 1..20 {
        live.extend(block(at << 20));
        if at % 3 == 0 && !live.is_empty() {
            live.remove(0);
        }
    }
}

/// More huge blocks than the first table has places for.
fn huge_table() {
    let mut live = list();
    // Without contents: most of the time would go into touching them.
    live.extend((0..140).map(|_| Arenite::malloc((1 << 20) + 1)));
    for start in live {
        // SAFETY: null or live, freed once.
        unsafe { Arenite::free(start) };
    }
}

fn resize() {
    for old in [10, 3000, 40_000, 500_000, 2 << 20] {
        for new in [20, 6000, 80_000, 1 << 20, 3 << 20] {
            if let Some(mut block) = block(old) {
                block.resize(new);
                block.resize(old / 2);
            }
        }
    }
}

fn resize_huge() {
    let mut live = list();
    live.extend([block(2 << 20), block(3 << 20)].into_iter().flatten());
    for size in (2..12).map(|at| at << 20) {
        for block in &mut live {
            block.resize(size);
        }
    }
}

fn aligned() {
    let mut live = list();
    for shift in 5..=24 {
        for size in [0, 100, 20_000, 2 << 20] {
            let request = Request { size, align: 1 << shift, zeroed: false };
            live.extend(Block::new(Called, request, shift));
        }
    }
}

fn zeroed() {
    for size in [100, 20_000, 50_000, 500_000, 2 << 20] {
        for _ in 0..3 {
            let dirty = Arenite::malloc(size);
            if !dirty.is_null() {
                // SAFETY: live, and that large.
                unsafe { dirty.write_bytes(0xff, size) };
                // SAFETY: live, freed once.
                unsafe { Arenite::free(dirty) };
            }
            // What could not be given back is not zero.
            Arenite::purge();
            drop(Block::new(Called, Request { size, align: 1, zeroed: true }, size));
        }
    }
}

fn come_and_go() {
    let mut live = list();
    for round in 0..4 {
        for at in 0..200 {
            live.extend(block(1 << (4 + (at + round) % 14)));
        }
        live.clear();
        Arenite::purge();
    }
}

fn private_heaps() {
    for _ in 0..3 {
        let heaps = [0; 10].map(|_| Heap::new());
        for heap in heaps.iter().flatten() {
            for size in [10, 5000, 100_000, 2 << 20] {
                // Dies with its heap.
                let block = heap.alloc(Layout::from_size_align(size, 16).unwrap());
                assert!(block.is_null() || Arenite::owns(block));
            }
        }
    }
}

/// Others fill their heaps and end; their blocks are freed here, where memory is refused.
fn other_threads() {
    let theirs = mappings::uncounted(|| {
        let make = || (0..500).flat_map(|at| block(5000 + at)).collect::<Vec<_>>();
        [0; 3].map(|_| thread::spawn(make).join().unwrap())
    });
    let mut live = list();
    for at in 0..50 {
        live.extend(block(500 + at));
    }
    drop(theirs);
    for at in 0..200 {
        live.extend(block(50_000 + at));
    }
    Arenite::purge();
}
