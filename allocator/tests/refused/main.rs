//! Out of memory at every call for a mapping, one after the other.
//!
//! This binary defines the C library's mapping functions itself, so that the heap's calls arrive
//! here, are counted, and fail with `ENOMEM` when their turn has come. Every script runs once for
//! each call that it makes, in a process of its own: that call fails, or that one and all after it.
//! Whatever fails, contents are kept, every invariant holds, nothing is live at the end, and the heap
//! works again when the system does. Where a commit was refused, an arena of another range may have
//! served, and where giving one back was, it stays.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of this binary is tests, and files of another one are in it"
)]

#[path = "../flagship/block.rs"]
mod block;
#[path = "../flagship/child.rs"]
mod child;
#[path = "../flagship/heap.rs"]
mod heap;
mod mappings;
#[path = "../flagship/posix.rs"]
mod posix;
mod scripts;

use std::io::{self, Read, Write};

use arenite::Arenite;

use crate::block::{Block, Called, Request};
use crate::child::alone;
use crate::heap::assert_free;
use crate::mappings::Refused;
use crate::posix::Forked;
use crate::scripts::SCRIPTS;

/// Runs a script with these calls refused in a process of its own; how many calls it made, the
/// refused ones included. `None` when the process failed.
fn calls_of(script: fn(), refused: Refused) -> Option<usize> {
    let (mut answer, mut sender) = io::pipe().unwrap();
    match posix::fork() {
        Forked::Child => {
            posix::alarm(20);
            let calls = mappings::refusing(refused, script);
            // The system gives memory again: everything works, and nothing has leaked.
            for size in [0, 100, 5000, 100_000, 3 << 20] {
                drop(Block::new(Called, Request::of(size), size).expect("memory"));
            }
            assert_free();
            sender.write_all(&calls.to_le_bytes()).unwrap();
            posix::end(0);
        }
        Forked::Parent(child) => {
            drop(sender);
            let mut calls = [0; size_of::<usize>()];
            let answered = answer.read_exact(&mut calls).is_ok();
            (child.wait() == 0 && answered).then(|| usize::from_le_bytes(calls))
        }
    }
}

/// Refuses the first call, the second, and so on, until a run has no such call.
fn sweep(refused: fn(usize) -> Refused) {
    for (name, script) in SCRIPTS {
        let mut points = 0;
        loop {
            let calls = calls_of(*script, refused(points));
            let calls = calls.unwrap_or_else(|| panic!("{name}, call {points} refused: it died"));
            if calls <= points {
                break;
            }
            points += 1;
        }
        println!("{name}: {points} calls refused");
        assert!(points > 2, "{name} asks for memory");
    }
}

#[test]
fn any_single_call_may_be_refused() {
    alone(|| sweep(|call| Refused { from: call, until: call + 1 }));
}

#[test]
fn all_calls_from_any_one_on_may_be_refused() {
    alone(|| sweep(|call| Refused { from: call, until: usize::MAX }));
}

#[test]
fn any_three_calls_in_a_row_may_be_refused() {
    alone(|| sweep(|call| Refused { from: call, until: call + 3 }));
}

/// The check of the check: a script that does not look at null dies.
#[test]
fn script_that_trusts_in_memory_is_found_out() {
    fn trusting() {
        drop(Block::new(Called, Request::of(3 << 20), 1).expect("memory"));
    }
    alone(|| {
        assert!(calls_of(trusting, Refused { from: 0, until: usize::MAX }).is_none());
        assert!(calls_of(trusting, Refused { from: usize::MAX, until: usize::MAX }).is_some());
    });
}

#[test]
fn refused_first_call_leaves_no_heap_and_no_harm() {
    alone(|| {
        let calls = mappings::refusing(Refused { from: 0, until: usize::MAX }, || {
            for size in [0, 16, 1000, 30_000, 100_000, 4 << 20] {
                assert!(Arenite::malloc(size).is_null());
                assert!(Arenite::calloc(1, size).is_null());
                assert!(Arenite::aligned_alloc(1 << 16, size).is_null());
            }
            assert!(
                arenite::Heap::new()
                    .is_none_or(|heap| { heap.alloc(std::alloc::Layout::new::<u64>()).is_null() })
            );
        });
        assert!(calls > 0);
        drop(Block::new(Called, Request::of(100), 1).expect("memory"));
        assert_free();
    });
}
