//! Ctrl-C, SIGTERM and the hangup of the terminal ask for an orderly end; a later one of the first two ends
//! at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::exit::INTERRUPTED;

/// A signal that comes no later than this after the first is the same one: `timeout` and others signal a
/// process and then its whole group. In milliseconds.
const SAME_MS: u64 = 300;
/// No signal has come yet.
const NEVER: u64 = u64::MAX;

/// Whether the user has asked for the end.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes over SIGINT, SIGTERM and, unless it is ignored (`nohup`), SIGHUP.
    ///
    /// # Errors
    /// When the kernel refuses the handlers.
    pub(crate) fn install() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let (begin, first) = (Instant::now(), Arc::new(AtomicU64::new(NEVER)));
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let (flag, first) = (Arc::clone(&flag), Arc::clone(&first));
            let handle = move || {
                flag.store(true, Ordering::Relaxed);
                if is_later(&first, begin.elapsed().as_millis() as u64) {
                    signal_hook::low_level::exit(INTERRUPTED.into());
                }
            };
            // SAFETY: the handler reads the clock, works on atomics and calls `_exit`, all of which
            // a handler may do, and cannot panic.
            unsafe { signal_hook::low_level::register(signal, handle) }?;
        }
        // A terminal that goes away hangs up twice, by its shell and by the kernel.
        if !is_ignored(libc::SIGHUP) {
            signal_hook::flag::register(libc::SIGHUP, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// An interrupt that only [`Interrupt::request`] raises.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Raises the interrupt.
    #[cfg(test)]
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for. Relaxed: the flag guards no other memory.
    pub(crate) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a signal that comes `now`, in milliseconds, is another one than the first, which is noted.
fn is_later(first: &AtomicU64, now: u64) -> bool {
    let noted = first.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
    noted.is_err_and(|first| now.saturating_sub(first) > SAME_MS)
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: plain data, for which zeros are a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks for the signal's action and changes nothing.
    let refused = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    refused == 0 && action.sa_sigaction == libc::SIG_IGN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_another_one_than_the_first_when_some_time_has_passed() {
        let first = AtomicU64::new(NEVER);
        assert!(!is_later(&first, 1000));
        for same in [1000, 1000 + SAME_MS] {
            assert!(!is_later(&first, same), "{same}");
        }
        assert!(is_later(&first, 1001 + SAME_MS));
        assert!(!is_later(&first, 999), "handlers on two threads may have read the clock before");
    }
}
