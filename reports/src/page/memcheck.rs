//! Valgrind errors by subject and ownership strategy.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, number, table};
use crate::quantity::{self, list};
use crate::record::{Memcheck, Status};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let records = &context.results.memchecks;
    if records.is_empty() {
        let missing = context.results.unmeasured.iter().find(|gap| gap.measure == "memcheck")?;
        return Some(html! {
            p {
                "Not measured: " (missing.reason.trim_end_matches('.')) "."
                @if let Some(remedy) = &missing.remedy { " To get it: " code { (remedy) } }
            }
        });
    }
    let versions: BTreeSet<&str> =
        records.iter().filter_map(|record| record.valgrind.as_deref()).collect();
    let versions: Vec<&str> = versions.into_iter().collect();
    Some(html! {
        p {
            "Each subject replays each workload under memcheck"
            @if !versions.is_empty() { " (Valgrind " (list(&versions)) ")" }
            ". An error here is a read or a decision that Valgrind cannot vouch for: a strategy that "
            "looks at memory it does not own is reported, whether or not it ever goes wrong. Leaks are "
            "left out. Such a run carries no times."
        }
        (figure(&context.charts.memcheck, &matrix(records)))
        @if records.iter().any(|record| record.errors > Some(0)) { (origins(records)) }
    })
}

/// Errors by subject and workload.
fn matrix(records: &[Memcheck]) -> Markup {
    let workloads = in_order(records.iter().map(|record| record.workload.as_str()));
    let subjects = in_order(records.iter().map(|record| record.subject.as_str()));
    let of = |subject: &str, workload: &str| {
        records.iter().find(|one| one.subject == subject && one.workload == workload)
    };
    let strategy = |subject: &str| {
        records.iter().find_map(|one| one.ownership.as_deref().filter(|_| one.subject == subject))
    };
    table(
        "Errors that Valgrind reports, every occurrence counted, and in brackets those that \
         suppressions silence. One run each.",
        &html! { tr {
            th scope="col" { "Subject" } th scope="col" { "Strategy" }
            @for workload in &workloads { th.number scope="col" { (workload) } }
        } },
        &html! {
            @for subject in &subjects {
                tr {
                    th scope="row" { (subject) }
                    td { (strategy(subject).unwrap_or_default()) }
                    @for workload in &workloads {
                        td.number {
                            @match of(subject, workload) {
                                None => { "not run" },
                                Some(record) => { (count_or_status(record)) },
                            }
                        }
                    }
                }
            }
        },
    )
}

fn count_or_status(record: &Memcheck) -> Markup {
    html! {
        @match record.errors.filter(|_| record.status == Status::Ok) {
            Some(errors) => {
                (quantity::count(errors))
                @if let Some(silenced) = record.errors_suppressed.filter(|silenced| *silenced > 0) {
                    " " span.interval { "[" (quantity::count(silenced)) "]" }
                }
            },
            None => {
                span class={ "word " (if record.status.is_failure() { "failed" } else { "plain" }) } {
                    (record.status.word())
                }
            },
        }
    }
}

/// Where errors come from, for the records that have any.
fn origins(records: &[Memcheck]) -> Markup {
    table(
        "Where they come from. Places: distinct contexts. Kinds as Valgrind names them, operations of \
         the allocator that were under way.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" }
            th.number scope="col" { "Errors" } th.number scope="col" { "Places" }
            th scope="col" { "By kind" } th scope="col" { "By operation" }
            th.number scope="col" { "Calls replayed" }
        } },
        &html! {
            @for record in records.iter().filter(|record| record.errors > Some(0)) {
                tr {
                    td { (record.workload) }
                    th scope="row" { (record.subject) }
                    (number(record.errors.map(quantity::count)))
                    (number(record.contexts.map(quantity::count)))
                    td.wide { (by_count(&record.errors_by_kind)) }
                    td.wide { (by_count(&record.errors_by_operation)) }
                    (number(record.operations.map(quantity::count)))
                }
            }
        },
    )
}

/// Each name once, in the order of first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// `UninitCondition 20,000, InvalidRead 100`, most frequent first.
fn by_count(counts: &BTreeMap<String, u64>) -> String {
    let mut pairs: Vec<(&String, &u64)> = counts.iter().collect();
    pairs.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let words: Vec<String> = pairs
        .into_iter()
        .map(|(name, count)| format!("{name} {}", quantity::count(*count)))
        .collect();
    words.join(", ")
}
