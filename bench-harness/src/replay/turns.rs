//! Recorded order on the threads of the trace: every call is made by its own thread, one at a time.
//!
//! [`InTurns`] stands between the replay loop and a subject, as `verify` does. The loop runs on the
//! child's first thread, reads the plan and touches the blocks; a call of another thread is handed to
//! that thread, which makes it while the first one sleeps:
//! ```text
//! first thread   turn(2)  hand over malloc --.            .-- touch, next call
//! thread 2                sleeps ------------`- malloc ---'  sleeps
//! ```
//! So each thread has its heap and a free by another thread is one, and yet nothing hangs on who is
//! faster: instructions and memory repeat as they do on one thread. Handing over, and the starts and ends
//! of threads, are not counted; times would be those of handing over, and none is taken.
//!
//! * B1: what lies on a desk is read and replaced with its lock held; the handle on the subject, made for
//!   the desk's owner, is moved out of it once, by the owner.
//! * B2: [`InTurns`] joins every thread before the desks go.

#[cfg(test)]
mod tests;

use std::ffi::c_void;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard};

use super::allocator::Allocator;
use super::team::{Hooks, SHARED, create, join};
use crate::plan::op::{Extent, Meeting, Place};
use crate::plan::streams::Phase;
use crate::valgrind::requests::Region;

/// A call that a thread is to make.
#[derive(Clone, Copy)]
enum Call {
    Malloc {
        size: usize,
    },
    Calloc {
        size: usize,
    },
    Aligned {
        extent: Extent,
    },
    ReallocNew {
        size: usize,
    },
    Realloc {
        block: *mut u8,
        old: Extent,
        size: usize,
    },
    Free {
        block: *mut u8,
        old: Extent,
    },
    FreeNull,
    /// None: the thread's end.
    End,
}

/// What lies on a desk.
enum Paper {
    Nothing,
    /// A call, and the slot that it is about.
    Call(Call, Place),
    Answer(*mut u8),
}

/// Where one thread gets its calls.
struct Desk<A> {
    paper: Mutex<Paper>,
    changed: Condvar,
    allocator: Mutex<Option<A>>,
    hooks: Hooks,
}

// SAFETY: B1: what lies on a desk is handed over with its lock, and the handle on the subject was made
// for another thread.
unsafe impl<A> Sync for Desk<A> {}

impl<A> Desk<A> {
    fn lock(&self) -> MutexGuard<'_, Paper> {
        self.paper.lock().expect("no thread panics with a lock held")
    }

    /// Puts a paper down and waits for one that `is_wanted`, which is taken.
    fn exchange(&self, paper: Paper, is_wanted: fn(&Paper) -> bool) -> Paper {
        *self.lock() = paper;
        // Without the lock: on one processor, whoever wakes up with it held has to sleep again.
        self.changed.notify_all();
        let mut lies = self.lock();
        while !is_wanted(&lies) {
            lies = self.changed.wait(lies).expect("no thread panics with a lock held");
        }
        std::mem::replace(&mut *lies, Paper::Nothing)
    }
}

/// A thread that has a desk.
struct Worker<A> {
    desk: Box<Desk<A>>,
    thread: libc::pthread_t,
}

/// An allocator whose calls are made by the threads of the plan, in turns.
pub(crate) struct InTurns<A: Allocator> {
    /// The first thread's handle.
    here: A,
    hooks: Hooks,
    region: Region,
    /// By index in the plan; none of the first thread, and of those that have ended.
    workers: Vec<Option<Worker<A>>>,
    /// Whose turn it is.
    current: usize,
    /// Why a thread could not be started.
    failure: Option<io::Error>,
}

impl<A: Allocator> InTurns<A> {
    /// Wraps a subject that serves several threads.
    pub(crate) fn new(here: A, hooks: Hooks) -> Self {
        let region = Region::of_this_process();
        Self { here, hooks, region, workers: Vec::new(), current: 0, failure: None }
    }

    /// Makes it a thread's turn; starts it when it is new. False when it cannot be started.
    fn turn(&mut self, thread: usize) -> bool {
        self.current = thread;
        if self.workers.len() <= thread {
            self.workers.resize_with(thread + 1, || None);
        }
        if thread == 0 || self.workers[thread].is_some() {
            return true;
        }
        let desk = Box::new(Desk {
            paper: Mutex::new(Paper::Nothing),
            changed: Condvar::new(),
            allocator: Mutex::new(Some(self.here.another().expect(SHARED))),
            hooks: self.hooks,
        });
        let argument = (&raw const *desk).cast_mut().cast();
        self.region.pause();
        // SAFETY: B2: the desk is there until the thread has been joined.
        let created = unsafe { create(main::<A>, argument) };
        self.region.resume();
        match created {
            Ok(thread_id) => {
                self.workers[thread] = Some(Worker { desk, thread: thread_id });
                true
            }
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    /// Ends a thread and waits until it is gone.
    fn end(&mut self, thread: usize) {
        let Some(worker) = self.workers.get_mut(thread).and_then(Option::take) else { return };
        let Worker { desk, thread } = worker;
        let end = Paper::Call(Call::End, Place::default());
        self.region.pause();
        desk.exchange(end, |paper| matches!(paper, Paper::Answer(_)));
        join(thread);
        self.region.resume();
    }

    /// Has the thread whose turn it is make a call. Out of line, as is [`make`]: what is counted on the
    /// way there and back is the same whatever the compiler makes of the rest of the harness.
    #[inline(never)]
    fn hand_over(&mut self, slot: Place, call: Call) -> *mut u8 {
        let worker = self.workers[self.current].as_ref().expect("a thread is there at its turn");
        self.region.pause();
        let answer = worker
            .desk
            .exchange(Paper::Call(call, slot), |paper| matches!(paper, Paper::Answer(_)));
        self.region.resume();
        let Paper::Answer(block) = answer else { unreachable!("what was waited for") };
        block
    }
}

impl<A: Allocator> Drop for InTurns<A> {
    fn drop(&mut self) {
        (0..self.workers.len()).for_each(|thread| self.end(thread));
    }
}

/// First function of every thread but the first.
extern "C" fn main<A: Allocator>(argument: *mut c_void) -> *mut c_void {
    // SAFETY: B2.
    let desk = unsafe { &*argument.cast::<Desk<A>>() };
    let allocator = desk.allocator.lock().expect("no thread panics with a lock held").take();
    let mut allocator = allocator.expect("a desk has one owner");
    let region = Region::of_this_process();
    if let Some(enter) = desk.hooks.enter {
        enter();
    }
    let is_call = |paper: &Paper| matches!(paper, Paper::Call(..));
    let mut paper = {
        let mut lies = desk.lock();
        while !is_call(&lies) {
            lies = desk.changed.wait(lies).expect("no thread panics with a lock held");
        }
        std::mem::replace(&mut *lies, Paper::Nothing)
    };
    while let Paper::Call(call, slot) = paper {
        if matches!(call, Call::End) {
            break;
        }
        region.resume();
        // SAFETY: the replay loop's obligation, which has handed the call over.
        let block = unsafe { make(&mut allocator, slot, call) };
        region.pause();
        paper = desk.exchange(Paper::Answer(block), is_call);
    }
    if let Some(leave) = desk.hooks.leave {
        leave();
    }
    let mut lies = desk.lock();
    *lies = Paper::Answer(std::ptr::null_mut());
    desk.changed.notify_all();
    std::ptr::null_mut()
}

/// Makes one call; the block where there is one.
///
/// # Safety
/// Blocks are live ones of the subject, of their slots and extents.
#[inline(never)]
unsafe fn make<A: Allocator>(allocator: &mut A, slot: Place, call: Call) -> *mut u8 {
    match call {
        Call::Malloc { size } => allocator.malloc(slot, size),
        Call::Calloc { size } => allocator.calloc(slot, size),
        Call::Aligned { extent } => allocator.aligned(slot, extent),
        Call::ReallocNew { size } => allocator.realloc_new(slot, size),
        Call::Realloc { block, old, size } => {
            // SAFETY: the caller's obligation.
            unsafe { allocator.realloc(slot, block, old, size) }
        }
        Call::Free { block, old } => {
            // SAFETY: the caller's obligation.
            unsafe { allocator.free(slot, block, old) };
            std::ptr::null_mut()
        }
        Call::FreeNull => {
            allocator.free_null();
            std::ptr::null_mut()
        }
        Call::End => std::ptr::null_mut(),
    }
}

// SAFETY: the inner allocator's promise, whichever thread makes the call.
unsafe impl<A: Allocator> Allocator for InTurns<A> {
    const ASSIGNED: bool = A::ASSIGNED;
    const MIN_SIZE: usize = A::MIN_SIZE;

    unsafe fn assign(&mut self, pointers: *mut *mut u8) {
        // SAFETY: the caller's obligation.
        unsafe { self.here.assign(pointers) };
    }

    fn enter(&mut self, phase: Phase) {
        self.here.enter(phase);
    }

    fn meet(&mut self, meeting: Meeting, thread: u32, _argument: u64) -> bool {
        match meeting {
            Meeting::Turn => self.turn(thread as usize),
            Meeting::End => {
                self.end(thread as usize);
                true
            }
            _ => unreachable!("P3: {meeting:?} in a plan of one row"),
        }
    }

    fn refusal(&mut self) -> io::Error {
        self.failure.take().expect("a turn is refused where a thread cannot be started")
    }

    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        match self.current {
            0 => self.here.malloc(slot, size),
            _ => self.hand_over(slot, Call::Malloc { size }),
        }
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        match self.current {
            0 => self.here.calloc(slot, size),
            _ => self.hand_over(slot, Call::Calloc { size }),
        }
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        match self.current {
            0 => self.here.aligned(slot, extent),
            _ => self.hand_over(slot, Call::Aligned { extent }),
        }
    }

    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        match self.current {
            0 => self.here.realloc_new(slot, size),
            _ => self.hand_over(slot, Call::ReallocNew { size }),
        }
    }

    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        match self.current {
            // SAFETY: the caller's obligation.
            0 => unsafe { self.here.realloc(slot, ptr, old, size) },
            _ => self.hand_over(slot, Call::Realloc { block: ptr, old, size }),
        }
    }

    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent) {
        if self.current == 0 {
            // SAFETY: the caller's obligation.
            unsafe { self.here.free(slot, ptr, old) };
        } else {
            self.hand_over(slot, Call::Free { block: ptr, old });
        }
    }

    fn free_null(&mut self) {
        if self.current == 0 {
            self.here.free_null();
        } else {
            self.hand_over(Place::default(), Call::FreeNull);
        }
    }

    unsafe fn usable_size(&mut self, ptr: *mut u8) -> Option<usize> {
        // SAFETY: the caller's obligation.
        unsafe { self.here.usable_size(ptr) }
    }
}
