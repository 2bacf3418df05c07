//! Ctrl-C, SIGTERM and the hangup of the terminal ask for an orderly end; of the first two the second ends
//! at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::INTERRUPTED;

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
        for signal in [libc::SIGINT, libc::SIGTERM] {
            // Registered first, so that a second signal finds the flag set and exits.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                INTERRUPTED.into(),
                Arc::clone(&flag),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
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

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: plain data, for which zeros are a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks for the signal's action and changes nothing.
    let refused = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    refused == 0 && action.sa_sigaction == libc::SIG_IGN
}
