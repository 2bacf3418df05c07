//! Child processes: every sample is taken in one of its own.
//!
//! `job` is what parent and child say to each other, `spawn` starts any child and brings it to an
//! end on top of `process` and `stream`, `sample` is what the child does, `outcome` turns a child's
//! end into a record's status.

pub(crate) mod job;
pub(crate) mod outcome;
pub(crate) mod process;
pub(crate) mod sample;
pub(crate) mod spawn;
pub(crate) mod stream;
