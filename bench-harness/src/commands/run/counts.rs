//! The counting part of `arenabench run`: which workloads, and what if Valgrind is missing.

use reports::record::{Record, Source, Unmeasured};

use crate::bundled::Bundled;
use crate::exit::Failure;
use crate::session::Session;
use crate::workload::{self, Extent, Name};

/// Most calls of a generated workload that is counted: counts per call change little beyond.
pub(super) const OPERATIONS: u64 = 200_000;

/// Counts every workload but all bundled recordings save one; of generated ones a short version.
/// References are counted as well: `null` is what the replay itself takes.
///
/// # Errors
/// As [`Session::counts`].
pub(super) fn counts(
    session: &mut Session<'_>,
    names: &[Name],
    extent: Extent,
    version: Option<&str>,
) -> Result<(), Failure> {
    let Some(version) = version else {
        session.conditions.voice.say("Instructions: not counted: valgrind is not installed");
        return session.sink.put(Record::Unmeasured(Unmeasured {
            measure: "counts".to_owned(),
            reason: "valgrind is not installed".to_owned(),
            remedy: Some("install the package `valgrind` and run again".to_owned()),
        }));
    };
    let mut short = Vec::new();
    for name in names.iter().filter(|name| name.is_generated()) {
        short.push(workload::prepare(name, extent)?);
    }
    let recorded = session.workloads.iter().copied().filter(|workload| {
        workload.record.source != Source::Generated
            && workload.bundled().is_none_or(Bundled::is_first)
    });
    let workloads = short.iter().chain(recorded).collect();
    session.on(session.subjects, workloads, |inner| inner.counts(version))
}
