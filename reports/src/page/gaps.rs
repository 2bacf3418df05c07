//! What failed, what was not measured, and what a reader can do about it.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::Context;
use super::parts::table;
use crate::quantity::list;
use crate::record::{Memcheck, Sample, Status};
use crate::results::Results;
use crate::summary::Row;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { results, summary, .. } = context;
    let failed: Vec<&Row> = summary.rows.iter().filter(|row| row.failure.is_some()).collect();
    let checks: Vec<&Memcheck> =
        results.memchecks.iter().filter(|record| record.status != Status::Ok).collect();
    let others = alike(results.samples.iter().filter(|sample| {
        matches!(sample.status, Status::Unsupported | Status::Interrupted)
            || (sample.again && sample.status.is_failure())
    }));
    let partial = partial(results);
    let nothing = failed.is_empty() && checks.is_empty() && others.is_empty() && partial.is_empty();
    if nothing && results.unmeasured.is_empty() {
        return None;
    }
    Some(html! {
        @if !partial.is_empty() {
            p {
                "Measured on some of the workloads only: " (list(&partial)) "."
            }
        }
        @if !failed.is_empty() {
            (table(
                "Cells that failed. A cell with one failed process has no ratio and no verdict.",
                &html! { tr {
                    th scope="col" { "Workload" } th scope="col" { "Subject" } th scope="col" { "Status" }
                    th scope="col" { "Processes" } th scope="col" { "What happened" }
                } },
                &html! { @for row in failed { (failed_row(row, &summary.label(&row.setting))) } },
            ))
        }
        @if !checks.is_empty() {
            (table(
                "Runs under memcheck without a count.",
                &html! { tr {
                    th scope="col" { "Workload" } th scope="col" { "Subject" } th scope="col" { "Status" }
                    th scope="col" { "What happened" }
                } },
                &html! { @for one in checks {
                    tr {
                        td { (one.workload) }
                        th scope="row" { (one.subject) }
                        td { (one.status.word()) }
                        td.wide { (one.message.as_deref().unwrap_or(one.status.meaning())) }
                    }
                } },
            ))
        }
        @if !others.is_empty() {
            (table(
                "Samples of time without figures.",
                &html! { tr {
                    th scope="col" { "Subject" } th scope="col" { "Status" }
                    th scope="col" { "Workloads" } th.number scope="col" { "Processes" }
                    th scope="col" { "What happened" }
                } },
                &html! { @for one in others {
                    tr {
                        th scope="row" { (one.first.subject) @if one.first.again { " (A/A)" } }
                        td { (one.first.status.word()) }
                        td.wide { (one.workloads.join(", ")) }
                        td.number { (one.processes) }
                        td.wide { (message(one.first)) }
                    }
                } },
            ))
        }
        @if !results.unmeasured.is_empty() {
            (table(
                "What could not be measured on this computer, and how to get it.",
                &html! { tr {
                    th scope="col" { "Measure" } th scope="col" { "Reason" } th scope="col" { "Remedy" }
                } },
                &html! { @for gap in &results.unmeasured {
                    tr {
                        th scope="row" { (gap.measure) }
                        td.wide { (gap.reason) }
                        td.wide { @if let Some(remedy) = &gap.remedy { code { (remedy) } } }
                    }
                } },
            ))
        }
    })
}

/// Measures that of some workloads were taken of no subject: `counts on 11 of 25`.
fn partial(results: &Results) -> Vec<String> {
    let names =
        |all: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> { all.cloned().collect() };
    let timed = names(&mut results.samples.iter().map(|one| &one.workload));
    let taken = [
        ("memory over the life", names(&mut results.memories.iter().map(|one| &one.workload))),
        ("single calls", names(&mut results.tails.iter().map(|one| &one.workload))),
        ("instructions", names(&mut results.counts.iter().map(|one| &one.workload))),
        (
            "Valgrind errors",
            names(
                &mut results
                    .memchecks
                    .iter()
                    .filter(|one| one.errors.is_some())
                    .map(|one| &one.workload),
            ),
        ),
    ];
    let on = |(measure, of): (&str, BTreeSet<String>)| {
        let count = of.intersection(&timed).count();
        (count > 0 && count < timed.len())
            .then(|| format!("{measure} on {count} of {}", timed.len()))
    };
    taken.into_iter().filter_map(on).collect()
}

/// Processes of one subject that ended in the same way.
struct Alike<'a> {
    first: &'a Sample,
    workloads: Vec<&'a str>,
    processes: usize,
}

/// Gathers samples by subject, status and message: a subject that does not support a workload says so
/// in every round.
fn alike<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<Alike<'a>> {
    let mut found: Vec<Alike<'a>> = Vec::new();
    let key = |one: &Sample| (one.subject.clone(), one.again, one.status, one.message.clone());
    for sample in samples {
        match found.iter_mut().find(|one| key(one.first) == key(sample)) {
            None => {
                found.push(Alike {
                    first: sample,
                    workloads: vec![&sample.workload],
                    processes: 1,
                });
            }
            Some(known) => {
                known.processes += 1;
                if !known.workloads.contains(&sample.workload.as_str()) {
                    known.workloads.push(&sample.workload);
                }
            }
        }
    }
    found
}

fn message(sample: &Sample) -> &str {
    sample.message.as_deref().unwrap_or(sample.status.meaning())
}

fn failed_row(row: &Row, label: &str) -> Markup {
    html! {
        @if let Some(failure) = &row.failure {
            tr {
                td { (label) }
                th scope="row" { (row.subject) }
                td { span.word.failed { (failure.status.word()) } }
                td { (failure.failed) " of " (failure.children) }
                td.wide { (failure.message) " (" (failure.status.meaning()) ")" }
            }
        }
    }
}
