//! Who makes which call, and that no thread outlives its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use workloads::event::{BlockId, Event, Op, ThreadIndex};
use workloads::generate::Spec;

use super::InTurns;
use crate::os::Mapping;
use crate::plan::Shape;
use crate::plan::compile::{Census, Compiler};
use crate::plan::op::{Extent, Meeting, Place};
use crate::plan::window::Windows;
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};
use crate::replay::team::Hooks;
use crate::replay::touch;
use crate::replay::verify::Verified;

/// The system's malloc, which notes the thread of every call.
#[derive(Clone, Default)]
struct Spy {
    threads: Arc<Mutex<Vec<i32>>>,
    /// Of a plan that is played on one thread for a look at it.
    meetings: Arc<Mutex<Vec<(Meeting, u32)>>>,
}

impl Spy {
    fn note(&self) {
        // SAFETY: has no obligations.
        self.threads.lock().unwrap().push(unsafe { libc::gettid() });
    }
}

// SAFETY: hands on what the system's malloc returns.
unsafe impl Allocator for Spy {
    fn another(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        self.note();
        // SAFETY: malloc has no preconditions.
        unsafe { libc::malloc(size) }.cast()
    }

    fn calloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        self.note();
        // SAFETY: calloc has no preconditions.
        unsafe { libc::calloc(1, size) }.cast()
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        self.malloc(slot, extent.size)
    }

    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, _old: Extent, size: usize) -> *mut u8 {
        self.note();
        // SAFETY: the caller's obligation.
        unsafe { libc::realloc(ptr.cast(), size) }.cast()
    }

    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, _old: Extent) {
        self.note();
        // SAFETY: the caller's obligation.
        unsafe { libc::free(ptr.cast()) };
    }

    fn free_null(&mut self) {
        self.note();
    }

    fn meet(&mut self, meeting: Meeting, thread: u32, _argument: u64) -> bool {
        self.meetings.lock().unwrap().push((meeting, thread));
        true
    }
}

fn generated(name: &str, operations: u64) -> Vec<Event> {
    let spec: Spec = name.parse().unwrap();
    let mut events = Vec::new();
    spec.generate(operations, 9, &mut |event| events.push(event));
    events
}

fn compiled(events: &[Event]) -> (Shape, Windows) {
    let (shape, _, windows) = compiled_and_counted(events);
    (shape, windows)
}

fn compiled_and_counted(events: &[Event]) -> (Shape, Census, Windows) {
    let file = tempfile::tempfile().unwrap();
    let mut compiler = Compiler::in_turns(file.try_clone().unwrap());
    events.iter().for_each(|event| compiler.event(event).unwrap());
    let (shape, census) = compiler.finish().unwrap();
    let windows = Windows::open(file, &shape).unwrap();
    (shape, census, windows)
}

fn play<A: Allocator>(shape: &Shape, windows: Windows, allocator: A) -> Result<u64, Stop> {
    let pointers = Mapping::populated(shape.slots as usize * size_of::<*mut u8>()).unwrap();
    let in_turns = InTurns::new(allocator, Hooks::default());
    let mut player = Player::new(shape, windows, pointers, in_turns);
    player.pass::<{ touch::HEADER }>()?;
    Ok(player.region_calls)
}

#[test]
fn every_call_is_made_by_its_own_thread_in_recorded_order() {
    for name in ["larson:3:500", "producer-consumer:4:1k", "int-churn:500"] {
        let events = generated(name, 8_000);
        let (shape, census, windows) = compiled_and_counted(&events);
        let spy = Spy::default();
        assert_eq!(play(&shape, windows, spy.clone()).unwrap(), shape.calls, "{name}");
        let made = spy.threads.lock().unwrap();
        // SAFETY: has no obligations.
        let here = unsafe { libc::gettid() };
        let handed_over = made.iter().filter(|id| **id != here).count() as u64;
        let threads = made.iter().collect::<BTreeSet<_>>().len() as u32;
        assert_eq!((census.handed_over, census.turning_threads), (handed_over, threads), "{name}");
        let region_end = events.iter().position(|event| event.op == Op::RegionEnd);
        let played = &events[..region_end.unwrap_or(events.len())];
        let recorded: Vec<u32> =
            played.iter().filter(|event| event.op.is_call()).map(|event| event.thread.0).collect();
        assert_eq!(made.len() as u64, shape.base_calls + shape.calls + shape.drain_calls, "{name}");
        let mut known = BTreeMap::new();
        for (call, (thread, id)) in recorded.iter().zip(made.iter()).enumerate() {
            let first = *known.entry(*thread).or_insert(*id);
            assert_eq!(first, *id, "{name}: call {call} of thread {thread}");
        }
        // What is left is freed by the thread that had it last, where that is still there.
        let mut left = BTreeMap::new();
        let mut ended = Vec::new();
        for event in played {
            match event.op {
                Op::Realloc { block, .. } => drop(left.insert(block, event.thread.0)),
                Op::Free { block, .. } | Op::ReallocFree { block } => drop(left.remove(&block)),
                Op::ThreadEnd => ended.push(event.thread.0),
                op => drop(op.birth().map(|(block, _)| left.insert(block, event.thread.0))),
            }
        }
        let owner = |thread: &u32| if ended.contains(thread) { 0 } else { *thread };
        for (thread, id) in left.values().zip(&made[recorded.len()..]) {
            assert_eq!(known[&owner(thread)], *id, "{name}: left by {thread}");
        }
        let mut ids: Vec<i32> = known.into_values().collect();
        let threads = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), threads, "{name}: threads of their own");
    }
}

#[test]
fn a_block_that_is_left_is_freed_by_the_thread_that_resized_it_last() {
    let block = BlockId(0);
    let event = |thread, op| Event { thread: ThreadIndex(thread), ..Event::of_first_thread(op) };
    let events = [
        event(1, Op::ThreadStart),
        event(1, Op::Malloc { block, size: 100 }),
        event(0, Op::FreeNull),
        event(2, Op::ThreadStart),
        event(2, Op::Realloc { block, size: 200 }),
    ];
    let (shape, windows) = compiled(&events);
    let spy = Spy::default();
    play(&shape, windows, spy.clone()).unwrap();
    let made = spy.threads.lock().unwrap().clone();
    assert_eq!(made.len(), 4);
    assert!(made[3] == made[2] && made[2] != made[0] && made[0] != made[1], "{made:?}");
}

#[test]
fn blocks_keep_their_contents_from_thread_to_thread() {
    for name in ["larson:3:500", "producer-consumer:4:1k"] {
        let (shape, windows) = compiled(&generated(name, 8_000));
        let verified = Verified::new(Spy::default(), 16, shape.slots);
        let ledger = verified.ledger();
        play(&shape, windows, verified).unwrap();
        assert_eq!(ledger.first_fault(), None, "{name}");
    }
}

#[test]
fn every_thread_that_ends_in_the_trace_ends_and_has_no_turn_afterwards() {
    let events = generated("larson:3:500", 8_000);
    let (shape, windows) = compiled(&events);
    let spy = Spy::default();
    let pointers = Mapping::populated(shape.slots as usize * size_of::<*mut u8>()).unwrap();
    Player::new(&shape, windows, pointers, spy.clone()).pass::<{ touch::NONE }>().unwrap();
    let meetings = spy.meetings.lock().unwrap();
    let ended = |meetings: &[(Meeting, u32)]| -> Vec<u32> {
        let ends = meetings.iter().filter(|(meeting, _)| *meeting == Meeting::End);
        ends.map(|(_, thread)| *thread).collect()
    };
    let ends = events.iter().filter(|event| event.op == Op::ThreadEnd && event.thread.0 != 0);
    assert_eq!(ended(&meetings), ends.map(|event| event.thread.0).collect::<Vec<_>>());
    assert!(ended(&meetings).len() > 3);
    for (at, (_, thread)) in meetings.iter().enumerate() {
        assert!(!ended(&meetings[..at]).contains(thread), "meeting {at}");
    }
}

/// Whether the kernel still lists a thread; the list may be a moment behind `pthread_join`.
fn is_there(id: i32) -> bool {
    let listed = || std::path::Path::new(&format!("/proc/self/task/{id}")).exists();
    let begun = Instant::now();
    while listed() && begun.elapsed() < Duration::from_millis(500) {
        std::thread::yield_now();
    }
    listed()
}

#[test]
fn a_thread_is_gone_behind_its_end_and_all_are_behind_the_replay() {
    let is_gone = |spy: &Spy| !is_there(*spy.threads.lock().unwrap().last().unwrap());
    let spy = Spy::default();
    let mut in_turns = InTurns::new(spy.clone(), Hooks::default());
    assert!(in_turns.meet(Meeting::Turn, 1, 0));
    in_turns.free_null();
    assert!(!is_gone(&spy));
    assert!(in_turns.meet(Meeting::Turn, 0, 0) && in_turns.meet(Meeting::End, 1, 0));
    assert!(is_gone(&spy));
    let (shape, windows) = compiled(&generated("larson:3:500", 8_000));
    let spy = Spy::default();
    play(&shape, windows, spy.clone()).unwrap();
    let mut ids = spy.threads.lock().unwrap().clone();
    ids.sort_unstable();
    ids.dedup();
    // SAFETY: has no obligations.
    let here = unsafe { libc::gettid() };
    let left: Vec<_> = ids.iter().filter(|id| **id != here && is_there(**id)).collect();
    assert!(ids.len() > 3 && left.is_empty(), "{left:?} of {ids:?}");
}
