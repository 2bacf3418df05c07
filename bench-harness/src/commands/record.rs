//! `arenabench record`: runs a program under the recorder and writes its traces.

use std::time::Duration;

use crate::cli::Record;
use crate::exit::Outcome;
use crate::interrupt::Interrupt;
use crate::recording::{self, Recorded, Request};
use crate::talk::Voice;

/// Runs the command. The exit code is the program's.
pub(crate) fn run(args: &Record, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let request = Request {
        command: &args.command,
        environment: &[],
        output: &args.output,
        mark_size: args.mark_size,
        interpreter: None,
        program: None,
        silent: false,
        others: true,
        linger: args.linger,
    };
    let recording = recording::record(&request)?;
    let (own, others) = recording.traces.split_first().expect("a recording has a trace");
    voice.say(describe(own));
    say_cut(recording.cut, voice);
    if args.mark_size.is_some() && own.summary.mark_calls == 0 {
        voice.complain("no request of the size that marks the region was seen");
    }
    if !others.is_empty() {
        let calls: u64 = others.iter().map(|trace| trace.summary.calls).sum();
        voice.say(format!(
            "{}.<pid>.<n>: {} other process images, {calls} calls logged",
            args.output.display(),
            others.len()
        ));
    }
    if let Some(runs) = args.measure_slowdown {
        measure_slowdown(&request, runs, voice, interrupt)?;
    }
    Ok(recording::exit_code(recording.status))
}

/// Says that processes outlived the recording, if some did.
pub(super) fn say_cut(cut: u64, voice: &Voice) {
    if cut > 0 {
        voice.complain(format!(
            "processes that still run: {cut}; what they do from now on is not recorded, and their \
             traces are marked truncated"
        ));
    }
}

/// What came out of one process image, in a line.
pub(super) fn describe(trace: &Recorded) -> String {
    let calls = trace.totals.calls.total();
    let mut text = format!(
        "{}: process {}, {} calls logged, {calls} operations stored, {} bytes ({:.2} a call)",
        trace.path.display(),
        trace.pid,
        trace.summary.calls,
        trace.trace_bytes,
        trace.trace_bytes as f64 / calls.max(1) as f64,
    );
    for loss in trace.summary.losses().flags() {
        text.push_str("; ");
        text.push_str(loss);
    }
    text
}

/// Runs the program with and without the recorder in turn and says what the recorder costs.
fn measure_slowdown(
    request: &Request<'_>,
    runs: u32,
    voice: &Voice,
    interrupt: &Interrupt,
) -> Result<(), crate::exit::Failure> {
    let spare = tempfile::tempdir()
        .map_err(|error| crate::exit::Failure::io("a temporary folder", error))?;
    let output = spare.path().join("again.trace");
    let (mut plain, mut recorded): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        if interrupt.requested() {
            break;
        }
        let linger = Duration::ZERO;
        let silent = Request { silent: true, output: &output, linger, ..request.clone() };
        plain.push(recording::plain(&silent)?);
        recorded.push(recording::record(&silent)?.wall);
    }
    plain.sort_unstable();
    recorded.sort_unstable();
    if let (Some(plain_median), Some(recorded_median)) =
        (plain.get(plain.len() / 2), recorded.get(recorded.len() / 2))
    {
        voice.say(format!(
            "slowdown {:.2}: median {:.3} s recorded, {:.3} s plain, {} runs each",
            recorded_median.as_secs_f64() / plain_median.as_secs_f64(),
            recorded_median.as_secs_f64(),
            plain_median.as_secs_f64(),
            plain.len(),
        ));
    }
    Ok(())
}
