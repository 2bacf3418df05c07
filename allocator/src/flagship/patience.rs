//! How long dirty spans wait before they are decommitted.
//!
//! Memory that goes back and is soon needed again costs a page fault for every OS page, which is more
//! than all other work on it. Nobody knows beforehand what a program will need: so the delay doubles
//! whenever it has given back [`REGRETTED_SLICES`] that were taken again, and halves whenever a
//! time has passed without.

use super::settings;
use super::usage::{self, MEMORY_SLICES};

/// Slices given back and taken again that double the delay: some 1000 page faults.
const REGRETTED_SLICES: usize = 256;
/// How often the delay doubles at the most.
const MOST_DOUBLINGS: u32 = 6;

/// What a range has learnt of its program.
pub(super) struct Patience {
    /// Slices given back that were not taken again.
    pub(super) given_back: usize,
    /// Slices that were, since the delay doubled last.
    regretted: usize,
    doublings: u32,
    /// When `doublings` changed, or something was regretted, by the clock of spans.
    since: u32,
}

impl Patience {
    pub(super) const NONE: Self = Self { given_back: 0, regretted: 0, doublings: 0, since: 0 };

    /// Slices that are freed and taken before a dirty span goes back.
    pub(super) fn delay(&mut self, now: u32) -> u32 {
        let most = usage::most_lately();
        let once = match settings::purge_delay() {
            0 => return 0,
            delay => delay.max((2 * most).min(MEMORY_SLICES as usize) as u32),
        };
        if self.doublings > 0 && now.wrapping_sub(self.since) > MEMORY_SLICES << self.doublings {
            self.doublings -= 1;
            self.since = now;
            (self.given_back, self.regretted) = (0, 0);
        }
        once.saturating_mul(1 << self.doublings)
    }

    /// Slices went back.
    pub(super) fn gave_back(&mut self, slices: usize) {
        self.given_back += slices;
    }

    /// Slices that occupied no memory were taken.
    pub(super) fn took_clean(&mut self, slices: usize, now: u32) {
        let again = slices.min(self.given_back);
        if again == 0 {
            return;
        }
        self.given_back -= again;
        self.regretted += again;
        self.since = now;
        if self.regretted >= REGRETTED_SLICES {
            self.regretted = 0;
            self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        }
    }
}
