//! What two files must share before counts and memory can be compared.
//!
//! The compiler decides which instructions a library is made of, glibc what it calls, Valgrind what is
//! counted and reported. The processor's model is no part of the key: Valgrind shows programs a
//! processor of its own. A difference of any part makes a check undecided, not good.

use crate::record::Host;

/// Versions that counts and memory hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Rust compiler.
    pub rustc: String,
    /// C library.
    pub libc: String,
    /// Valgrind.
    pub valgrind: String,
}

impl Key {
    /// The key of a run.
    #[must_use]
    pub fn of(host: &Host) -> Self {
        let valgrind = host.valgrind.clone().unwrap_or_else(|| "none".to_owned());
        Self { rustc: host.rustc.clone(), libc: host.libc.clone(), valgrind }
    }

    /// Each part that differs, as a sentence; empty iff the two can be compared.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let parts = [
            ("compiler", &self.rustc, &now.rustc),
            ("C library", &self.libc, &now.libc),
            ("Valgrind", &self.valgrind, &now.valgrind),
        ];
        let differ = parts.into_iter().filter(|(_, before, now)| before != now);
        differ
            .map(|(what, before, now)| {
                format!("the {what} is `{now}`, the baseline's was `{before}`")
            })
            .collect()
    }
}
