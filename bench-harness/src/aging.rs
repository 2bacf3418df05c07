//! A workload on a heap that another one has aged.
//!
//! The past is played up to the call with most live bytes; then a share of what is alive is freed, in
//! random order from a seed, so that holes of all sizes remain between survivors. What survives stays
//! alive to the end, under everything that the workload does. Past and survivors are part of the base
//! heap: no time of theirs is measured, and the replay knows nothing of it.
//!
//! * G1: the composed events are a valid sequence: ids of the workload are shifted by the births of the
//!   past, all calls of the past are made by the first thread, and there is one start of the region.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use workloads::event::{BlockId, Event, Op, ThreadIndex};

/// Of the blocks alive at the past's peak, one in this many survives.
const SURVIVES_ONE_IN: usize = 2;

/// Finds the event after which most bytes of a past are alive.
#[derive(Debug, Default)]
pub(crate) struct Peak {
    sizes: BTreeMap<BlockId, u64>,
    live_bytes: u64,
    most_bytes: u64,
    events: u64,
    at: u64,
}

impl Peak {
    /// Looks at the next event.
    pub(crate) fn event(&mut self, event: &Event) {
        self.events += 1;
        let (old, new) = match event.op {
            Op::Realloc { block, size } => (self.sizes.insert(block, size), size),
            op => match (op.birth(), op.death()) {
                (Some((block, size)), _) => (self.sizes.insert(block, size), size),
                (None, Some(block)) => (self.sizes.remove(&block), 0),
                (None, None) => return,
            },
        };
        let old = old.unwrap_or(0);
        // Sizes that no plan takes are refused when the events are compiled.
        self.live_bytes = self.live_bytes.saturating_sub(old).saturating_add(new);
        if self.live_bytes > self.most_bytes {
            (self.most_bytes, self.at) = (self.live_bytes, self.events);
        }
    }

    /// Events up to the peak, the one that reaches it included.
    pub(crate) fn reached_after(&self) -> u64 {
        self.at
    }
}

/// Turns a past into the beginning of another sequence of events.
#[derive(Debug)]
pub(crate) struct Past {
    left: u64,
    births: u64,
    live: BTreeSet<BlockId>,
}

impl Past {
    /// The first `events` events of a past.
    pub(crate) fn of(events: u64) -> Self {
        Self { left: events, births: 0, live: BTreeSet::new() }
    }

    /// What becomes of the next event of the past; `None` when it is a mark or beyond the peak.
    pub(crate) fn event(&mut self, event: &Event) -> Option<Event> {
        self.left = self.left.checked_sub(1)?;
        if !event.op.is_call() {
            return None;
        }
        if let Some((block, _)) = event.op.birth() {
            self.births += 1;
            self.live.insert(block);
        }
        if let Some(block) = event.op.death() {
            self.live.remove(&block);
        }
        Some(Event::of_first_thread(event.op))
    }

    /// The frees that make the holes.
    pub(crate) fn frees(&self, seed: u64) -> Vec<Event> {
        let mut blocks: Vec<BlockId> = self.live.iter().copied().collect();
        blocks.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        blocks.truncate(blocks.len() - blocks.len() / SURVIVES_ONE_IN);
        let free = |block| Event::of_first_thread(Op::Free { block, size: None });
        blocks.into_iter().map(free).collect()
    }

    /// An event of the workload behind this past; `None` for the start of the first thread, which has
    /// made calls already.
    pub(crate) fn shifted(&self, event: &Event) -> Option<Event> {
        let by = |block: BlockId| BlockId(block.0 + self.births);
        let op = match event.op {
            Op::Malloc { block, size } => Op::Malloc { block: by(block), size },
            Op::Calloc { block, count, size } => Op::Calloc { block: by(block), count, size },
            Op::AlignedAlloc { block, align, size } => {
                Op::AlignedAlloc { block: by(block), align, size }
            }
            Op::ReallocNew { block, size } => Op::ReallocNew { block: by(block), size },
            Op::Realloc { block, size } => Op::Realloc { block: by(block), size },
            Op::ReallocFree { block } => Op::ReallocFree { block: by(block) },
            Op::Free { block, size } => Op::Free { block: by(block), size },
            Op::ThreadStart if event.thread == ThreadIndex(0) => return None,
            other => other,
        };
        Some(Event { op, ..*event })
    }
}

#[cfg(test)]
mod tests {
    use workloads::checker::Checker;
    use workloads::generate::Spec;

    use super::*;

    fn events(spec: &str) -> Vec<Event> {
        let mut events = Vec::new();
        let spec: Spec = spec.parse().unwrap();
        spec.generate(20_000, 1, &mut |event: Event| events.push(event));
        events
    }

    fn aged(past: &[Event], own: &[Event]) -> (Vec<Event>, usize) {
        let mut peak = Peak::default();
        past.iter().for_each(|event| peak.event(event));
        let mut past_of = Past::of(peak.reached_after());
        let mut all: Vec<Event> = past.iter().filter_map(|event| past_of.event(event)).collect();
        let frees = past_of.frees(7);
        let survivors = past_of.live.len() - frees.len();
        all.extend(frees);
        all.extend(own.iter().filter_map(|event| past_of.shifted(event)));
        (all, survivors)
    }

    #[test]
    fn the_composed_events_are_valid_and_half_of_the_past_stays_alive() {
        let (past, own) = (events("dict-resize"), events("int-churn:1k"));
        let (all, survivors) = aged(&past, &own);
        let mut checker = Checker::new();
        for event in &all {
            checker.check(event).unwrap();
        }
        assert!(survivors > 100, "{survivors}");
        let alive = |events: &[Event]| {
            let births = events.iter().filter(|event| event.op.birth().is_some()).count();
            births - events.iter().filter(|event| event.op.death().is_some()).count()
        };
        assert_eq!(alive(&all), alive(&own) + survivors);
    }

    #[test]
    fn ids_that_are_not_shifted_are_refused() {
        let (past, own) = (events("dict-resize"), events("int-churn:1k"));
        let mut checker = Checker::new();
        let composed = past.iter().filter(|event| event.op.is_call()).chain(&own);
        assert!(composed.into_iter().any(|event| checker.check(event).is_err()));
    }
}
