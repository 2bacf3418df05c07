//! Seeded workloads: three shaped like CPython's own traffic, three that threads share, five of calls
//! that interpreters make seldom, and one that goes over to other sizes.
//!
//! A [`Spec`] names a workload, the era of CPython it imitates and its size; [`Spec::generate`]
//! turns it into events:
//! ```text
//! base heap of a started interpreter  ->  the workload's own live set  ->  RegionStart
//!   ->  about `operations` calls in steady state  ->  RegionEnd
//! ```
//! Nothing is freed after the region: what is alive stays so (I3).
//!
//! The first three imitate what CPython asks of `malloc` when its own small-object allocator is
//! out of the way (`PYTHONMALLOC=malloc`), call by call and in order: sizes, growth tables and
//! free lists are those of the era. The programs under `programs/` do in Python what the
//! generators do here, so that one can be held against a recording of the other.
//!
//! * G1: equal spec, operations and seed give equal events, on every machine and for good.
//! * G2: the events hold I1 to I6, with one region; on one thread but for the workloads whose name
//!   carries a number of threads. Of those all but `thread-churn` do nothing on the first thread
//!   inside the region, and in the order of events a thread starts after the last call of the
//!   thread that starts it; in `thread-churn` the first thread starts all others.
//! * G3: a new object is allocated before the one it replaces is freed (but see `larson` and
//!   `realloc-churn`).
//!
//! Sources: the allocation paths of CPython's `Objects/*.c` of each era, and traces of the
//! programs under `programs/`; each file names its own.

mod base_heap;
mod call_churn;
mod call_objects;
mod data_stack;
mod dice;
mod dict_objects;
mod dict_resize;
mod dict_table;
mod emitter;
mod era;
mod frame_pool;
mod frame_push_pop;
mod free_list;
mod growth_churn;
mod int_churn;
mod int_objects;
mod larson;
mod phase_churn;
mod producer_consumer;
mod quota;
#[cfg(test)]
mod recorded;
mod spec;
mod thread_churn;

pub use era::Era;
pub use spec::{
    DEFAULT_CHURN_THREADS, DEFAULT_FILL, DEFAULT_LARGE_LIVE, DEFAULT_LIVE, DEFAULT_PHASE_LIVE,
    DEFAULT_THREADED_LIVE, MAX_CHURN_THREADS, MAX_LIVE, MAX_THREADS, MIN_LIVE, Spec, SpecError,
    Workload,
};

use crate::event::{Event, Op};
use dice::Dice;
use emitter::Emitter;

impl Spec {
    /// Emits the workload: the base heap, a region start, calls until `operations` of them stand
    /// in the region (the last step is finished, so a few more may come), a region end.
    ///
    /// With `operations` 0 the region is empty. The base heap and the live set are emitted in
    /// full whatever `operations` is. Cost: one call of `sink` per event and memory for the
    /// live set; about 20 ns per event.
    pub fn generate(&self, operations: u64, seed: u64, sink: &mut dyn FnMut(Event)) {
        let mut emitter = Emitter::new(sink);
        let mut dice = Dice::new(seed);
        base_heap::emit(&mut emitter, &mut dice);
        self.emit(operations, &mut emitter, &mut dice);
    }

    /// Chunks of the data stack that `frame-push-pop` maps in its region, from 3.11 on.
    ///
    /// They come from the arena hook and not from malloc, so they are no events; a report may
    /// show the number beside the trace's. `None` for the other workloads and eras. Costs as
    /// much as [`Spec::generate`].
    #[must_use]
    pub fn stack_chunks(&self, operations: u64, seed: u64) -> Option<u64> {
        let mut chunks = None;
        if self.workload == Workload::FramePushPop && self.era >= Era::V3_11 {
            let mut sink = |_: Event| {};
            let mut emitter = Emitter::new(&mut sink);
            let mut dice = Dice::new(seed);
            base_heap::emit(&mut emitter, &mut dice);
            chunks = frame_push_pop::emit(self, operations, &mut emitter, &mut dice);
        }
        chunks
    }

    /// Everything but the base heap.
    fn emit(&self, operations: u64, emitter: &mut Emitter<'_>, dice: &mut Dice) {
        match self.workload {
            Workload::IntChurn => int_churn::emit(self, operations, emitter, dice),
            Workload::DictResize => dict_resize::emit(self, operations, emitter, dice),
            Workload::FramePushPop => {
                frame_push_pop::emit(self, operations, emitter, dice);
            }
            Workload::Larson => larson::emit(self, operations, emitter, dice),
            Workload::ProducerConsumer => producer_consumer::emit(self, operations, emitter, dice),
            Workload::CallocChurn
            | Workload::ReallocChurn
            | Workload::AlignedChurn
            | Workload::LargeChurn => call_churn::emit(self, operations, emitter, dice),
            Workload::GrowthChurn => growth_churn::emit(self, operations, emitter, dice),
            Workload::PhaseChurn => phase_churn::emit(self, operations, emitter, dice),
            Workload::ThreadChurn => thread_churn::emit(self, operations, emitter, dice),
        }
        emitter.mark(Op::RegionEnd);
    }
}

/// The workloads at their defaults, in the order a listing prints them.
#[must_use]
pub fn all() -> &'static [Spec] {
    &spec::DEFAULTS
}

#[cfg(test)]
mod tests;
