//! Valgrind errors by subject and ownership strategy.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, number, table, tables};
use crate::quantity::{self, list};
use crate::record::{Memcheck, Status};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    // In the order of the chart.
    let records: Vec<Memcheck> =
        context.results.memchecks_in_order().into_iter().cloned().collect();
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
            "Each subject replays each workload, or serves a program, under memcheck"
            @if !versions.is_empty() { " (Valgrind " (list(&versions)) ")" }
            ". An error here is a read or a decision that Valgrind cannot vouch for: a strategy that "
            "looks at memory it does not own is reported, whether or not it ever goes wrong. Leaks are "
            "counted apart. Such a run carries no times, only ratios to a run without Valgrind."
        }
        (figure(&context.charts.memcheck, &matrix(&records)))
        @if records.iter().any(|record| record.errors > Some(0)) { (origins(&records)) }
        @if records.iter().any(|record| !record.suppressed_by_entry.is_empty()) {
            (suppressed(&records))
        }
        @if records.iter().any(|record| record.leaks.is_some()) { (leaks(&records)) }
        @if records.iter().any(|record| record.cpu_ratio.is_some() || record.rss_ratio.is_some()) { (costs(&records)) }
    })
}

/// Errors by subject and workload.
fn matrix(records: &[Memcheck]) -> Markup {
    let workloads = in_order(records.iter().map(|record| record.workload.as_str()));
    let labels: Vec<String> = records.iter().map(Memcheck::label).collect();
    let subjects = in_order(labels.iter().map(String::as_str));
    let of = |subject: &str, workload: &str| {
        records.iter().find(|one| one.label() == subject && one.workload == workload)
    };
    let strategy = |subject: &str| {
        records.iter().find_map(|one| one.ownership.as_deref().filter(|_| one.label() == subject))
    };
    let part = |workloads: &[&str]| {
        let head = html! { tr {
            th scope="col" { "Subject" } th scope="col" { "Strategy" }
            @for workload in workloads { th.number scope="col" { (workload) } }
        } };
        let body = html! {
            @for subject in &subjects {
                tr {
                    th scope="row" { (subject) }
                    td { (strategy(subject).unwrap_or_default()) }
                    @for workload in workloads {
                        td.number {
                            @match of(subject, workload) {
                                None => { "not run" },
                                Some(record) => { (count_or_status(record)) },
                            }
                        }
                    }
                }
            }
        };
        (head, body)
    };
    tables(
        "Errors that Valgrind reports, every occurrence counted, and in brackets those that suppressions \
         silence. One run each.",
        &workloads,
        part,
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
                    th scope="row" { (record.label()) }
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

/// Which suppression silenced how much.
fn suppressed(records: &[Memcheck]) -> Markup {
    table(
        "What suppressions silence, every occurrence counted, by the name of the entry.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" }
            th scope="col" { "By entry" }
        } },
        &html! {
            @for record in records.iter().filter(|record| !record.suppressed_by_entry.is_empty()) {
                tr {
                    td { (record.workload) }
                    th scope="row" { (record.label()) }
                    td.wide { (by_count(&record.suppressed_by_entry)) }
                }
            }
        },
    )
}

/// Kinds of leaks as Valgrind names them, with the words of its summary.
const LEAKS: [(&str, &str); 4] = [
    ("Leak_DefinitelyLost", "Definitely lost"),
    ("Leak_IndirectlyLost", "Indirectly lost"),
    ("Leak_PossiblyLost", "Possibly lost"),
    ("Leak_StillReachable", "Still reachable"),
];

/// What was never freed, for the records that looked for it.
fn leaks(records: &[Memcheck]) -> Markup {
    let looked = || records.iter().filter_map(|record| Some((record, record.leaks.as_ref()?)));
    table(
        "Blocks that were never freed: bytes, and in brackets blocks. Blocks of an allocator that \
         tells Valgrind nothing are not seen, and neither is their loss.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" }
            @for (_, words) in LEAKS { th.number scope="col" { (words) } }
        } },
        &html! {
            @for (record, leaks) in looked() {
                tr {
                    td { (record.workload) }
                    th scope="row" { (record.label()) }
                    @for (kind, _) in LEAKS {
                        td.number {
                            @match leaks.get(kind) {
                                None => { "0" },
                                Some(leak) => {
                                    (quantity::count(leak.bytes))
                                    " " span.interval { "[" (quantity::count(leak.blocks)) "]" }
                                },
                            }
                        }
                    }
                }
            }
        },
    )
}

/// What watching costs.
fn costs(records: &[Memcheck]) -> Markup {
    let paid =
        || records.iter().filter(|record| record.cpu_ratio.is_some() || record.rss_ratio.is_some());
    table(
        "What it costs: the run under Valgrind over the same run without it, start and end included; of \
         several runs without it the one of least time.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" }
            th.number scope="col" { "Processor time, ratio" }
            th.number scope="col" { "Peak resident memory, ratio" }
        } },
        &html! {
            @for record in paid() {
                tr {
                    td { (record.workload) }
                    th scope="row" { (record.label()) }
                    (number(record.cpu_ratio.map(quantity::figure)))
                    (number(record.rss_ratio.map(quantity::figure)))
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
