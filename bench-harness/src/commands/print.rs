//! Prints results on standard output, as the user asked for them.

use std::io::{self, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use reports::record::{Line, Record, SCHEMA};

use crate::cli::Format;
use crate::exit::Failure;

/// A table for people: one rule under the header and nothing else.
const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Rows of text under a header; numbers to the right.
pub(crate) struct Rows {
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Columns that hold text.
    pub(crate) text_columns: usize,
}

/// Writes to standard output.
///
/// # Errors
/// When standard output cannot be written; a reader that went away is recognised by `main`.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::io("standard output", error))
}

/// Prints rows as a table for people, in Markdown or as CSV.
///
/// # Errors
/// As [`out`].
pub(crate) fn rows(rows: &Rows, format: Format) -> Result<(), Failure> {
    if format == Format::Csv {
        return csv(rows);
    }
    let mut table = Table::new();
    if format == Format::Md {
        table.load_style(ASCII_MARKDOWN);
    } else {
        table.load_style(PLAIN);
        if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
        }
    }
    table.set_header(&rows.header);
    table.add_rows(&rows.rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        if at >= rows.text_columns {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    out(&format!("{table}\n"))
}

/// Prints records as one JSON array.
pub(crate) fn json(records: Vec<Record>) -> Result<(), Failure> {
    let lines: Vec<_> =
        records.into_iter().map(|record| Line { schema: SCHEMA.to_owned(), record }).collect();
    let text = serde_json::to_string_pretty(&lines)
        .map_err(|error| Failure::io("standard output", error.into()))?;
    out(&format!("{text}\n"))
}

/// Prints rows of text as CSV.
fn csv(rows: &Rows) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer
        .write_record(&rows.header)
        .and_then(|()| rows.rows.iter().try_for_each(|row| writer.write_record(row)));
    let bytes = written
        .map_err(io::Error::from)
        .and_then(|()| writer.into_inner().map_err(csv::IntoInnerError::into_error))
        .map_err(|error: io::Error| Failure::io("standard output", error))?;
    out(&String::from_utf8_lossy(&bytes))
}
