//! What the environment says: `ARENITE_<NAME>=<number>`.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `ARENITE_PURGE_DELAY` | 1024 | slices of 16 KiB freed or taken before a free one is decommitted, at least (`span_store.rs`); 0: at once |
//! | `ARENITE_RESERVE` | 32 | GiB of address space reserved at a time, 1 to 32 |
//!
//! Read once, when the first heap is made. A variable that begins with `ARENITE_` and is not known,
//! or whose value is not a number in its limits, is named in one line on standard error and ignored.

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use super::fatal;
use crate::sys;
use crate::valgrind;

const PREFIX: &[u8] = b"ARENITE_";

static PURGE_DELAY: AtomicU32 = AtomicU32::new(1024);
static RESERVE_GIB: AtomicUsize = AtomicUsize::new(32);
static CHECKED: AtomicBool = AtomicBool::new(false);

/// Slices freed or taken before a free span is decommitted.
pub(crate) fn purge_delay() -> u32 {
    PURGE_DELAY.load(Ordering::Relaxed)
}

/// Address space to reserve at a time, in bytes. Valgrind maps no more than 16 GiB reliably.
pub(crate) fn reserve_bytes() -> usize {
    let gib = RESERVE_GIB.load(Ordering::Relaxed);
    (if valgrind::is_running() { gib.min(16) } else { gib }) << 30
}

/// Whether the process's heap is the checked build.
pub(crate) fn is_checked() -> bool {
    CHECKED.load(Ordering::Relaxed)
}

/// Makes the process's heap keep what the checked build needs. Before the first arena.
pub(crate) fn set_checked() {
    CHECKED.store(true, Ordering::Relaxed);
}

/// Reads the environment.
pub(crate) fn read() {
    // SAFETY: the C library sets it before the first constructor runs; null before that.
    let mut at = unsafe { sys::environ };
    if at.is_null() {
        return;
    }
    loop {
        // SAFETY: the environment is an array of strings that ends in null.
        let variable = unsafe { at.read() };
        if variable.is_null() {
            return;
        }
        // SAFETY: as above.
        read_variable(unsafe { CStr::from_ptr(variable.cast::<c_char>()) }.to_bytes());
        at = at.wrapping_add(1);
    }
}

fn read_variable(variable: &[u8]) {
    let Some(setting) = variable.strip_prefix(PREFIX) else { return };
    let name_len = setting.iter().position(|&byte| byte == b'=').unwrap_or(setting.len());
    let (name, value) = setting.split_at(name_len);
    let number = number(value.get(1..).unwrap_or_default());
    match (name, number) {
        (b"PURGE_DELAY", Some(delay @ 0..=0x7fff_ffff)) => {
            PURGE_DELAY.store(delay, Ordering::Relaxed);
        }
        (b"RESERVE", Some(gib @ 1..=32)) => RESERVE_GIB.store(gib as usize, Ordering::Relaxed),
        (b"PURGE_DELAY" | b"RESERVE", _) => warn(b"not a number in its limits: ", name),
        _ => warn(b"unknown setting ", name),
    }
}

/// A decimal number.
fn number(digits: &[u8]) -> Option<u32> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// `arenite: <what>ARENITE_<name>, ignored`.
fn warn(what: &[u8], name: &[u8]) {
    let mut line = [0; 160];
    let mut len = 0;
    for part in [b"arenite: ", what, PREFIX, &name[..name.len().min(64)], b", ignored\n"] {
        line[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    fatal::say(&line[..len]);
}
