//! malloc in children of forks: while other threads allocate, and while they come and go and write to
//! streams, down to the children's own threads and children.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{io, ptr, thread};

use super::child::{end, wait};
use super::crowd::{Flaw, begin, churn, join};
use crate::replay::team::Hooks;
use crate::subject::Family;

/// Threads that allocate while the process forks.
const ALLOCATING: u64 = 3;
/// Forks of one trial. A lock that nobody looks after at a fork was held in one of the first sixteen
/// children wherever that was tried.
const FORKS: u32 = 100;
/// After so long there are no further forks: on a slow computer fewer are enough.
const FORKING: Duration = Duration::from_secs(3);
/// Time that a child of a fork may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at a child.
const LOOK: Duration = Duration::from_micros(100);
/// Calls that a child of a fork makes.
const CALLS: u64 = 128;
/// Sizes that come from a thread's own memory, from memory that all threads share, and from the kernel.
const SIZES: [usize; 3] = [48, 65_536, 2 << 20];
/// Calls of a thread that lives for a moment, of each size.
const BRIEF_CALLS: u64 = 16;
/// Bytes that are written to a stream in memory, which grows from small blocks to large ones.
const WRITTEN: usize = 3 << 20;
/// Children of children.
const GENERATIONS: u32 = 2;

/// Forks while other threads allocate blocks of `size` bytes and up to four times as many, and does the
/// same in every child. Threads and processes that this computer refuses are done without.
///
/// # Errors
/// What went wrong in the first child that was not served, or on a thread.
pub(super) fn forks(family: &Family, hooks: Hooks, size: usize) -> Result<(), String> {
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        let allocate = |seed| {
            let goes_on = move |_| !stop.load(Relaxed);
            begin(scope, hooks, move || churn(family, size, seed, goes_on))
        };
        let allocating: Vec<_> = (1..=ALLOCATING).map_while(|seed| allocate(seed).ok()).collect();
        let begun = Instant::now();
        let outcome = (1..=FORKS).take_while(|_| begun.elapsed() < FORKING).try_for_each(|at| {
            fork(|| churn(family, size, 0, |calls| calls < CALLS))
                .map_err(|why| format!("{why} in the child of fork {at}"))
        });
        stop.store(true, Relaxed);
        let ended = allocating.into_iter().map(|thread| join(thread, "a thread beside a fork"));
        ended.fold(outcome, Result::and)
    })
}

/// Forks while threads begin, allocate blocks of every kind and end, while one writes to streams in memory
/// and another one flushes all streams; every child allocates blocks of every kind, starts a thread that
/// does and forks likewise.
///
/// # Errors
/// As of [`forks`].
pub(super) fn generations(family: &Family, hooks: Hooks) -> Result<(), String> {
    let stop = &AtomicBool::new(false);
    let goes_on = || !stop.load(Relaxed);
    thread::scope(|scope| {
        let come_and_go = |seed| {
            scope.spawn(move || {
                while goes_on() {
                    brief(family, hooks, seed)?;
                }
                Ok::<(), String>(())
            })
        };
        let coming: Vec<_> = (1..ALLOCATING).map(come_and_go).collect();
        scope
            .spawn(move || (0_usize..).take_while(|_| goes_on()).for_each(|_| write_to_a_stream()));
        scope.spawn(move || {
            while goes_on() {
                // SAFETY: flushes what this process has written, under the C library's own locks.
                unsafe { libc::fflush(ptr::null_mut()) };
            }
        });
        let begun = Instant::now();
        let outcome = (1..=FORKS).take_while(|_| begun.elapsed() < FORKING).try_for_each(|at| {
            fork(|| generation(family, hooks, GENERATIONS))
                .map_err(|why| format!("{why} in the child of fork {at}"))
        });
        stop.store(true, Relaxed);
        let ended = coming
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread beside a fork died".to_owned())?);
        ended.fold(outcome, Result::and)
    })
}

/// What a child of a fork does: allocates, as does a thread of its own, and forks again, so many times deep.
fn generation(family: &Family, hooks: Hooks, left: u32) -> Result<(), Flaw> {
    of_every_size(family, 0, CALLS / 2)?;
    if left == 0 {
        return Ok(());
    }
    let mut own = Beside { family, hooks, outcome: Ok(()) };
    let place: *mut Beside<'_> = &raw mut own;
    let mut thread = 0;
    // SAFETY: `own` lives until the thread is joined, and nobody else uses it before.
    let code = unsafe {
        libc::pthread_create(&raw mut thread, ptr::null(), Beside::main, place.cast::<c_void>())
    };
    let below = fork(|| generation(family, hooks, left - 1)).map_err(|_| Flaw::Below);
    if code == 0 {
        // SAFETY: the thread started above.
        unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    }
    own.outcome.and(below)
}

/// A thread of a child of a fork. It is started without the standard library: in such a child the lock of the
/// harness's own memory may be held by a thread that is not there.
struct Beside<'a> {
    family: &'a Family,
    hooks: Hooks,
    outcome: Result<(), Flaw>,
}

impl Beside<'_> {
    extern "C" fn main(place: *mut c_void) -> *mut c_void {
        // SAFETY: whoever started the thread leaves it to it until it has ended.
        let own = unsafe { &mut *place.cast::<Self>() };
        own.hooks.enter.iter().for_each(|enter| enter());
        own.outcome = of_every_size(own.family, 1, CALLS / 2);
        own.hooks.leave.iter().for_each(|leave| leave());
        ptr::null_mut()
    }
}

/// A thread that lives for a moment. One that this computer refuses is done without.
fn brief(family: &Family, hooks: Hooks, seed: u64) -> Result<(), String> {
    thread::scope(|scope| {
        let thread = begin(scope, hooks, || of_every_size(family, seed, BRIEF_CALLS));
        thread.map_or(Ok(()), |thread| join(thread, "a thread beside a fork"))
    })
}

fn of_every_size(family: &Family, seed: u64, calls: u64) -> Result<(), Flaw> {
    SIZES.into_iter().try_for_each(|size| churn(family, size, seed, |made| made < calls))
}

/// Writes to a stream in memory, whose lock is held while the C library asks malloc for more.
fn write_to_a_stream() {
    let (mut text, mut length) = (ptr::null_mut(), 0);
    // SAFETY: both places outlive the stream.
    let stream = unsafe { libc::open_memstream(&raw mut text, &raw mut length) };
    if stream.is_null() {
        return;
    }
    let piece = [b'x'; 4096];
    for _ in 0..WRITTEN / piece.len() {
        // SAFETY: reads as many bytes as there are, into an open stream.
        unsafe { libc::fwrite(piece.as_ptr().cast::<c_void>(), 1, piece.len(), stream) };
    }
    // SAFETY: an open stream that is not used again.
    unsafe { libc::fclose(stream) };
    // SAFETY: the stream's text, which is the caller's to free once it is closed.
    unsafe { libc::free(text.cast()) };
}

/// One fork, whose child does `work`.
fn fork(work: impl FnOnce() -> Result<(), Flaw>) -> Result<(), String> {
    // SAFETY: the child calls the subject's functions, which is what is tried, and ends itself.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Ok(());
    }
    if pid == 0 {
        // A child that hangs takes its own children with it.
        // SAFETY: has no obligations.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let code = match work() {
            Ok(()) => 0,
            Err(flaw) => 1 + flaw as i32,
        };
        // SAFETY: ends this process without running what the parent's exit would run.
        unsafe { libc::_exit(code) };
    }
    match ended(pid).map_err(|error| error.to_string())? {
        None => Err(format!("hung for {} s", PATIENCE.as_secs())),
        Some(status) if !libc::WIFEXITED(status) => Err(end(status)),
        Some(status) => match libc::WEXITSTATUS(status) {
            0 => Ok(()),
            code => {
                let flaw = Flaw::ALL.into_iter().find(|flaw| 1 + *flaw as i32 == code);
                Err(flaw.map_or_else(|| format!("exit code {code}"), |flaw| flaw.to_string()))
            }
        },
    }
}

/// Status of a child that has ended; `None` for one that is killed since it does not. Its end is not left
/// to itself: it may hang before its first line, in what the subject does at a fork.
fn ended(pid: libc::pid_t) -> io::Result<Option<i32>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = wait(pid, libc::WNOHANG)? {
            return Ok(Some(status));
        }
        thread::sleep(LOOK);
    }
    // SAFETY: a child of this process that has not been waited for.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    wait(pid, 0)?;
    Ok(None)
}
