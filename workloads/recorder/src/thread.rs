//! Threads coming, recording and going: everything the hot path in [`record`] leaves out.
//!
//! States of a thread, by its word (see `tls`):
//! ```text
//! null -> writer -> LATE          first call; last round of destructors
//!   |       |
//!   +-------+--> QUIET            not recorded, or not any more; also while inside the recorder,
//!                                 so that calls made from there are passed on and not recorded
//! ```
//! A writer that reads as zeroes belongs to a forked child that has not recorded yet; its thread
//! is treated as one whose word is null.

use crate::image::State;
use crate::kernel::Errno;
use crate::raw_log::op;
use crate::tls::{self, LATE, QUIET};
use crate::writer::{Call, Writer};
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

/// Rounds of destructors glibc gives an ending thread.
const ROUNDS: u32 = 4;

/// Key whose destructor announces the end of a thread, plus one; 0 when there is none. It outlives
/// fork, as keys do.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Records `call` for the calling thread; `None` when it is not recorded.
#[inline(always)]
pub(crate) fn record(call: Call) -> Option<u64> {
    match tls::get().and_then(Writer::room) {
        Some(room) => Some(room.push(call)),
        None => record_slowly(call.op, call.result, call.size, call.aux, false),
    }
}

/// Records a mark: a record that is no call of its own.
#[inline(always)]
pub(crate) fn record_mark(call: Call) -> Option<u64> {
    match tls::get().and_then(Writer::room) {
        Some(room) => Some(room.push_mark(call)),
        None => record_slowly(call.op, call.result, call.size, call.aux, true),
    }
}

/// Counts a recorded call that returned null for a size above 0.
#[cold]
pub(crate) fn count_failure() {
    if let Some(header) = State::get().and_then(State::header) {
        header.failed.take();
    }
}

/// The first call of a thread, a full slot, and threads without a slot. Takes the call in pieces,
/// which travel in registers: the hot path spills nothing for it.
#[cold]
#[inline(never)]
fn record_slowly(op: u8, result: u64, size: u64, aux: u64, mark: bool) -> Option<u64> {
    let call = Call { op, result, size, aux };
    let word = tls::get();
    if word.is_some_and(|word| ptr::eq(word, &raw const QUIET)) {
        return None;
    }
    let _errno = Errno::keep();
    let late = word.is_some_and(|word| ptr::eq(word, &raw const LATE));
    tls::set(&QUIET);
    let state = State::get()?;
    let mut image = state.image()?;
    let attached = word.filter(|word| word.chunk().is_some());
    let writer = match attached {
        _ if late => state.late(&mut image),
        Some(writer) => image.append_full(writer).is_ok().then_some(writer),
        None => state.claim(&mut image),
    };
    let Some((writer, room)) = writer.and_then(|writer| Some((writer, writer.room()?))) else {
        state.stop(&mut image);
        return None;
    };
    let seq = if mark { room.push_mark(call) } else { room.push(call) };
    let first = !late && attached.is_none() && have_key();
    // The late writer is everybody's: it is used under the lock, and the thread stays late.
    drop(image);
    tls::set(if late { &LATE } else { writer });
    if first {
        set_key(writer);
    }
    Some(seq)
}

/// Begins the image, so that a process that never allocates is on record too.
pub(crate) fn begin_image() {
    let _errno = Errno::keep();
    if let Some(state) = State::get() {
        drop(state.image());
    }
}

/// Makes the key whose destructor is [`end`], once. The image's lock is held.
fn have_key() -> bool {
    if KEY.load(Relaxed) == 0 {
        let mut key = 0;
        // SAFETY: `key` has room, and the library is never unloaded.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(end)) } != 0 {
            return false;
        }
        KEY.store(key + 1, Relaxed);
    }
    true
}

/// Sets the key's value. For a key above 31 glibc allocates, and frees at the end of the thread:
/// the thread must be recorded by now, so that both calls are in the log.
fn set_key(writer: &'static Writer) {
    let value = ptr::from_ref(writer).cast::<c_void>();
    // SAFETY: the key exists.
    unsafe { libc::pthread_setspecific(KEY.load(Relaxed) - 1, value) };
}

/// Destructor of the key. Waits for the last round of destructors, as those of other keys and of
/// the program may still allocate, and then records the end of the thread.
unsafe extern "C" fn end(value: *mut c_void) {
    // Not so in a forked child that has not recorded yet, and when recording has stopped.
    let Some(writer) = tls::get() else { return };
    if !ptr::eq(writer, value.cast()) || writer.chunk().is_none() {
        return;
    }
    let _errno = Errno::keep();
    let round = writer.rounds.load(Relaxed) + 1;
    writer.rounds.store(round, Relaxed);
    if round < ROUNDS {
        set_key(writer);
        return;
    }
    record_mark(Call { op: op::THREAD_END, result: 0, size: 0, aux: 0 });
    tls::set(&QUIET);
    let Some(state) = State::get() else { return };
    let Some(mut image) = state.image() else { return };
    if image.append(writer).is_ok() {
        state.release(&mut image, writer);
        drop(image);
        tls::set(&LATE);
    } else {
        state.stop(&mut image);
    }
}
