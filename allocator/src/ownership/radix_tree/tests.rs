//! The tree against a plain list of arenas. The arenas are addresses only, no memory.

use std::boxed::Box;
use std::vec::Vec;

use super::{LEAF_RANGE_BITS, RadixTree};
use crate::fault::{FaultPlan, FaultyNext};
use crate::geometry::Geometry;
use crate::next::system_malloc::SystemMalloc;
use crate::ownership::Ownership;
use crate::presets::{Python39, Python311};

fn new_tree<G: Geometry>() -> Box<RadixTree> {
    Box::new(<RadixTree as Ownership<G>>::NEW)
}

fn mark<G: Geometry>(tree: &mut RadixTree, base: usize) {
    assert!(Ownership::<G>::mark(tree, base, &mut SystemMalloc));
}

fn covered<G: Geometry>(arenas: &[usize], addr: usize) -> bool {
    arenas.iter().any(|&base| addr.wrapping_sub(base) < G::ARENA_BYTES)
}

/// Addresses around which a bug in the index arithmetic would show: within a leaf, at the bounds
/// of a leaf and of a middle node, and in the lowest and highest slots.
fn neighbourhoods<G: Geometry>() -> [usize; 5] {
    [
        2 * G::ARENA_BYTES,
        (5 << LEAF_RANGE_BITS) - 2 * G::ARENA_BYTES,
        (3 << 49) - 2 * G::ARENA_BYTES,
        0x7fff_0000_0000,
        usize::MAX - 20 * G::ARENA_BYTES + 1,
    ]
}

fn check_against_list<G: Geometry>() {
    let mut tree = new_tree::<G>();
    let mut arenas: Vec<usize> = Vec::new();
    let mut state = 0x5eed_0003_u64;
    let mut random = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for step in 0..4000 {
        let start = neighbourhoods::<G>()[random(5)];
        // Mostly off the slot's edge, by whole OS pages; sometimes by 16 bytes; sometimes on it.
        let shift = [0, 16, 4096, G::ARENA_BYTES - 4096, G::ARENA_BYTES / 2][random(5)];
        let base = start + random(8) * G::ARENA_BYTES + shift;
        if let Some(place) = arenas.iter().position(|&arena| arena == base) {
            Ownership::<G>::unmark(&mut *tree, arenas.swap_remove(place));
        } else if !arenas.iter().any(|&arena| arena.abs_diff(base) < G::ARENA_BYTES) {
            mark::<G>(&mut tree, base);
            arenas.push(base);
        }
        for distance in [0, 1, G::ARENA_BYTES - 1, G::ARENA_BYTES, G::ARENA_BYTES + 1] {
            for addr in [base.wrapping_add(distance), base.wrapping_sub(distance)] {
                let expected = covered::<G>(&arenas, addr);
                assert_eq!(tree.covers::<G>(addr), expected, "step {step}, {addr:#x}");
            }
        }
        let anywhere = start + random(10 * G::ARENA_BYTES);
        assert_eq!(tree.covers::<G>(anywhere), covered::<G>(&arenas, anywhere), "{anywhere:#x}");
    }
    for base in arenas {
        Ownership::<G>::unmark(&mut *tree, base);
        assert!(!tree.covers::<G>(base));
    }
    Ownership::<G>::give_back(&mut *tree, &mut SystemMalloc);
}

#[test]
fn tree_agrees_with_a_list_of_arenas() {
    check_against_list::<Python311>();
    check_against_list::<Python39>();
}

#[test]
fn neighbouring_arenas_share_a_slot_without_disturbing_each_other() {
    type G = Python311;
    let mut tree = new_tree::<G>();
    let lower = 0x7000_0010_0000 + 4096;
    let upper = lower + G::ARENA_BYTES;
    mark::<G>(&mut tree, lower);
    mark::<G>(&mut tree, upper);
    Ownership::<G>::unmark(&mut *tree, lower);
    assert!(!tree.covers::<G>(upper - 1) && tree.covers::<G>(upper));
    mark::<G>(&mut tree, lower);
    Ownership::<G>::unmark(&mut *tree, upper);
    assert!(tree.covers::<G>(upper - 1) && !tree.covers::<G>(upper));
    Ownership::<G>::give_back(&mut *tree, &mut SystemMalloc);
}

#[test]
fn refused_nodes_leave_nothing_marked_and_nothing_leaked() {
    type G = Python311;
    // Across two leaves and across two middle nodes: three and four nodes.
    for (base, nodes) in [((7 << LEAF_RANGE_BITS) - 4096, 3), ((2 << 49) - 4096, 4)] {
        for refused in 0..nodes {
            let plan = FaultPlan::refusing(refused..refused + 1);
            let mut next = FaultyNext::new(SystemMalloc, &plan);
            let mut tree = new_tree::<G>();
            assert!(!Ownership::<G>::mark(&mut *tree, base, &mut next), "node {refused}");
            for addr in [base, base + 4095, base + 4096, base + G::ARENA_BYTES - 1] {
                assert!(!tree.covers::<G>(addr), "node {refused}, {addr:#x}");
            }
            assert!(Ownership::<G>::mark(&mut *tree, base, &mut next), "the second time it works");
            assert!(tree.covers::<G>(base) && tree.covers::<G>(base + G::ARENA_BYTES - 1));
            assert!(!tree.covers::<G>(base - 1) && !tree.covers::<G>(base + G::ARENA_BYTES));
            let tables = Ownership::<G>::tables(&*tree);
            assert_eq!((tables.mid_nodes + tables.leaf_nodes) as u64, nodes);
            Ownership::<G>::give_back(&mut *tree, &mut next);
            assert_eq!(plan.outstanding(), 0);
        }
    }
}
