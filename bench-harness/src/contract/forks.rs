//! malloc in children of forks: while other threads allocate, and while they come and go and write to
//! streams, down to the children's own threads and children.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{io, ptr, thread};

use super::child::{end, wait};
use super::crowd::{Flaw, begin, churn, join};
use super::rows::{ORIGINS_OF_EVERY_KIND, SIZES_OF_EVERY_KIND};
use super::trial::{fill, first_other, made, pattern};
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
/// Places at which one thread comes after the other, and the blocks that each thread leaves: so many that
/// they fill memory which goes back to where all threads have it from.
const COMING: u8 = 3;
const LEFT: usize = 3000;
const LEFT_BYTES: usize = 400;
/// Threads of a child.
const BESIDE: usize = 2;
/// Forks of a trial in which threads come and go: it takes many to meet a thread at a given place. One child of
/// so many does more than a few calls.
const MANY: u32 = 2000;
const EVERY: u32 = 8;
/// Calls of a child of each size, its threads apart.
const BRIEF_CALLS: u64 = 16;
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

/// Forks while threads come and go, whose blocks others free once they have ended, while one allocates with a
/// stream in its hand and another one flushes all streams; every child allocates blocks of every kind,
/// starts threads that do and forks likewise.
///
/// # Errors
/// As of [`forks`].
pub(super) fn generations(family: &Family, hooks: Hooks) -> Result<(), String> {
    let stop = &AtomicBool::new(false);
    let goes_on = move || !stop.load(Relaxed);
    thread::scope(|scope| {
        let come_and_go = |at| scope.spawn(move || come_and_go(family, hooks, at, goes_on));
        let coming: Vec<_> = (0..COMING).map(come_and_go).collect();
        let of_all_kinds = move || -> Result<(), Flaw> {
            while goes_on() {
                of_every_size(family, 1, CALLS)?;
            }
            Ok(())
        };
        let kinds = begin(scope, hooks, of_all_kinds);
        scope.spawn(move || with_a_stream(family, hooks, goes_on));
        scope.spawn(move || {
            while goes_on() {
                // SAFETY: flushes what this process has written, under the C library's own locks.
                unsafe { libc::fflush(ptr::null_mut()) };
            }
        });
        let begun = Instant::now();
        let outcome = (1..=MANY).take_while(|_| begun.elapsed() < FORKING).try_for_each(|at| {
            let depth = if at % EVERY == 0 { GENERATIONS } else { 0 };
            fork(|| generation(family, hooks, depth))
                .map_err(|why| format!("{why} in the child of fork {at}"))
        });
        stop.store(true, Relaxed);
        let kinds = kinds.map_or(Ok(()), |thread| join(thread, "a thread beside a fork"));
        let ended = coming
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread beside a fork died".to_owned())?);
        ended.fold(outcome.and(kinds), Result::and)
    })
}

/// A child reads its parent's blocks of every kind and writes to them; the parent's stay as they are. `None`
/// when the subject lacks a function.
pub(super) fn apart(family: &Family) -> Option<Result<(), String>> {
    let block = |new| made(new, family).map(|block| (new, block));
    let blocks = ORIGINS_OF_EVERY_KIND.into_iter().map(block).collect::<Option<Vec<_>>>()?;
    if let Some((new, _)) = blocks.iter().find(|(_, block)| block.is_null()) {
        return Some(Err(format!("null for {new}")));
    }
    blocks.iter().for_each(|(new, block)| fill(*block, new.size()));
    let lost =
        || blocks.iter().find(|(new, block)| first_other(*block, new.size(), pattern).is_some());
    let outcome = fork(|| {
        if lost().is_some() {
            return Err(Flaw::Lost);
        }
        for (new, block) in &blocks {
            // SAFETY: a live block of this size; the parent has a copy, or the subject is at fault.
            unsafe { ptr::write_bytes(*block, !pattern(0), new.size()) };
        }
        Ok(())
    });
    let outcome = outcome.map_err(|why| format!("{why} in the child of a fork"));
    let kept = lost().map_or(Ok(()), |(new, _)| Err(format!("a child has written to {new}")));
    for (_, block) in blocks {
        // SAFETY: a live block that is not used again.
        unsafe { (family.free)(block.cast()) };
    }
    Some(outcome.and(kept))
}

/// One thread after the other allocates and ends; what it leaves is freed afterwards, by a thread that goes on.
fn come_and_go(
    family: &Family,
    hooks: Hooks,
    mark: u8,
    goes_on: impl Fn() -> bool,
) -> Result<(), String> {
    let mut left = Left([ptr::null_mut(); LEFT]);
    hooks.enter.iter().for_each(|enter| enter());
    let mut outcome = Ok(());
    while outcome.is_ok() && goes_on() {
        let places = &mut left;
        outcome = thread::scope(|scope| {
            let work = move || -> Result<(), Flaw> {
                places.0.iter_mut().try_for_each(|place| {
                    // SAFETY: malloc takes any size.
                    *place = unsafe { (family.malloc)(LEFT_BYTES) }.cast();
                    if place.is_null() {
                        return Err(Flaw::Null);
                    }
                    // SAFETY: a block of a byte and more.
                    unsafe { place.write_volatile(mark) };
                    Ok(())
                })
            };
            let thread = begin(scope, hooks, work);
            thread.map_or(Ok(()), |thread| join(thread, "a thread beside a fork"))
        });
        for place in &mut left.0 {
            let block = std::mem::replace(place, ptr::null_mut());
            // SAFETY: null, or a live block of a byte and more.
            if !block.is_null() && unsafe { block.read_volatile() } != mark {
                outcome = outcome.and(Err(format!("{} beside a fork", Flaw::Lost)));
            }
            // SAFETY: null, or a live block that is not used again.
            unsafe { (family.free)(block.cast()) };
        }
    }
    hooks.leave.iter().for_each(|leave| leave());
    outcome
}

/// Blocks that a thread leaves.
struct Left([*mut u8; LEFT]);

// SAFETY: blocks of memory, which one thread at a time uses.
unsafe impl Send for Left {}

/// What a child of a fork does: allocates, as does a thread of its own, and forks again, so many times deep.
fn generation(family: &Family, hooks: Hooks, left: u32) -> Result<(), Flaw> {
    of_every_size(family, 0, BRIEF_CALLS)?;
    if left == 0 {
        return Ok(());
    }
    let mut own = [(); BESIDE].map(|()| Beside { family, hooks, outcome: Ok(()) });
    let threads = own.each_mut().map(|own| {
        let place: *mut Beside<'_> = own;
        let mut thread = 0;
        // SAFETY: `own` lives until the thread is joined, and nobody else uses it before.
        let code = unsafe {
            libc::pthread_create(&raw mut thread, ptr::null(), Beside::main, place.cast::<c_void>())
        };
        (code == 0).then_some(thread)
    });
    let below = fork(|| generation(family, hooks, left - 1)).map_err(|_| Flaw::Below);
    for thread in threads.into_iter().flatten() {
        // SAFETY: a thread started above, which nobody has joined.
        unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    }
    own.into_iter().map(|own| own.outcome).fold(below, Result::and)
}

/// A thread of a child of a fork. It is started without the standard library, which keeps a list of threads
/// behind a lock that another thread may have held at the fork.
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

fn of_every_size(family: &Family, seed: u64, calls: u64) -> Result<(), Flaw> {
    SIZES_OF_EVERY_KIND
        .into_iter()
        .try_for_each(|size| churn(family, size, seed, |made| made < calls))
}

/// Allocates with a stream in its hand: what goes through all streams waits for it meanwhile. Blocks are of
/// sizes that no thread keeps for itself.
fn with_a_stream(family: &Family, hooks: Hooks, goes_on: impl Fn() -> bool) {
    // SAFETY: both are strings.
    let stream = unsafe { libc::fopen(c"/dev/null".as_ptr(), c"w".as_ptr()) };
    if stream.is_null() {
        return;
    }
    hooks.enter.iter().for_each(|enter| enter());
    while goes_on() {
        // SAFETY: an open stream.
        unsafe { flockfile(stream) };
        for at in 0..CALLS as usize {
            // SAFETY: malloc takes any size.
            let block = unsafe { (family.malloc)(40_000 + 1000 * (at % 50)) };
            // SAFETY: null, or a live block that is not used again.
            unsafe { (family.free)(block) };
        }
        // SAFETY: locked above.
        unsafe { funlockfile(stream) };
    }
    hooks.leave.iter().for_each(|leave| leave());
    // SAFETY: an open stream that is not used again.
    unsafe { libc::fclose(stream) };
}

unsafe extern "C" {
    fn flockfile(stream: *mut libc::FILE);
    fn funlockfile(stream: *mut libc::FILE);
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

#[cfg(test)]
mod tests {

    use super::super::child::told_apart;
    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    fn map(size: usize, kind: i32) -> *mut c_void {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory at an address of the kernel's choice.
        unsafe { libc::mmap(ptr::null_mut(), size, access, kind | libc::MAP_ANONYMOUS, -1, 0) }
    }

    unsafe extern "C" fn malloc_of_shared_memory(size: usize) -> *mut c_void {
        map(size, libc::MAP_SHARED)
    }

    unsafe extern "C" fn malloc_that_no_child_has(size: usize) -> *mut c_void {
        let size = size.next_multiple_of(4096);
        let block = map(size, libc::MAP_PRIVATE);
        // SAFETY: the memory just mapped.
        unsafe { libc::madvise(block, size, libc::MADV_DONTFORK) };
        block
    }

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    unsafe extern "C" fn realloc_anew(_: *mut c_void, size: usize) -> *mut c_void {
        map(size, libc::MAP_PRIVATE)
    }

    #[test]
    fn blocks_that_a_child_lacks_or_shares_are_found() {
        if !is_alone() {
            return;
        }
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        // In a process of its own: the C library keeps more once it has freed large blocks.
        let found =
            |family: &Family| told_apart(|| apart(family).unwrap().err().unwrap_or_default());
        assert_eq!(found(&system), "");
        let planted = Family { free: free_nothing, realloc: Some(realloc_anew), ..system };
        let shared = found(&Family { malloc: malloc_of_shared_memory, ..planted });
        assert_eq!(shared, "a child has written to malloc(1)");
        let lacking = found(&Family { malloc: malloc_that_no_child_has, ..planted });
        assert_eq!(lacking, "SIGSEGV in the child of a fork");
    }
}
