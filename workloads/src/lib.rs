//! Allocation traces: what they hold, how they are stored, where they come from.
//!
//! This crate names no allocator and starts no process.
//!
//! * [`event`]: one event per call, and the six invariants of every stream of them.
//! * [`checker`]: holds a stream of events to those invariants.
//! * [`generate`]: seeded workloads shaped like CPython's.
//! * [`import`]: logs of live programs.
//! * [`reduce`](mod@reduce): a failing stream cut down to the events that make it fail.
//! * [`statistics`]: sizes, lifetimes and reuse in one pass.
//! * [`trace`]: events in a file, and back.
//!
//! Everything but `reduce` streams: events pass through a sink or an iterator one at a time, and no
//! other part keeps more than the live set and fixed buffers.

#![forbid(unsafe_code)]

pub mod checker;
pub mod event;
pub mod generate;
pub mod import;
mod live_blocks;
pub mod reduce;
pub mod statistics;
#[cfg(test)]
mod test_seeds;
pub mod totals;
pub mod trace;
