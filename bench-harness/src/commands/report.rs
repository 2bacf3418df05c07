//! `arenabench report`: draws charts and pages from records.

use std::fs;
use std::path::{Path, PathBuf};

use reports::results::Results;
use reports::write_report;

use super::print;
use super::run::RESULTS;
use crate::cli::Report;
use crate::exit::{self, Failure, Outcome};
use crate::talk::Voice;

/// Runs the command.
pub(crate) fn run(args: &Report, voice: &Voice) -> Outcome {
    let (path, results) = read(&args.results, voice)?;
    let written = write_report(&results, &args.output)
        .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    let copy = args.output.join(RESULTS);
    if !same_file(&path, &copy) {
        fs::copy(&path, &copy).map_err(|error| Failure::io(copy.display(), error))?;
    }
    for file in written.iter().chain([&copy]) {
        print::out(&format!("{}\n", file.display()))?;
    }
    Ok(exit::GOOD)
}

/// Reads a results file, named itself or by its folder, and says what was left out of it.
///
/// # Errors
/// Bad data (65), or a file that cannot be read (74).
pub(super) fn read(path: &Path, voice: &Voice) -> Result<(PathBuf, Results), Failure> {
    let path = if path.is_dir() { path.join(RESULTS) } else { path.to_owned() };
    let results = super::run::read_results(&path)?;
    if let Some(line) = results.torn_line {
        voice.say(format!("{}: line {line} is cut off and left out", path.display()));
    }
    Ok((path, results))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
