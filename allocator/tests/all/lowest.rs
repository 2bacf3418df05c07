//! The third clause of the arena index: a vacant slot has base 0 and must own nothing.

use std::ffi::{c_int, c_long, c_void};

use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python39, SystemMalloc};

unsafe extern "C" {
    fn mmap(
        addr: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(addr: *mut c_void, length: usize) -> c_int;
}

/// The lowest address that Linux maps by default, `vm.mmap_min_addr`.
const LOWEST: usize = 0x1_0000;
const PROT_READ_WRITE: c_int = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE`.
const FLAGS: c_int = 0x02 | 0x20 | 0x10_0000;

#[test]
fn memory_at_the_lowest_addresses_does_not_belong_to_a_vacant_slot() {
    let wanted = std::ptr::without_provenance_mut(LOWEST);
    // SAFETY: a new mapping that replaces nothing.
    let page = unsafe { mmap(wanted, 4096, PROT_READ_WRITE, FLAGS, -1, 0) };
    if page.addr() != LOWEST {
        println!("skipped: {LOWEST:#x} cannot be mapped here");
        return;
    }
    let page = page.cast::<u8>();
    let mut heap: Box<ClassicHeap<Python39, ArenaIndex<3>, MmapSource, SystemMalloc>> =
        Box::new(ClassicHeap::new(MmapSource, SystemMalloc));
    let block = heap.malloc(1);
    for index in 0..32_u32 {
        // SAFETY: in bounds of the page.
        let word = unsafe { page.add(32) };
        // SAFETY: as above, aligned to 4.
        unsafe { word.cast::<u32>().write(index) };
        // SAFETY: mapped memory.
        assert!(!unsafe { heap.owns(page) }, "slot {index}");
    }
    // SAFETY: live, freed once.
    unsafe { heap.free(block) };
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
    // SAFETY: mapped above, not used any more.
    assert_eq!(unsafe { munmap(page.cast(), 4096) }, 0);
}
