//! Tests of the flagship heap through its public interface.
//!
//! | file | asks |
//! |---|---|
//! | `model.rs` | do random calls, by every way to make them, keep every block's contents? |
//! | `foreign.rs` | is the ownership test right about addresses that are not ours? |
//! | `fork.rs` | does a process go on that was forked while threads were inside? |
//! | `fronts.rs` | what lies dead in fronts: is it handed out first, and does it go home in time? |
//! | `kept.rs` | do mappings of freed huge blocks serve the next ones, and make room for others? |
//! | `memory.rs` | what is taken from the system, and what goes back? what if it is little? |
//! | `misuse.rs` | what ends the process, and with which words? |
//! | `private.rs` | do heaps with a lifetime give back whatever lives in them? |
//! | `requests.rs` | what of every size, alignment, zero, overflow, and calloc on used memory? |
//! | `resize.rs` | do contents survive a resize from every class to every other? |
//! | `reuse.rs` | is what was freed used again, without new memory and without page faults? |
//! | `threads.rs` | do blocks survive threads that come and go, and does their memory go back? |
//!
//! There is one heap in a process, so a test that looks at all of it runs alone in a child process
//! (`child.rs`). `block.rs` is a live block that knows its contents, `heap.rs` what all of it must
//! look like, `process.rs` what the system says of the process, `posix.rs` the C library's functions
//! that tests call. Random tests print their seed; `ARENITE_SEED` sets it,
//! `ARENITE_MODEL_OPS` the length of the model test,
//! `ARENITE_STRESS_SECONDS` that of the threads' test, `ARENITE_FORKS` the number of forks.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this binary is tests")]

#[path = "../all/random.rs"]
mod random;

mod block;
mod child;
mod foreign;
mod fork;
mod fronts;
mod heap;
mod kept;
mod memory;
mod misuse;
mod model;
mod posix;
mod private;
mod process;
mod requests;
mod resize;
mod reuse;
mod threads;
