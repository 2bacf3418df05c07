//! The ownership lab answers as a heap does, for arenas that are mapped and for made-up ones.

use arenite::{
    ArenaIndex, Geometry, MadeUpSource, MmapSource, Ownership, OwnershipLab, Python23, Python39,
    RadixTree,
};

fn answers_like_a_heap<G: Geometry, O: Ownership<G>>() {
    let foreign = vec![0_u8; 64 << 10];
    let mut lab = Box::new(OwnershipLab::<G, O, MmapSource>::new(MmapSource));
    // More than the first table of descriptors holds.
    let bases: Vec<*mut u8> = (0..40).map(|_| lab.add_arena(3).expect("memory")).collect();
    for base in bases {
        let first = base.map_addr(|addr| addr.next_multiple_of(G::POOL_BYTES));
        for offset in [0, 48, G::POOL_BYTES, 3 * G::POOL_BYTES - 1] {
            // SAFETY: in a cut pool.
            assert!(unsafe { lab.owns(first.wrapping_add(offset)) }, "{}: {offset}", O::NAME);
        }
    }
    for offset in (0..foreign.len()).step_by(16) {
        // SAFETY: mapped memory.
        assert!(!unsafe { lab.owns(foreign.as_ptr().wrapping_add(offset).cast_mut()) });
    }
}

#[test]
fn every_strategy_knows_cut_pools_and_foreign_memory_in_the_lab() {
    answers_like_a_heap::<Python23, ArenaIndex<2>>();
    answers_like_a_heap::<Python39, ArenaIndex<3>>();
    answers_like_a_heap::<Python39, RadixTree>();
}

#[test]
fn made_up_arenas_are_known_by_address_and_never_touched() {
    const START: usize = 0x1000_0000_3000;
    // SAFETY: no pool is cut, and the radix tree reads nothing on behalf of an address.
    let source = unsafe { MadeUpSource::new(START) };
    let mut lab = Box::new(OwnershipLab::<Python39, RadixTree, _>::new(source));
    for _ in 0..1000 {
        lab.add_arena(0).unwrap();
    }
    let end = START + 1000 * Python39::ARENA_BYTES;
    let owns = |addr| {
        // SAFETY: the radix tree reads nothing on behalf of an address.
        unsafe { lab.owns(std::ptr::without_provenance_mut(addr)) }
    };
    assert!(!owns(START - 1) && owns(START) && owns(end - 1) && !owns(end));
}
