//! The threads of a team as the system knows them: who runs, who has ended and is not joined yet.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard};

/// Bytes of a thread's stack: enough for any subject, little enough that the C library keeps the
/// stacks of ended threads for new ones.
const STACK_BYTES: usize = 1 << 20;

/// First function of a thread.
pub(super) type Main = extern "C" fn(*mut c_void) -> *mut c_void;

/// Threads that were started and are not joined.
#[derive(Default)]
pub(super) struct Roster {
    /// By index in the plan.
    running: Vec<(u32, libc::pthread_t)>,
    /// Threads that have played their last row.
    ended: Vec<libc::pthread_t>,
}

fn lock(roster: &Mutex<Roster>) -> MutexGuard<'_, Roster> {
    roster.lock().expect("no thread panics with a lock held")
}

/// Starts a thread, after joining those that have ended.
///
/// # Errors
/// When the system cannot start a thread.
///
/// # Safety
/// `main` may be called with `argument` on another thread, which ends with [`end`].
pub(super) unsafe fn start(
    roster: &Mutex<Roster>,
    thread: u32,
    main: Main,
    argument: *mut c_void,
) -> io::Result<()> {
    let mut roster = lock(roster);
    roster.ended.retain(|&ended| {
        // SAFETY: the thread was started and is joined nowhere else, as the roster is locked.
        let result = unsafe { libc::pthread_tryjoin_np(ended, std::ptr::null_mut()) };
        result != 0
    });
    // SAFETY: the caller's obligation.
    let started = unsafe { create(main, argument) }?;
    // The thread may have ended already; it waits for the roster's lock to say so.
    roster.running.push((thread, started));
    Ok(())
}

/// Starts a thread that nobody else joins.
///
/// # Errors
/// When the system cannot start a thread.
///
/// # Safety
/// `main` may be called with `argument` on another thread.
pub(in crate::replay) unsafe fn create(
    main: Main,
    argument: *mut c_void,
) -> io::Result<libc::pthread_t> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: initialises what it is given.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: the attributes were initialised above.
    let sized = unsafe { libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK_BYTES) };
    let mut started = MaybeUninit::<libc::pthread_t>::uninit();
    let result = check(sized).and_then(|()| {
        // SAFETY: the attributes are initialised; the caller answers for `main` and `argument`.
        check(unsafe {
            libc::pthread_create(started.as_mut_ptr(), attributes.as_ptr(), main, argument)
        })
    });
    // SAFETY: the attributes are initialised and not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    result?;
    // SAFETY: pthread_create has succeeded.
    Ok(unsafe { started.assume_init() })
}

fn check(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// Notes, on the thread itself, that it is about to end.
pub(super) fn end(roster: &Mutex<Roster>, thread: u32) {
    let mut roster = lock(roster);
    if let Some(at) = roster.running.iter().position(|&(running, _)| running == thread) {
        let (_, ended) = roster.running.swap_remove(at);
        roster.ended.push(ended);
    }
}

/// Joins the threads that have said they end; whether any of them still had something to do.
pub(super) fn join_ended(roster: &Mutex<Roster>) -> bool {
    let ended = std::mem::take(&mut lock(roster).ended);
    let mut waited = false;
    for thread in ended {
        // SAFETY: the thread was started and is joined nowhere else, as it was taken off the roster.
        if unsafe { libc::pthread_tryjoin_np(thread, std::ptr::null_mut()) } != 0 {
            waited = true;
            join(thread);
        }
    }
    waited
}

/// Joins every thread.
pub(super) fn join_running(roster: &Mutex<Roster>) {
    loop {
        let thread = {
            let mut roster = lock(roster);
            let running = roster.running.pop().map(|(_, thread)| thread);
            running.or_else(|| roster.ended.pop())
        };
        match thread {
            Some(thread) => join(thread),
            None => return,
        }
    }
}

/// Waits until a thread is gone that was started here and is joined nowhere else.
pub(in crate::replay) fn join(thread: libc::pthread_t) {
    // SAFETY: the caller has taken the thread off its list.
    let result = unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
    debug_assert_eq!(result, 0);
}
