//! A number from the environment, read at its first use and without allocating.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number named by an environment variable.
#[derive(Debug)]
pub struct Setting {
    variable: &'static CStr,
    default: u64,
    /// The value plus one; 0 before the first use.
    value: AtomicU64,
}

impl Setting {
    /// The number in `variable`, or `default` when that is unset or no number.
    #[must_use]
    pub const fn new(variable: &'static CStr, default: u64) -> Self {
        Self { variable, default, value: AtomicU64::new(0) }
    }

    /// The number. Costs one load but for the first time.
    #[inline]
    pub fn get(&self) -> u64 {
        match self.value.load(Relaxed) {
            0 => self.read(),
            value => value - 1,
        }
    }

    #[cold]
    fn read(&self) -> u64 {
        // SAFETY: the name is a string; allocators run before anyone could change the environment
        // at the same time.
        let text = unsafe { libc::getenv(self.variable.as_ptr()) };
        let value = if text.is_null() {
            None
        } else {
            // SAFETY: the environment holds strings.
            unsafe { CStr::from_ptr(text) }.to_str().ok().and_then(|text| text.parse().ok())
        };
        let value = value.unwrap_or(self.default);
        self.value.store(value.saturating_add(1), Relaxed);
        value
    }
}
