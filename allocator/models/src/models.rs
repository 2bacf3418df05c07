// The runs. Included once for every copy of the code.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::heap::Heap;
use super::lock::Lock;
use super::{remote, thread_local, threads};
use crate::atomic;
use crate::blocks::class::{PAIR, SINGLE};
use crate::blocks::{is_home, make};
use crate::system;

/// A dead block on its way between threads.
#[derive(Clone, Copy)]
struct Dead(*mut u8, u32);

// SAFETY: the model checker sees to the order of uses.
unsafe impl Send for Dead {}

impl Dead {
    fn of(owner: Heap, offset: u32) -> Self {
        let entry = owner.tag() | offset;
        Self(make(entry), entry)
    }

    /// Freed by whoever works on `heap`.
    fn free(self, heap: Heap) {
        // SAFETY: dead, and of another heap.
        unsafe { remote::free(heap, self.0, self.1) };
    }
}

/// Runs the model once without threads, so that all statics are known, and then in every way.
fn check(model: fn()) {
    let _alone = atomic::one_at_a_time();
    let run = |model: fn()| {
        atomic::begin();
        system::begin();
        model();
    };
    loom::model(move || {
        run(|| {
            let heap = threads::heap().expect("memory");
            let other = threads::obtain_private().expect("memory");
            Dead::of(other, SINGLE).free(heap);
            threads::with_late(Heap::settle).expect("memory");
            system::end_of_thread(heap.0.cast());
            threads::look_after(heap);
            threads::look_after_all();
        });
    });
    let mut checker = loom::model::Builder::new();
    checker.preemption_bound = Some(3);
    checker.check(move || run(model));
}

/// A heap that no thread has.
fn heap() -> Heap {
    let heap = threads::obtain_private().expect("memory");
    heap.fields().is_private = false;
    heap
}

/// Runs the actors as threads, begun in the given order or the other one, to their ends.
fn all<const N: usize>(flipped: bool, mut actors: [Box<dyn FnOnce() + Send>; N]) {
    if flipped {
        actors.reverse();
    }
    for thread in actors.map(thread::spawn) {
        thread.join().unwrap();
    }
}

pub(crate) fn chains_of_two_senders_arrive_once() {
    fn model(flipped: bool) {
        let owner = heap();
        let first = [Dead::of(owner, PAIR), Dead::of(owner, PAIR)];
        let second = [Dead::of(owner, SINGLE), Dead::of(owner, SINGLE)];
        let sends = |blocks: [Dead; 2]| -> Box<dyn FnOnce() + Send> {
            let sender = heap();
            Box::new(move || blocks.map(|block| block.free(sender)).into_iter().collect::<()>())
        };
        let collects = Box::new(move || remote::collect(owner));
        all(flipped, [sends(first), sends(second), collects]);
        remote::collect(owner);
        assert!([first, second].iter().flatten().all(|block| is_home(block.0)));
    }
    check(|| model(false));
    check(|| model(true));
}

pub(crate) fn chain_sent_while_its_heap_is_parked_arrives_once() {
    fn model(flipped: bool) {
        let (owner, sender) = (heap(), heap());
        let blocks = [Dead::of(owner, SINGLE), Dead::of(owner, SINGLE)];
        let parks = Box::new(move || {
            owner.settle();
            threads::park(owner);
        });
        let sends = Box::new(move || blocks.map(|block| block.free(sender)).into_iter().collect::<()>());
        all(flipped, [sends, parks]);
        let adopted = threads::heap().expect("memory");
        assert!(adopted == owner, "the parked heap is adopted");
        adopted.settle();
        assert!(blocks.iter().all(|block| is_home(block.0)));
    }
    check(|| model(false));
    check(|| model(true));
}

pub(crate) fn parked_heap_is_looked_after_or_adopted_but_not_both() {
    fn model(flipped: bool) {
        let (owner, sender) = (heap(), heap());
        let block = Dead::of(owner, SINGLE);
        threads::park(owner);
        let adopts = Box::new(move || {
            let adopted = threads::heap().expect("memory");
            assert!(adopted == owner);
            adopted.settle();
            // The thread ends, and its heap is parked again.
            system::end_of_thread(adopted.0.cast());
        });
        let sends = Box::new(move || block.free(sender));
        all(flipped, [sends, adopts]);
        threads::look_after_all();
        assert!(is_home(block.0));
    }
    check(|| model(false));
    check(|| model(true));
}

pub(crate) fn heap_of_an_ended_thread_goes_to_one_thread() {
    fn model(flipped: bool) {
        let owner = heap();
        threads::park(owner);
        let adopts = || -> Box<dyn FnOnce() + Send> {
            Box::new(|| threads::heap().expect("memory").settle())
        };
        all(flipped, [adopts(), adopts()]);
    }
    check(|| model(false));
    check(|| model(true));
}

pub(crate) fn hooks_are_set_once_before_anybody_goes_on() {
    check(|| {
        let attaches = || -> Box<dyn FnOnce() + Send> {
            Box::new(|| assert!(threads::heap().is_some()))
        };
        all(false, [attaches(), attaches()]);
        assert_eq!(system::keys(), 1);
    });
}

pub(crate) fn late_heap_serves_one_thread_at_a_time() {
    check(|| {
        let calls = || -> Box<dyn FnOnce() + Send> {
            Box::new(|| {
                thread_local::set_late();
                assert!(threads::heap().is_none());
                threads::with_late(Heap::settle).expect("memory");
            })
        };
        all(false, [calls(), calls()]);
    });
}

/// What a lock guards.
struct Guarded(UnsafeCell<u32>);

// SAFETY: the model checker sees to the order of uses.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

pub(crate) fn lock_lets_one_thread_in() {
    static LOCK: Lock = Lock::new();
    check(|| {
        // Known before there are threads.
        drop(LOCK.hold());
        let guarded = Arc::new(Guarded(UnsafeCell::new(0)));
        let adds = |guarded: Arc<Guarded>| -> Box<dyn FnOnce() + Send> {
            Box::new(move || {
                let _held = LOCK.hold();
                // SAFETY: the lock is held, which is what the model checks.
                guarded.0.with_mut(|value| unsafe { *value += 1 });
            })
        };
        all(false, [adds(guarded.clone()), adds(guarded.clone())]);
        let _held = LOCK.hold();
        // SAFETY: the lock is held.
        assert_eq!(guarded.0.with(|value| unsafe { *value }), 2);
    });
}

pub(crate) fn new_heaps_have_numbers_of_their_own() {
    check(|| {
        let other = thread::spawn(|| heap().tag());
        let own = heap().tag();
        assert_ne!(own, other.join().unwrap());
    });
}
