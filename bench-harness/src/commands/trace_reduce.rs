//! `arenabench trace reduce`: from a workload that a subject fails on to the few calls that it fails on.
//!
//! `workloads::reduce` says what to try; every trial is one child that replays with everything
//! checked. What was found more than [`SAVED_EVERY`] and a trial ago is on disk.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use reports::record::{Sample, Status};
use serde::Serialize;
use workloads::event::{Event, Op};
use workloads::reduce::reduce;
use workloads::trace::{Meta, Writer};

use super::print;
use crate::child::job::Task;
use crate::child::spawn::Limits;
use crate::cli::{Format, TraceReduce};
use crate::exit::{self, Failure, Outcome};
use crate::host;
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};
use crate::replay::mode::Mode;
use crate::replay::touch::Touch;
use crate::talk::Voice;
use crate::workload::{self, About, Extent, Name, Prepared};

/// Calls in the measured region of a generated workload, as for `replay`.
const OPERATIONS: u64 = 1_000_000;
/// Most events of a workload: a search begins with four copies of them, 56 bytes an event.
const MOST_EVENTS: usize = 8_000_000;
/// Age of the trace on disk at which what has been found since is written.
const SAVED_EVERY: Duration = Duration::from_secs(10);
/// Events that a table lists; more are no help to a person.
const LISTED: usize = 100;

/// Runs the command.
pub(crate) fn run(args: &TraceReduce, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    if is_input(args) {
        let path = args.output.display();
        return Err(Failure::usage(format!("{path}: it would be written over what is read")));
    }
    let extent = Extent {
        operations: args.generation.operations.unwrap_or(OPERATIONS),
        seed: args.generation.seed,
    };
    let prepared = workload::prepare(&args.workload, extent)?;
    let name = match &args.workload {
        Name::File(path) => path.display().to_string(),
        other => other.to_string(),
    };
    let Some((events, about)) = prepared.events(MOST_EVENTS)? else {
        return Err(Failure::data(anyhow!(
            "{name}: more than {MOST_EVENTS} events, which is all that are reduced"
        )));
    };
    let prepared = prepared.in_mode(args.mode)?;
    let mut trials = Trials { args, interrupt, made: 0 };
    voice.say(format!("{name}: {} events, replayed on {}", events.len(), args.subject.name));
    let first = trials.replay(&prepared)?;
    drop(prepared);
    let Some(wanted) = Failing::of(&first) else {
        return Err(not_reducible(&name, &args.subject.name, &first));
    };
    let message = first.message.as_deref().unwrap_or_default();
    voice.say(format!("{}: {message}", wanted.status.word()));

    let mut found = Found {
        events: events.clone(),
        last: first,
        about,
        saved: Instant::now(),
        is_saved: false,
    };
    found.save(args)?;
    voice.phase("Reducing", None);
    let searched = reduce(events, &mut |candidate| {
        if interrupt.requested() {
            return Err(Stop::Interrupted);
        }
        let least = found.events.len();
        voice.step(format!("{} events tried, {least} are known to fail", candidate.len()));
        let sample = trials.trial(candidate).map_err(Stop::Failed)?;
        let fails = wanted.shows_in(&sample, &name, &args.subject.name)?;
        if fails {
            found.take(candidate, sample);
        }
        found.save_if_old(args).map_err(Stop::Failed)?;
        Ok(fails)
    });
    voice.end_phase();
    found.save(args)?;
    let code = match searched {
        Ok(_) => exit::GOOD,
        Err(Stop::Interrupted) => exit::INTERRUPTED,
        Err(Stop::Failed(failure)) => return Err(failure),
    };
    voice.say(format!(
        "{}: {} events after {} replays{}; {}",
        args.output.display(),
        found.events.len(),
        trials.made,
        if code == exit::GOOD { "" } else { ", interrupted" },
        found.last.message.as_deref().unwrap_or_default()
    ));
    list(&found.events, args.format, voice)?;
    Ok(code)
}

/// Whether the trace that is to be written is the one that is read.
fn is_input(args: &TraceReduce) -> bool {
    let Name::File(input) = &args.workload else { return false };
    match (input.canonicalize(), args.output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    }
}

/// Why there is nothing to look for in a replay that did not fail.
fn not_reducible(name: &str, subject: &str, sample: &Sample) -> Failure {
    let message = sample.message.as_deref().unwrap_or_default();
    match sample.status {
        Status::Ok => Failure::data(anyhow!("{name}: {subject} does not fail on it")),
        Status::Interrupted => Failure { code: exit::INTERRUPTED, error: anyhow!("interrupted") },
        status => Failure {
            code: exit::INCOMPLETE,
            error: anyhow!("{subject} cannot replay {name}: {}, {message}", status.word()),
        },
    }
}

/// Why a search ended early.
#[derive(Debug)]
enum Stop {
    Interrupted,
    Failed(Failure),
}

/// How a replay failed, without what differs from run to run.
#[derive(Debug, PartialEq)]
struct Failing {
    status: Status,
    signal: Option<i32>,
    exit_code: Option<i32>,
    /// Which promise was broken, where one was; numbers and addresses read `#`. The last words of a
    /// program that died are its own and may be others each time.
    fault: Option<String>,
}

impl Failing {
    /// `None` unless the subject failed on what it was asked for.
    fn of(sample: &Sample) -> Option<Self> {
        let failed = matches!(
            sample.status,
            Status::Mismatch | Status::Signal | Status::Exit | Status::Timeout | Status::Oom
        );
        failed.then(|| Self {
            status: sample.status,
            signal: sample.signal,
            exit_code: sample.exit_code,
            fault: match sample.status {
                Status::Mismatch => sample.message.as_deref().map(without_numbers),
                _ => None,
            },
        })
    }

    /// Whether a trial on `subject` failed in this way.
    ///
    /// # Errors
    /// When it came to no answer: interrupted, or the subject cannot be had any more.
    fn shows_in(&self, trial: &Sample, name: &str, subject: &str) -> Result<bool, Stop> {
        match (trial.status, Self::of(trial)) {
            (Status::Ok, _) => Ok(false),
            (_, Some(failing)) => Ok(failing == *self),
            (Status::Interrupted, None) => Err(Stop::Interrupted),
            (_, None) => Err(Stop::Failed(not_reducible(name, subject, trial))),
        }
    }
}

/// Every word that begins with a digit as `#`.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for char in text.chars() {
        let in_word = before.is_some_and(char::is_alphanumeric);
        let in_number = in_word && out.ends_with('#');
        if char.is_ascii_digit() && !in_word {
            out.push('#');
        } else if !(char.is_alphanumeric() && in_number) {
            out.push(char);
        }
        before = Some(char);
    }
    out
}

/// Replays candidates.
struct Trials<'a> {
    args: &'a TraceReduce,
    interrupt: &'a Interrupt,
    made: u64,
}

impl Trials<'_> {
    fn trial(&mut self, events: &[Event]) -> Result<Sample, Failure> {
        let prepared = workload::of_events(events, "a trial of the search".to_owned())?;
        // A pace is nothing without times, which the heap before the region need not have.
        let region = events.iter().position(|event| event.op == Op::RegionStart).unwrap_or(0);
        let has_times = events[region..].iter().any(|event| event.time_ns.is_some());
        let mode = self.args.mode.filter(|mode| *mode != Mode::Paced || has_times);
        self.replay(&prepared.in_mode(mode)?)
    }

    /// Replays until a replay fails, as often as the user allows.
    fn replay(&mut self, workload: &Prepared) -> Result<Sample, Failure> {
        let subject = &self.args.subject;
        let task = Task::Verify;
        let request = Request {
            subject,
            workload,
            touch: Touch::default(),
            task,
            round: 0,
            again: false,
            breaks_off: false,
        };
        let limits = Limits { timeout: self.args.timeout, memory_bytes: host::memory_limit() };
        let mut tries = 0;
        loop {
            tries += 1;
            self.made += 1;
            let sample = measure::sample(&request, self.made, limits, self.interrupt)
                .map_err(|error| Failure::io("cannot start a child process", error))?;
            if sample.status != Status::Ok || tries == self.args.tries {
                return Ok(sample);
            }
        }
    }
}

/// The least that is known to fail.
struct Found {
    events: Vec<Event>,
    /// How it failed.
    last: Sample,
    /// What is known of the whole workload.
    about: About,
    /// When the trace was written last, and whether it holds the events above.
    saved: Instant,
    is_saved: bool,
}

impl Found {
    fn take(&mut self, events: &[Event], sample: Sample) {
        self.events = events.to_vec();
        self.last = sample;
        self.is_saved = false;
    }

    fn save_if_old(&mut self, args: &TraceReduce) -> Result<(), Failure> {
        if self.saved.elapsed() >= SAVED_EVERY { self.save(args) } else { Ok(()) }
    }

    /// Writes the trace unless it is there.
    fn save(&mut self, args: &TraceReduce) -> Result<(), Failure> {
        if self.is_saved {
            return Ok(());
        }
        let meta = Meta {
            producer: concat!("arenabench trace reduce ", env!("CARGO_PKG_VERSION")).to_owned(),
            command: format!(
                "{}, reduced to what {} fails on",
                self.about.command, args.subject.name
            ),
            interpreter: self.about.interpreter.clone(),
            timed: self.events.iter().any(|event| event.time_ns.is_some()),
            losses: self.about.losses,
        };
        let mut writer = Writer::create(&args.output, &meta)?;
        self.events.iter().try_for_each(|event| writer.write(event))?;
        writer.finish()?;
        (self.saved, self.is_saved) = (Instant::now(), true);
        Ok(())
    }
}

/// One event, as it is printed.
#[derive(Serialize)]
struct Row {
    thread: u32,
    call: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    align: Option<u64>,
}

impl Row {
    fn of(event: &Event) -> Self {
        let op = event.op;
        let call = match op {
            Op::ThreadStart => "thread start",
            Op::ThreadEnd => "thread end",
            Op::RegionStart => "region start",
            Op::RegionEnd => "region end",
            _ => op.call().expect("all others are calls").name(),
        };
        let (block, bytes) = match op {
            Op::Realloc { block, size } => (Some(block), Some(size)),
            Op::Free { block, size } => (Some(block), size),
            Op::ReallocFree { block } => (Some(block), None),
            _ => op.birth().map_or((None, None), |(block, size)| (Some(block), Some(size))),
        };
        let align = if let Op::AlignedAlloc { align, .. } = op { Some(align) } else { None };
        Self { thread: event.thread.0, call, block: block.map(|block| block.0), bytes, align }
    }

    fn cells(&self) -> Vec<String> {
        let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let (block, bytes, align) = (number(self.block), number(self.bytes), number(self.align));
        vec![self.call.to_owned(), self.thread.to_string(), block, bytes, align]
    }
}

fn list(events: &[Event], format: Format, voice: &Voice) -> Result<(), Failure> {
    let rows = events.iter().map(Row::of);
    if format == Format::Json {
        return print::json(&rows.collect::<Vec<_>>());
    }
    let listed = if format == Format::Csv { events.len() } else { LISTED };
    let cells = rows.take(listed).map(|row| row.cells()).collect();
    print::table(
        &print::table_of(&["call", "thread", "block", "bytes", "align"], 1, cells),
        format,
    )?;
    if events.len() > listed {
        voice.say(format!("and {} more", events.len() - listed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: &str, message: &str) -> Sample {
        let sample = serde_json::json!({
            "subject": "mine", "workload": "day", "seq": 0, "round": 0, "mode": "serial", "call": "c",
            "touch": "header", "status": status, "message": message,
        });
        serde_json::from_value(sample).unwrap()
    }

    #[test]
    fn a_broken_promise_is_another_one_in_other_words_and_a_death_is_not() {
        let of = |status, message| Failing::of(&failed(status, message)).unwrap();
        let overlap = of("mismatch", "call 5: malloc of 8 bytes returned 0x7f10, inside");
        assert_eq!(overlap, of("mismatch", "call 71: malloc of 9 bytes returned 0x8, inside"));
        assert_ne!(overlap, of("mismatch", "call 5: free: byte 3 of the block has changed"));
        let death = of("exit", "ended with exit code 3: at fe10");
        assert_eq!(death, of("exit", "ended with exit code 3: at c0de"));
        assert_ne!(death, of("timeout", "killed at its time limit"));
    }

    #[test]
    fn a_trial_without_an_answer_ends_the_search_and_is_no_sign_of_soundness() {
        let wanted = Failing::of(&failed("exit", "")).unwrap();
        let shows = |status| wanted.shows_in(&failed(status, "why"), "day", "mine");
        assert!(matches!(shows("exit"), Ok(true)));
        assert!(matches!(shows("ok"), Ok(false)) && matches!(shows("timeout"), Ok(false)));
        assert!(matches!(shows("interrupted"), Err(Stop::Interrupted)));
        for status in ["missing", "not-loaded", "unsupported"] {
            let ended = shows(status);
            assert!(
                matches!(&ended, Err(Stop::Failed(why)) if why.code == 3),
                "{status}: {ended:?}"
            );
        }
    }

    #[test]
    fn words_that_begin_with_a_digit_are_numbers_and_all_others_stay() {
        assert_eq!(
            without_numbers("call 12: malloc of 8 bytes returned 0x7ff0, inside [0x7ff0, 0x8000)"),
            "call #: malloc of # bytes returned #, inside [#, #)"
        );
        assert_eq!(without_numbers("utf8 of 64k, 3 times"), "utf8 of #, # times");
        assert_eq!(without_numbers("a#1 and #b"), "a## and #b");
    }
}
