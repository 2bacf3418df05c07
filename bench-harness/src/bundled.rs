//! Recorded programs that are part of this executable, so that every computer has real ones.
//!
//! `workloads/traces/README.md` says how each was recorded.

use std::fmt;

/// A recorded program.
#[derive(PartialEq, Eq)]
pub(crate) struct Bundled {
    /// Name of the workload: its file's stem.
    pub(crate) name: &'static str,
    /// The trace file.
    pub(crate) trace: &'static [u8],
}

impl Bundled {
    /// Whether it is the mixed program, which stands for all where each would take too long.
    pub(crate) fn is_first(&self) -> bool {
        self.name == ALL[0].name
    }
}

impl fmt::Debug for Bundled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! bundled {
    ($name:literal) => {
        Bundled {
            name: $name,
            trace: include_bytes!(concat!("../../workloads/traces/", $name, ".trace")),
        }
    };
}

/// Every recorded program of the suite.
pub(crate) static ALL: [Bundled; 15] = [
    bundled!("cpython-3.11-day"),
    bundled!("cpython-3.11-compile-modules"),
    bundled!("cpython-3.11-copy-pickle"),
    bundled!("cpython-3.11-csv-report"),
    bundled!("cpython-3.11-dict-index"),
    bundled!("cpython-3.11-event-simulation"),
    bundled!("cpython-3.11-expression-parser"),
    bundled!("cpython-3.11-generator-pipeline"),
    bundled!("cpython-3.11-json-documents"),
    bundled!("cpython-3.11-object-graph"),
    bundled!("cpython-3.11-regex-scan"),
    bundled!("cpython-3.11-sort-records"),
    bundled!("cpython-3.11-sqlite-ledger"),
    bundled!("cpython-3.11-string-build"),
    bundled!("cpython-3.11-xml-catalog"),
];

/// The ones that a quick run replays: a mixed program, and three that differ most from each other
/// in sizes and lifetimes.
pub(crate) const QUICK: [&str; 4] = [
    "cpython-3.11-day",
    "cpython-3.11-dict-index",
    "cpython-3.11-json-documents",
    "cpython-3.11-string-build",
];

/// The recorded program called `name`.
pub(crate) fn named(name: &str) -> Option<&'static Bundled> {
    ALL.iter().find(|bundled| bundled.name == name)
}

#[cfg(test)]
mod tests {
    use workloads::trace::Reader;

    use super::*;

    #[test]
    fn every_recording_is_whole_and_of_a_real_program() {
        for bundled in &ALL {
            let mut reader = Reader::new(bundled.trace).unwrap();
            let calls = reader.by_ref().map(Result::unwrap).count();
            assert!(calls >= 200_000, "{bundled:?}: {calls} events");
            assert!(reader.meta().command.contains("python3"), "{bundled:?}");
            assert!(bundled.trace.len() <= 300 << 10, "{bundled:?}: {}", bundled.trace.len());
        }
    }

    #[test]
    fn the_quick_ones_exist_and_names_are_unique() {
        assert!(QUICK.iter().all(|name| named(name).is_some()));
        for (at, one) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != one.name), "{one:?}");
        }
    }
}
