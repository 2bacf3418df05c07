//! The part of `arenabench memcheck` that runs seeded bugs: which are caught, by whom, in which words.

use std::path::PathBuf;

use clap::Args;
use reports::record::{Detection, Finding, Record, Status};
use reports::summary::Table;

use super::print;
use crate::detection::{self, Bug, Mode, Terms};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::session::Sink;
use crate::talk::Voice;

/// Which seeded bugs are run, and how.
#[derive(Debug, Args)]
pub(crate) struct Bugs {
    /// Run the programs of this folder, every *.c file one that does one thing wrong, instead of the
    /// seeded bugs; `#include "bug.h"` and clean_*.c, programs without a bug, are up to you
    #[arg(long = "bugs", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Leave the seeded bugs out
    #[arg(long, conflicts_with_all = ["folder", "bugs_only", "bug", "detection_mode"])]
    pub(crate) no_bugs: bool,
    /// Run the seeded bugs only, no workload
    #[arg(long)]
    pub(crate) bugs_only: bool,
    /// Run this bug only; may be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) bug: Vec<String>,
    /// Look for bugs in this mode only, malloc+memcheck say; may be given several times [default: all]
    #[arg(long = "mode", value_name = "NAME")]
    pub(crate) detection_mode: Vec<String>,
}

impl Bugs {
    /// Whether an option asks for seeded bugs; without one they run where nothing else is named.
    pub(crate) fn are_asked_for(&self) -> bool {
        let named = !self.bug.is_empty() || !self.detection_mode.is_empty();
        self.bugs_only || self.folder.is_some() || named
    }
}

/// The bugs and modes that a command line names.
pub(crate) struct Chosen {
    bugs: Vec<Bug>,
    modes: Vec<Mode>,
}

impl Chosen {
    /// `None` when seeded bugs are left out: on demand, and where subjects, workloads or a program
    /// are asked for by name and no bugs are.
    ///
    /// # Errors
    /// When a name is not known, or the folder cannot be read.
    pub(crate) fn of(args: &Bugs, is_asked_for_more: bool) -> Result<Option<Self>, Failure> {
        if args.no_bugs || is_asked_for_more && !args.are_asked_for() {
            return Ok(None);
        }
        // Names of modes are checked before any file is opened.
        let modes = named("mode", Mode::all(), |mode| &mode.name, &args.detection_mode)?;
        let bugs = match &args.folder {
            Some(folder) => {
                Bug::of_folder(folder).map_err(|error| Failure::io(folder.display(), error))?
            }
            None => Bug::embedded(),
        };
        let bugs = named("bug", bugs, |bug| &bug.name, &args.bug)?;
        Ok(Some(Self { bugs, modes }))
    }

    /// Runs them, but for the cells that an earlier run has left in `taken`, and puts each record
    /// into the sink. Returns the records of all cells.
    ///
    /// # Errors
    /// When a process cannot be started or a file cannot be written.
    pub(crate) fn run(
        &self,
        jobs: usize,
        voice: &Voice,
        interrupt: &Interrupt,
        sink: &mut Sink,
        taken: &[Detection],
    ) -> Result<Vec<Detection>, Failure> {
        let terms = Terms::of(jobs, voice, interrupt);
        let mut records = taken.to_vec();
        detection::matrix(&self.bugs, &self.modes, terms, taken, &mut |record| {
            records.push(record.clone());
            sink.put(Record::Detection(record))
        })?;
        for mode in &self.modes {
            let cell = records.iter().find(|one| one.mode == mode.name && one.status.is_failure());
            if let Some(cell) = cell {
                let why = cell.message.as_deref().unwrap_or("no reason given");
                voice.say(format!("{}: {}: {why}", mode.name, cell.status.word()));
            }
        }
        Ok(records)
    }
}

/// The seeded bugs of these names; all of them when there is none.
///
/// # Errors
/// When a name is not known.
pub(super) fn bugs_named(names: &[String]) -> Result<Vec<Bug>, Failure> {
    named("bug", Bug::embedded(), |bug| &bug.name, names)
}

/// Those of `all` that are named, in the order of `all`; all of them when none is.
fn named<T>(
    what: &str,
    all: Vec<T>,
    name: impl Fn(&T) -> &String,
    names: &[String],
) -> Result<Vec<T>, Failure> {
    if names.is_empty() {
        return Ok(all);
    }
    if let Some(unknown) = names.iter().find(|wanted| all.iter().all(|one| name(one) != *wanted)) {
        let known: Vec<&str> = all.iter().map(|one| name(one).as_str()).collect();
        return Err(Failure::usage(format!(
            "no {what} is named `{unknown}`; there are {}",
            known.join(", ")
        )));
    }
    Ok(all.into_iter().filter(|one| names.contains(name(one))).collect())
}

/// Cells that could not be run, for the exit code.
pub(crate) fn failures(records: &[Detection]) -> u64 {
    let failed =
        |record: &&Detection| record.status.is_failure() && record.status != Status::Interrupted;
    records.iter().filter(failed).count() as u64
}

/// One row per cell.
pub(crate) fn table(records: &[Detection]) -> Table {
    let line = |cell: &Detection| {
        let words = cell.words.as_ref().or(cell.message.as_ref());
        vec![
            cell.bug.clone(),
            cell.mode.clone(),
            cell.verdict.map_or(cell.status.word(), Finding::word).to_owned(),
            words.cloned().unwrap_or_default(),
            cell.own_reports.map_or_else(String::new, |count| count.to_string()),
        ]
    };
    let head = ["bug", "mode", "verdict", "words", "allocator's own reports"];
    print::table_of(&head, 4, records.iter().map(line).collect())
}

/// One row per mode.
pub(crate) fn counts(records: &[Detection]) -> Table {
    let mut modes: Vec<&str> = Vec::new();
    for record in records {
        if !modes.contains(&record.mode.as_str()) {
            modes.push(&record.mode);
        }
    }
    let line = |mode: &&str| {
        let own: Vec<_> = records.iter().filter(|record| record.mode == **mode).collect();
        let count = |verdict| own.iter().filter(|one| one.verdict == Some(verdict)).count();
        let without = own.iter().filter(|one| one.verdict.is_none()).count();
        let mut line = vec![(*mode).to_owned()];
        line.extend(Finding::ALL.map(|verdict| count(verdict).to_string()));
        line.push(without.to_string());
        line
    };
    let head = ["mode", "caught", "missed", "crashed", "false-alarm", "clean", "no verdict"];
    print::table_of(&head, 1, modes.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_in_the_order_of_all_and_unknown_ones_are_bad_usage() {
        let all = || vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            named("bug", all(), |name| name, &names)
        };
        assert_eq!(of(&[]).unwrap(), all());
        assert_eq!(of(&["c", "a"]).unwrap(), ["a", "c"]);
        let failure = of(&["d"]).unwrap_err();
        assert_eq!(failure.code, crate::exit::USAGE);
        assert_eq!(failure.error.to_string(), "no bug is named `d`; there are a, b, c");
    }
}
