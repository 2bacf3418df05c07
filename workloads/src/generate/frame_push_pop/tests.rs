//! Dives held, call by call, against dives recorded on CPython.

use std::cell::RefCell;

use super::*;
use crate::generate::recorded;

/// Calls a diver makes for one dive, after dives of 2000 calls of each ending.
fn dive(era: Era, depth: u64, raises: bool) -> Vec<String> {
    let events = RefCell::new(Vec::new());
    let mut sink = |event| events.borrow_mut().push(event);
    let mut heap = Emitter::new(&mut sink);
    let (mut diver, mut dice) = (Diver::new(era), Dice::new(1));
    diver.dive(2000, false, &mut heap, &mut dice);
    diver.dive(2000, true, &mut heap, &mut dice);
    let start = events.borrow().len();
    diver.dive(depth, raises, &mut heap, &mut dice);
    recorded::calls_from(&events.borrow(), start)
}

#[test]
fn dives_are_call_by_call_those_recorded() {
    let lists = recorded::lists(include_str!("recorded_dives.txt"));
    assert_eq!(lists.len(), 18);
    for (head, calls) in lists {
        let era = Era::named(head[0]).unwrap();
        let generated = dive(era, head[1].parse().unwrap(), head[2] == "raises");
        recorded::assert_equal(&head, &calls, &generated);
    }
}

#[test]
fn chunks_of_the_data_stack_are_as_many_as_measured() {
    // Mappings of 16 KiB counted while a module, whose frame has 5 extras, called `dive` for the
    // depths 100, 107 ... 596. One mapping of 3.13 is not accounted for.
    for (era, measured) in [(Era::V3_11, 254), (Era::V3_12, 254), (Era::V3_13, 187)] {
        let mut sink = |_| {};
        let mut heap = Emitter::new(&mut sink);
        let (mut diver, mut dice) = (Diver::new(era), Dice::new(1));
        diver.frames = Frames::Stack(DataStack::holding(&[5]));
        for depth in (100..600).step_by(7) {
            diver.dive(depth, false, &mut heap, &mut dice);
        }
        let mapped = diver.mapped_chunks().expect("the era has a data stack");
        let tolerated = u64::from(era == Era::V3_13);
        assert!(measured - mapped <= tolerated, "{era}: {mapped}, measured {measured}");
    }
}
