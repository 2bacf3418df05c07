//! T2: what was written is what is read.

use super::random_events::RandomEvents;
use super::{read, written};
use crate::event::{BlockId, Event, MAX_ALIGN, MAX_SIZE, Op, ThreadIndex};
use crate::test_seeds::seeds;
use crate::trace::{Losses, Meta, Reader};

#[test]
fn thousands_of_random_traces_read_back_as_written() {
    for seed in seeds(0..3_000) {
        let timed = seed % 3 == 0;
        let events = RandomEvents::new(seed, timed).take((seed % 120) as usize);
        let meta = Meta { timed, ..Meta::default() };
        let (_, bytes) = written(&meta, &events);
        assert_eq!(read(&bytes).unwrap(), events, "seed {seed}");
    }
}

#[test]
fn traces_of_many_blocks_read_back_as_written() {
    for seed in seeds(1..3) {
        let timed = seed % 2 == 0;
        let events = RandomEvents::new(seed, timed).take(200_000);
        let meta = Meta { timed, ..Meta::default() };
        let (totals, bytes) = written(&meta, &events);
        let mut reader = Reader::new(&bytes[..]).unwrap();
        assert!(reader.by_ref().map(Result::unwrap).eq(events.iter().copied()), "seed {seed}");
        assert_eq!(*reader.counted(), totals);
        assert_eq!(*reader.totals(), totals);
        assert_eq!(totals.events, 200_000);
    }
}

#[test]
fn the_largest_values_read_back_as_written() {
    let on = |thread, op| Event { thread: ThreadIndex(thread), op, time_ns: Some(MAX_SIZE) };
    let mut events = vec![
        on(0, Op::Malloc { block: BlockId(0), size: MAX_SIZE }),
        on(0, Op::Free { block: BlockId(0), size: Some(MAX_SIZE) }),
        on(0, Op::AlignedAlloc { block: BlockId(1), align: MAX_ALIGN, size: 0 }),
        on(0, Op::Calloc { block: BlockId(2), count: 0, size: u64::MAX }),
        on(0, Op::Calloc { block: BlockId(3), count: MAX_SIZE - 7, size: 1 }),
    ];
    events[1].time_ns = Some(0);
    events[3].time_ns = None;
    let (_, bytes) = written(&Meta { timed: true, ..Meta::default() }, &events);
    assert_eq!(read(&bytes).unwrap(), events);
}

#[test]
fn a_trace_without_times_drops_them() {
    let event = Event { thread: ThreadIndex(0), op: Op::FreeNull, time_ns: Some(7) };
    let (_, bytes) = written(&Meta::default(), &[event]);
    assert_eq!(read(&bytes).unwrap(), [Event { time_ns: None, ..event }]);
}

#[test]
fn meta_data_reads_back_as_written_and_long_texts_are_cut() {
    let meta = Meta {
        producer: "arenabench 0.1".into(),
        command: "python3 -c 'print(\"ä\")'".into(),
        interpreter: "CPython 3.11.7".into(),
        timed: true,
        losses: Losses {
            no_thread_ids: true,
            rounded_sizes: true,
            late_start: true,
            frees_of_unknown: u64::MAX,
            failed_calls: 3,
            lost_frees: 4,
            ..Losses::default()
        },
    };
    let (_, bytes) = written(&meta, &[]);
    let reader = Reader::new(&bytes[..]).unwrap();
    assert_eq!(*reader.meta(), meta);
    let flags: Vec<_> = reader.meta().losses.flags().collect();
    assert_eq!(flags, ["no-thread-ids", "rounded-sizes", "late-start"]);

    let long = Meta { command: "ü".repeat(100_000), ..Meta::default() };
    let (_, bytes) = written(&long, &[]);
    let command = &Reader::new(&bytes[..]).unwrap().meta().command.clone();
    assert!(long.command.starts_with(command.as_str()) && command.len() > 60_000);
}

#[test]
fn losses_known_only_at_the_end_stand_in_the_meta_block() {
    let mut writer =
        crate::trace::Writer::new(std::io::Cursor::new(Vec::new()), &Meta::default()).unwrap();
    writer.write(&Event::of_first_thread(Op::FreeNull)).unwrap();
    writer.losses_mut().truncated = true;
    writer.losses_mut().failed_calls = 9;
    let (totals, file) = writer.finish_into().unwrap();
    let reader = Reader::new(&file.get_ref()[..]).unwrap();
    assert!(reader.meta().losses.truncated);
    assert_eq!(reader.meta().losses.failed_calls, 9);
    assert_eq!(*reader.totals(), totals, "totals are known before the events are read");
}
