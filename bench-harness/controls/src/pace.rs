//! When a control misbehaves.

use crate::setting::Setting;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls during which every control behaves unless told otherwise: more than a program of the
/// suite makes before it starts to measure.
pub const DEFAULT_AFTER: u64 = 5_000;

/// Counts calls and picks those to misbehave in: the first after `ARENABENCH_CONTROL_AFTER` calls,
/// and one in `ARENABENCH_CONTROL_EVERY` from there on.
#[derive(Debug)]
pub struct Pace {
    calls: AtomicU64,
    after: Setting,
    every: Setting,
}

impl Pace {
    /// One call in `every`, after [`DEFAULT_AFTER`] calls.
    #[must_use]
    pub const fn one_in(every: u64) -> Self {
        Self::after(DEFAULT_AFTER, every)
    }

    /// One call in `every`, after `after` calls.
    #[must_use]
    pub const fn after(after: u64, every: u64) -> Self {
        Self {
            calls: AtomicU64::new(0),
            after: Setting::new(c"ARENABENCH_CONTROL_AFTER", after),
            every: Setting::new(c"ARENABENCH_CONTROL_EVERY", every),
        }
    }

    /// Counts one call; whether it is one to misbehave in.
    #[inline]
    pub fn strikes(&self) -> bool {
        let call = self.calls.fetch_add(1, Relaxed);
        match call.checked_sub(self.after.get()) {
            Some(past) => past.is_multiple_of(self.every.get().max(1)),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn strikes_once_in_so_many_calls_after_the_first() {
        let pace = Pace::after(3, 2);
        let strikes: Vec<bool> = (0..8).map(|_| pace.strikes()).collect();
        assert_eq!(strikes, [false, false, false, true, false, true, false, true]);
    }
}
