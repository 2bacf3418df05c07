//! The C contract: how many promises each subject keeps, and every row where one does otherwise.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Context;
use super::parts::table;
use crate::record::{Contract, Verdict};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let records = &context.results.contracts;
    if records.is_empty() {
        return None;
    }
    let subjects = in_order(records.iter().map(|record| record.subject.as_str()));
    let rows = in_order(records.iter().filter_map(|record| record.row.as_deref()));
    let by_cell: BTreeMap<(&str, &str), &Contract> = records
        .iter()
        .filter_map(|record| Some(((record.row.as_deref()?, record.subject.as_str()), record)))
        .collect();
    Some(html! {
        p {
            "Every row is one call of the malloc family, made in a process of its own, and what comes "
            "back is written to and given back. The promise is what the C library's manual says and "
            "glibc does; for " code { "aligned_alloc" } " what POSIX asks and glibc does from version 2.38 on. "
            "A subject that does otherwise may have its reasons: rows that the C or POSIX standard "
            "leaves open are counted apart."
        }
        (counts(records, &subjects))
        (differences(&rows, &subjects, &by_cell))
    })
}

/// Verdicts by subject.
fn counts(records: &[Contract], subjects: &[&str]) -> Markup {
    let of = |subject: &str, verdict| {
        let is = |one: &&Contract| one.subject == subject && one.verdict == Some(verdict);
        records.iter().filter(is).count()
    };
    let message = |subject: &str| {
        records
            .iter()
            .find(|one| one.subject == subject && one.row.is_none())
            .map(|one| one.message.clone().unwrap_or_else(|| one.status.meaning().to_owned()))
    };
    table(
        "Rows by verdict.",
        &html! { tr {
            th scope="col" { "Subject" }
            th.number scope="col" { "As promised" } th.number scope="col" { "Left open" }
            th.number scope="col" { "Otherwise" } th.number scope="col" { "Crashed" }
            th.number scope="col" { "No such function" } th.number scope="col" { "Not tried here" }
        } },
        &html! { @for subject in subjects {
            tr {
                th scope="row" { (subject) }
                @match message(subject) {
                    Some(message) => { td colspan="6" { (message) } },
                    None => { @for verdict in Verdict::ALL {
                        td.number { (of(subject, verdict)) }
                    } },
                }
            }
        } },
    )
}

/// Rows on which some subject does otherwise, with what every subject does.
fn differences(
    rows: &[&str],
    subjects: &[&str],
    by_cell: &BTreeMap<(&str, &str), &Contract>,
) -> Markup {
    let cells_of = |row: &str| {
        subjects
            .iter()
            .filter_map(|subject| by_cell.get(&(row, *subject)).copied())
            .collect::<Vec<_>>()
    };
    let differs =
        |one: &Contract| one.verdict.is_some_and(|one| one == Verdict::Allowed || one.is_broken());
    let telling: Vec<_> = rows
        .iter()
        .map(|row| (*row, cells_of(row)))
        .filter(|(_, cells)| cells.iter().any(|cell| differs(cell)))
        .collect();
    table(
        "Rows on which at least one subject does otherwise. Empty cells are as promised; a dash \
         stands for a function that the subject lacks, or what this computer does not let anyone try.",
        &html! { tr {
            th scope="col" { "Call" } th scope="col" { "Promise" } th scope="col" { "By" }
            @for subject in subjects { th scope="col" { (subject) } }
        } },
        &html! { @for (row, cells) in &telling {
            tr {
                th scope="row" { code { (row) } }
                td.wide { (cells[0].promise.as_deref().unwrap_or_default()) }
                td { (cells[0].authority.as_deref().unwrap_or_default()) }
                @for subject in subjects {
                    td { @if let Some(cell) = by_cell.get(&(*row, *subject)) { (finding(cell)) } }
                }
            }
        } },
    )
}

fn finding(cell: &Contract) -> Markup {
    let found = cell.found.as_deref().unwrap_or_default();
    html! {
        @match cell.verdict {
            Some(Verdict::Differs | Verdict::Crashed) => span.word.failed { (found) },
            Some(Verdict::Allowed) => span.word.plain { (found) },
            Some(Verdict::Absent | Verdict::Untried) => "–",
            Some(Verdict::Ok) | None => {},
        }
    }
}

/// Each name once, in the order of first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
