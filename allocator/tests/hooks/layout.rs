//! What stands around a block, era by era, and what fills it.

use std::slice;

use arenite::fault::{FaultPlan, FaultyNext};
use arenite::{
    Damage, DebugHooks, Domain, Era, Pymalloc311, Python23Hooks, Python27Hooks, Python38Hooks,
    SystemMalloc, looks_freed,
};

/// Bytes from `before` bytes before a fresh block of three bytes to `behind` bytes after it.
fn around<E: Era>(before: usize, behind: usize) -> Vec<u8> {
    let mut hooks = DebugHooks::<_, E>::new(SystemMalloc);
    let block = hooks.malloc(Domain::Mem, 3);
    // SAFETY: header, data and trailer of a live block.
    let bytes = unsafe { slice::from_raw_parts(block.wrapping_sub(before), before + 3 + behind) };
    let bytes = bytes.to_vec();
    // SAFETY: live, freed once.
    unsafe { hooks.free(Domain::Mem, block) };
    bytes
}

#[test]
fn layouts_are_those_of_the_eras() {
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(around::<Python23Hooks>(8, 8)), "00000003fbfbfbfbcbcbcbfbfbfbfb00000001");
    let since = "00000000000000036dfbfbfbfbfbfbfbcbcbcbfbfbfbfbfbfbfbfb0000000000000001";
    assert_eq!(hex(around::<Python27Hooks>(16, 16)), since);
    let since = "00000000000000036dfdfdfdfdfdfdfdcdcdcdfdfdfdfdfdfdfdfd";
    assert_eq!(hex(around::<Python38Hooks>(16, 8)), since);
}

#[test]
fn wide_blocks_keep_their_alignment_and_are_freed_whole() {
    fn each<E: Era, const LIST: bool>() {
        let plan = FaultPlan::refusing(0..0);
        let mut hooks = DebugHooks::<_, E, LIST>::new(FaultyNext::new(SystemMalloc, &plan));
        for align in [8, 16, 32, 64, 4096, 1 << 16] {
            let block = hooks.aligned_alloc(Domain::Raw, align, 100);
            assert!(block.addr().is_multiple_of(align));
            // SAFETY: a live block.
            assert_eq!(unsafe { hooks.check(Domain::Raw, block) }, None);
            // SAFETY: live.
            let block = unsafe { hooks.realloc(Domain::Raw, block, 200) };
            // SAFETY: live, freed once.
            unsafe { hooks.free(Domain::Raw, block) };
        }
        assert_eq!(plan.outstanding(), 0);
    }
    each::<Python23Hooks, true>();
    each::<Python23Hooks, false>();
    each::<Python38Hooks, true>();
    each::<Python38Hooks, false>();
}

#[test]
fn refused_memory_passes_through_and_leaves_the_block() {
    let plan = FaultPlan::refusing(1..5);
    let mut hooks = DebugHooks::<_, Python38Hooks<true>>::new(FaultyNext::new(SystemMalloc, &plan));
    let block = hooks.calloc(Domain::Mem, 1, 200);
    assert!(hooks.malloc(Domain::Mem, 1).is_null());
    assert!(hooks.calloc(Domain::Mem, 1, 1).is_null());
    assert!(hooks.aligned_alloc(Domain::Mem, 64, 1).is_null());
    // SAFETY: live.
    assert!(unsafe { hooks.realloc(Domain::Mem, block, 500) }.is_null());
    assert!(hooks.calloc(Domain::Mem, usize::MAX, 2).is_null());
    assert!(hooks.malloc(Domain::Mem, usize::MAX).is_null());
    // SAFETY: live.
    assert_eq!(unsafe { hooks.check(Domain::Mem, block) }, None);
    // SAFETY: live, 200 bytes.
    let bytes = unsafe { slice::from_raw_parts(block, 200) };
    assert!(bytes.iter().all(|&byte| byte == 0));
    // SAFETY: live, freed once.
    unsafe { hooks.free(Domain::Mem, block) };
    assert_eq!(plan.outstanding(), 0);
}

#[test]
fn live_blocks_are_listed_oldest_first() {
    let heap = Pymalloc311::preset(SystemMalloc);
    let mut hooks = Box::new(DebugHooks::<_, Python38Hooks<true>, true>::new(heap));
    let blocks = [10, 20, 30, 40].map(|size| hooks.malloc(Domain::Object, size));
    // SAFETY: live, freed once.
    unsafe { hooks.free(Domain::Object, blocks[1]) };
    // SAFETY: live.
    let moved = unsafe { hooks.realloc(Domain::Object, blocks[0], 300) };
    let [third, fourth] = [blocks[2].addr(), blocks[3].addr()];
    let dump = format!("3 {third:#x} 30 o\n4 {fourth:#x} 40 o\n5 {:#x} 300 o\n", moved.addr());
    assert_eq!(hooks.live_blocks().to_string(), dump);
    for block in [moved, blocks[2], blocks[3]] {
        // SAFETY: live, freed once.
        unsafe { hooks.free(Domain::Object, block) };
    }
    assert_eq!(hooks.live_blocks().count(), 0);
}

#[test]
fn pointers_out_of_fill_bytes_look_freed() {
    let looks = |addr: usize| looks_freed::<Python38Hooks>(std::ptr::without_provenance(addr));
    for byte in [0, 0xcd, 0xdd, 0xfd] {
        assert!(looks(usize::from_ne_bytes([byte; 8])));
    }
    assert!(!looks(0xcdcd_cdcd_cdcd_cdce) && !looks(0xcbcb_cbcb_cbcb_cbcb) && !looks(16));
}

#[test]
fn the_validator_of_the_list_finds_a_link_that_was_overwritten_and_a_damaged_block() {
    let mut hooks = DebugHooks::<_, Python38Hooks, true>::new(SystemMalloc);
    let blocks: Vec<*mut u8> = (0..3).map(|_| hooks.malloc(Domain::Mem, 40)).collect();
    assert_eq!(hooks.validate(), Ok(3));
    // The words in front of the header: older, newer.
    let older = blocks[1].wrapping_sub(32).cast::<*mut u8>();
    // SAFETY: the link of a live block, put back below.
    unsafe { older.write_unaligned(blocks[2]) };
    assert_eq!(hooks.validate(), Err((blocks[1].addr(), Damage::Links)));
    // SAFETY: as above.
    unsafe { older.write_unaligned(blocks[0]) };
    let behind = blocks[2].wrapping_add(40);
    // SAFETY: the guard behind a live block, put back below.
    let guard = unsafe { behind.replace(0) };
    assert_eq!(hooks.validate(), Err((blocks[2].addr(), Damage::GuardBehind)));
    // SAFETY: as above.
    unsafe { behind.write(guard) };
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { hooks.free(Domain::Mem, block) };
    }
    assert_eq!(hooks.validate(), Ok(0));
}
