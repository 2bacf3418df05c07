//! What `phase-churn` promises: one size at a time, and nothing left of it for the next.

use super::*;
use crate::event::BlockId;

/// From one time when nothing is alive to the next.
#[derive(Default)]
struct Phase {
    sizes: Vec<u64>,
    resized: Vec<u64>,
    births: Vec<BlockId>,
    deaths: Vec<BlockId>,
    calls: u64,
    peak_bytes: u64,
}

fn phases(name: &str, operations: u64) -> Vec<Phase> {
    let mut checker = Checker::new();
    let (mut phases, mut phase) = (Vec::new(), Phase::default());
    for event in events(name, operations, 5) {
        checker.check(&event).unwrap();
        if let Some((block, size)) = event.op.birth() {
            phase.sizes.push(size);
            phase.births.push(block);
        }
        if let Op::Realloc { block, size } = event.op {
            assert_eq!(phase.births.last(), Some(&block), "shrinks before the next is born");
            phase.resized.push(size);
        }
        phase.deaths.extend(event.op.death());
        phase.calls += u64::from(event.op.is_call());
        phase.peak_bytes = phase.peak_bytes.max(checker.live_bytes());
        if event.op.death().is_some() && checker.live_blocks() == 0 {
            phases.push(std::mem::take(&mut phase));
        }
    }
    phases
}

#[test]
fn phases_hold_one_size_each_and_the_bytes_asked_for_and_leave_nothing_alive() {
    for (name, live) in [("phase-churn", 2_048 << 10), ("phase-churn:10k", 10_000 << 10)] {
        let phases = phases(name, 500_000);
        assert!(phases.len() > 6, "{name}: {} phases", phases.len());
        for (at, phase) in phases.iter().enumerate() {
            let place = at % 6;
            let (size, resized) = match phase_churn::SIZES.get(place) {
                Some(&size) => (size, None),
                None => (phase_churn::SHRINKING.0, Some(phase_churn::SHRINKING.1)),
            };
            assert!(phase.sizes.iter().all(|found| *found == size), "{name}: phase {at}");
            assert!(phase.resized.iter().all(|found| Some(*found) == resized));
            assert_eq!(phase.resized.len(), if place == 5 { phase.sizes.len() } else { 0 });
            let share = phase.peak_bytes as f64 / f64::from(live);
            let expected = if place == 5 { 0.45..1.2 } else { 0.98..1.001 };
            assert!(expected.contains(&share), "{name}: phase {at} holds {share} of its bytes");
        }
    }
}

#[test]
fn a_phase_frees_its_older_half_in_order_and_the_younger_in_random_order() {
    for phase in phases("phase-churn", 50_000) {
        let half = phase.births.len() / 2;
        assert_eq!(phase.births[..half], phase.deaths[..half]);
        let ascending = phase.deaths[half..].windows(2).filter(|pair| pair[0] < pair[1]).count();
        let share = ascending as f64 / (phase.births.len() - half) as f64;
        assert!((0.2..0.8).contains(&share), "{share} of the younger half die in order");
    }
}

#[test]
fn a_cycle_of_phases_is_over_before_48_000_calls_and_ends_in_32_blocks_that_shrink() {
    let phases = phases("phase-churn", 50_000);
    assert_eq!(phases.len(), 6, "the first size, begun again, is not at its end");
    let calls: u64 = phases.iter().map(|phase| phase.calls).sum();
    assert_eq!(calls, phase_churn::cycle_calls(DEFAULT_PHASE_LIVE));
    assert!(calls < 48_000, "{calls} calls");
    assert_eq!(phases[5].sizes.len(), 32);
    // Where memory is read: the last of them whole, the others shrunk.
    let (large, small) = phase_churn::SHRINKING;
    assert!(large + 31 * small > DEFAULT_PHASE_LIVE << 10);
}

#[test]
fn phases_are_cut_off_at_the_call_asked_for() {
    for operations in [0, 1, 16_384, 43_000, 43_640, 50_001] {
        let events = events("phase-churn", operations, 5);
        let calls = events.iter().filter(|event| event.op.is_call());
        assert_eq!(calls.count() as u64, operations);
    }
}
