//! Tests of the flagship heap through its public interface.
//!
//! | file | asks |
//! |---|---|
//! | `model.rs` | do random calls, by every way to make them, keep every block's contents? |
//! | `misuse.rs` | what ends the process, and with which words? |
//! | `requests.rs` | what of every size, alignment, zero, overflow, and calloc on used memory? |
//! | `resize.rs` | do contents survive a resize from every class to every other? |
//!
//! There is one heap in a process, so a test that looks at all of it runs alone in a child process
//! (`child.rs`). `block.rs` is a live block that knows its contents, `posix.rs` the C library's
//! functions that tests call. Random tests print their seed; `ARENITE_SEED` sets it,
//! `ARENITE_MODEL_OPS` the length of the model test.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this binary is tests")]

#[path = "../all/random.rs"]
mod random;

mod block;
mod child;
mod misuse;
mod model;
mod posix;
mod requests;
mod resize;
