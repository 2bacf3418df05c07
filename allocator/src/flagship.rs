//! The flagship heap: thread-safe, general-purpose, every size served by itself.
//!
//! ```text
//! calls            malloc, free, realloc ...: the fast paths           calls.rs, arenite.rs, private.rs
//! thread heap      per class a front, a current pool, pools with room  heap.rs
//! remote frees     chains to other threads' heaps                      remote.rs
//! threads, fork    attach, park, adopt; every lock around fork         threads.rs, fork.rs
//! large and huge   spans of slices; mappings of their own              large.rs, huge.rs
//! free spans       by length, dirty before clean, decommitted late     span_store.rs
//! in use, lately   what tells how much of what is free is kept         usage.rs, patience.rs
//! ranges           reservation, map, records: the ownership test       range.rs, slice.rs
//! a look at it     every numbered invariant, the bytes of every kind        validate.rs, */check.rs, stats.rs
//! outside          the kernel, a lock, thread-local words, last words  os.rs, lock.rs, ...
//! ```
//! A file may use those below it. Where the classic heap follows pymalloc, this one keeps nothing
//! of pymalloc's layout but the ideas: pools of one class, arenas released when empty, and an
//! ownership test that costs a subtraction and a comparison. Fronts and their budgets, pools as
//! queues and the map of classes were found by experiment; README.md says how, under "What was tried".

use crate::watch::Measures;
use crate::watch::tool::Tool;

mod arenite;
mod calls;
mod checks;
mod class;
mod fatal;
mod foreign;
mod fork;
mod heap;
mod huge;
mod lab;
mod large;
mod lock;
mod os;
mod patience;
mod private;
mod range;
mod remote;
mod settings;
mod slice;
mod span_store;
mod stats;
mod thread_local;
mod threads;
mod usage;
mod validate;
mod watched;

pub use arenite::{Arenite, AreniteChecked};
pub use foreign::ForeignFunctions;
pub use lab::AreniteLab;
pub use private::Heap;
pub use stats::FlagshipStats;
pub use validate::{FlagshipInvariant, FlagshipViolation};

/// Whether memcheck watches and is to be told, by the process's settings; what is done for it then.
#[inline]
pub(crate) fn under_memcheck() -> Option<(Tool, Measures)> {
    settings::watch().filter(|(tool, _)| *tool == Tool::Memcheck)
}
