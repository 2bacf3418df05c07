//! Counts the instructions, cache misses and system calls of a replay's measured region under
//! Valgrind's callgrind, and its page faults in a process without.
//!
//! Both children play one pass on a cold heap, one thread at a time, without address randomisation and
//! without huge pages, so that counts repeat. The caches are simulated, with a geometry that is the
//! same on every computer. Counting begins and ends by client requests (`requests`); what is counted
//! stands in the `summary` line of the first file that callgrind writes:
//!
//! ```text
//! events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw sysCount sysTime
//! summary: 87 16 12 2 0 0 2 0 0 5
//! ```
//! Trailing zeros are left out. The `totals` line is none of the region: it holds the system calls of
//! the whole process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use reports::record::{Counts, Status};

use crate::child::job::Task;
use crate::child::outcome::{self, Verdict};
use crate::child::process;
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};
use crate::plan::{Shape, WINDOW_WORDS};

/// Size, ways and line of the simulated caches, in bytes: those of a common core, and its share of a
/// last-level cache.
const CACHES: [(&str, &str); 3] =
    [("I1", "32768,8,64"), ("D1", "32768,8,64"), ("LL", "2097152,16,64")];

/// Threads that Valgrind is told to have room for at least: what it has by itself.
const MIN_THREADS: u32 = 500;

/// What is read off a region's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Events {
    instructions: u64,
    data_reads: u64,
    data_writes: u64,
    i1_misses: u64,
    d1_misses: u64,
    ll_misses: u64,
    system_calls: u64,
}

/// Reads a file of callgrind's; `None` when it is not one, or lacks an event.
fn parse(text: &str) -> Option<Events> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let names: Vec<&str> = line("events:")?.split_whitespace().collect();
    let counts = line("summary:")?.split_whitespace().map(str::parse);
    let counts: Vec<u64> = counts.collect::<Result<_, _>>().ok()?;
    let of = |name: &str| {
        let at = names.iter().position(|known| *known == name)?;
        Some(counts.get(at).copied().unwrap_or(0))
    };
    Some(Events {
        instructions: of("Ir")?,
        data_reads: of("Dr")?,
        data_writes: of("Dw")?,
        i1_misses: of("I1mr")?,
        d1_misses: of("D1mr")? + of("D1mw")?,
        ll_misses: of("ILmr")? + of("DLmr")? + of("DLmw")?,
        system_calls: of("sysCount")?,
    })
}

/// Counts one cell; `request.task` is [`Task::Count`].
///
/// # Errors
/// When Valgrind cannot be started or its files cannot be kept.
pub(crate) fn counts(
    request: &Request<'_>,
    version: &str,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Counts> {
    debug_assert_eq!(request.task, Task::Count);
    let mut record = Counts {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        call: request.subject.call,
        touch: request.touch.to_string(),
        threads: measure::turning_threads(request),
        status: Status::Ok,
        message: None,
        operations: None,
        instructions: None,
        data_reads: None,
        data_writes: None,
        i1_misses: None,
        d1_misses: None,
        ll_misses: None,
        system_calls: None,
        page_faults: None,
        caches: Some(CACHES.map(|(name, shape)| format!("{name} {shape}")).join("; ")),
        valgrind: Some(version.to_owned()),
    };
    if let Some(why) = request.subject.without_valgrind {
        (record.status, record.message) = (Status::Unsupported, Some(why.to_owned()));
        return Ok(record);
    }
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    let plain = child(request, None, limits, interrupt)?;
    let Some(found) = plain.found else {
        (record.status, record.message) = (plain.status, plain.message);
        return Ok(record);
    };
    let folder = tempfile::Builder::new().prefix("arenabench-callgrind-").tempdir()?;
    let file = folder.path().join("out");
    let counted = child(request, Some(&file), limits, interrupt)?;
    (record.status, record.message) = (counted.status, counted.message);
    if counted.found.is_none() {
        return Ok(record);
    }
    let region = std::fs::read_to_string(file.with_extension("1"))?;
    let Some(events) = parse(&region) else {
        record.status = Status::Exit;
        record.message = Some("callgrind's file is unreadable".to_owned());
        return Ok(record);
    };
    record.operations = Some(found.calls);
    record.page_faults = found.page_faults;
    record.instructions = Some(events.instructions);
    record.data_reads = Some(events.data_reads);
    record.data_writes = Some(events.data_writes);
    record.i1_misses = Some(events.i1_misses);
    record.d1_misses = Some(events.d1_misses);
    record.ll_misses = Some(events.ll_misses);
    // In turns, handing over makes more of them than any subject does.
    if record.threads.is_none() {
        let own = own_system_calls(&request.workload.shape);
        record.system_calls = Some(events.system_calls.saturating_sub(own));
    }
    Ok(record)
}

/// System calls of the replay itself in the region: two readings of the clock around each window of
/// the plan, which Valgrind does not let a process make by itself, and one to bring in each window but
/// the first.
fn own_system_calls(shape: &Shape) -> u64 {
    if shape.region_end <= shape.region_start {
        return 0;
    }
    let windows = (shape.region_end - 1) / WINDOW_WORDS - shape.region_start / WINDOW_WORDS + 1;
    3 * windows - 1
}

/// One child, under callgrind when it is to write `file`.
fn child(
    request: &Request<'_>,
    file: Option<&std::path::Path>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Verdict> {
    let [program, argument, job] = measure::child_arguments(request)?;
    let mut command = match file {
        None => Command::new(program),
        Some(file) => {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--collect-atstart=no", "--collect-systime=yes"]);
            command.args(["--cache-sim=yes", "--child-silent-after-fork=yes"]);
            let threads = measure::turning_threads(request).unwrap_or(1);
            command.arg(format!("--max-threads={}", threads.saturating_add(1).max(MIN_THREADS)));
            command.args(CACHES.map(|(name, shape)| format!("--{name}={shape}")));
            command.arg(format!("--callgrind-out-file={}", file.display())).arg(program);
            command
        }
    };
    command.args([argument, job]);
    let _preload = measure::environment(&mut command, request.subject)?;
    // SAFETY: the function makes system calls only, which are allowed between fork and exec.
    unsafe { command.pre_exec(process::without_chance) };
    let limits = measure::limits_in_turns(request, limits);
    let finished = spawn::run(command, limits, interrupt)?;
    Ok(outcome::judge(&finished, request.workload.shape.calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 1\nevents: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw sysCount sysTime\n\
                        summary: 87 16 12 2 3 4 5 6 7 8\n\ntotals: 87 16 12 2 3 4 5 6 7 99\n";

    #[test]
    fn events_are_read_by_name_from_the_summary_and_not_from_the_totals() {
        let events = parse(FILE).unwrap();
        assert_eq!((events.instructions, events.d1_misses, events.ll_misses), (87, 7, 18));
        assert_eq!(events.system_calls, 8);
    }

    #[test]
    fn trailing_zeros_are_left_out_and_still_counted() {
        let short = FILE.replace("summary: 87 16 12 2 3 4 5 6 7 8", "summary: 87 16");
        let events = parse(&short).unwrap();
        assert_eq!((events.data_reads, events.data_writes, events.system_calls), (16, 0, 0));
    }

    #[test]
    fn a_file_without_an_event_or_with_other_words_is_refused() {
        assert_eq!(parse(&FILE.replace("D1mr", "XX")), None);
        assert_eq!(parse(&FILE.replace("summary: 87", "summary: many")), None);
        assert_eq!(parse(""), None);
    }
}
