//! What the workloads on several threads promise: who allocates, who frees, who starts whom.

use std::collections::{HashMap, HashSet};

use super::events;
use crate::event::{BlockId, Event, Op, ThreadIndex};

/// The events inside the region, and the thread that bore each block of the trace.
fn region(name: &str, operations: u64) -> (Vec<Event>, HashMap<BlockId, ThreadIndex>) {
    let all = events(name, operations, 5);
    let owners = all.iter().filter_map(|event| Some((event.op.birth()?.0, event.thread))).collect();
    let start = all.iter().position(|event| event.op == Op::RegionStart).unwrap();
    (all[start..].to_vec(), owners)
}

#[test]
fn larson_has_as_many_threads_at_any_time_as_asked_for() {
    for threads in [1_usize, 2, 5] {
        let mut running = HashSet::new();
        let mut inside = false;
        for event in events(&format!("larson:{threads}:500"), 40_000, 5) {
            match event.op {
                Op::ThreadStart => assert!(running.insert(event.thread)),
                Op::ThreadEnd => assert!(running.remove(&event.thread)),
                Op::RegionStart => inside = true,
                Op::RegionEnd => inside = false,
                _ if inside => assert!(running.contains(&event.thread), "{event:?}"),
                _ => assert_eq!(event.thread, ThreadIndex(0), "the first thread prepares"),
            }
            // While a table is handed on, the new thread is there before the old one has ended.
            assert!(running.len() <= threads + 1);
            if inside && event.op.is_call() {
                assert_eq!(running.len(), threads);
            }
        }
    }
}

#[test]
fn larson_hands_every_table_on_three_times_at_least_and_the_blocks_outlive_their_threads() {
    let (region, owners) = region("larson:2:500", 20_000);
    let ended: Vec<_> =
        region.iter().filter(|event| event.op == Op::ThreadEnd).map(|event| event.thread).collect();
    assert!(ended.len() >= 6, "{ended:?}");
    let mut gone = HashSet::new();
    let (mut frees, mut remote, mut of_ended) = (0, 0, 0);
    for event in &region {
        if event.op == Op::ThreadEnd {
            gone.insert(event.thread);
        }
        if let Some(block) = event.op.death() {
            frees += 1;
            remote += u64::from(owners[&block] != event.thread);
            of_ended += u64::from(gone.contains(&owners[&block]));
        }
    }
    // Lives of 1,250 steps on tables of 500: at first all blocks are another thread's.
    assert!(remote * 10 > frees, "{remote} of {frees} frees are remote");
    assert!(of_ended * 20 > frees, "{of_ended} of {frees} frees are of ended threads' blocks");
    assert!(remote < frees, "and others are not");
}

#[test]
fn larson_starts_a_thread_right_after_a_call_of_the_one_whose_table_it_takes() {
    let (region, _) = region("larson:3:500", 30_000);
    for at in 1..region.len() - 1 {
        if region[at].op == Op::ThreadStart {
            let (before, after) = (region[at - 1], region[at + 1]);
            assert!(before.op.is_call() && after.op == Op::ThreadEnd);
            assert!(before.thread == after.thread && before.thread != region[at].thread);
        }
    }
}

#[test]
fn producer_consumer_frees_every_block_on_a_thread_that_did_not_allocate_it() {
    for name in ["producer-consumer", "producer-consumer:6:1k"] {
        let (region, owners) = region(name, 30_000);
        let (mut allocating, mut freeing) = (HashSet::new(), HashSet::new());
        for event in region {
            if event.op.birth().is_some() {
                allocating.insert(event.thread);
            } else if event.op.death().is_some() {
                freeing.insert(event.thread);
            }
        }
        assert!(allocating.is_disjoint(&freeing), "{name}");
        assert_eq!(allocating.len(), freeing.len(), "{name}");
        assert!(!allocating.contains(&ThreadIndex(0)) && !owners.is_empty());
    }
}

#[test]
fn the_queue_of_producer_consumer_is_bounded_and_first_in_first_out() {
    let (mut live, mut most, mut last_freed) = (0_u64, 0, None);
    for event in events("producer-consumer:2:1k", 50_000, 5) {
        live += u64::from(event.op.birth().is_some());
        if let Some(block) = event.op.death() {
            live -= 1;
            assert!(last_freed < Some(block), "{block:?} is freed after {last_freed:?}");
            last_freed = Some(block);
        }
        most = most.max(live);
    }
    assert_eq!(most, 1_001, "the queue itself, and as many blocks as it holds");
}
