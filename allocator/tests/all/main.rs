//! Tests of the heaps through their public interface, in one binary.
//!
//! | file | asks |
//! |---|---|
//! | `model.rs` | do random operations keep contents, invariants, the byte account and the counts? |
//! | `layout.rs` | do blocks come from where the algorithm says, in that order? |
//! | `arenas.rs` | which arena is used, and when does one go back? |
//! | `requests.rs` | zero, huge, aligned, zeroed: what of the odd requests? |
//! | `resize.rs` | which blocks stay in place, and what happens to those that move? |
//! | `ownership.rs` | is the ownership test right at every edge? |
//! | `faults.rs` | what if any request for memory is refused? |
//! | `presets.rs` | are the presets what they say? |
//! | `lowest.rs` | does a vacant slot own the lowest addresses? |
//! | `extension.rs` | can a strategy be added from outside? |
//!
//! `subject.rs` is the heap as a trait object, `sources.rs` and `slots.rs` hold parts to build heaps
//! from, `random.rs` the seeded numbers. Random tests print
//! their seed; `ARENITE_SEED` sets it, `ARENITE_MODEL_OPS` the length of the model test.

mod arenas;
mod extension;
mod faults;
mod lab;
mod layout;
mod lowest;
mod model;
mod ownership;
mod presets;
mod random;
mod requests;
mod resize;
mod slots;
mod sources;
mod subject;
