//! The part of `arenabench run` that reads memory over time: which workloads, and what no allocator
//! could beat.

use reports::record::{Packing, Record, Source};

use crate::bundled::Bundled;
use crate::exit::Failure;
use crate::packing::{self, lifetimes};
use crate::session::Session;
use crate::workload::Prepared;

/// Reads the memory of every workload but all bundled recordings save one, on one thread.
///
/// # Errors
/// As [`Session::memory`].
pub(super) fn memory(session: &mut Session<'_>) -> Result<(), Failure> {
    let chosen = session.workloads.iter().copied().filter(|workload| {
        workload.record.source == Source::Generated
            || workload.bundled().is_none_or(Bundled::is_first)
    });
    let workloads: Vec<&Prepared> = chosen.collect();
    pack(session, &workloads)?;
    session.on(session.subjects, workloads, Session::memory)
}

/// Packs the lifetimes of the workloads that an earlier run has not packed.
fn pack(session: &mut Session<'_>, workloads: &[&Prepared]) -> Result<(), Failure> {
    let voice = session.conditions.voice;
    voice.phase("Packing lifetimes offline", workloads.len() as u64);
    for workload in workloads {
        let name = &workload.record.workload;
        voice.step(name.clone());
        if session.conditions.interrupt.requested() || session.taken.packings.contains(name) {
            continue;
        }
        let found = workload.lifetimes()?;
        let packed = found.as_ref().map(packing::best);
        let none = || format!("not measured: more than {} lifetimes", lifetimes::MOST);
        session.sink.put(Record::Packing(Packing {
            workload: name.clone(),
            message: packed.is_none().then(none),
            lifetimes: found.as_ref().map(|one| one.stays().len() as u64),
            bound_bytes: found.as_ref().map(lifetimes::Lifetimes::bound_bytes),
            packed_bytes: packed.as_ref().map(|packed| packed.bytes),
            method: packed.map(|packed| packed.method),
        }))?;
    }
    voice.end_phase();
    Ok(())
}
