//! Dicts held, call by call, against dicts recorded on CPython.

use std::cell::RefCell;

use super::*;
use crate::generate::recorded;

/// Calls that replace a grown dict by one of the same kind, after 100 small dicts have filled the
/// free lists.
fn replacement(era: Era, kind: Kind, entries: u64) -> Vec<String> {
    let events = RefCell::new(Vec::new());
    let mut sink = |event| events.borrow_mut().push(event);
    let mut heap = Emitter::new(&mut sink);
    let (mut grower, mut dice) = (Grower::new(era), Dice::new(1));
    let drop_dict = |grower: &mut Grower, dict, heap: &mut Emitter<'_>, dice: &mut Dice| {
        grower.dicts.release(dict, &mut grower.ints, heap, dice);
    };
    let small = Place { kind: Kind::Str, entries: 3, dict: None };
    let smalls: Vec<_> = (0..100).map(|_| grower.grow(&small, 7, &mut heap)).collect();
    for dict in smalls {
        drop_dict(&mut grower, dict, &mut heap, &mut dice);
    }
    let place = Place { kind, entries, dict: None };
    let old = grower.grow(&place, 7, &mut heap);
    let start = events.borrow().len();
    // As `population[place] = grow(...)` does.
    let _new = grower.grow(&place, 7, &mut heap);
    drop_dict(&mut grower, old, &mut heap, &mut dice);
    recorded::calls_from(&events.borrow(), start)
}

#[test]
fn dicts_are_call_by_call_those_recorded() {
    let lists = recorded::lists(include_str!("recorded_dicts.txt"));
    assert_eq!(lists.len(), 16);
    for (head, calls) in lists {
        let (kind, entries) = match head[1] {
            "str" => (Kind::Str, 30),
            "int" => (Kind::Int, 30),
            "mixed" => (Kind::Mixed, 30),
            "window" => (Kind::Window, 8),
            other => panic!("{other} is no kind of dict"),
        };
        let era = Era::named(head[0]).unwrap();
        recorded::assert_equal(&head, &calls, &replacement(era, kind, entries));
    }
}
