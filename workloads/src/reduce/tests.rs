//! What is left is what the test needs and nothing else, and every candidate is a valid stream (R1).

use super::*;
use crate::checker::Checker;
use crate::generate::Spec;

/// A size that no generator asks for.
const ODD_SIZE: u64 = 424_243;

fn on(thread: u32, op: Op) -> Event {
    Event { thread: ThreadIndex(thread), op, time_ns: None }
}

fn malloc(block: u64, size: u64) -> Op {
    Op::Malloc { block: BlockId(block), size }
}

fn free(block: u64) -> Op {
    Op::Free { block: BlockId(block), size: None }
}

fn generated(name: &str, operations: u64) -> Vec<Event> {
    let spec: Spec = name.parse().unwrap();
    let mut events = Vec::new();
    spec.generate(operations, 5, &mut |event| events.push(event));
    events
}

/// `events` with `op` behind its first `place`, its block being the next that is born, and all
/// later blocks one further.
fn with_planted(mut events: Vec<Event>, place: usize, op: fn(BlockId) -> Op) -> Vec<Event> {
    let births = events[..place].iter().filter(|event| event.op.birth().is_some()).count() as u64;
    for event in &mut events[place..] {
        if let Some(block) = named(event.op).filter(|block| block.0 >= births) {
            event.op = with_block(event.op, BlockId(block.0 + 1));
        }
    }
    events.insert(place, on(0, op(BlockId(births))));
    events
}

/// Reduces by a test that also holds every candidate to I1 to I6; answers how often it was asked.
fn reduced(events: Vec<Event>, shows: impl Fn(&[Event]) -> bool) -> (Vec<Event>, usize) {
    assert!(shows(&events), "the whole stream passes");
    let mut asked = 0;
    let reduced = reduce(events, &mut |candidate: &[Event]| {
        asked += 1;
        let mut checker = Checker::new();
        for event in candidate {
            checker.check(event).unwrap_or_else(|violation| panic!("{violation}: {event:?}"));
        }
        Ok::<_, ()>(shows(candidate))
    });
    (reduced.unwrap(), asked)
}

fn ops(events: &[Event]) -> Vec<Op> {
    events.iter().map(|event| event.op).collect()
}

#[test]
fn one_call_among_many_is_found_in_few_questions() {
    let events = generated("dict-resize@3.9:500", 20_000);
    let place = events.len() * 2 / 3;
    let planted =
        with_planted(events, place, |block| Op::Calloc { block, count: 1, size: ODD_SIZE });
    let (left, asked) = reduced(planted, |candidate| {
        candidate.iter().any(|event| matches!(event.op, Op::Calloc { size: ODD_SIZE, .. }))
    });
    assert_eq!(ops(&left), [Op::Calloc { block: BlockId(0), count: 1, size: ODD_SIZE }]);
    assert!(asked < 120, "{asked} questions");
}

/// Blocks far apart that only matter together, one of them reallocated and one freed in between.
#[test]
fn calls_that_matter_together_are_kept_in_their_order() {
    let events = generated("int-churn:300", 5_000);
    let (early, late) = (events.len() / 4, events.len() * 3 / 4);
    let events = with_planted(events, late, |block| malloc(block.0, ODD_SIZE));
    let mut events = with_planted(events, early, |block| malloc(block.0, 2 * ODD_SIZE));
    let Some((first, _)) = events[early].op.birth() else { unreachable!("it was planted there") };
    events.insert(late, on(0, Op::Realloc { block: first, size: 3 * ODD_SIZE }));
    let (left, asked) = reduced(events, |candidate| {
        let at = |op: &dyn Fn(Op) -> bool| candidate.iter().position(|event| op(event.op));
        let grown = at(&|op| matches!(op, Op::Realloc { size, .. } if size == 3 * ODD_SIZE));
        let odd = at(&|op| matches!(op, Op::Malloc { size: ODD_SIZE, .. }));
        matches!((grown, odd), (Some(grown), Some(odd)) if grown < odd)
    });
    let expected = [
        malloc(0, 2 * ODD_SIZE),
        Op::Realloc { block: BlockId(0), size: 3 * ODD_SIZE },
        malloc(1, ODD_SIZE),
    ];
    assert_eq!(ops(&left), expected);
    assert!(asked < 250, "{asked} questions");
}

#[test]
fn as_many_live_blocks_as_are_needed_stay_and_no_free() {
    let mut events = Vec::new();
    for block in 0..100 {
        events.push(on(0, malloc(block, 8)));
        if block % 3 == 0 {
            events.push(on(0, free(block)));
        }
    }
    let (left, _) = reduced(events, |candidate| {
        let mut checker = Checker::new();
        candidate.iter().any(|event| checker.check(event).is_ok() && checker.live_blocks() >= 17)
    });
    assert_eq!(ops(&left), (0..17).map(|block| malloc(block, 8)).collect::<Vec<_>>());
}

fn threaded() -> Vec<Event> {
    vec![
        on(0, malloc(0, 1)),
        on(1, Op::ThreadStart),
        on(1, malloc(1, 1)),
        on(2, Op::ThreadStart),
        on(2, malloc(2, ODD_SIZE)),
        on(1, Op::ThreadEnd),
        on(2, free(2)),
        on(2, Op::ThreadEnd),
        on(0, free(0)),
    ]
}

#[test]
fn threads_are_joined_where_the_test_allows_it() {
    let (left, _) = reduced(threaded(), |candidate| {
        let born =
            |size| candidate.iter().any(|event| event.op.birth().is_some_and(|b| b.1 == size));
        born(1) && born(ODD_SIZE)
    });
    let mut births: Vec<_> = left.iter().map(|event| (event.thread.0, event.op.birth())).collect();
    births.sort_by_key(|(_, birth)| birth.map(|(_, size)| size));
    let threads_and_sizes = births.iter().map(|(thread, birth)| (*thread, birth.map(|b| b.1)));
    assert!(threads_and_sizes.eq([(0, Some(1)), (0, Some(ODD_SIZE))]), "{left:?}");
}

#[test]
fn threads_that_are_needed_stay_with_numbers_of_their_own_and_the_others_go() {
    let (left, _) = reduced(threaded(), |candidate| {
        let odd = candidate.iter().find(|event| event.op.birth().is_some_and(|(_, n)| n > 1));
        let other = candidate.iter().find(|event| event.op.birth().is_some_and(|(_, n)| n == 1));
        odd.zip(other).is_some_and(|(odd, other)| odd.thread != other.thread)
    });
    let threads: Vec<_> = left.iter().map(|event| event.thread.0).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(threads, [0, 1], "{left:?}");
}

#[test]
fn an_end_of_the_region_keeps_its_start_and_both_go_where_they_do_not_matter() {
    let events = [Op::RegionStart, malloc(0, ODD_SIZE), free(0), Op::RegionEnd];
    let events = events.map(|op| on(0, op)).to_vec();
    let (left, _) = reduced(events.clone(), |candidate| {
        candidate.iter().any(|event| event.op == Op::RegionEnd)
    });
    assert_eq!(ops(&left), [Op::RegionStart, Op::RegionEnd]);
    let (left, _) =
        reduced(events, |candidate| candidate.iter().any(|event| event.op.birth().is_some()));
    assert_eq!(ops(&left), [malloc(0, ODD_SIZE)]);
}

#[test]
fn times_count_from_the_first_call_that_is_kept() {
    let at = |time_ns, op| Event { time_ns: Some(time_ns), ..on(0, op) };
    let events = vec![at(0, malloc(0, 1)), at(70, malloc(1, 2)), at(95, free(1))];
    let (left, _) =
        reduced(events, |candidate| candidate.iter().any(|event| event.op.death().is_some()));
    assert_eq!(left, [at(0, malloc(0, 2)), at(25, free(0))]);
}

#[test]
fn an_error_of_the_test_ends_the_reduction_at_once() {
    let mut asked = 0;
    let ended = reduce(generated("int-churn:100", 100), &mut |_: &[Event]| {
        asked += 1;
        if asked == 3 { Err("enough") } else { Ok(true) }
    });
    assert_eq!(ended, Err("enough"));
    assert_eq!(asked, 3);
}

#[test]
fn what_cannot_be_shortened_is_answered_as_it_is() {
    let events: Vec<_> = (0..5).map(|block| on(0, malloc(block, 3))).collect();
    let (left, _) = reduced(events.clone(), |candidate| candidate.len() == 5);
    assert_eq!(left, events);
}
