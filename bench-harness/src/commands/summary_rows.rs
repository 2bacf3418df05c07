//! Prints the figures of a results file: one row per cell.

use reports::results::Results;
use reports::summary::Summary;

use super::{memcheck, print};
use crate::cli::Format;
use crate::exit::Failure;

/// Prints every cell's figures, and every memcheck count.
pub(crate) fn print(results: &Results, format: Format) -> Result<(), Failure> {
    let summary = Summary::of(results);
    if format == Format::Csv {
        // Figures in full, one column each; errors under Valgrind are in the records.
        return print::out(&summary.to_csv());
    }
    if !summary.rows.is_empty() {
        print::table(&summary.table(), format)?;
    }
    if !results.memchecks.is_empty() {
        print::out("\n")?;
        print::table(&memcheck::table(&results.memchecks), format)?;
    }
    Ok(())
}
