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
