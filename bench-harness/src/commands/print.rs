//! Prints results on standard output, as the user asked for them.

use std::io::{self, Write};
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};
use reports::record::{Line, Record, SCHEMA};
use reports::summary::Table;
use serde::Serialize;

use crate::cli::Format;
use crate::exit::{self, Failure};

/// A table for people: one rule under the header and nothing else.
const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Writes to standard output. A reader that has gone has read enough: the command goes on, and its
/// exit code says what it found.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::io("standard output", error)),
    }
}

/// Writes to a file, whole or not at all, or to standard output where there is none or it is `-`.
///
/// # Errors
/// When the file, or standard output, cannot be written.
pub(crate) fn to(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path.filter(|path| *path != Path::new("-")) {
        None => out(text),
        Some(path) => reports::write_file(path, text)
            .map_err(|error| Failure { code: exit::IO, error: error.into() }),
    }
}

/// A table with these headings, the first `text_columns` of them over text and the rest over
/// figures.
pub(crate) fn table_of(head: &[&str], text_columns: usize, rows: Vec<Vec<String>>) -> Table {
    Table {
        head: head.iter().map(|&heading| heading.to_owned()).collect(),
        right: (0..head.len()).map(|column| column >= text_columns).collect(),
        rows,
    }
}

/// Prints a table for people, in Markdown or as CSV.
///
/// # Errors
/// As [`out`].
pub(crate) fn table(table: &Table, format: Format) -> Result<(), Failure> {
    match format {
        Format::Csv => csv(table),
        Format::Md => out(&table.to_markdown()),
        Format::Table | Format::Json => out(&plain(table)),
    }
}

/// A table for people, as wide as the terminal.
pub(crate) fn plain(table: &Table) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(PLAIN);
    if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
        drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
    }
    drawn.set_header(&table.head);
    drawn.add_rows(&table.rows);
    for (column, right) in drawn.column_iter_mut().zip(&table.right) {
        if *right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<_> = drawn.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

fn csv(table: &Table) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer
        .write_record(&table.head)
        .and_then(|()| table.rows.iter().try_for_each(|row| writer.write_record(row)));
    let bytes = written
        .map_err(io::Error::from)
        .and_then(|()| writer.into_inner().map_err(csv::IntoInnerError::into_error))
        .map_err(|error| Failure::io("standard output", error))?;
    out(&String::from_utf8_lossy(&bytes))
}

/// Prints records as one JSON array.
///
/// # Errors
/// As [`out`].
pub(crate) fn records(records: Vec<Record>) -> Result<(), Failure> {
    let line = |record| Line { schema: SCHEMA.to_owned(), record };
    json(&records.into_iter().map(line).collect::<Vec<_>>())
}

/// Prints a value as JSON.
///
/// # Errors
/// As [`out`].
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::io("standard output", error.into()))?;
    out(&format!("{text}\n"))
}
