//! Client requests to callgrind: which part of a replay is counted.
//!
//! The numbers are those of Valgrind's public `valgrind.h` and `callgrind.h`, written down by hand.
//! Outside of Valgrind none is made: [`Region::of_this_process`] asks once.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// Whether the process is between begin and end of its region. Callgrind counts, or does not, thread by
/// thread; threads that take turns see the one before.
static IS_INSIDE: AtomicBool = AtomicBool::new(false);

/// A request by its number. Callgrind's own begin with its letters, "CT".
#[derive(Clone, Copy)]
#[repr(usize)]
enum Request {
    RunningOnValgrind = 0x1001,
    /// Writes what was counted since the last request of its kind or of the next to a file.
    DumpStats = 0x4354_0000,
    ZeroStats = 0x4354_0001,
    ToggleCollect = 0x4354_0002,
}

fn request(request: Request) -> usize {
    // SAFETY: each changes Valgrind's own state or writes a file of its own; none has an argument.
    unsafe { arenite::client_request(request as usize, [0; 4]) }
}

/// The counted part of a process that may run under callgrind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    under_valgrind: bool,
}

impl Region {
    /// Asks whether there is anybody to tell.
    pub(crate) fn of_this_process() -> Self {
        Self { under_valgrind: request(Request::RunningOnValgrind) > 0 }
    }

    /// What follows on this thread is counted, and nothing that came before.
    pub(crate) fn begin(self) {
        if self.under_valgrind {
            IS_INSIDE.store(true, Relaxed);
            request(Request::ZeroStats);
            request(Request::ToggleCollect);
        }
    }

    /// Within the region, what follows on this thread is not counted.
    pub(crate) fn pause(self) {
        self.toggle();
    }

    /// Within the region, what follows on this thread is counted again.
    pub(crate) fn resume(self) {
        self.toggle();
    }

    fn toggle(self) {
        if self.under_valgrind && IS_INSIDE.load(Relaxed) {
            request(Request::ToggleCollect);
        }
    }

    /// What follows is not counted; the counts go to a file.
    pub(crate) fn end(self) {
        if self.under_valgrind {
            IS_INSIDE.store(false, Relaxed);
            request(Request::ToggleCollect);
            request(Request::DumpStats);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_valgrind_a_request_answers_nothing() {
        let region = Region::of_this_process();
        assert!(!region.under_valgrind);
        region.begin();
        region.end();
    }
}
