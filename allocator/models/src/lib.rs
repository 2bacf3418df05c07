//! Models of the flagship heap's protocols between threads: every interleaving of small runs, and
//! every order in which the memory model lets writes be seen.
//!
//! The code under test is the heap's own: `lock.rs`, `remote.rs` and `threads.rs` are compiled from
//! the files of the heap (`build.rs` copies them), on top of stand-ins for what lies below them.
//! Whatever one thread at a time may touch (blocks, the fields of a thread heap, the roster) is a
//! cell that fails the run when two accesses are not ordered.
//!
//! | file | is |
//! |---|---|
//! | `models.rs` | the runs, and what must hold after each |
//! | `atomic.rs` | the model checker's atomics, as statics that begin anew with every run |
//! | `heap.rs` | thread heaps, as far as the protocols see them |
//! | `blocks.rs` | dead blocks: links, map entries, and who has them |
//! | `system.rs` | memory, threads' data, sleeping, last words |
//!
//! Every model runs on the code as it is, which must pass, and copies with one planted bug each
//! run the model that must find it. The model checker treats sequentially consistent accesses as
//! acquire and release, and does not explore speculative writes; the code uses neither. It also misses
//! that a thread's load followed by its compare-and-swap may both come before another's load
//! that came first, so that every model begins its threads in either order.
#![cfg(test)]

#[allow(dead_code, reason = "every type has every operation")]
mod atomic;
mod blocks;
mod system;

use system as sys;

/// One copy of the code with the parts below it.
macro_rules! variant {
    ($name:ident) => {
        #[allow(
            dead_code,
            unused_assignments,
            clippy::all,
            reason = "what the models do not call, and what bugs and the changes to a copy leave"
        )]
        mod $name {
            use crate::atomic;
            use crate::blocks::{class, range, slice};
            use crate::system::{fatal, fork, os, settings};

            mod heap {
                include!("heap.rs");
            }
            mod lock {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/lock.rs"));
            }
            mod remote {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/remote.rs"));
            }
            mod thread_local {
                include!("thread_local.rs");
            }
            mod threads {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/threads.rs"));
            }
            pub(crate) mod models {
                include!("models.rs");
            }
        }
    };
}

variant!(real);

macro_rules! models_pass {
    ($($model:ident)*) => {
        $(#[test]
        fn $model() {
            real::models::$model();
        })*
    };
}

models_pass! {
    chains_of_two_senders_arrive_once
    chain_sent_while_its_heap_is_parked_arrives_once
    parked_heap_is_looked_after_or_adopted_but_not_both
    heap_of_an_ended_thread_goes_to_one_thread
    hooks_are_set_once_before_anybody_goes_on
    late_heap_serves_one_thread_at_a_time
    lock_lets_one_thread_in
    new_heaps_have_numbers_of_their_own
}

macro_rules! planted_bugs_are_found {
    ($($bug:ident by $model:ident as $found:literal)*) => {
        $(variant!($bug);)*

        mod planted {
            $(#[test]
            #[should_panic(expected = $found)]
            fn $bug() {
                crate::$bug::models::$model();
            })*
        }
    };
}

planted_bugs_are_found! {
    relaxed_push by chains_of_two_senders_arrive_once as "Causality violation"
    relaxed_collect by chains_of_two_senders_arrive_once as "Causality violation"
    double_collect by chains_of_two_senders_arrive_once as "a block came home twice"
    lost_push by chains_of_two_senders_arrive_once as "is_home"
    look_without_lock by parked_heap_is_looked_after_or_adopted_but_not_both as "Causality violation"
    look_at_any by parked_heap_is_looked_after_or_adopted_but_not_both as "Causality violation"
    parked_before_ready by parked_heap_is_looked_after_or_adopted_but_not_both as "Causality violation"
    hooks_before_key by hooks_are_set_once_before_anybody_goes_on as "the key was made before it is used"
    late_without_lock by late_heap_serves_one_thread_at_a_time as "Causality violation"
    relaxed_acquire by lock_lets_one_thread_in as "Causality violation"
    relaxed_release by lock_lets_one_thread_in as "Causality violation"
}
