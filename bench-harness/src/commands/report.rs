//! `arenabench report`: draws charts and pages from records.

use reports::write_report;

use super::print;
use crate::cli::Report;
use crate::exit::{self, Failure, Outcome};
use crate::talk::Voice;

/// Runs the command.
pub(crate) fn run(args: &Report, voice: &Voice) -> Outcome {
    let path = if args.results.is_dir() {
        args.results.join("results.jsonl")
    } else {
        args.results.clone()
    };
    let results = super::run::read_results(&path)?;
    if let Some(line) = results.torn_line {
        voice.say(format!("{}: line {line} is cut off and left out", path.display()));
    }
    let written = write_report(&results, &args.output)
        .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    let copy = args.output.join("results.jsonl");
    if !same_file(&path, &copy) {
        std::fs::copy(&path, &copy).map_err(|error| Failure::io(copy.display(), error))?;
    }
    for file in written.iter().chain([&copy]) {
        print::out(&format!("{}\n", file.display()))?;
    }
    Ok(exit::GOOD)
}

fn same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
