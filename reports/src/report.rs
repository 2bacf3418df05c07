//! The report as files: each written beside its place and renamed into it, so that a reader never
//! finds half a page.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::chart::Charts;
use crate::markdown::markdown_beside;
use crate::neighbour::Neighbour;
use crate::page;
use crate::programs::Programs;
use crate::results::{Results, exit_code};
use crate::samples_csv::samples_csv;
use crate::summary::Summary;
use crate::valgrind_notes::notes as valgrind_notes;

/// A file of the report that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// File or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl WriteError {
    /// Code a process that gives up over this error ends with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        exit_code::IO
    }
}

/// Writes `index.html`, `report.md`, `results.csv`, `charts/*.svg` and, where memcheck ran,
/// `valgrind.md` into `dir`, which is created when it is missing. The same
/// records give the same bytes. The page links to `results.jsonl` beside it, which is not written
/// here. Files that an earlier report left in `dir` and this one does not have are left alone.
///
/// Returns the paths written, the page first.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_report(results: &Results, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    write_report_beside(results, dir, &[])
}

/// As [`write_report`]; page and Markdown name and link the reports beside this one.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_report_beside(
    results: &Results,
    dir: &Path,
    neighbours: &[Neighbour],
) -> Result<Vec<PathBuf>, WriteError> {
    let summary = Summary::of(results);
    let programs = Programs::of(results);
    let charts = Charts::of(results, &summary, programs.as_ref());
    let page = page::render(results, &summary, programs.as_ref(), &charts, neighbours);
    let mut files = vec![
        (dir.join("index.html"), page),
        (dir.join("report.md"), markdown_beside(results, &summary, programs.as_ref(), neighbours)),
        (dir.join("results.csv"), samples_csv(results)),
    ];
    if let Some(notes) = valgrind_notes(results) {
        files.push((dir.join("valgrind.md"), notes));
    }
    for chart in charts.iter() {
        files.push((dir.join("charts").join(format!("{}.svg", chart.slug)), chart.standalone()));
    }
    let folder = dir.join("charts");
    fs::create_dir_all(&folder).map_err(|source| WriteError { path: folder, source })?;
    for (path, text) in &files {
        write_file(path, text)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Writes a file as a whole or not at all. What is no ordinary file (`/dev/stdout`, a pipe) is
/// written in place.
///
/// # Errors
/// When the file cannot be written.
pub fn write_file(path: &Path, text: &str) -> Result<(), WriteError> {
    let special = fs::metadata(path).is_ok_and(|found| !found.is_file());
    let written = if special { fs::write(path, text) } else { write(path, text) };
    written.map_err(|source| WriteError { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; a temporary file that stays is harmless.
        let _ = fs::remove_file(&temporary);
    }
    written
}
