//! Looks closely at a few calls of a replay that was timed before, in a process of its own.
//!
//! Around a call that was slow it asks the kernel how many page faults and context switches the
//! thread has had and how large the address space is. All other calls are left alone, so that the
//! heap is in the state in which it was slow before: a replay on one thread makes the same calls in
//! the same order.
//!
//! What it cannot tell: a mapping call that leaves the address space as large as it was (giving memory
//! back by `madvise`, a change of protection), which counts as the allocator's own work.

use std::sync::{Arc, Mutex};

use reports::record::{Cause, WorstCall};
use serde::{Deserialize, Serialize};

use super::clock::{self, Clock};
use super::{Operation, Probe};
use crate::os::{self, ThreadUsage};
use crate::plan::streams::Phase;

/// What was found at one call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// Its place in the measured region.
    pub(crate) index: u64,
    pub(crate) ns: f64,
    pub(crate) page_faults: u64,
    pub(crate) context_switches: u64,
    pub(crate) mapped_bytes: i64,
}

impl Look {
    /// Adds to a slow call what was found at it. `usual_ns` is what nearly all calls of the replay stay
    /// below.
    pub(crate) fn explain(&self, worst: &mut WorstCall, usual_ns: f64) {
        worst.again_ns = Some(self.ns);
        worst.page_faults = Some(self.page_faults);
        worst.context_switches = Some(self.context_switches);
        worst.mapped_bytes = Some(self.mapped_bytes);
        worst.cause = Some(self.cause(usual_ns));
    }

    /// What made the call slow. One that is not slow again was not slow by what it does.
    fn cause(&self, usual_ns: f64) -> Cause {
        if self.mapped_bytes != 0 {
            Cause::MappingCall
        } else if self.page_faults > 0 {
            Cause::PageFault
        } else if self.ns <= usual_ns {
            Cause::NotRepeated
        } else if self.context_switches > 0 {
            Cause::ContextSwitch
        } else {
            Cause::OwnWork
        }
    }
}

/// Looks at the calls that it is given.
pub(crate) struct Magnifier {
    clock: Clock,
    /// Places in the region, rising.
    wanted: Vec<u64>,
    looks: Arc<Mutex<Vec<Look>>>,
    /// The next of the wanted ones.
    next: usize,
    in_region: bool,
    calls: u64,
}

/// What there was before a call.
pub(crate) struct Before {
    usage: ThreadUsage,
    mapped: i64,
    ticks: u64,
}

impl Magnifier {
    /// A magnifier for the calls with these places in the region; and where looks are left.
    pub(crate) fn new(clock: Clock, mut wanted: Vec<u64>) -> (Self, Arc<Mutex<Vec<Look>>>) {
        wanted.sort_unstable();
        let looks = Arc::new(Mutex::new(Vec::with_capacity(wanted.len())));
        let left = Arc::clone(&looks);
        (Self { clock, wanted, looks, next: 0, in_region: false, calls: 0 }, left)
    }
}

impl Probe for Magnifier {
    type Mark = Option<Before>;

    fn enter(&mut self, phase: Phase) {
        self.in_region = phase == Phase::Region;
    }

    #[inline(always)]
    fn before(&mut self) -> Option<Before> {
        if !self.in_region {
            return None;
        }
        let index = self.calls;
        self.calls += 1;
        if self.wanted.get(self.next) != Some(&index) {
            return None;
        }
        self.next += 1;
        let (mapped, usage) = (os::mapped_bytes().unwrap_or(0), os::thread_usage());
        Some(Before { usage, mapped, ticks: clock::start() })
    }

    #[inline(always)]
    fn after(&mut self, mark: Option<Before>, _operation: Operation, _size: usize) {
        let Some(before) = mark else { return };
        let ticks = clock::stop().saturating_sub(before.ticks).saturating_sub(self.clock.cost);
        let usage = os::thread_usage();
        let look = Look {
            index: self.calls - 1,
            ns: self.clock.ns(ticks),
            page_faults: usage.page_faults - before.usage.page_faults,
            context_switches: usage.context_switches - before.usage.context_switches,
            mapped_bytes: os::mapped_bytes().unwrap_or(before.mapped) - before.mapped,
        };
        self.looks.lock().expect("no thread panics with a lock held").push(look);
    }

    fn another(&self, _thread: u32) -> Self {
        unreachable!("only replays on one thread are looked at again: others do not repeat")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look =
        Look { index: 0, ns: 900.0, page_faults: 0, context_switches: 0, mapped_bytes: 0 };

    #[test]
    fn a_cause_is_what_explains_most() {
        for (look, cause) in [
            (LOOK, Cause::OwnWork),
            (Look { ns: 100.0, ..LOOK }, Cause::NotRepeated),
            (Look { ns: 100.0, context_switches: 1, ..LOOK }, Cause::NotRepeated),
            (Look { context_switches: 1, ..LOOK }, Cause::ContextSwitch),
            (Look { page_faults: 2, context_switches: 1, ..LOOK }, Cause::PageFault),
            (Look { page_faults: 2, mapped_bytes: -4096, ..LOOK }, Cause::MappingCall),
        ] {
            assert_eq!(look.cause(500.0), cause, "{look:?}");
        }
    }

    #[test]
    fn a_page_touched_and_a_mapping_made_inside_a_call_are_seen() {
        if !crate::alone::is_alone() {
            return;
        }
        let clock = Clock { tick_ns: 1.0, cost: 0, resolution: 1 };
        let (mut magnifier, looks) = Magnifier::new(clock, vec![2, 1]);
        magnifier.enter(Phase::Region);
        let memory = crate::os::Mapping::reserved(1 << 20).unwrap();
        let mut kept = Vec::new();
        for call in 0..4 {
            let mark = magnifier.before();
            match call {
                // SAFETY: the mapping is a megabyte long.
                1 => unsafe { memory.start().write_volatile(1) },
                2 => kept.push(crate::os::Mapping::reserved(8 << 20).unwrap()),
                _ => {}
            }
            magnifier.after(mark, Operation::Malloc, 8);
        }
        let looks = looks.lock().unwrap().clone();
        assert_eq!(looks.iter().map(|look| look.index).collect::<Vec<_>>(), [1, 2]);
        assert!(looks[0].page_faults > 0, "{looks:?}");
        assert!(looks[1].mapped_bytes >= 8 << 20, "{looks:?}");
    }
}
