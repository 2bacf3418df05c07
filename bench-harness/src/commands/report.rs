//! `arenabench report`: draws charts and pages from records.

use std::fs;
use std::path::{Path, PathBuf};

use reports::programs::Programs;
use reports::results::Results;
use reports::summary::Summary;
use reports::{Neighbour, write_report_beside};

use super::print;
use super::run::RESULTS;
use crate::cli::{Report, ReportFormat};
use crate::exit::{self, Failure, Outcome};
use crate::talk::Voice;

/// Runs the command.
pub(crate) fn run(args: &Report, voice: &Voice) -> Outcome {
    let (path, results) = read(&args.results, voice)?;
    if let Some(text) = text(&results, args.format)? {
        print::to(Some(&args.output), &text)?;
        return Ok(exit::GOOD);
    }
    let here = path.parent().unwrap_or(Path::new(""));
    let neighbours = args.beside.iter().map(|folder| {
        let (_, results) = read(&here.join(folder), voice)?;
        Ok(Neighbour::of(&results, folder))
    });
    let neighbours: Vec<Neighbour> = neighbours.collect::<Result<_, Failure>>()?;
    let written = write_report_beside(&results, &args.output, &neighbours)
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

/// The records in a format that is one file; `None` for pages.
fn text(results: &Results, format: ReportFormat) -> Result<Option<String>, Failure> {
    let json = |value: serde_json::Value| {
        let text = serde_json::to_string_pretty(&value);
        text.map(|text| text + "\n").map_err(|error| Failure::io("report", error.into()))
    };
    Ok(Some(match format {
        ReportFormat::Pages => return Ok(None),
        ReportFormat::Junit => reports::junit(results),
        ReportFormat::Bmf => json(reports::bencher_metric_format(results))?,
        ReportFormat::BenchmarkAction => json(reports::benchmark_action(results))?,
        ReportFormat::Markdown => {
            let (summary, programs) = (Summary::of(results), Programs::of(results));
            reports::markdown(results, &summary, programs.as_ref())
        }
        ReportFormat::Csv => reports::samples_csv(results),
    }))
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
