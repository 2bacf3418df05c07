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

#[test]
fn blocks_grow_as_often_as_they_shrink() {
    let mut sizes = BTreeMap::new();
    let (mut grown, mut shrunk) = (0, 0);
    for event in events("realloc-churn:500", 20_000, 5) {
        match event.op {
            Op::ReallocNew { block, size } => drop(sizes.insert(block, size)),
            Op::Realloc { block, size } => match sizes.insert(block, size).unwrap() {
                old if old < size => grown += 1,
                old if old > size => shrunk += 1,
                _ => {}
            },
            _ => {}
        }
    }
    assert!(f64::from(grown) > 0.8 * f64::from(shrunk), "{grown} and {shrunk}");
    assert!(f64::from(shrunk) > 0.8 * f64::from(grown), "{grown} and {shrunk}");
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
