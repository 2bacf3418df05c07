//! Calls that a second thread must be there for: malloc on many threads that live at once, on some that go
//! on calling it, and on threads that come and go.

use std::sync::mpsc;
use std::{fmt, io, ptr, thread};

use super::trial::{KEPT, errno, fill, first_other, pattern, set_errno};
use crate::replay::team::Hooks;
use crate::subject::Family;

/// Blocks that every thread holds.
pub(super) const HELD: usize = 8;
/// Calls of a thread that goes on calling.
const BUSY_CALLS: u64 = 20_000;
/// Threads of a relay that live at once, and the calls that each makes.
pub(super) const LANES: usize = 4;
const RELAY_CALLS: u64 = 500;
/// Blocks that each leaves, and multiples of the size among them.
const LEFT: usize = 200;
const LEFT_SIZES: usize = 8;
/// Stack of a thread that does no more than allocate.
const STACK_BYTES: usize = 1 << 18;

/// Calls on `count` threads at once, for blocks of `size` bytes and up to four times as many, which are
/// looked at before they are freed. Locks that all take are waited for by several at a time.
///
/// # Errors
/// What went wrong on the first thread that was not served.
pub(super) fn busy(family: &Family, hooks: Hooks, count: usize, size: usize) -> Result<(), String> {
    thread::scope(|scope| {
        let start = |seed| {
            begin(scope, hooks, move || churn(family, size, seed, |calls| calls < BUSY_CALLS))
        };
        let running: Vec<_> = (1..=count as u64).map_while(|seed| start(seed).ok()).collect();
        let ended = running.into_iter().zip(1..);
        let ended = ended.map(|(thread, at)| join(thread, &format!("thread {at} of {count}")));
        ended.fold(Ok(()), Result::and)
    })
}

/// Calls on `count` threads, of which [`LANES`] live at once: each begins where one ends, frees what that
/// one has left, and leaves blocks of its own. Memory of threads that have ended is taken over while
/// others end.
///
/// # Errors
/// What went wrong on the first thread that was not served.
pub(super) fn relay(
    family: &Family,
    hooks: Hooks,
    count: usize,
    size: usize,
) -> Result<(), String> {
    thread::scope(|scope| {
        let start =
            |first| scope.spawn(move || lane(family, hooks, (first..count).step_by(LANES), size));
        let lanes: Vec<_> = (0..LANES).map(start).collect();
        let ended =
            lanes.into_iter().map(|lane| lane.join().map_err(|_| "a lane died".to_owned())?);
        ended.fold(Ok(()), Result::and)
    })
}

/// One thread after the other. One that this computer refuses is the last.
fn lane(
    family: &Family,
    hooks: Hooks,
    threads: impl Iterator<Item = usize>,
    size: usize,
) -> Result<(), String> {
    let mut left: Option<(usize, Left)> = None;
    for at in threads {
        let before = left.take();
        let own = thread::scope(|scope| {
            let thread = begin(scope, hooks, move || leg(family, size, at, before.as_ref()));
            thread.ok().map(|thread| join(thread, &format!("thread {at}")))
        });
        let Some(own) = own else { break };
        left = Some((at, own?));
    }
    Ok(())
}

/// What one thread of a relay does: looks at what thread `before` has left, frees it, calls a while, and
/// leaves blocks.
fn leg(
    family: &Family,
    size: usize,
    at: usize,
    before: Option<&(usize, Left)>,
) -> Result<Left, Flaw> {
    let sizes = || (0..LEFT).map(|block| size * (1 + block % LEFT_SIZES));
    let own = Left(sizes().map(|size| allocate(family, size, at)).collect());
    if let Some((by, Left(blocks))) = before {
        let mut blocks = blocks.iter().zip(sizes());
        blocks.try_for_each(|(&block, size)| release(family, block, size, *by))?;
    }
    churn(family, size, at as u64, |calls| calls < RELAY_CALLS)?;
    Ok(own)
}

/// What can be wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Null,
    /// Somebody has written to it.
    Lost,
    /// Freeing it has changed `errno`.
    Errno,
    /// Not where it was asked to be.
    Misplaced,
    /// Something was wrong in a child of a child, or on a thread of it.
    Below,
}

impl Flaw {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Null, Self::Lost, Self::Errno, Self::Misplaced, Self::Below];
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Null => "null",
            Self::Lost => "a block with others' contents",
            Self::Errno => "free sets errno",
            Self::Misplaced => "a block that is not aligned as asked",
            Self::Below => "a child or a thread that was not served",
        })
    }
}

/// Keeps [`HELD`] blocks and replaces one after the other as long as `goes_on` with so many calls. A block
/// begins with a number that no other thread's has, and is looked at before it is freed.
pub(super) fn churn(
    family: &Family,
    size: usize,
    seed: u64,
    goes_on: impl Fn(u64) -> bool,
) -> Result<(), Flaw> {
    let mut held = [(ptr::null_mut::<u64>(), 0_u64); HELD];
    let give_back = |(block, mark): (*mut u64, u64)| {
        // SAFETY: null, or a live block of 8 bytes and more.
        let is_lost = !block.is_null() && unsafe { block.read_volatile() } != mark;
        set_errno(KEPT);
        // SAFETY: null, or a live block that is not used again.
        unsafe { (family.free)(block.cast()) };
        match (is_lost, errno()) {
            (true, _) => Err(Flaw::Lost),
            (false, KEPT) => Ok(()),
            (false, _) => Err(Flaw::Errno),
        }
    };
    let mut calls = 0;
    let mut outcome = Ok(());
    while outcome.is_ok() && goes_on(calls) {
        let seat = &mut held[(calls % HELD as u64) as usize];
        outcome = give_back(*seat);
        // SAFETY: malloc takes any size.
        let block: *mut u64 = unsafe { (family.malloc)(size * (1 + calls as usize % 4)) }.cast();
        *seat = (block, seed << 48 | calls);
        if block.is_null() {
            outcome = Err(Flaw::Null);
        } else {
            // SAFETY: a block of 8 bytes and more.
            unsafe { block.write_volatile(seat.1) };
        }
        calls += 1;
    }
    held.into_iter().map(give_back).fold(outcome, Result::and)
}

/// Blocks of one thread on their way to the one that frees them.
struct Blocks([*mut u8; HELD]);

// SAFETY: blocks of memory, which one thread at a time uses.
unsafe impl Send for Blocks {}

/// Blocks that a thread has left.
struct Left(Vec<*mut u8>);

// SAFETY: as for `Blocks`.
unsafe impl Send for Left {}

// SAFETY: the thread that looks at them is the only one that does.
unsafe impl Sync for Left {}

/// Has blocks of `size` bytes on `count` threads, or as many as this computer lets live, all of them alive
/// until each has its own; what one has allocated another one looks at and frees.
///
/// # Errors
/// What went wrong on the first thread that was not served.
pub(super) fn at_once(
    family: &Family,
    hooks: Hooks,
    count: usize,
    size: usize,
) -> Result<(), String> {
    let (out, all) = mpsc::channel();
    thread::scope(|scope| {
        let start = |at: usize| {
            let (out, (hand, others)) = (out.clone(), mpsc::channel());
            let work = move || {
                let own = Blocks([(); HELD].map(|()| allocate(family, size, at)));
                // Whoever waits for these waits until all threads have come so far.
                let _ = out.send((at, own));
                drop(out);
                let Ok((by, Blocks(others))) = others.recv() else { return Ok(()) };
                let kept = others.map(|block| release(family, block, size, by));
                kept.into_iter().collect::<Result<(), Flaw>>()
            };
            Ok::<_, io::Error>((at, hand, begin(scope, hooks, work)?))
        };
        let running: Vec<_> = (0..count).map_while(|at| start(at).ok()).collect();
        // Of a thread that died there are none.
        drop(out);
        let mut blocks: Vec<(usize, Blocks)> = all.iter().collect();
        blocks.sort_by_key(|(at, _)| *at);
        let last = blocks.len().min(1);
        blocks.rotate_left(last);
        let mut outcome = Ok(());
        for ((at, hand, thread), blocks) in running.into_iter().zip(blocks) {
            // It waits for them.
            let _ = hand.send(blocks);
            outcome = outcome.and(join(thread, &format!("thread {at}")));
        }
        outcome
    })
}

/// A block, filled where there is one, in its first byte with the number of its thread.
fn allocate(family: &Family, size: usize, thread: usize) -> *mut u8 {
    // SAFETY: malloc takes any size.
    let block: *mut u8 = unsafe { (family.malloc)(size) }.cast();
    if !block.is_null() {
        fill(block, size);
        // SAFETY: a block of a byte and more.
        unsafe { block.write_volatile(thread as u8) };
    }
    block
}

/// Frees a block of [`allocate`] on that thread.
///
/// # Errors
/// When it was not to be had, or is not as it was filled.
fn release(family: &Family, block: *mut u8, size: usize, thread: usize) -> Result<(), Flaw> {
    if block.is_null() {
        return Err(Flaw::Null);
    }
    let filled = |at| if at == 0 { thread as u8 } else { pattern(at) };
    let is_kept = first_other(block, size, filled).is_none();
    // SAFETY: a live block, not used again.
    unsafe { (family.free)(block.cast()) };
    if is_kept { Ok(()) } else { Err(Flaw::Lost) }
}

/// What has become of a thread.
pub(super) fn join<T>(
    thread: thread::ScopedJoinHandle<'_, Result<T, Flaw>>,
    name: &str,
) -> Result<T, String> {
    let ended = thread.join().map_err(|_| format!("{name} died"))?;
    ended.map_err(|flaw| format!("{flaw} on {name}"))
}

/// Starts a thread that the subject is told of.
pub(super) fn begin<'scope, R: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    hooks: Hooks,
    work: impl FnOnce() -> R + Send + 'scope,
) -> io::Result<thread::ScopedJoinHandle<'scope, R>> {
    thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || {
        hooks.enter.iter().for_each(|enter| enter());
        let outcome = work();
        hooks.leave.iter().for_each(|leave| leave());
        outcome
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ffi::c_void;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::subject::Subject;

    const SIZE: usize = 100;
    const THREADS: usize = 6;

    type Trial = fn(&Family, Hooks, usize, usize) -> Result<(), String>;

    /// Gives every two threads the same blocks of [`SIZE`] bytes.
    unsafe extern "C" fn malloc_of_pairs(_: usize) -> *mut c_void {
        static START: OnceLock<usize> = OnceLock::new();
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static NEXT: Cell<usize> = Cell::new(BEGUN.fetch_add(1, Relaxed) / 2 * HELD);
        }
        // SAFETY: calloc takes any sizes.
        let map = || unsafe { libc::calloc(THREADS * HELD, SIZE) }.expose_provenance();
        let start = *START.get_or_init(map);
        ptr::with_exposed_provenance_mut(start + NEXT.replace(NEXT.get() + 1) * SIZE)
    }

    /// Gives four blocks in turn, whoever holds them.
    unsafe extern "C" fn malloc_of_few(_: usize) -> *mut c_void {
        const MOST_BYTES: usize = LEFT_SIZES * SIZE;
        static START: OnceLock<usize> = OnceLock::new();
        static GIVEN: AtomicUsize = AtomicUsize::new(0);
        // SAFETY: calloc takes any sizes.
        let map = || unsafe { libc::calloc(4, MOST_BYTES) }.expose_provenance();
        let start = *START.get_or_init(map);
        ptr::with_exposed_provenance_mut(start + GIVEN.fetch_add(1, Relaxed) % 4 * MOST_BYTES)
    }

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    #[test]
    fn a_block_that_two_threads_hold_is_found() {
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let hooks = Hooks::default();
        let shared = Family { malloc: malloc_of_pairs, free: free_nothing, ..system };
        let few = Family { malloc: malloc_of_few, ..shared };
        for (trial, planted) in [(at_once as Trial, shared), (busy, few), (relay, few)] {
            trial(&system, hooks, THREADS, SIZE).unwrap();
            let why = trial(&planted, hooks, THREADS, SIZE).unwrap_err();
            assert!(why.starts_with("a block with others' contents on thread "), "{why}");
        }
    }
}
