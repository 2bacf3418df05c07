//! `arenabench trace`: what a trace holds, generated and imported traces, and whether a trace is whole.

use workloads::generate::Spec;
use workloads::trace::{Meta, Reader, TraceError, Writer};

use super::{print, record};
use crate::cli::{TraceGenerate, TraceImport, TraceInfo, TraceValidate};
use crate::exit::{self, Failure, Outcome};
use crate::recording;
use crate::talk::Voice;

/// Calls in the measured region of a generated trace.
const OPERATIONS: u64 = 1_000_000;

/// Prints what a trace holds.
pub(crate) fn info(args: &TraceInfo) -> Outcome {
    super::trace_info::print(&args.trace, args.format)
}

/// Writes a generated workload.
pub(crate) fn generate(args: &TraceGenerate, voice: &Voice) -> Outcome {
    let spec: Spec = args.workload.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let meta = Meta {
        producer: concat!("arenabench trace generate ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: format!("{spec} --seed {}", args.generation.seed),
        ..Meta::default()
    };
    let mut writer = Writer::create(&args.output, &meta)?;
    let mut failed: Option<TraceError> = None;
    let operations = args.generation.operations.unwrap_or(OPERATIONS);
    spec.generate(operations, args.generation.seed, &mut |event| {
        if failed.is_none() {
            failed = writer.write(&event).err();
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    let totals = writer.finish()?;
    let bytes = std::fs::metadata(&args.output)
        .map_err(|error| Failure::io(args.output.display(), error))?
        .len();
    voice.say(format!(
        "{}: {} calls, {bytes} bytes ({:.2} a call)",
        args.output.display(),
        totals.calls.total(),
        bytes as f64 / totals.calls.total().max(1) as f64
    ));
    Ok(exit::GOOD)
}

/// Turns the raw logs of a recording into traces.
pub(crate) fn import(args: &TraceImport, voice: &Voice) -> Outcome {
    let (traces, cut) = recording::import(&args.folder, &args.output, args.mark_size)?;
    for trace in &traces {
        voice.say(record::describe(trace));
    }
    record::say_cut(cut, voice);
    Ok(exit::GOOD)
}

/// Reads traces to their last byte.
pub(crate) fn validate(args: &TraceValidate) -> Outcome {
    for path in &args.traces {
        let mut reader = Reader::open(path)?;
        for event in reader.by_ref() {
            event?;
        }
        let totals = reader.totals();
        print::out(&format!(
            "{}: valid, {} calls on {} threads\n",
            path.display(),
            totals.calls.total(),
            totals.threads
        ))?;
    }
    Ok(exit::GOOD)
}
