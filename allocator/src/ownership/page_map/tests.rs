//! The window against a plain list of arenas. The arenas are addresses only, no memory.

use std::vec::Vec;

use super::{PageMap, STEP};
use crate::geometry::Geometry;
use crate::next::system_malloc::SystemMalloc;
use crate::ownership::Ownership;
use crate::presets::{Python39, Python311};

fn marked<G: Geometry>(map: &PageMap, addr: usize) -> bool {
    map.is_marked::<G>(addr)
}

/// Granules that lie in the first window, at its edges, a step and a growth away on either side, and
/// at both ends of the address space.
fn granules<G: Geometry>() -> Vec<usize> {
    let middle = 40 * STEP;
    let all = PageMap::all_granules::<G>();
    let mut granules = Vec::from([middle + 5, middle, middle + STEP - 1, middle + STEP]);
    granules.extend([middle - 1, middle - 7 * STEP, middle + 30 * STEP, all - 1, 1, middle + 6]);
    granules
}

fn check_against_list<G: Geometry>() {
    let mut map = <PageMap as Ownership<G>>::NEW;
    let mut arenas: Vec<usize> = Vec::new();
    let check = |map: &PageMap, arenas: &[usize]| {
        for granule in granules::<G>() {
            let base = granule * G::ARENA_BYTES;
            for addr in [base - 1, base, base + 1, base + G::ARENA_BYTES - 1, base + G::ARENA_BYTES]
            {
                let expected = arenas.contains(&(addr / G::ARENA_BYTES * G::ARENA_BYTES));
                assert_eq!(marked::<G>(map, addr), expected, "{addr:#x} with {arenas:x?}");
            }
        }
        for addr in [0, 1, 1 << 47, 0x8000_0000_0000_0000, usize::MAX] {
            assert!(!marked::<G>(map, addr), "{addr:#x}");
        }
    };
    for granule in granules::<G>() {
        let base = granule * G::ARENA_BYTES;
        assert!(Ownership::<G>::mark(&mut map, base, &mut SystemMalloc), "{base:#x}");
        arenas.push(base);
        check(&map, &arenas);
    }
    while let Some(base) = arenas.pop() {
        Ownership::<G>::unmark(&mut map, base);
        check(&map, &arenas);
    }
    assert_eq!(map.marked, 0);
    Ownership::<G>::give_back(&mut map, &mut SystemMalloc);
    assert_eq!(map.granules, 0);
}

#[test]
fn a_window_that_grows_to_both_sides_keeps_every_mark_and_makes_none_up() {
    check_against_list::<Python39>();
    check_against_list::<Python311>();
}

#[test]
fn the_first_window_is_small_and_a_growing_one_at_least_doubles() {
    let mut map = <PageMap as Ownership<Python39>>::NEW;
    let arena = |granule: usize| granule * Python39::ARENA_BYTES;
    let mark = |map: &mut PageMap, granule| {
        assert!(Ownership::<Python39>::mark(map, arena(granule), &mut SystemMalloc));
        (map.first, map.granules)
    };
    assert_eq!(mark(&mut map, 10 * STEP + 3), (10 * STEP, STEP));
    assert_eq!(mark(&mut map, 11 * STEP), (10 * STEP, 2 * STEP));
    assert_eq!(mark(&mut map, 12 * STEP), (10 * STEP, 4 * STEP));
    assert_eq!(mark(&mut map, 10 * STEP - 1), (6 * STEP, 8 * STEP));
    Ownership::<Python39>::give_back(&mut map, &mut SystemMalloc);
}

#[test]
fn an_address_that_no_process_is_given_is_refused() {
    let mut map = <PageMap as Ownership<Python39>>::NEW;
    assert!(!Ownership::<Python39>::mark(&mut map, 1 << 47, &mut SystemMalloc));
    assert_eq!((map.granules, map.marked), (0, 0));
}
