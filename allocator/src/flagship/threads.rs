//! Threads and their heaps: attach, detach, park, adopt.
//!
//! ```text
//!             attach                        detach (the thread's destructors run)
//!   no heap ----------> attached heap --------------------------------------------> parked heap
//!                  ^                                                                     |
//!                  +------------------- adopted whole by a new thread <------------------+
//! ```
//! A thread gets its heap with its first slow call: one that is parked, with all its pools and live
//! blocks, or a new one. When it ends, a destructor of POSIX thread-specific data sends home what it
//! held and parks the heap. Entries in the map name heaps by number, so that adopting rewrites
//! nothing.
//!
//! What a thread allocates after its destructor has run (destructors of other libraries) comes from
//! one heap of the process under a lock, the *late heap*: nobody would park a second heap.
//!
//! Invariants:
//! * **A1** `HEAPS[n]` is null or the heap numbered `n`, for good; number 0 is nobody's.
//! * **A2** A heap is attached to one thread, or in the roster's list with `parked` set, or the late
//!   heap, or private to a `Heap` value, or unused and without blocks. The roster lock guards every change.

pub(crate) mod check;

use core::cell::UnsafeCell;
use core::ffi::{c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::fork;
use super::heap::{Heap, ThreadHeap};
use super::lock::Lock;
use super::os;
use super::range;
use super::settings;
use super::thread_local;
use crate::sys;

/// Guards the roster.
pub(crate) static ROSTER: Lock = Lock::new();
/// Guards the late heap.
pub(crate) static LATE: Lock = Lock::new();

/// Number of heaps there can be at a time.
const MAX_HEAPS: usize = 1 << 16;
/// Heaps whose memory is mapped at a time.
const BATCH: usize = 8;

static HEAPS: [AtomicPtr<ThreadHeap>; MAX_HEAPS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; MAX_HEAPS];
static LATE_HEAP: AtomicPtr<ThreadHeap> = AtomicPtr::new(ptr::null_mut());
/// Number of heaps that were ever made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Parked heaps and room for new ones.
struct Roster {
    parked: *mut ThreadHeap,
    /// Heaps without blocks.
    unused: *mut ThreadHeap,
    next_number: u32,
    room: *mut ThreadHeap,
    rooms: usize,
}

struct Guarded(UnsafeCell<Roster>);

// SAFETY: reached under the roster lock alone.
unsafe impl Sync for Guarded {}

static STATE: Guarded = Guarded(UnsafeCell::new(Roster {
    parked: ptr::null_mut(),
    unused: ptr::null_mut(),
    next_number: 1,
    room: ptr::null_mut(),
    rooms: 0,
}));

/// Whether the process's hooks are set: not yet, by which process just now, or done.
static HOOKS: AtomicU32 = AtomicU32::new(0);
static KEY: AtomicU32 = AtomicU32::new(0);

/// The heap with a number that an entry holds.
pub(crate) fn heap_of(number: u32) -> Heap {
    // Relaxed: whoever holds a block got it after its heap was made.
    Heap(HEAPS[number as usize].load(Ordering::Relaxed))
}

/// How many heaps there are, parked ones and those without blocks among them.
pub(crate) fn heaps() -> usize {
    MADE.load(Ordering::Relaxed) as usize
}

/// The calling thread's heap; it is given one if it has none. `None` when out of memory, or when the
/// thread is late, or the process watched, and must use [`with_late`].
pub(crate) fn heap() -> Option<Heap> {
    let heap = thread_local::heap();
    if thread_local::is_empty(heap) { attach() } else { Some(Heap(heap)) }
}

#[cold]
#[inline(never)]
fn attach() -> Option<Heap> {
    if thread_local::is_late() {
        return None;
    }
    settings::read();
    if settings::watch().is_some() {
        // Every call goes the slow way (`watched.rs`).
        return None;
    }
    let heap = obtain()?;
    // A thread may free long before it takes a pool.
    heap.fields().range = range::primary().extent();
    thread_local::set_heap(heap.0);
    set_hooks();
    // SAFETY: a key that was not created is refused; with a key of 32 or more this may call calloc,
    // which finds the thread's heap in place.
    let refused = unsafe { sys::pthread_setspecific(KEY.load(Ordering::Relaxed), heap.0.cast()) };
    if refused == 0 {
        return Some(heap);
    }
    // Nobody would park the heap when the thread ends: the thread is served like a late one.
    // SAFETY: the heap is the thread's, which is done with it.
    unsafe { detach(heap.0.cast()) };
    None
}

/// A heap for a thread: parked, with whatever lives in it, or without blocks.
fn obtain() -> Option<Heap> {
    let _held = ROSTER.hold();
    // SAFETY: the roster lock is held, and this is the only reference.
    let roster = unsafe { &mut *STATE.0.get() };
    let parked = Heap(roster.parked);
    if parked.0.is_null() {
        return roster.empty_heap();
    }
    roster.parked = parked.fields().next_parked;
    parked.inbox().parked.store(false, Ordering::Relaxed);
    parked.inbox().unseen.store(0, Ordering::Relaxed);
    Some(parked)
}

/// A heap without blocks for a `Heap` value.
pub(crate) fn obtain_private() -> Option<Heap> {
    settings::read();
    let _held = ROSTER.hold();
    // SAFETY: the roster lock is held, and this is the only reference.
    let heap = unsafe { &mut *STATE.0.get() }.empty_heap()?;
    heap.fields().is_private = true;
    Some(heap)
}

/// Takes back the heap of a `Heap` value, which has no blocks any more.
pub(crate) fn give_private(heap: Heap) {
    let _held = ROSTER.hold();
    // SAFETY: the roster lock is held, and this is the only reference.
    let roster = unsafe { &mut *STATE.0.get() };
    heap.fields().is_private = false;
    heap.fields().next_parked = roster.unused;
    roster.unused = heap.0;
}

/// Parks a heap that nobody works on any more.
pub(crate) fn park(heap: Heap) {
    let _held = ROSTER.hold();
    // SAFETY: the roster lock is held, and this is the only reference.
    let roster = unsafe { &mut *STATE.0.get() };
    heap.fields().next_parked = roster.parked;
    heap.inbox().parked.store(true, Ordering::Relaxed);
    roster.parked = heap.0;
}

/// Brings home what was sent to a parked heap, so that memory freed for a thread that ended goes
/// back. Does nothing when the heap has been adopted meanwhile.
#[cold]
pub(crate) fn look_after(heap: Heap) {
    let _held = ROSTER.hold();
    if heap.inbox().parked.load(Ordering::Relaxed) {
        heap.inbox().unseen.store(0, Ordering::Relaxed);
        heap.settle();
    }
}

/// Brings home what was sent to any parked heap.
pub(crate) fn look_after_all() {
    let _held = ROSTER.hold();
    // SAFETY: the roster lock is held.
    let mut heap = Heap(unsafe { (*STATE.0.get()).parked });
    while !heap.0.is_null() {
        heap.settle();
        heap = Heap(heap.fields().next_parked);
    }
}

/// Runs `work` on the late heap, under its lock. `None` when there is no memory for it.
pub(crate) fn with_late<T>(work: impl FnOnce(Heap) -> T) -> Option<T> {
    let _held = LATE.hold();
    let mut heap = LATE_HEAP.load(Ordering::Relaxed);
    if heap.is_null() {
        heap = obtain()?.0;
        LATE_HEAP.store(heap, Ordering::Relaxed);
    }
    Some(work(Heap(heap)))
}

impl Roster {
    /// A heap without blocks: one that was given back, or a new one.
    fn empty_heap(&mut self) -> Option<Heap> {
        let unused = Heap(self.unused);
        if unused.0.is_null() {
            return self.new_heap();
        }
        self.unused = unused.fields().next_parked;
        Some(unused)
    }

    fn new_heap(&mut self) -> Option<Heap> {
        let number = self.next_number;
        let place = HEAPS.get(number as usize)?;
        if self.rooms == 0 {
            let bytes = (BATCH * size_of::<ThreadHeap>()).next_multiple_of(os::OS_PAGE_BYTES);
            let memory = os::map(bytes);
            if memory.is_null() {
                return None;
            }
            self.room = memory.cast();
            self.rooms = bytes / size_of::<ThreadHeap>();
        }
        // SAFETY: fresh memory, aligned to an OS page or to the end of the heap before.
        let heap = unsafe { Heap::create(self.room, number) };
        self.room = self.room.wrapping_add(1);
        self.rooms -= 1;
        self.next_number += 1;
        place.store(heap.0, Ordering::Relaxed);
        MADE.fetch_add(1, Ordering::Relaxed);
        Some(heap)
    }
}

/// Registers, once in the process, what is to happen at the end of threads and at fork.
pub(crate) fn set_hooks() {
    const UNSET: u32 = 0;
    const SET: u32 = 1;
    // While they are being set, the process that does it, so that a child forked meanwhile does not
    // wait for a thread it does not have.
    // SAFETY: no preconditions.
    let process = unsafe { sys::getpid() } as u32 | 1 << 31;
    // Acquire: pairs with the release below; the key is created and fork is prepared before.
    match HOOKS.compare_exchange(UNSET, process, Ordering::Acquire, Ordering::Acquire) {
        Ok(_) => {
            let mut key: c_uint = 0;
            // SAFETY: `key` is a place for the answer. When keys have run out, every thread
            // is served like a late one (`attach`).
            let refused = unsafe { sys::pthread_key_create(&raw mut key, Some(detach)) };
            KEY.store(if refused == 0 { key } else { c_uint::MAX }, Ordering::Relaxed);
            fork::register();
            HOOKS.store(SET, Ordering::Release);
        }
        Err(mut state) => {
            while state != SET {
                if state != process {
                    // A child: whoever was setting them is not here.
                    let _another =
                        HOOKS.compare_exchange(state, UNSET, Ordering::Acquire, Ordering::Acquire);
                    return set_hooks();
                }
                // SAFETY: no preconditions.
                unsafe { sys::sched_yield() };
                state = HOOKS.load(Ordering::Acquire);
            }
        }
    }
}

/// The thread ends: its heap goes home and is parked.
unsafe extern "C" fn detach(heap: *mut c_void) {
    thread_local::set_heap(&raw const thread_local::EMPTY);
    thread_local::set_late();
    let heap = Heap(heap.cast());
    heap.settle();
    park(heap);
}
