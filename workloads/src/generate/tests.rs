//! Promises G1 to G3, and what each workload promises beyond them.

mod calls;
mod phases;
mod thread_turns;
mod threads;

use super::*;
use crate::checker::Checker;
use crate::event::{Call, Op};

/// All events of a spec but those of the base heap, which is the same for all and tested alone.
fn events(name: &str, operations: u64, seed: u64) -> Vec<Event> {
    let spec: Spec = name.parse().expect("the test names a spec");
    let mut events = Vec::new();
    let mut sink = |event| events.push(event);
    spec.emit(operations, &mut Emitter::new(&mut sink), &mut Dice::new(seed));
    events
}

/// Every workload in every era or on several numbers of threads, at a small size.
fn every_name() -> Vec<String> {
    let variants = |workload: Workload| {
        let spec = Spec { live: 500, ..Spec::of(workload) };
        if workload.has_eras() {
            Era::ALL.map(|era| Spec { era, ..spec }).to_vec()
        } else if workload.is_threaded() {
            [2, 6].map(|threads| Spec { threads, ..spec }).to_vec()
        } else {
            vec![spec]
        }
    };
    let specs = Workload::ALL.into_iter().flat_map(variants);
    specs.map(|spec| spec.to_string()).collect()
}

#[test]
fn every_generator_holds_the_invariants_with_one_region_of_about_the_operations_asked_for() {
    for name in every_name() {
        let mut checker = Checker::new();
        let (mut start, mut end) = (0, 0);
        let operations = 5_000;
        for event in events(&name, operations, 7) {
            checker.check(&event).unwrap_or_else(|violation| panic!("{name}: {violation}"));
            match event.op {
                Op::RegionStart => start = checker.totals().calls.total(),
                Op::RegionEnd => end = checker.totals().calls.total(),
                _ => {}
            }
        }
        let calls = end - start;
        assert!(calls >= operations && calls < operations * 2, "{name}: {calls} calls");
        let spec: Spec = name.parse().unwrap();
        let threads = checker.totals().threads;
        if spec.workload.is_threaded() {
            assert!(threads > u64::from(spec.threads), "{name}: {threads} threads");
        } else {
            assert_eq!(threads, 1, "{name}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_events_and_others_do_not() {
    // More calls than `phase-churn` makes before its first random one.
    let operations = 8_000;
    for name in every_name() {
        let first = events(&name, operations, 11);
        assert!(first == events(&name, operations, 11), "{name} is not repeatable");
        assert!(first != events(&name, operations, 12), "{name} ignores its seed");
    }
}

#[test]
fn the_base_heap_is_that_of_a_started_interpreter() {
    let mut checker = Checker::new();
    let (mut requests, mut small) = (0_u64, 0_u64);
    let mut emit = |event: Event| {
        checker.check(&event).unwrap();
        if let Some((_, size)) = event.op.birth() {
            requests += 1;
            small += u64::from(size <= 512);
        }
    };
    base_heap::emit(&mut Emitter::new(&mut emit), &mut Dice::new(3));
    assert_eq!(checker.live_blocks(), base_heap::LIVE_BLOCKS);
    let mib = checker.live_bytes() as f64 / f64::from(1 << 20);
    assert!((4.3..5.3).contains(&mib), "{mib} MiB");
    assert!((79_000..83_000).contains(&requests), "{requests} requests");
    let share = small as f64 / requests as f64;
    assert!((0.97..0.98).contains(&share), "{share} of the requests are small");
    assert_eq!(checker.calls(Call::Realloc), 0);
}

/// Everything that happens in the region, with the sizes of the blocks.
struct Region {
    /// `+size` for a malloc, `-size` for a free, in order; reallocs left out.
    steps: Vec<i64>,
    reallocs: Vec<(u64, u64)>,
    live_at_start: usize,
    live_at_end: usize,
    /// Block of each step, in the same order.
    blocks: Vec<u64>,
}

impl Region {
    fn of(name: &str, operations: u64) -> Self {
        let mut region = Region {
            steps: Vec::new(),
            reallocs: Vec::new(),
            live_at_start: 0,
            live_at_end: 0,
            blocks: Vec::new(),
        };
        let (mut live, mut is_inside) = (std::collections::HashMap::new(), false);
        for event in events(name, operations, 5) {
            match event.op {
                Op::Malloc { block, size } => {
                    live.insert(block, size);
                    region.step(is_inside, block.0, size as i64);
                }
                Op::Free { block, .. } => {
                    let size = live.remove(&block).unwrap();
                    region.step(is_inside, block.0, -(size as i64));
                }
                Op::Realloc { block, size } => {
                    let old = live.insert(block, size).unwrap();
                    if is_inside {
                        region.reallocs.push((old, size));
                    }
                }
                Op::RegionStart => {
                    is_inside = true;
                    region.live_at_start = live.len();
                }
                Op::RegionEnd => region.live_at_end = live.len(),
                other => panic!("{other:?} is none of a generator's calls"),
            }
        }
        region
    }

    fn step(&mut self, is_inside: bool, block: u64, change: i64) {
        if is_inside {
            self.steps.push(change);
            self.blocks.push(block);
        }
    }

    fn mallocs_of(&self, size: i64) -> usize {
        self.steps.iter().filter(|&&step| step == size).count()
    }

    /// Share of the requests that have this size.
    fn share_of(&self, size: i64) -> f64 {
        let mallocs = self.steps.iter().filter(|&&step| step > 0).count();
        self.mallocs_of(size) as f64 / mallocs as f64
    }
}

#[test]
fn int_churn_allocates_the_new_int_before_the_old_one_dies() {
    for era in ["3.6", "3.10", "3.11", "3.13"] {
        let region = Region::of(&format!("int-churn@{era}:500"), 20_000);
        // The first step has no loop int to free.
        let (first, rest) = region.steps.split_at(3);
        assert!(first[0] > 0 && first[1] > 0 && first[2] < 0, "{era}: {first:?}");
        assert!(rest.chunks_exact(2).all(|pair| pair[0] > 0 && pair[1] < 0), "{era}");
        let newest_frees = region.blocks[3..].chunks_exact(2).filter(|pair| pair[0] == pair[1]);
        assert_eq!(newest_frees.count(), 0, "{era}: nothing is freed as soon as it is made");
        assert_eq!(region.live_at_start, 502, "{era}: the list, its buffer and its ints");
        assert_eq!(region.live_at_end, 503, "{era}: and the loop's int");
    }
}

#[test]
fn int_churn_has_the_sizes_of_its_era_in_the_shares_measured() {
    let about = |share: f64, expected: f64| (share - expected).abs() < 0.02;
    for era in ["3.6", "3.7", "3.8", "3.9", "3.10"] {
        let region = Region::of(&format!("int-churn@{era}"), 20_000);
        let shares = [28, 32, 36].map(|size| region.share_of(size));
        assert!(about(shares[0], 0.510) && about(shares[1], 0.245) && about(shares[2], 0.245));
    }
    for era in ["3.11", "3.12", "3.13"] {
        let region = Region::of(&format!("int-churn@{era}"), 20_000);
        assert!(about(region.share_of(32), 0.755) && about(region.share_of(36), 0.245));
    }
}

#[test]
fn ints_that_an_era_keeps_to_itself_cause_no_traffic() {
    // In 2.x only longs are seen in the region, and blocks of 41 ints while the live set is made.
    for (era, longs) in [("2.3", [32, 32, 40]), ("2.7", [28, 32, 36])] {
        let region = Region::of(&format!("int-churn@{era}"), 20_000);
        let of_longs = |step: &&i64| longs.contains(&step.abs());
        let others = region.steps.iter().filter(|step| !of_longs(step)).count();
        assert!(others < 10, "{era}: {others} calls for anything but longs");
        let all: u64 = events(&format!("int-churn@{era}"), 10, 5)
            .iter()
            .filter(|event| event.op.birth().is_some_and(|(_, size)| size == 992))
            .count() as u64;
        // Half the 10,000 ints lie in blocks.
        assert!((110..135).contains(&all), "{era}: {all} blocks of ints");
    }
    // In 3.14 the loop's ints are taken from the free list: only products are left.
    let region = Region::of("int-churn@3.14", 20_000);
    assert!((region.share_of(32) - 0.5).abs() < 0.02, "{}", region.share_of(32));
}

#[test]
fn dict_resize_never_reallocates_and_keeps_old_and_new_table_alive_together() {
    for era in Era::ALL {
        let region = Region::of(&format!("dict-resize@{era}:5k"), 30_000);
        assert_eq!(region.reallocs, [], "{era}");
        // Above 600 bytes there is nothing but tables that replace smaller ones, or narrower.
        let mut grown = 0;
        for at in 0..region.steps.len() - 1 {
            let (size, next) = (region.steps[at], region.steps[at + 1]);
            // The first table of 2.x replaces the slots inside the dict object, and 992 bytes are
            // a block of ints.
            if size > 600 && !(era <= Era::V2_7 && (size == 768 || size == 992)) {
                assert!(next < -100, "{era}: {size} and then {next}");
                assert!(region.blocks[at + 1] < region.blocks[at], "{era}");
                grown += 1;
            }
        }
        assert!(grown > 20, "{era}: {grown} tables grown");
    }
}

#[test]
fn dict_resize_has_the_live_set_asked_for_whenever_no_dict_grows() {
    // Blocks per entry: a value, and a key in most dicts.
    let region = Region::of("dict-resize:20k", 100_000);
    let per_entry = region.live_at_start as f64 / 20_000.0;
    assert!((1.5..2.3).contains(&per_entry), "{per_entry} blocks per entry");
    let drift = region.live_at_end as f64 / region.live_at_start as f64;
    assert!((0.98..1.02).contains(&drift), "{drift}");
}

#[test]
fn dict_resize_asks_for_the_tables_of_its_era() {
    for (era, expected, others) in [
        ("3.6", [168, 296, 576, 1112], [160, 120, 768]),
        ("3.10", [2208, 296, 576, 1112], [160, 120, 768]),
        ("3.11", [160, 288, 208, 400], [168, 296, 576]),
        ("3.13", [160, 288, 208, 400], [168, 296, 576]),
    ] {
        let region = Region::of(&format!("dict-resize@{era}"), 100_000);
        for size in expected {
            assert!(region.mallocs_of(size) > 20, "{era}: {size}");
        }
        for size in others {
            // A str-only table of 64 slots exists where the 120-byte one does.
            let allowed = size == 768 && era > "3.10";
            assert!(region.mallocs_of(size) == 0 || allowed, "{era}: {size}");
        }
        // Tables of 120 bytes come from the free list of 80, which the growing dicts never empty.
        assert!(region.mallocs_of(120) < 20, "{era}: {}", region.mallocs_of(120));
    }
}

#[test]
fn frames_straddle_the_pools_and_the_free_list_until_3_10() {
    for (era, sizes) in [
        ("3.6", [448, 576, 472, 456]),
        ("3.7", [432, 560, 456, 440]),
        ("3.9", [416, 544, 440, 424]),
        ("3.10", [408, 536, 432, 416]),
    ] {
        let region = Region::of(&format!("frame-push-pop@{era}"), 200_000);
        for size in sizes {
            assert!(region.share_of(size) > 0.01, "{era}: {size}");
        }
        assert!(sizes[1] > 512 && sizes[2] < 512);
        let grown = region.reallocs.iter().filter(|(old, new)| old < new).count();
        assert_eq!(grown, region.reallocs.len(), "{era}: a frame never shrinks");
        assert!(grown > 100, "{era}: {grown} frames of the list were too small");
    }
    // Dives that the zombies and the list hold cause no frame traffic but for resizing.
    let shallow = Region::of("frame-push-pop@3.9:150", 20_000);
    for size in [416, 544, 440, 424, 400] {
        assert_eq!(shallow.mallocs_of(size), 0, "{size}");
    }
    // In 2.3 every frame is above the pools' 256 bytes, and there are no zombies.
    let oldest = Region::of("frame-push-pop@2.3", 100_000);
    assert!([464, 592, 488, 472].into_iter().all(|size| oldest.share_of(size) > 0.02));
}

#[test]
fn frames_from_3_11_on_are_no_blocks_but_chunks_that_are_counted() {
    let chunks = |name: &str| name.parse::<Spec>().unwrap().stack_chunks(50_000, 5);
    for era in ["3.11", "3.12", "3.13", "3.14"] {
        let name = format!("frame-push-pop@{era}");
        let region = Region::of(&name, 50_000);
        assert!(region.steps.iter().all(|step| step.abs() < 512), "{era}");
        assert_eq!(region.reallocs, [], "{era}");
        assert!(chunks(&name).is_some_and(|chunks| chunks > 10), "{era}");
    }
    assert_eq!(chunks("frame-push-pop@3.10"), None);
    assert_eq!(chunks("int-churn"), None);
}

#[test]
fn dives_leave_nothing_behind_but_full_free_lists() {
    for era in Era::ALL {
        let region = Region::of(&format!("frame-push-pop@{era}:2k"), 100_000);
        let left = region.live_at_end as i64 - region.live_at_start as i64;
        // Ints carved of blocks are never given back, in 2.x.
        assert!((-50..300).contains(&left), "{era}: {left} blocks");
    }
}
