//! What the environment says: `ARENITE_<NAME>=<number>`.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `ARENITE_PURGE_DELAY` | 1024 | slices of 16 KiB freed or taken before a free one is decommitted, at least (`span_store.rs`); 0: at once, and freed huge blocks are unmapped at once (`huge.rs`) |
//! | `ARENITE_RESERVE` | 32 | GiB of address space reserved at a time, 1 to 32 |
//! | `ARENITE_VALGRIND` | 1 | whether memcheck or AddressSanitizer is told of blocks (`watch.rs`), 0 or 1 |
//! | `ARENITE_RED_ZONE` | 16 | bytes around every block that may not be touched, at least, 16 to 65536; told blocks only |
//! | `ARENITE_QUARANTINE` | 32 | MiB of small freed blocks that wait for their reuse, and as many of large ones, 0 to 4096; told blocks only |
//!
//! Read once, before the first heap is made. A variable that begins with `ARENITE_` and is not known,
//! or whose value is not a number in its limits, is named in one line on standard error and ignored.

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use super::fatal;
use crate::sys;
use crate::valgrind;
use crate::watch::Measures;
use crate::watch::tool::{self, Tool};

const PREFIX: &[u8] = b"ARENITE_";

static PURGE_DELAY: AtomicU32 = AtomicU32::new(1024);
static RESERVE_GIB: AtomicUsize = AtomicUsize::new(32);
static WATCH_WANTED: AtomicBool = AtomicBool::new(true);
static RED_ZONE: AtomicUsize = AtomicUsize::new(16);
static QUARANTINE_MIB: AtomicUsize = AtomicUsize::new(32);
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

/// The tool that watches and the measures taken for it; `None` in ordinary processes. Cheap.
#[inline]
pub(crate) fn watch() -> Option<(Tool, Measures)> {
    tool::watcher(|| {
        read();
        WATCH_WANTED.load(Ordering::Relaxed)
    })
    .map(|tool| (tool, measures()))
}

/// Whether arenas come from the C library's malloc.
pub(crate) fn is_memcheck() -> bool {
    matches!(watch(), Some((Tool::Memcheck, _)))
}

fn measures() -> Measures {
    Measures {
        red_zone: RED_ZONE.load(Ordering::Relaxed).next_multiple_of(16),
        quarantine_bytes: QUARANTINE_MIB.load(Ordering::Relaxed) << 20,
    }
}

/// Reads the environment, once.
pub(crate) fn read() {
    static READ: AtomicBool = AtomicBool::new(false);
    if !READ.swap(true, Ordering::Relaxed) {
        read_environment();
    }
}

fn read_environment() {
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
        (b"VALGRIND", Some(wanted @ 0..=1)) => WATCH_WANTED.store(wanted == 1, Ordering::Relaxed),
        (b"RED_ZONE", Some(bytes @ 16..=0x1_0000)) => {
            RED_ZONE.store(bytes as usize, Ordering::Relaxed);
        }
        (b"QUARANTINE", Some(mib @ 0..=4096)) => {
            QUARANTINE_MIB.store(mib as usize, Ordering::Relaxed);
        }
        (b"PURGE_DELAY" | b"RESERVE" | b"VALGRIND" | b"RED_ZONE" | b"QUARANTINE", _) => {
            warn(b"not a number in its limits: ", name);
        }
        // Read by the library of heaps to choose from.
        (b"HEAP" | b"HOOKS", _) => {}
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
