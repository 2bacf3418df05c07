//! Contents survive a resize from every class to every other, and across the larger kinds.

use arenite::Arenite;

use crate::block::{Block, Called, Checked, Door, Inlined, Request};
use crate::child::alone;
use crate::requests::edges;

fn from_every_size_to_every_other<D: Door>(door: D, sizes: &[usize]) {
    for &old in sizes {
        for &new in sizes {
            let mut block = Block::new(door, Request::of(old), old + new).expect("memory");
            assert!(block.resize(new), "{old} to {new}");
            block.check();
        }
    }
}

/// One size of every class, and the larger kinds.
fn one_of_each() -> Vec<usize> {
    edges().into_iter().skip(2).step_by(2).collect()
}

#[test]
fn contents_survive_from_every_class_to_every_other() {
    alone(|| from_every_size_to_every_other(Called, &one_of_each()));
}

#[test]
fn contents_survive_from_every_class_to_every_other_inlined() {
    alone(|| from_every_size_to_every_other(Inlined, &one_of_each()));
}

#[test]
fn contents_survive_from_every_class_to_every_other_with_checks() {
    alone(|| {
        arenite::AreniteChecked::prepare();
        from_every_size_to_every_other(Checked, &one_of_each());
    });
}

#[test]
fn contents_survive_around_the_edges_of_the_larger_kinds() {
    let around = |edge: usize| [edge - 4097, edge - 1, edge, edge + 1, edge + 4097];
    let sizes: Vec<_> =
        [32 << 10, 48 << 10, 1 << 20, 2 << 20].into_iter().flat_map(around).collect();
    alone(move || from_every_size_to_every_other(Called, &sizes));
}

#[test]
fn block_stays_while_it_holds_the_request_and_is_at_most_twice_as_large() {
    alone(|| {
        for size in edges().into_iter().filter(|&size| size > 16 && size <= 32 << 10) {
            let usable = Arenite::good_size(size);
            let mut block = Block::new(Called, Request::of(size), size).expect("memory");
            let start = block.start();
            for size in [usable, usable / 2, usable - 1] {
                assert!(block.resize(size));
                assert_eq!(block.start(), start, "{usable} to {size}");
            }
            assert!(block.resize(usable / 2 - 1));
            assert_ne!(block.start(), start, "{usable}");
        }
    });
}

#[test]
fn large_block_grows_and_shrinks_in_place() {
    alone(|| {
        let mut block = Block::new(Called, Request::of(40_000), 1).expect("memory");
        let start = block.start();
        for size in [1 << 20, 33_000, 500_000, 100_000] {
            assert!(block.resize(size));
            assert_eq!(block.start(), start, "{size}");
            assert_eq!(block.usable_size(), Arenite::good_size(size));
        }
    });
}

#[test]
fn null_is_resized_to_a_new_block() {
    // SAFETY: null is allowed.
    let block = unsafe { Arenite::realloc(std::ptr::null_mut(), 100) };
    assert!(!block.is_null());
    // SAFETY: live, freed once.
    unsafe { Arenite::free(block) };
}
