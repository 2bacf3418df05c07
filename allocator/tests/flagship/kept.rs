//! Huge blocks whose mappings are kept when they are freed: they serve the next ones, read as zeroes where
//! that is promised, go back in time, and make room when memory is out.

use arenite::Arenite;

use crate::block::{fill, free, touched};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::posix;
use crate::process::{data_bytes, faults, mapped_bytes, resident_bytes};
use crate::random::Random;

/// Address space of this process with all the tables that huge blocks need, in bytes.
fn mapped_without_huge_blocks() -> usize {
    free(touched(2 << 20));
    Arenite::purge();
    mapped_bytes()
}

#[test]
fn huge_block_that_comes_and_goes_is_mapped_once() {
    alone(|| {
        let before = faults();
        for _ in 0..1000 {
            let block = Arenite::malloc(2 << 20);
            // SAFETY: a live block.
            unsafe { block.write(1) };
            free(block);
        }
        let faults = faults() - before;
        assert!(faults < 100, "{faults} page faults of 1000 blocks");
        assert_empty();
    });
}

#[test]
fn freed_mappings_that_are_kept_go_back_by_purge() {
    alone(|| {
        let before = mapped_without_huge_blocks();
        let block = touched(2 << 20);
        assert!(mapped_bytes() >= before + (2 << 20));
        free(block);
        assert!(mapped_bytes() >= before + (2 << 20), "it is kept");
        assert_eq!(Arenite::stats().huge_bytes, 0);
        Arenite::purge();
        assert_eq!(mapped_bytes(), before);
    });
}

/// Leaves a mapping of `bytes` that does not read as zeroes for the next block of that size.
fn leave_dirty(bytes: usize) {
    let dirty = Arenite::malloc(bytes);
    // SAFETY: live, and that large.
    unsafe { dirty.write_bytes(0xff, bytes) };
    free(dirty);
    assert_eq!(Arenite::stats().kept_bytes, bytes);
}

#[test]
fn kept_mapping_reads_as_zeroes_for_calloc() {
    const BYTES: usize = 2 << 20;
    alone(|| {
        leave_dirty(BYTES);
        let zeroed = Arenite::calloc(1, BYTES);
        // SAFETY: live, and that large, and calloc wrote all of it.
        let bytes = unsafe { std::slice::from_raw_parts(zeroed, BYTES) };
        assert!(bytes.iter().all(|&byte| byte == 0));
        free(zeroed);
    });
}

#[test]
fn kept_mapping_serves_no_block_that_it_is_a_quarter_too_large_for() {
    alone(|| {
        let mut random = Random::seeded("kept", 11);
        let mut roomy = 0;
        for _ in 0..1000 {
            let size = (1 << 20) + 1 + random.below(3 << 20);
            let block = Arenite::malloc(size);
            // SAFETY: a live block.
            let usable = unsafe { Arenite::usable_size(block) };
            assert!(usable >= size && usable - size <= size / 4 + 4096, "{usable} for {size}");
            roomy += usize::from(usable > size.next_multiple_of(4096));
            free(block);
        }
        assert!(roomy > 10, "{roomy} of 1000 blocks were served by a larger mapping");
        assert_empty();
    });
}

/// Blocks of many sizes above 1 MiB that come and go: what one leaves is cut for a smaller one and grows
/// for a larger one.
#[test]
fn huge_blocks_of_changing_sizes_have_few_page_faults() {
    alone(|| {
        let sizes = [2_400_000, 15_500_000, 6_900_000, 1_400_000, 10_300_000];
        let cycle = || {
            for pair in sizes.windows(2) {
                let blocks = [touched(pair[0]), touched(pair[1])];
                blocks.into_iter().for_each(free);
            }
        };
        cycle();
        let before = faults();
        (0..20).for_each(|_| cycle());
        let pages = 20 * 2 * sizes.iter().sum::<usize>() / 4096;
        let faults = faults() - before;
        assert!(faults < pages / 3, "{faults} page faults for {pages} pages");
        Arenite::purge();
        assert_empty();
    });
}

#[test]
fn freed_huge_block_grows_for_a_larger_one() {
    alone(|| {
        free(touched(8 << 20));
        let before = faults();
        let block = touched(12 << 20);
        let faults = faults() - before;
        assert!(faults < 1300, "{faults} page faults, of 3072 OS pages 2048 were there");
        free(block);
        assert_empty();
    });
}

#[test]
fn kept_mappings_make_room_when_smaller_blocks_take_their_place() {
    const BYTES: usize = 30 << 20;
    alone(|| {
        for size in [3000, 100_000] {
            free(touched(BYTES));
            let most = resident_bytes();
            let blocks = fill(BYTES, size);
            // Records, map, rounding and half-filled pools, and what is kept in any case.
            assert!(resident_bytes() < most + (12 << 20), "{} of {most}", resident_bytes());
            drop(blocks);
            Arenite::purge();
        }
        assert_empty();
    });
}

#[test]
fn blocks_above_32_mebibytes_are_unmapped_at_once() {
    alone(|| {
        // The table of huge blocks stays.
        let before = mapped_without_huge_blocks();
        free(touched((32 << 20) + 1));
        assert_eq!(mapped_bytes(), before);
    });
}

#[test]
fn kept_mappings_go_back_once_the_program_has_gone_over_to_other_sizes() {
    alone(|| {
        let before = resident_bytes();
        free(touched(30 << 20));
        assert!(resident_bytes() > before + (24 << 20), "it is kept");
        // Twice the time that a peak is remembered, and some.
        for _ in 0..3 * (128 << 20) / (512 << 10) {
            free(Arenite::malloc(256 << 10));
        }
        let kept = resident_bytes() - before;
        assert!(kept < 12 << 20, "{kept} bytes are left");
        assert_empty();
    });
}

#[test]
fn kept_mapping_above_an_arenas_size_reads_as_zeroes_for_calloc_untouched() {
    const BYTES: usize = 20 << 20;
    alone(|| {
        leave_dirty(BYTES);
        let before = resident_bytes();
        let zeroed = Arenite::calloc(1, BYTES);
        for at in (0..BYTES).step_by(1 << 20) {
            // SAFETY: live, and that large.
            assert_eq!(unsafe { zeroed.wrapping_add(at).read() }, 0);
        }
        let left = before - resident_bytes();
        assert!(left > BYTES / 4 * 3, "{left} bytes went back of {BYTES} that are not looked at");
        free(zeroed);
    });
}

/// Keeps more than 48 MiB and lets the process have 1 MiB more.
fn keep_all_there_is() {
    // Room for what is written down here.
    drop(fill(8 << 20, 3000));
    let kept = [touched(30 << 20), touched(30 << 20)];
    kept.into_iter().for_each(free);
    let stats = Arenite::stats();
    assert!(stats.kept_bytes > 48 << 20, "{stats}");
    posix::limit_data(data_bytes() + (1 << 20));
}

#[test]
fn kept_mappings_make_room_for_another_huge_block_when_memory_is_out() {
    alone(|| {
        keep_all_there_is();
        // Aligned more than a kept mapping can grow to.
        let block = Arenite::aligned_alloc(4 << 20, 40 << 20);
        assert!(!block.is_null());
        free(block);
        assert_sound();
    });
}

#[test]
fn kept_mappings_make_room_for_small_blocks_when_memory_is_out() {
    alone(|| {
        let mut blocks = Vec::with_capacity(20_000);
        keep_all_there_is();
        blocks.extend((0..13_000).map(|_| touched(3000)));
        blocks.into_iter().for_each(free);
        assert_sound();
    });
}

#[test]
fn kept_mappings_make_room_for_a_block_that_grows_when_memory_is_out() {
    alone(|| {
        let block = touched(70 << 20);
        keep_all_there_is();
        // SAFETY: a live block.
        let grown = unsafe { Arenite::realloc(block, 115 << 20) };
        assert!(!grown.is_null());
        free(grown);
        assert_sound();
    });
}

/// As numpy does to large arrays: from the second OS page on.
fn advise_huge_pages(block: *mut u8, size: usize) {
    posix::advise_huge_pages(block.wrapping_add(4096), size - 4096);
}

#[test]
fn huge_block_with_advice_on_a_part_of_it_grows_and_keeps_its_contents() {
    const BYTES: usize = 8 << 20;
    alone(|| {
        for advised_before in [false, true] {
            if advised_before {
                let block = touched(BYTES);
                advise_huge_pages(block, BYTES);
                free(block);
            }
            let block = touched(BYTES);
            if !advised_before {
                advise_huge_pages(block, BYTES);
            }
            let mut block = block;
            for size in [2 * BYTES, 3 << 20] {
                // SAFETY: a live block.
                block = unsafe { Arenite::realloc(block, size) };
                assert!(!block.is_null(), "{size} bytes, advised before: {advised_before}");
                // SAFETY: live, and that large.
                assert_eq!(unsafe { block.wrapping_add(2 << 20).read() }, 1);
            }
            free(block);
            assert_sound();
        }
        assert_empty();
    });
}

#[test]
fn a_small_block_of_a_great_alignment_is_not_kept() {
    alone(|| {
        let before = mapped_without_huge_blocks();
        free(Arenite::aligned_alloc(2 << 20, 4096));
        assert_eq!(mapped_bytes(), before);
    });
}
