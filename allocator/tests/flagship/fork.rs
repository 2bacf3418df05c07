//! Processes that fork while their threads are inside of the heap.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use arenite::Arenite;

use crate::block::{Block, Called, Request};
use crate::child::alone;
use crate::heap::assert_sound;
use crate::model::step;
use crate::posix::{self, Forked};
use crate::random::Random;

/// Seconds that a forked process may take.
const LIMIT_SECONDS: u32 = 60;

/// Forks in `ARENITE_FORKS`, or else 1000; 200 where nothing is optimised.
fn forks() -> usize {
    let default = if cfg!(debug_assertions) { 200 } else { 1000 };
    env::var("ARENITE_FORKS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a forked process does: frees blocks of its parent, calls of all kinds, a thread of its own,
/// the end. It never touches the standard library's locks, which another thread may have held.
fn after_fork(seed: u64, inherited: Vec<Block<Called>>) -> ! {
    posix::alarm(LIMIT_SECONDS);
    drop(inherited);
    let mut random = Random::from_seed(seed);
    let mut blocks = Vec::with_capacity(32);
    for _ in 0..100 {
        step(Called, &mut random, &mut blocks, 30);
    }
    drop(blocks);
    Arenite::purge();
    posix::end(0);
}

fn inherited(seed: usize) -> Vec<Block<Called>> {
    let request = |at| Request::of([24, 500, 5000, 50_000, 2 << 20][at % 5]);
    (0..10).map(|at| Block::new(Called, request(at), seed + at).unwrap()).collect()
}

#[test]
fn forked_process_goes_on_while_threads_were_inside_of_the_heap() {
    alone(|| {
        posix::alarm(0);
        let done = AtomicBool::new(false);
        let mut seeds = Random::seeded("fork", 8);
        thread::scope(|scope| {
            let busy = [0; 4].map(|_| {
                let (done, mut random) = (&done, seeds.fork());
                scope.spawn(move || {
                    let mut blocks = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        step(Called, &mut random, &mut blocks, 200);
                        if random.below(5000) == 0 {
                            Arenite::purge();
                        }
                    }
                })
            });
            for fork in 0..forks() {
                let blocks = inherited(fork);
                match posix::fork() {
                    Forked::Child => after_fork(fork as u64, blocks),
                    Forked::Parent(child) => {
                        assert_eq!(child.wait(), 0, "fork {fork}: ended by a signal, or badly");
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
            busy.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_sound();
    });
}

/// The first call at all of the process, in parent and child.
#[test]
fn forked_process_can_be_the_first_to_call() {
    alone(|| match posix::fork() {
        Forked::Child => after_fork(1, Vec::new()),
        Forked::Parent(child) => {
            assert_eq!(child.wait(), 0);
            drop(inherited(1));
        }
    });
}

#[test]
fn forked_process_can_start_threads_and_fork() {
    alone(|| {
        let blocks = inherited(1);
        match posix::fork() {
            Forked::Child => {
                posix::alarm(LIMIT_SECONDS);
                thread::spawn(|| drop(inherited(2))).join().unwrap();
                let blocks = thread::spawn(|| inherited(3)).join().unwrap();
                match posix::fork() {
                    Forked::Child => after_fork(4, blocks),
                    Forked::Parent(child) => posix::end(child.wait()),
                }
            }
            Forked::Parent(child) => assert_eq!(child.wait(), 0),
        }
        drop(blocks);
        assert_sound();
    });
}
