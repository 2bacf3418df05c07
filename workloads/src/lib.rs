//! Allocation traces: what they hold, how they are stored, where they come from.
//!
//! This crate names no allocator and starts no process.

pub mod event;
