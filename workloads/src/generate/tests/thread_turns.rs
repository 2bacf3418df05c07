//! What `thread-churn` promises: one turn for every thread, and who frees what it leaves behind.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::*;
use crate::event::{BlockId, ThreadIndex};

const FIRST: ThreadIndex = ThreadIndex(0);

/// Sizes of blocks, and the threads that bore them.
fn births(events: &[Event]) -> HashMap<BlockId, (ThreadIndex, u64)> {
    let birth = |event: &Event| event.op.birth().map(|(block, size)| (block, (event.thread, size)));
    events.iter().filter_map(birth).collect()
}

#[test]
fn every_thread_has_one_turn_ends_at_once_and_is_started_by_the_first_thread() {
    for name in ["thread-churn", "thread-churn:9:100", "thread-churn:2"] {
        let threads = name.parse::<Spec>().unwrap().threads;
        let (mut started, mut had_turn) = (HashSet::new(), HashSet::new());
        let mut ended = HashSet::new();
        let (mut last_call, mut filling) = (FIRST, 0);
        for event in events(name, 50_000, 5) {
            let thread = event.thread;
            match event.op {
                Op::ThreadStart => {
                    assert_eq!(last_call, FIRST, "{name}: {thread:?} is not the first's");
                    assert!(started.insert(thread));
                    filling = started.len() - ended.len();
                }
                Op::ThreadEnd => {
                    assert!(last_call != FIRST && had_turn.contains(&thread));
                    assert!(ended.insert(thread));
                }
                op if op.is_call() => {
                    if thread != FIRST && thread != last_call {
                        assert!(started.contains(&thread) && !ended.contains(&thread));
                        assert!(had_turn.insert(thread), "{name}: a second turn of {thread:?}");
                    }
                    last_call = thread;
                }
                _ => {}
            }
        }
        assert_eq!((started.len(), ended.len()), (threads as usize, threads as usize), "{name}");
        assert_eq!(filling, (threads as usize / 8).max(1), "{name}: there at the same time");
    }
}

#[test]
fn passing_threads_free_blocks_of_the_first_thread_alone_and_it_frees_theirs_when_they_have_ended()
{
    let events = events("thread-churn", 50_000, 5);
    let births = births(&events);
    let (mut ended, mut frees_by) = (HashSet::new(), BTreeMap::<ThreadIndex, u64>::new());
    let mut of_ended = 0_u64;
    for event in &events {
        if event.op == Op::ThreadEnd {
            ended.insert(event.thread);
        }
        let Some(block) = event.op.death() else { continue };
        let owner = births[&block].0;
        *frees_by.entry(event.thread).or_default() += 1;
        if event.thread != FIRST {
            assert_eq!(owner, FIRST, "{:?} frees its own or a third one's", event.thread);
        } else if owner != FIRST {
            assert!(ended.contains(&owner), "{owner:?} has not ended");
            of_ended += 1;
        }
    }
    frees_by.remove(&FIRST);
    assert_eq!(frees_by.len(), 70, "seven eighths of the threads");
    assert!(frees_by.values().all(|frees| *frees == 100));
    let theirs = births.values().filter(|(owner, _)| *owner != FIRST).count();
    assert_eq!(of_ended, theirs as u64, "nothing that they left behind stays alive");
}

#[test]
fn filling_threads_are_all_freed_before_the_first_thread_takes_as_much_in_another_size() {
    let events = events("thread-churn", 50_000, 5);
    let births = births(&events);
    let (mut filled, mut refilled, mut most) = (0_u64, 0_u64, (0, 0));
    for event in &events {
        let is_birth = event.op.birth().is_some();
        let Some(block) = event.op.birth().map(|birth| birth.0).or(event.op.death()) else {
            continue;
        };
        let (owner, size) = births[&block];
        let bytes = match (size, owner) {
            (thread_churn::FILL_SIZE, owner) if owner.0 > 70 => &mut filled,
            (thread_churn::REFILL_SIZE, FIRST) => &mut refilled,
            _ => continue,
        };
        if is_birth {
            *bytes += size;
        } else {
            *bytes -= size;
        }
        most = (most.0.max(filled), most.1.max(refilled));
        // A batch may have a block of the second size.
        assert!(filled == 0 || refilled <= 5 * thread_churn::REFILL_SIZE);
    }
    let whole = 10.0 * f64::from(512 << 10);
    for bytes in [most.0, most.1] {
        assert!((0.99..1.01).contains(&(bytes as f64 / whole)), "{bytes} of {whole} bytes");
    }
    assert_eq!(filled, 0);
}

#[test]
fn all_threads_have_had_their_turn_before_50_000_calls_and_then_the_first_goes_on_alone() {
    let turns = thread_churn::turns_calls(DEFAULT_CHURN_THREADS, DEFAULT_FILL);
    let events = events("thread-churn", 50_000, 5);
    let start = events.iter().position(|event| event.op == Op::RegionStart).unwrap();
    let calls: Vec<_> = events[start..].iter().filter(|event| event.op.is_call()).collect();
    assert_eq!(calls.len(), 50_000, "cut off at the call asked for");
    let (turns, alone) = calls.split_at(turns as usize);
    assert_eq!(turns.last().unwrap().op.call(), Some(Call::Free));
    assert!(turns.iter().any(|event| event.thread == ThreadIndex(80)));
    assert!(alone.len() > 2_000 && alone.iter().all(|event| event.thread == FIRST));
    assert_eq!(alone[0].op.call(), Some(Call::Malloc), "a batch begins");
}
