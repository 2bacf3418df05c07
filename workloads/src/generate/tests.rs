//! Promises G1 to G4 that hold for every generator.

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

/// Every workload in every era, at a small size.
fn every_name() -> impl Iterator<Item = String> {
    Workload::ALL.into_iter().flat_map(|workload| {
        Era::ALL.into_iter().map(move |era| Spec { workload, era, live: 500 }.to_string())
    })
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
        assert_eq!(checker.totals().threads, 1, "{name}");
    }
}

#[test]
fn equal_seeds_give_equal_events_and_others_do_not() {
    for name in every_name() {
        let first = events(&name, 3_000, 11);
        assert!(first == events(&name, 3_000, 11), "{name} is not repeatable");
        assert!(first != events(&name, 3_000, 12), "{name} ignores its seed");
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
