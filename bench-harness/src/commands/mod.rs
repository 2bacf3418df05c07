//! One file per command of `arenabench`, and what they share: how results are printed.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod contract;
pub(crate) mod detection;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod memcheck;
pub(crate) mod ownership;
pub(crate) mod print;
pub(crate) mod program;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod shell;
pub(crate) mod summary_rows;
pub(crate) mod trace;
pub(crate) mod trace_info;

use std::io;

use reports::record::Record;
use reports::results::Results;

/// Whether an error is standard output closed by its reader, which is no failure of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// All records of a results file, by kind.
pub(crate) fn records_of(results: &Results) -> Vec<Record> {
    let mut records = vec![Record::Host(results.host.clone())];
    records.extend(results.subjects.iter().cloned().map(Record::Subject));
    records.extend(results.workloads.iter().cloned().map(Record::Workload));
    records.extend(results.recordings.iter().cloned().map(Record::Recording));
    records.extend(results.samples.iter().cloned().map(Record::Sample));
    records.extend(results.memchecks.iter().cloned().map(Record::Memcheck));
    records.extend(results.programs.iter().cloned().map(Record::Program));
    records.extend(results.contracts.iter().cloned().map(Record::Contract));
    records.extend(results.ownerships.iter().cloned().map(Record::Ownership));
    records.extend(results.detections.iter().cloned().map(Record::Detection));
    records.extend(results.tails.iter().cloned().map(Record::Tails));
    records.extend(results.counts.iter().cloned().map(Record::Counts));
    records.extend(results.counters.iter().cloned().map(Record::Counters));
    records.extend(results.footprints.iter().cloned().map(Record::Footprint));
    records.extend(results.memories.iter().cloned().map(Record::Memory));
    records.extend(results.packings.iter().cloned().map(Record::Packing));
    records.extend(results.unmeasured.iter().cloned().map(Record::Unmeasured));
    records.extend(results.end.iter().cloned().map(Record::End));
    records
}
