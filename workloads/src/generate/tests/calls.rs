//! Workloads about one call: each makes its own and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Events of the region, and those before it.
fn split(name: &str) -> (Vec<Event>, Vec<Event>) {
    let mut before = events(name, 20_000, 5);
    let start = before.iter().position(|event| event.op == Op::RegionStart).unwrap();
    let region = before.split_off(start + 1);
    (region, before)
}

/// Share of each call in the region.
fn shares(name: &str) -> BTreeMap<&'static str, f64> {
    let (region, _) = split(name);
    let calls: Vec<_> = region.iter().filter_map(|event| event.op.call()).collect();
    let mut shares = BTreeMap::new();
    for call in &calls {
        *shares.entry(call.name()).or_default() += 1.0 / calls.len() as f64;
    }
    shares
}

fn assert_shares(name: &str, expected: &[(&str, f64)]) {
    let found = shares(name);
    assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
    for (call, share) in expected {
        assert!((found[call] - share).abs() < 0.02, "{name}: {found:?}");
    }
}

#[test]
fn each_makes_its_own_call_every_second_time_at_least() {
    assert_shares("calloc-churn:500", &[("calloc", 0.5), ("free", 0.5)]);
    assert_shares("aligned-churn:500", &[("aligned_alloc", 0.5), ("free", 0.5)]);
    // Seven reallocations for every block that is given back and made anew by realloc.
    let both = 1.0 / 9.0;
    let expected = [("realloc", 7.0 * both), ("realloc(0)", both), ("realloc(NULL)", both)];
    assert_shares("realloc-churn:500", &expected);
    assert_shares("large-churn", &[("malloc", 0.5), ("free", 0.5)]);
}

#[test]
fn aligned_blocks_have_every_alignment_from_16_bytes_to_4_kib() {
    let (region, _) = split("aligned-churn:500");
    let aligns: BTreeSet<u64> = region
        .iter()
        .filter_map(|event| match event.op {
            Op::AlignedAlloc { align, .. } => Some(align),
            _ => None,
        })
        .collect();
    assert_eq!(aligns, (4..=12).map(|bit| 1 << bit).collect());
}

/// Half of the blocks are below twice the least size, and every doubling holds about as many bytes.
#[test]
fn sizes_have_a_heavy_tail_whatever_the_call() {
    for (name, least, most) in [
        ("calloc-churn:500", 16, 4096),
        ("aligned-churn:500", 64, 32_768),
        ("realloc-churn:500", 16, 4096),
        ("large-churn", 32 << 10, 4 << 20),
    ] {
        let mut bytes_by_doubling = BTreeMap::<u32, u64>::new();
        let mut sizes = Vec::new();
        for event in events(name, 40_000, 5) {
            let size = match event.op {
                Op::Realloc { size, .. } => size,
                op => match op.birth() {
                    Some((_, size)) => size,
                    None => continue,
                },
            };
            // A calloc asks for whole elements.
            assert!((least..most + 8).contains(&size), "{name}: {size}");
            *bytes_by_doubling.entry((size / least).ilog2()).or_default() += size;
            sizes.push(size);
        }
        let small = sizes.iter().filter(|size| **size < 2 * least).count();
        let share = small as f64 / sizes.len() as f64;
        assert!((0.4..0.6).contains(&share), "{name}: {share} are below twice the least size");
        let doublings = (most / least).ilog2();
        for doubling in 0..doublings {
            let bytes = bytes_by_doubling[&doubling] as f64 / bytes_by_doubling[&0] as f64;
            assert!((0.6..1.7).contains(&bytes), "{name}: doubling {doubling} holds {bytes}");
        }
    }
}

/// A change that lets no large block grow where it is must show, and one that does not clear a large
/// block that was used before: enough calls have to meet one.
#[test]
fn buffers_grow_by_an_eighth_from_small_to_large_or_are_born_large_and_clear() {
    let mut checker = Checker::new();
    let (mut sizes, mut peak) = (BTreeMap::new(), 0);
    let (mut grown, mut large, mut last) = (0, 0, Vec::new());
    let (mut clear, mut clear_bytes) = (0, 0);
    for event in events("growth-churn", 40_000, 5) {
        checker.check(&event).unwrap();
        peak = peak.max(checker.live_bytes());
        match event.op {
            Op::Malloc { block, size } => drop(sizes.insert(block, size)),
            Op::Realloc { block, size } => {
                let old = sizes.insert(block, size).unwrap();
                assert!((old + 1..=old + old / 8 + 48).contains(&size), "{old} to {size}");
                grown += 1;
                large += u64::from(size >= 32 << 10);
            }
            Op::Calloc { block, count, size } => {
                sizes.insert(block, count * size);
                clear += u64::from(count * size >= 32 << 10);
                clear_bytes += count * size;
            }
            Op::Free { block, .. } => last.push(sizes.remove(&block).unwrap()),
            _ => {}
        }
    }
    assert!(grown > 30_000 && large * 10 > grown, "{large} of {grown}");
    assert!(clear > 20 && clear_bytes < 16 << 20, "{clear} large ones, {clear_bytes} bytes");
    assert!(last.iter().all(|size| (16 << 10..=4 << 20).contains(size)));
    assert!(last.iter().any(|size| *size > 256 << 10) && peak < 64 << 20, "{peak} bytes at most");
}

/// A default live set that no small machine holds would fail for want of memory.
#[test]
fn large_blocks_are_large_and_all_of_them_together_fit_into_any_computer() {
    let mut checker = Checker::new();
    let mut peak = 0;
    for event in events("large-churn", 20_000, 5) {
        if let Some((_, size)) = event.op.birth() {
            assert!((32 << 10..=4 << 20).contains(&size), "{size}");
        }
        checker.check(&event).unwrap();
        peak = peak.max(checker.live_bytes());
    }
    assert!((8 << 20..64 << 20).contains(&peak), "{peak} bytes");
}
