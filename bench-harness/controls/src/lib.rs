//! What the planted bad allocators share: a door that exports malloc and its family, glibc behind
//! it, and a way to misbehave now and then.
//!
//! Each control is an example of this package, a preload library that does one thing wrong on top
//! of glibc's malloc and everything else right, so that the check named in its documentation is
//! the one that must catch it:
//!
//! | control | does | caught by |
//! |---|---|---|
//! | `slow` | spins in every malloc and free | comparison of times and instruction counts |
//! | `stalling` | spins for long in one malloc of 2,500 | times of single calls, in p99.99 and the maximum |
//! | `overlapping` | hands out parts of live blocks | `--verify`: overlap |
//! | `racing` | hands the same block to two threads | `--verify` on threads: overlap |
//! | `leaking` | gives back every other block | peak RSS over peak live, memory left after the drain |
//! | `wavering` | takes as many pages as its process number says | memory over time that differs between two processes |
//! | `misaligned` | hands out blocks off by 8 bytes | `--verify`: alignment |
//! | `estranged` | spins in a free by another thread than asked for the block | instruction counts of threads in turns |
//! | `misplaced` | waits in every malloc where its file lies badly, in no copy of it | nothing: where a file lies is no library's time |
//! | `dirty` | leaves a byte of a calloc'ed block unzeroed | `--verify`: calloc zeroing |
//! | `forgetful` | loses half of a block in realloc | `--verify`: realloc prefix |
//! | `picky` | loses half of a block in one realloc that follows a certain free | `--verify`, and `trace reduce` names the calls |
//! | `crashing` | dies of SIGSEGV | status `signal` |
//! | `hanging` | stops returning | status `timeout` |
//! | `exiting` | ends the process with status 3 | status `exit` |
//! | `garbage` | prints nonsense and ends with status 0 | a child's report that does not parse |
//! | `plain` | nothing wrong: what others are compared with | nothing |
//! | `wasteful` | executes 2 % more instructions | instruction counts |
//! | `fat` | takes twice the memory for one block in 20 | peak memory |
//! | `clinging` | keeps all of a block that shrinks | peak memory, where blocks shrink |
//! | `orphaning` | loses what another thread frees than asked for it | peak memory, where threads free for one another |
//! | `refaulting` | gives a page back to the kernel and asks for it again | page faults of later passes |
//! | `scattered` | reads another line of a table in every malloc | misses of simulated caches |
//! | `asking` | calls the kernel in one malloc of 100 | system calls |
//! | `touchy` | ends programs in odd environments | the C contract |
//! | `greedy` | maps a GiB to be written to before its first block | the C contract |
//! | `mute` | refuses without saying why in errno | the C contract |
//! | `forgiving` | passes over a second free of a block | seeded bugs |
//! | `inheriting` | leaves a lock of its own held in the child of a fork | the C contract |
//! | `undefined` | decides once by memory nobody has written | Valgrind's errors |
//! | `unloaded` | exports no allocator | status `not-loaded` |
//!
//! A program must come up before a check can judge it, so controls behave during the first calls
//! (`ARENABENCH_CONTROL_AFTER`, default [`DEFAULT_AFTER`]), and then misbehave in one call of so
//! many (`ARENABENCH_CONTROL_EVERY`; the default is each control's own).

#![no_std]

#[cfg(test)]
extern crate std;

mod askers;
pub mod door;
mod fields;
pub mod glibc;
mod pace;
mod setting;

pub use askers::Askers;
pub use door::Allocator;
pub use fields::Fields;
pub use pace::{DEFAULT_AFTER, Pace};
pub use setting::Setting;
