//! Blocks that move between threads which come and go.

use std::env;
use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arenite::Arenite;

use crate::block::{Block, Called, Door, Request};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::model::step;
use crate::posix;
use crate::random::Random;

type Blocks = Vec<Block<Called>>;

/// Seconds in `ARENITE_STRESS_SECONDS`, or 5.
fn stress_time() -> Duration {
    let seconds = env::var("ARENITE_STRESS_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

/// Runs `count` threads at a time until their destructors are through as well: the end of a scope
/// alone does not wait for these.
fn in_threads<F: FnOnce() + Send>(count: usize, mut body: impl FnMut() -> F) {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(body())).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// One thread's life: random calls, and now and then all of its blocks for those of a place that
/// everybody shares. It ends with its blocks alive.
fn live(mut random: Random, calls: usize, slots: &[Mutex<Blocks>], moved: &AtomicU64) {
    let mut blocks = Vec::new();
    for turn in 0..calls {
        step(Called, &mut random, &mut blocks, 300);
        if turn % 256 == 0 {
            let slot = &slots[random.below(slots.len())];
            std::mem::swap(&mut *slot.lock().unwrap(), &mut blocks);
            moved.fetch_add(blocks.len() as u64, Ordering::Relaxed);
        }
        if turn % 4096 == 0 && random.below(8) == 0 {
            Arenite::purge();
        }
    }
    let mut slot = slots[random.below(slots.len())].lock().unwrap();
    slot.append(&mut blocks);
    // What is more than enough is freed by whoever ends here.
    slot.truncate(2000);
}

#[test]
fn blocks_survive_threads_that_come_and_go_and_all_memory_goes_back() {
    alone(|| {
        posix::alarm(0);
        let end = Instant::now() + stress_time();
        let mut seeds = Random::seeded("threads", 5);
        let slots: Vec<_> = (0..32).map(|_| Mutex::new(Vec::new())).collect();
        let (lives, moved) = (AtomicUsize::new(0), AtomicU64::new(0));
        in_threads(8, || {
            let mut lane = seeds.fork();
            let (slots, lives, moved) = (&slots, &lives, &moved);
            move || {
                while Instant::now() < end {
                    let (random, calls) = (lane.fork(), 1 + lane.below(20_000));
                    in_threads(1, || {
                        let random = random.clone();
                        move || live(random, calls, slots, moved)
                    });
                    lives.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        assert_sound();
        println!("{} threads, {} blocks moved", lives.into_inner(), moved.into_inner());
        drop(slots);
        assert_empty();
    });
}

/// Producers hand every block to consumers, who free all of them.
#[test]
fn blocks_freed_by_others_come_home_and_are_used_again() {
    alone(|| {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<Blocks>(4);
        let consumer = thread::spawn(move || receiver.into_iter().map(|blocks| blocks.len()).sum());
        let mut made = 0;
        for batch in 0..300 {
            let blocks: Blocks = (0..500)
                .map(|at| Block::new(Called, Request::of(16 << (at % 6)), batch + at).unwrap())
                .collect();
            made += blocks.len();
            sender.send(blocks).unwrap();
        }
        drop(sender);
        let freed: usize = consumer.join().unwrap();
        assert_eq!(freed, made);
        let stats = Arenite::stats();
        assert!(stats.arenas <= 3, "150,000 blocks of 168 bytes on average passed by: {stats}");
        assert_empty();
    });
}

#[test]
fn heap_of_a_thread_that_ended_is_adopted() {
    alone(|| {
        let mut kept = Vec::new();
        for generation in 0..100 {
            let block = thread::spawn(move || {
                let blocks = [0; 8].map(|at| Block::new(Called, Request::of(100), at).unwrap());
                let [first, ..] = blocks;
                first
            });
            kept.push(block.join().unwrap());
            assert!(Arenite::stats().heaps <= 2, "generation {generation}");
        }
        assert_sound();
        drop(kept);
        assert_empty();
    });
}

/// The owners are gone, and nobody takes their heaps: whoever frees brings the memory home. More of it
/// than a heap keeps in its fronts.
#[test]
fn blocks_of_dead_threads_go_back_when_others_free_them() {
    alone(|| {
        let blocks: Vec<Blocks> = (0..4)
            .map(|_| {
                let make =
                    || (0..80_000).map(|at| Block::new(Called, Request::of(128), at).unwrap());
                thread::scope(|scope| scope.spawn(|| make().collect()).join().unwrap())
            })
            .collect();
        let full = Arenite::stats();
        drop(blocks);
        let stats = Arenite::stats();
        let occupied = |stats: &arenite::FlagshipStats| stats.live_bytes + stats.free_bytes;
        assert!(occupied(&stats) * 4 < occupied(&full), "before any purge: {full}{stats}");
        assert_empty();
    });
}

/// Every class, by every call, as the first thing that a thread does.
#[test]
fn any_call_can_be_the_first_of_a_thread() {
    alone(|| {
        let sizes: Vec<usize> = crate::requests::edges().into_iter().step_by(3).collect();
        for size in sizes {
            let freed = Block::new(Called, Request::of(size), size).unwrap();
            let mut resized = Block::new(Called, Request::of(size), size).unwrap();
            let calls: [Box<dyn FnOnce() + Send>; 5] = [
                Box::new(move || drop(freed)),
                Box::new(move || assert!(resized.resize(size + 1000))),
                Box::new(move || drop(Block::new(Called, Request::of(size), size).unwrap())),
                Box::new(move || {
                    let request = Request { size, align: 1, zeroed: true };
                    drop(Block::new(Called, request, size).unwrap());
                }),
                Box::new(move || {
                    let request = Request { size, align: 4096, zeroed: false };
                    drop(Block::new(Called, request, size).unwrap());
                }),
            ];
            for call in calls {
                thread::spawn(call).join().unwrap();
            }
        }
        assert_empty();
    });
}

/// Blocks made and freed when the thread's heap has been taken away.
fn calls_of_a_late_thread() {
    let blocks: Vec<_> = [0, 16, 100, 1000, 5000, 40_000, 2 << 20]
        .into_iter()
        .map(|size| Block::new(Called, Request::of(size), size).unwrap())
        .collect();
    let mut slot = LATE.lock().unwrap();
    // Frees what another late thread made, and leaves what this one made.
    *slot = blocks;
}

static LATE: Mutex<Blocks> = Mutex::new(Vec::new());
static LATE_CALLS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn late(rounds: *mut c_void) {
    calls_of_a_late_thread();
    LATE_CALLS.fetch_add(1, Ordering::Relaxed);
    // A destructor that sets the value again is called again.
    if rounds.addr() > 1 {
        posix::set_late_value(rounds.wrapping_byte_sub(1));
    }
}

struct OnDrop;

impl Drop for OnDrop {
    fn drop(&mut self) {
        calls_of_a_late_thread();
        LATE_CALLS.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn destructors_of_threads_can_allocate_and_free() {
    thread_local!(static DROPPED: OnDrop = const { OnDrop });
    alone(|| {
        // The heap's own key first: destructors of later keys run after its.
        drop(Block::new(Called, Request::of(1), 1));
        posix::make_late_key(late);
        in_threads(20, || {
            || {
                DROPPED.with(|_| {});
                posix::set_late_value(ptr::without_provenance_mut(3));
                drop(Block::new(Called, Request::of(100), 1).unwrap());
            }
        });
        // A thread whose first call at all is late.
        thread::spawn(|| posix::set_late_value(ptr::without_provenance_mut(1))).join().unwrap();
        assert_eq!(LATE_CALLS.load(Ordering::Relaxed), 20 * 4 + 1);
        LATE.lock().unwrap().clear();
        assert_empty();
    });
}

/// Runs in the process of the test below, when main has returned.
extern "C" fn at_exit() {
    calls_of_a_late_thread();
    LATE.lock().unwrap().clear();
    println!("at exit");
}

#[test]
fn functions_called_at_exit_can_allocate_and_free() {
    let said = alone(|| {
        drop(Block::new(Called, Request::of(1), 1));
        posix::at_exit(at_exit);
    });
    assert!(said.is_none_or(|said| said.contains("at exit\n")));
}

/// Frees by another thread while the owner allocates, one block at a time: chains of every length.
#[test]
fn single_blocks_go_back_and_forth() {
    alone(|| {
        let (there, here) = (Mutex::new(Blocks::new()), Mutex::new(Blocks::new()));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let mut at = 0;
                while !done.load(Ordering::Relaxed) {
                    drop(there.lock().unwrap().pop());
                    let block = Block::new(Called, Request::of(40), at).unwrap();
                    here.lock().unwrap().push(block);
                    at += 1;
                    here.lock().unwrap().truncate(50);
                }
            });
            for at in 0..50_000 {
                drop(here.lock().unwrap().pop());
                there.lock().unwrap().push(Block::new(Called, Request::of(40), at).unwrap());
                there.lock().unwrap().truncate(50);
            }
            done.store(true, Ordering::Relaxed);
            other.join().unwrap();
        });
        drop((there, here));
        assert_empty();
    });
}

/// `Door` is implemented by values that any thread may use.
const _: fn() = || {
    fn is_sent<D: Door + Send>() {}
    is_sent::<Called>();
};
