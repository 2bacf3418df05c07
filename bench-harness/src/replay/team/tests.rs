//! Teams on an allocator that can be told to fail, and what of a thread's life is real.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use workloads::event::{BlockId, Event, Op, ThreadIndex};
use workloads::generate::Spec;

use super::{Hooks, Team};
use crate::os::Mapping;
use crate::plan::Shape;
use crate::plan::compile::Compiler;
use crate::plan::op::{Extent, Place};
use crate::plan::streams::Streams;
use crate::plan::streams::compile::StreamCompiler;
use crate::replay::allocator::Allocator;
use crate::replay::player::Stop;
use crate::replay::touch;
use crate::replay::verify::Verified;

const WINDOW_WORDS: u64 = 1 << 23;

/// The system's malloc, which returns null from a call on, counted over all threads.
struct Failing {
    calls: Arc<AtomicU64>,
    null_from: u64,
}

impl Failing {
    fn never() -> Self {
        Self::from(u64::MAX)
    }

    fn from(null_from: u64) -> Self {
        Self { calls: Arc::default(), null_from }
    }
}

// SAFETY: hands on what the system's malloc returns, or null.
unsafe impl Allocator for Failing {
    fn another(&self) -> Option<Self> {
        Some(Self { calls: Arc::clone(&self.calls), null_from: self.null_from })
    }

    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        if self.calls.fetch_add(1, SeqCst) >= self.null_from {
            return std::ptr::null_mut();
        }
        // SAFETY: malloc has no preconditions.
        unsafe { libc::malloc(size) }.cast()
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.malloc(slot, size)
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        self.malloc(slot, extent.size)
    }

    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, _old: Extent, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        unsafe { libc::realloc(ptr.cast(), size) }.cast()
    }

    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, _old: Extent) {
        // SAFETY: the caller's obligation.
        unsafe { libc::free(ptr.cast()) };
    }
}

fn generated(name: &str, operations: u64) -> Vec<Event> {
    let spec: Spec = name.parse().unwrap();
    let mut events = Vec::new();
    spec.generate(operations, 9, &mut |event| events.push(event));
    events
}

struct Compiled {
    shape: Shape,
    streams: Streams,
    slots: u32,
}

fn compiled(events: &[Event], window_words: u64, paced: bool) -> Compiled {
    let mut serial = Compiler::new(tempfile::tempfile().unwrap());
    let file = tempfile::tempfile().unwrap();
    let mut compiler = StreamCompiler::with_window(file.try_clone().unwrap(), paced, window_words);
    for event in events {
        serial.event(event).unwrap();
        compiler.event(event).unwrap();
    }
    let (shape, _) = serial.finish().unwrap();
    let streams = compiler.finish().unwrap();
    let slots = streams.slots;
    let streams = Streams::with_window(file, &streams, window_words).unwrap();
    Compiled { shape, streams, slots }
}

fn pointers(slots: u32) -> Mapping {
    Mapping::populated(slots as usize * size_of::<*mut u8>()).unwrap()
}

fn team<A: Allocator>(
    compiled: Compiled,
    shape: &Shape,
    allocator: A,
    hooks: Hooks,
) -> Team<'_, A> {
    let pointers = pointers(compiled.slots);
    Team::new(shape, compiled.streams, pointers, allocator, hooks).unwrap()
}

#[test]
fn every_pass_makes_all_calls_whatever_the_windows() {
    for name in ["larson:3:500", "producer-consumer:4:1k", "int-churn:500"] {
        let events = generated(name, 8_000);
        for window_words in [WINDOW_WORDS, 20_000] {
            let compiled = compiled(&events, window_words, false);
            let shape = compiled.shape.clone();
            let verified = Verified::new(Failing::never(), 16, compiled.slots);
            let ledger = verified.ledger();
            let mut team = team(compiled, &shape, verified, Hooks::default());
            for _ in 0..3 {
                let elapsed = team.pass::<{ touch::HEADER }>().unwrap();
                assert!(elapsed > Duration::ZERO, "{name}");
                assert_eq!(team.region_calls, shape.calls, "{name}");
            }
            assert_eq!(ledger.first_fault(), None, "{name}");
        }
    }
}

#[test]
fn null_on_any_thread_stops_all_of_them() {
    for name in ["larson:3:500", "producer-consumer:4:1k"] {
        let events = generated(name, 8_000);
        let births = events.iter().filter(|event| event.op.birth().is_some()).count() as u64;
        // In the base heap, when the threads have just begun, and in the middle of the region.
        for null_from in [100, births - 3_900, births - 2_000, births - 1] {
            let compiled = compiled(&events, WINDOW_WORDS, false);
            let shape = compiled.shape.clone();
            let mut team = team(compiled, &shape, Failing::from(null_from), Hooks::default());
            match team.pass::<{ touch::HEADER }>() {
                Err(Stop::NullOn { thread, size, .. }) => {
                    assert!(size > 0);
                    assert_eq!(thread == 0, null_from == 100, "{name}: thread {thread}");
                }
                other => panic!("{name}, null from {null_from}: {other:?}"),
            }
        }
    }
}

static ENTERED: AtomicU64 = AtomicU64::new(0);
static LEFT: AtomicU64 = AtomicU64::new(0);
static DESTROYED: AtomicU64 = AtomicU64::new(0);

struct Destroyed(Cell<bool>);

impl Drop for Destroyed {
    fn drop(&mut self) {
        DESTROYED.fetch_add(1, SeqCst);
    }
}

thread_local! {
    static DATA: Destroyed = const { Destroyed(Cell::new(false)) };
}

fn enter() {
    assert!(!DATA.with(|data| data.0.replace(true)), "every thread is a new one");
    ENTERED.fetch_add(1, SeqCst);
}

fn leave() {
    LEFT.fetch_add(1, SeqCst);
}

#[test]
fn threads_are_started_and_end_as_often_as_in_the_trace_and_their_destructors_run() {
    let compiled = compiled(&generated("larson:2:500", 20_000), WINDOW_WORDS, false);
    let shape = compiled.shape.clone();
    let threads = compiled.streams.index.spans.len() as u64 - 1;
    assert!(threads >= 8);
    let hooks = Hooks { enter: Some(enter), leave: Some(leave) };
    let mut team = team(compiled, &shape, Failing::never(), hooks);
    for pass in 1..=3 {
        team.pass::<{ touch::HEADER }>().unwrap();
        for count in [&ENTERED, &LEFT, &DESTROYED] {
            assert_eq!(count.load(SeqCst), threads * pass);
        }
    }
}

#[test]
fn a_paced_pass_takes_as_long_as_the_recorded_region() {
    let event = |thread, op, ms: u64| Event {
        thread: ThreadIndex(thread),
        op,
        time_ns: Some(ms * 1_000_000),
    };
    let birth = |block| Op::Malloc { block: BlockId(block), size: 100 };
    let free = |block| Op::Free { block: BlockId(block), size: None };
    let events = [
        event(0, birth(0), 0),
        event(0, Op::RegionStart, 100_000),
        event(1, birth(1), 100_010),
        event(0, free(1), 100_040),
        event(1, free(0), 100_060),
    ];
    for (paced, least_ms) in [(false, 0), (true, 60)] {
        let compiled = compiled(&events, WINDOW_WORDS, paced);
        let shape = compiled.shape.clone();
        let mut team = team(compiled, &shape, Failing::never(), Hooks::default());
        for _ in 0..2 {
            let elapsed = team.pass::<{ touch::HEADER }>().unwrap();
            assert!(elapsed >= Duration::from_millis(least_ms), "{elapsed:?}");
            assert!(elapsed < Duration::from_secs(50), "the time before the region is left out");
        }
    }
}
