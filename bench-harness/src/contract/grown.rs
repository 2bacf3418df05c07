//! What calls cost on a heap that has grown: no more than on a small one, but for what caches hold. An allocator
//! that goes through its blocks, or through its threads, on some call is as fast as ever in a short test.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::mpsc;
use std::time::Duration;
use std::{mem, ptr, thread};

use super::crowd::begin;
use super::row::{Beside, Origin};
use super::spanned::one_of;
use super::trial::made;
use crate::os;
use crate::replay::team::Hooks;
use crate::subject::Family;

/// Bytes that the calls of one timing ask for, up to so many calls, and times over which the least counts.
const TIMED_BYTES: usize = 1 << 30;
const MOST_CALLS: usize = 20_000;
const TIMES: usize = 5;
/// Blocks that are there at once while calls are timed.
const HELD: usize = 16;
/// Times as long as calls may take beside what is there.
const MOST_TIMES_AS_LONG: u128 = 8;

/// Whether having blocks by `new` and giving them back takes about as long beside others as before them;
/// `None` when the subject lacks a function.
pub(super) fn costs(
    family: &Family,
    hooks: Hooks,
    new: Origin,
    beside: Beside,
) -> Option<Result<(), String>> {
    let is_refused = Cell::new(false);
    let timed = || timed(family, new, &is_refused);
    let before = timed()?;
    let after = match beside {
        Beside::Blocks { count, size } => {
            let block = |at| {
                let block = made(Origin::Malloc(one_of(size, at)), family)?;
                is_refused.set(is_refused.get() | block.is_null());
                Some(block)
            };
            beside_blocks(family, (0..2 * count).map(block).collect::<Option<_>>()?, timed)?
        }
        Beside::Threads { count } => beside_threads(family, hooks, new, count, timed)?,
    };
    // What is refused is fast.
    Some(if is_refused.get() { Err("null for some block".to_owned()) } else { told(before, after) })
}

/// Whether what took this long before and this long after is about the same.
///
/// # Errors
/// How many times as long it takes.
pub(super) fn told(before: Duration, after: Duration) -> Result<(), String> {
    let (before, after) = (before.as_nanos().max(1), after.as_nanos());
    if after <= MOST_TIMES_AS_LONG * before {
        return Ok(());
    }
    Err(format!("takes {} times as long", after / before))
}

/// The least processor time of this thread's that `work` takes.
pub(super) fn least_time(mut work: impl FnMut() -> Option<()>) -> Option<Duration> {
    let once = |_| {
        let begin = os::thread_time();
        work()?;
        Some(os::thread_time() - begin)
    };
    (0..TIMES).map(once).collect::<Option<Vec<_>>>()?.into_iter().min()
}

fn timed(family: &Family, new: Origin, is_refused: &Cell<bool>) -> Option<Duration> {
    let calls = (TIMED_BYTES / new.size()).clamp(HELD, MOST_CALLS);
    least_time(|| {
        for _ in 0..calls / HELD {
            let mut blocks = [ptr::null_mut(); HELD];
            for block in &mut blocks {
                *block = black_box(made(new, family)?);
                is_refused.set(is_refused.get() | block.is_null());
            }
            for block in blocks {
                // SAFETY: null, or a live block that is not used again.
                unsafe { (family.free)(block.cast()) };
            }
        }
        Some(())
    })
}

/// What `timed` says beside half of these blocks, the other half of which are given back before.
fn beside_blocks(
    family: &Family,
    mut blocks: Vec<*mut u8>,
    timed: impl Fn() -> Option<Duration>,
) -> Option<Duration> {
    let free = |block: *mut u8| {
        // SAFETY: null, or a live block that is not used again.
        unsafe { (family.free)(block.cast()) };
    };
    blocks.iter_mut().step_by(2).for_each(|block| free(mem::replace(block, ptr::null_mut())));
    let time = timed();
    blocks.into_iter().for_each(free);
    time
}

/// What `timed` says beside so many threads that have allocated and wait, or as many as this computer lets live.
fn beside_threads(
    family: &Family,
    hooks: Hooks,
    new: Origin,
    count: usize,
    timed: impl Fn() -> Option<Duration>,
) -> Option<Duration> {
    let (ready, all_ready) = mpsc::channel();
    thread::scope(|scope| {
        let start = |_| {
            let (ready, (end, ended)) = (ready.clone(), mpsc::channel::<()>());
            let work = move || {
                let own = made(new, family).unwrap_or(ptr::null_mut());
                // Whoever waits for this waits for all threads.
                let _ = ready.send(());
                drop(ready);
                // Comes back when the other end is dropped.
                let _ = ended.recv();
                // SAFETY: null, or a live block that is not used again.
                unsafe { (family.free)(own.cast()) };
            };
            begin(scope, hooks, work).ok().map(|_| end)
        };
        let ends: Vec<_> = (0..count).map_while(start).collect();
        drop(ready);
        all_ready.iter().for_each(drop);
        let time = timed();
        drop(ends);
        time
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const NEW: Origin = Origin::Malloc(48);

    fn system() -> Family {
        Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap()
    }

    fn look_at(count: usize) {
        (0..count).for_each(|at| {
            black_box(at);
        });
    }

    static LIVE: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C" fn malloc_that_looks_at_all(size: usize) -> *mut c_void {
        look_at(2 * LIVE.fetch_add(1, Relaxed));
        // SAFETY: malloc takes any size.
        unsafe { libc::malloc(size) }
    }

    unsafe extern "C" fn free_that_counts(block: *mut c_void) {
        LIVE.fetch_sub(usize::from(!block.is_null()), Relaxed);
        // SAFETY: null, or a live block that is not used again.
        unsafe { libc::free(block) };
    }

    unsafe extern "C" fn malloc_that_looks_at_all_threads(size: usize) -> *mut c_void {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static IS_KNOWN: Cell<bool> = const { Cell::new(false) };
        }
        if !IS_KNOWN.replace(true) {
            THREADS.fetch_add(1, Relaxed);
        }
        look_at(30 * THREADS.load(Relaxed));
        // SAFETY: malloc takes any size.
        unsafe { libc::malloc(size) }
    }

    #[test]
    fn a_cost_that_grows_with_blocks_or_threads_is_found() {
        if !is_alone() {
            return;
        }
        let blocks = Beside::Blocks { count: 3_000, size: 48 };
        let threads = Beside::Threads { count: 200 };
        let looking =
            Family { malloc: malloc_that_looks_at_all, free: free_that_counts, ..system() };
        let at_threads = Family { malloc: malloc_that_looks_at_all_threads, ..system() };
        for (beside, planted) in [(blocks, looking), (threads, at_threads)] {
            let trial = |family: &Family| costs(family, Hooks::default(), NEW, beside).unwrap();
            trial(&system()).unwrap();
            let why = trial(&planted).unwrap_err();
            assert!(why.starts_with("takes ") && why.ends_with(" times as long"), "{why}");
        }
    }
}
