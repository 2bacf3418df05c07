//! The byte account of the statistics.

use arenite::{Pymalloc311, SystemMalloc};

#[test]
fn byte_account_sums_to_the_arenas_before_and_after_freeing_everything() {
    let mut heap = Box::new(Pymalloc311::preset(SystemMalloc));
    let blocks: Vec<*mut u8> = (0..20_000).map(|i| heap.malloc(i % 600)).collect();
    assert!(blocks.iter().all(|block| !block.is_null()));
    heap.validate().unwrap();
    let full = heap.stats();
    assert_eq!(full.accounted_bytes(), full.mapped_bytes());
    assert_eq!(full.allocated_blocks(), 20_000);
    for block in blocks {
        // SAFETY: allocated above, freed once.
        unsafe { heap.free(block) };
    }
    heap.validate().unwrap();
    let empty = heap.stats();
    assert_eq!(empty.accounted_bytes(), empty.mapped_bytes());
    assert_eq!(empty.allocated_blocks(), 0);
    assert_eq!(empty.arenas_current, 1, "one empty arena is kept");
    // SAFETY: every block is dead.
    unsafe { heap.give_back() };
}
