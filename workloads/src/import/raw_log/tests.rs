//! Raw logs written by the test with the recorder's own layout, and what becomes of them.

mod broken_logs;
mod model;
mod written_logs;

use written_logs::{Image, aligned, calloc, enter, exit, free, malloc, plain};

use super::layout::{Record, op};
use super::{ImportSummary, Options, RawImages, import};
use crate::checker::Checker;
use crate::event::{BlockId, Call, Event, Op, ThreadIndex};

/// Imports image 0 of process 7 from a folder and checks the events.
fn imported(image: &Image, options: &Options) -> (Vec<Event>, ImportSummary) {
    let folder = tempfile::tempdir().unwrap();
    image.write(folder.path());
    let mut checker = Checker::new();
    let mut events = Vec::new();
    let summary = import(folder.path(), image.pid, image.image, options, &mut |event| {
        checker.check(&event).unwrap();
        events.push(event);
    })
    .unwrap();
    let left_out = summary.failed + summary.frees_of_unknown + summary.mark_calls;
    assert_eq!(summary.found, summary.counts.total() - summary.lost_frees + left_out);
    assert_eq!(summary.counts, checker.totals().calls);
    assert_eq!(u64::from(summary.threads), checker.totals().threads);
    (events, summary)
}

/// The ops of one thread's records.
fn ops_of(records: &[Record]) -> (Vec<Op>, ImportSummary) {
    let (events, summary) = imported(&Image::of_one_thread(records), &Options::default());
    (events.into_iter().map(|event| event.op).collect(), summary)
}

fn new(block: u64, size: u64) -> Op {
    Op::Malloc { block: BlockId(block), size }
}

fn gone(block: u64) -> Op {
    Op::Free { block: BlockId(block), size: None }
}

#[test]
fn calls_keep_their_kind_and_their_corners() {
    let (ops, summary) = ops_of(&[
        malloc(0, 0x1000, 0),
        calloc(1, 0x2000, 3, 40),
        aligned(2, 0x3000, 64, 100),
        enter(3, 0, 16),
        exit(4, 0x4000, 3),
        free(5, 0),
        free(6, 0x2000),
    ]);
    assert_eq!(
        ops,
        [
            new(0, 0),
            Op::Calloc { block: BlockId(1), count: 3, size: 40 },
            Op::AlignedAlloc { block: BlockId(2), align: 64, size: 100 },
            Op::ReallocNew { block: BlockId(3), size: 16 },
            Op::FreeNull,
            gone(1),
        ]
    );
    assert_eq!((summary.found, summary.calls, summary.missing_records), (6, 6, 0));
    assert_eq!(summary.counts.of(Call::FreeNull), 1);
    assert_eq!(summary.losses(), Default::default());
}

#[test]
fn calls_of_all_threads_stand_in_order_of_their_sequence_numbers() {
    let image = Image::of_threads(&[
        (0, &[malloc(0, 0x100, 10), free(4, 0x200), malloc(5, 0x100, 13)]),
        (1, &[malloc(1, 0x200, 11), free(3, 0x100)]),
        (2, &[malloc(2, 0x300, 12), free(6, 0x100)]),
    ]);
    let (events, _) = imported(&image, &Options::default());
    let listed: Vec<_> = events.iter().map(|event| (event.thread.0, event.op)).collect();
    assert_eq!(
        listed,
        [
            (0, new(0, 10)),
            (1, new(1, 11)),
            (2, new(2, 12)),
            (1, gone(0)),
            (0, gone(1)),
            (0, new(3, 13)),
            (2, gone(3)),
        ]
    );
}

#[test]
fn threads_are_numbered_by_first_appearance_and_a_late_call_makes_a_new_one() {
    let thread = |at, which| plain(at, which);
    let image = Image::of_threads(&[
        (5, &[thread(0, op::THREAD_START), malloc(1, 0x100, 1)]),
        (0, &[malloc(2, 0x200, 2), thread(4, op::THREAD_END), free(5, 0x200)]),
        (3, &[malloc(3, 0x300, 3), thread(6, op::THREAD_START)]),
    ]);
    let (events, summary) = imported(&image, &Options::default());
    let listed: Vec<_> = events.iter().map(|event| (event.thread.0, event.op)).collect();
    assert_eq!(
        listed,
        [
            (0, Op::ThreadStart),
            (0, new(0, 1)),
            (1, new(1, 2)),
            (2, new(2, 3)),
            (1, Op::ThreadEnd),
            (3, gone(1)),
        ]
    );
    assert_eq!(summary.threads, 4);
}

#[test]
fn a_realloc_is_one_event_whatever_happens_between_its_sides() {
    // Another thread is given the old place before the realloc has returned.
    let image = Image::of_threads(&[
        (0, &[malloc(0, 0x100, 10), enter(1, 0x100, 20), exit(4, 0x500, 1), free(6, 0x500)]),
        (1, &[malloc(2, 0x100, 30), free(5, 0x100)]),
        (2, &[malloc(3, 0x700, 40)]),
    ]);
    let (events, summary) = imported(&image, &Options::default());
    let ops: Vec<_> = events.iter().map(|event| event.op).collect();
    let realloc = Op::Realloc { block: BlockId(0), size: 20 };
    assert_eq!(ops, [new(0, 10), new(1, 30), new(2, 40), realloc, gone(1), gone(0)]);
    assert_eq!(events[3].thread, ThreadIndex(0));
    assert_eq!(summary.lost_frees, 0);
}

#[test]
fn a_realloc_that_fails_leaves_the_block_and_one_to_nothing_frees_it() {
    let (ops, summary) = ops_of(&[
        malloc(0, 0x100, 10),
        enter(1, 0x100, 1 << 60),
        exit(2, 0, 1),
        enter(3, 0x100, 0),
        exit(4, 0, 3),
        enter(5, 0, 1 << 60),
        exit(6, 0, 5),
    ]);
    assert_eq!(ops, [new(0, 10), Op::ReallocFree { block: BlockId(0) }]);
    assert_eq!((summary.found, summary.failed), (4, 2));
}

#[test]
fn a_realloc_without_a_return_leaves_the_block_as_it_was() {
    let (ops, summary) = ops_of(&[malloc(0, 0x100, 10), enter(1, 0x100, 20)]);
    assert_eq!(ops, [new(0, 10)]);
    assert_eq!((summary.unfinished_reallocs, summary.found, summary.calls), (1, 1, 2));
}

#[test]
fn failed_calls_are_counted_and_left_out() {
    let (ops, summary) =
        ops_of(&[malloc(0, 0, 1 << 50), calloc(1, 0, 1 << 40, 1 << 40), aligned(2, 0, 3, 8)]);
    assert_eq!(ops, []);
    assert_eq!((summary.failed, summary.losses().failed_calls), (3, 3));
}

#[test]
fn an_address_handed_out_twice_means_a_lost_free() {
    let (ops, summary) = ops_of(&[
        malloc(0, 0x100, 10),
        malloc(1, 0x100, 20),
        malloc(2, 0x200, 30),
        enter(3, 0x100, 40),
        exit(4, 0x200, 3),
    ]);
    let realloc = Op::Realloc { block: BlockId(1), size: 40 };
    assert_eq!(ops, [new(0, 10), gone(0), new(1, 20), new(2, 30), gone(2), realloc]);
    assert_eq!((summary.lost_frees, summary.losses().lost_frees), (2, 2));
}

#[test]
fn blocks_the_log_does_not_know_are_dropped_and_their_reallocs_are_births() {
    let records = [
        free(0, 0x900),
        enter(1, 0x800, 50),
        exit(2, 0x850, 1),
        free(3, 0x850),
        enter(4, 0x700, 0),
        exit(5, 0, 4),
    ];
    let mut image = Image::of_one_thread(&records);
    image.forked = true;
    let (events, summary) = imported(&image, &Options::default());
    let ops: Vec<_> = events.iter().map(|event| event.op).collect();
    assert_eq!(ops, [Op::ReallocNew { block: BlockId(0), size: 50 }, gone(0)]);
    assert_eq!((summary.frees_of_unknown, summary.reallocs_of_unknown), (2, 1));
    let losses = summary.losses();
    assert!(losses.late_start && !losses.truncated);
    assert_eq!(losses.frees_of_unknown, 3);
}

#[test]
fn marked_requests_become_the_region_and_leave_no_other_trace() {
    let records = [
        malloc(0, 0x100, 10),
        malloc(1, 0x9000, 777),
        free(2, 0x9000),
        calloc(3, 0x200, 7, 111),
        malloc(4, 0x300, 776),
        free(5, 0x200),
        malloc(6, 0x400, 777),
    ];
    let options = Options { mark_size: Some(777) };
    let (events, summary) = imported(&Image::of_one_thread(&records), &options);
    let ops: Vec<_> = events.iter().map(|event| event.op).collect();
    assert_eq!(ops, [new(0, 10), Op::RegionStart, Op::RegionEnd, new(1, 776), new(2, 777)]);
    assert_eq!((summary.mark_calls, summary.found), (4, 7));
    // Without the option they are calls like any other.
    let (events, _) = imported(&Image::of_one_thread(&records), &Options::default());
    assert_eq!(events.len(), 7);
}

#[test]
fn records_in_both_files_are_taken_once() {
    // The process died between append and reset.
    let records: Vec<_> = (0..500).map(|n| malloc(n, 0x1000 + 16 * n, n)).collect();
    let mut image = Image::of_one_thread(&records);
    image.tail.push((0, records[100..].to_vec()));
    let (events, summary) = imported(&image, &Options::default());
    assert_eq!((events.len(), summary.missing_records), (500, 0));
}

#[test]
fn calls_of_a_signal_handler_are_put_in_order() {
    // Recorded while a call of the same thread had its number but was not stored yet.
    let records = [
        malloc(0, 0x100, 1),
        malloc(2, 0x300, 3),
        free(3, 0x300),
        malloc(1, 0x200, 2),
        free(4, 0x200),
    ];
    let (ops, _) = ops_of(&records);
    assert_eq!(ops, [new(0, 1), new(1, 2), new(2, 3), gone(2), gone(1)]);
}

#[test]
fn numbers_without_a_record_are_counted() {
    let mut image = Image::of_one_thread(&[malloc(0, 0x100, 1), malloc(3, 0x200, 1)]);
    image.sequence = Some(10);
    let (events, summary) = imported(&image, &Options::default());
    assert_eq!((events.len(), summary.missing_records, summary.calls), (2, 8, 10));
    assert!(summary.losses().truncated);
}

#[test]
fn images_are_listed_by_process_and_number() {
    let folder = tempfile::tempdir().unwrap();
    for (pid, number, forked) in [(30, 1, false), (4, 0, true), (30, 0, false)] {
        let mut image = Image::of_one_thread(&[malloc(0, 0x100, 1), malloc(1, 0, 1)]);
        (image.pid, image.image, image.forked) = (pid, number, forked);
        image.write(folder.path());
    }
    std::fs::write(folder.path().join("notes.txt"), "no log").unwrap();
    std::fs::write(folder.path().join("9.0.tail"), vec![0; 4096]).unwrap();
    let images = RawImages::scan(folder.path()).unwrap();
    let listed: Vec<_> = images.iter().map(|i| (i.pid, i.image, i.forked, i.calls)).collect();
    assert_eq!(listed, [(4, 0, true, 2), (30, 0, false, 2), (30, 1, false, 2)]);
    assert_eq!((images.len(), images.is_empty()), (3, false));
    assert!(RawImages::scan(&folder.path().join("none")).unwrap_err().is_io());
}
