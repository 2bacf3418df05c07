//! Each invariant is broken once, and the checker must name it.

use super::*;
use crate::event::ThreadIndex;

fn malloc(block: u64, size: u64) -> Op {
    Op::Malloc { block: BlockId(block), size }
}

fn free(block: u64) -> Op {
    Op::Free { block: BlockId(block), size: None }
}

fn on_thread(thread: u32, op: Op) -> Event {
    Event { thread: ThreadIndex(thread), op, time_ns: None }
}

/// Feeds all events and returns the first violation with its position.
fn first_violation(events: &[Event]) -> Option<(usize, Violation)> {
    let mut checker = Checker::new();
    events.iter().enumerate().find_map(|(at, event)| checker.check(event).err().map(|v| (at, v)))
}

fn violation_of(ops: &[Op]) -> Option<(usize, Violation)> {
    let events: Vec<_> = ops.iter().map(|&op| Event::of_first_thread(op)).collect();
    first_violation(&events)
}

#[test]
fn a_valid_stream_is_accepted_and_counted() {
    let mut checker = Checker::new();
    let events = [
        on_thread(0, Op::ThreadStart),
        on_thread(0, malloc(0, 10)),
        on_thread(0, Op::RegionStart),
        on_thread(1, Op::Calloc { block: BlockId(1), count: 3, size: 5 }),
        on_thread(1, Op::Realloc { block: BlockId(0), size: 0 }),
        on_thread(0, Op::AlignedAlloc { block: BlockId(2), align: 1, size: 7 }),
        on_thread(1, free(0)),
        on_thread(1, Op::ThreadEnd),
        on_thread(0, Op::ReallocNew { block: BlockId(3), size: 1 }),
        on_thread(0, Op::ReallocFree { block: BlockId(3) }),
        on_thread(0, Op::FreeNull),
        on_thread(0, Op::RegionEnd),
    ];
    for event in &events {
        checker.check(event).unwrap();
    }
    let totals = checker.totals();
    assert_eq!(
        (totals.events, totals.threads, totals.births, totals.live_at_end),
        (12, 2, 4, 2),
        "{totals:?}"
    );
    assert_eq!(checker.live_bytes(), 15 + 7);
    assert_eq!(totals.calls.total(), 8);
    for (call, count) in totals.calls.iter() {
        assert_eq!(count, 1, "{call:?}");
    }
}

#[test]
fn i1_a_birth_out_of_order_is_refused() {
    let expected = Violation::BirthOutOfOrder { expected: 1, found: 2 };
    assert_eq!(violation_of(&[malloc(0, 1), malloc(2, 1)]), Some((1, expected)));
    let again = Violation::BirthOutOfOrder { expected: 1, found: 0 };
    assert_eq!(violation_of(&[malloc(0, 1), malloc(0, 1)]), Some((1, again)));
}

#[test]
fn i2_a_block_named_before_its_birth_is_refused() {
    assert_eq!(violation_of(&[free(0)]), Some((0, Violation::NotBorn { block: 0, born: 0 })));
    let early = Op::Realloc { block: BlockId(1), size: 4 };
    let expected = Violation::NotBorn { block: 1, born: 1 };
    assert_eq!(violation_of(&[malloc(0, 1), early]), Some((1, expected)));
}

#[test]
fn i3_a_second_death_is_refused() {
    let expected = Some((2, Violation::Dead { block: 0 }));
    assert_eq!(violation_of(&[malloc(0, 1), free(0), free(0)]), expected);
    let realloc = Op::Realloc { block: BlockId(0), size: 4 };
    assert_eq!(violation_of(&[malloc(0, 1), free(0), realloc]), expected);
    let to_zero = Op::ReallocFree { block: BlockId(0) };
    assert_eq!(violation_of(&[malloc(0, 1), to_zero, free(0)]), expected);
}

#[test]
fn i4_sizes_and_alignments_are_bounded() {
    assert_eq!(violation_of(&[malloc(0, MAX_SIZE)]), None);
    let too_large = |found| Some((0, Violation::SizeTooLarge { found }));
    assert_eq!(violation_of(&[malloc(0, MAX_SIZE + 1)]), too_large(MAX_SIZE + 1));
    let product = Op::Calloc { block: BlockId(0), count: 1 << 40, size: 1 << 40 };
    assert_eq!(violation_of(&[product]), too_large(u64::MAX));
    for align in [0, 3, MAX_ALIGN * 2, u64::MAX] {
        let op = Op::AlignedAlloc { block: BlockId(0), align, size: 1 };
        assert_eq!(violation_of(&[op]), Some((0, Violation::BadAlignment { found: align })));
    }
    let sized = Op::Free { block: BlockId(0), size: Some(u64::MAX) };
    let expected = Violation::SizeTooLarge { found: u64::MAX };
    assert_eq!(violation_of(&[malloc(0, 1), sized]), Some((1, expected)));
}

#[test]
fn i5_marks_out_of_place_are_refused() {
    for ops in [
        &[Op::RegionEnd][..],
        &[Op::RegionStart, Op::RegionStart],
        &[Op::RegionStart, Op::RegionEnd, Op::RegionEnd],
        &[Op::RegionStart, Op::RegionEnd, Op::RegionStart],
    ] {
        let (at, violation) = violation_of(ops).expect("a mark is out of place");
        assert_eq!(at, ops.len() - 1);
        assert!(matches!(violation, Violation::MarkOutOfPlace { .. }), "{violation:?}");
    }
}

#[test]
fn i6_threads_are_dense_start_first_and_end_once() {
    let skip = [on_thread(1, Op::FreeNull)];
    let expected = Violation::ThreadSkipsAhead { seen: 0, found: 1 };
    assert_eq!(first_violation(&skip), Some((0, expected)));
    let late = [on_thread(0, Op::FreeNull), on_thread(0, Op::ThreadStart)];
    assert_eq!(first_violation(&late), Some((1, Violation::ThreadStartedLate { thread: 0 })));
    let ended = [on_thread(0, Op::ThreadEnd), on_thread(0, Op::FreeNull)];
    assert_eq!(first_violation(&ended), Some((1, Violation::ThreadEnded { thread: 0 })));
}

#[test]
fn limits_are_held_and_a_sum_of_sizes_cannot_wrap() {
    let mut checker = Checker::with_limits(Limits { live_bytes: 100, events: 3 });
    checker.check(&Event::of_first_thread(malloc(0, 100))).unwrap();
    let expected = Violation::TooManyLiveBytes { limit: 100, found: 101 };
    assert_eq!(checker.check(&Event::of_first_thread(malloc(1, 1))), Err(expected));
    checker.check(&Event::of_first_thread(free(0))).unwrap();
    checker.check(&Event::of_first_thread(malloc(1, 1))).unwrap();
    let expected = Violation::TooManyEvents { limit: 3 };
    assert_eq!(checker.check(&Event::of_first_thread(Op::FreeNull)), Err(expected));

    let huge = [malloc(0, MAX_SIZE), malloc(1, MAX_SIZE), malloc(2, MAX_SIZE)];
    assert!(matches!(violation_of(&huge), Some((2, Violation::TooManyLiveBytes { .. }))));
}

#[test]
fn a_refused_event_changes_nothing() {
    let mut checker = Checker::new();
    checker.check(&Event::of_first_thread(malloc(0, 8))).unwrap();
    let before = *checker.totals();
    for op in [free(7), malloc(5, 1), Op::RegionEnd, malloc(1, u64::MAX)] {
        checker.check(&Event::of_first_thread(op)).unwrap_err();
        checker.check(&on_thread(1, op)).unwrap_err();
    }
    assert_eq!(*checker.totals(), before);
    assert_eq!((checker.live_blocks(), checker.live_bytes()), (1, 8));
    checker.check(&on_thread(1, free(0))).unwrap();
}
