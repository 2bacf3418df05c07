//! What lies below the protocols: memory, data of threads, sleeping, last words.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The key that the heap is given.
const KEY: c_uint = 7;

type Destructor = unsafe extern "C" fn(*mut c_void);

static KEYS: AtomicUsize = AtomicUsize::new(0);
static DESTRUCTOR: Mutex<Option<Destructor>> = Mutex::new(None);

/// Begins a run.
pub(crate) fn begin() {
    KEYS.store(0, Ordering::Relaxed);
}

/// Number of keys that were made in this run.
pub(crate) fn keys() -> usize {
    KEYS.load(Ordering::Relaxed)
}

pub(crate) unsafe fn pthread_key_create(key: *mut c_uint, destructor: Option<Destructor>) -> c_int {
    KEYS.fetch_add(1, Ordering::Relaxed);
    *DESTRUCTOR.lock().unwrap_or_else(PoisonError::into_inner) = destructor;
    // SAFETY: a place for the answer.
    unsafe { key.write(KEY) };
    0
}

pub(crate) unsafe fn pthread_setspecific(key: c_uint, _value: *const c_void) -> c_int {
    assert_eq!(key, KEY, "the key was made before it is used");
    0
}

/// What happens at the end of a thread that has this heap.
pub(crate) fn end_of_thread(heap: *mut c_void) {
    let destructor = *DESTRUCTOR.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the heap is the thread's, which does nothing with it any more.
    unsafe { destructor.expect("a heap has hooks")(heap) };
}

pub(crate) unsafe fn getpid() -> c_int {
    4711
}

pub(crate) unsafe fn sched_yield() -> c_int {
    loom::thread::yield_now();
    0
}

pub(crate) mod os {
    use crate::atomic::AtomicU32;

    pub(crate) const OS_PAGE_BYTES: usize = 4096;

    /// Memory for the rest of the process.
    pub(crate) fn map(bytes: usize) -> *mut u8 {
        let words = vec![[0_u64; 8]; bytes.div_ceil(64)];
        words.leak().as_mut_ptr().cast()
    }

    /// Another thread's turn: whoever holds the lock will release it.
    pub(crate) fn sleep_while(_word: &AtomicU32, _value: u32) {
        loom::thread::yield_now();
    }

    pub(crate) fn wake_one(_word: &AtomicU32) {}
}

pub(crate) mod settings {
    pub(crate) fn read() {}

    /// Nobody watches.
    pub(crate) fn watch() -> Option<()> {
        None
    }
}

pub(crate) mod fork {
    pub(crate) fn register() {}
}

pub(crate) mod fatal {
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Misuse {
        Foreign,
        SmashedLink,
    }

    pub(crate) fn die(misuse: Misuse, block: *const u8) -> ! {
        panic!("{misuse:?} {block:p}");
    }
}
