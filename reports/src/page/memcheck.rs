//! Valgrind errors by subject and ownership strategy.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, list, number, plural, table};
use crate::quantity;
use crate::record::{Memcheck, Status};
use crate::results::Results;

/// Who is reported by Valgrind, in a sentence.
pub(super) fn findings(results: &Results) -> Vec<String> {
    let counted: Vec<&Memcheck> =
        results.memchecks.iter().filter(|record| record.errors.is_some()).collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let subjects: BTreeSet<&str> = counted.iter().map(|record| record.subject.as_str()).collect();
    let noisy: BTreeSet<&str> = counted
        .iter()
        .filter(|record| record.errors > Some(0))
        .map(|record| record.subject.as_str())
        .collect();
    let noisy: Vec<&str> = noisy.into_iter().collect();
    vec![match noisy.as_slice() {
        [] => format!(
            "Valgrind reports no error in any of {}.",
            plural(subjects.len(), "subject", "subjects")
        ),
        some => format!(
            "Valgrind reports errors in {} of {}: {}.",
            some.len(),
            plural(subjects.len(), "subject", "subjects"),
            list(some)
        ),
    }]
}

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let records = &context.results.memchecks;
    if records.is_empty() {
        let missing = context.results.unmeasured.iter().find(|gap| gap.measure == "memcheck")?;
        return Some(html! {
            p {
                "Not measured: " (missing.reason) "."
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
        (figure(&context.charts.memcheck, &errors_table(records)))
    })
}

fn errors_table(records: &[Memcheck]) -> Markup {
    table(
        "Errors: every occurrence. Suppressed: silenced by suppressions. Places: distinct contexts. \
         One run each.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" } th scope="col" { "Strategy" }
            th.number scope="col" { "Errors" } th.number scope="col" { "Suppressed" }
            th.number scope="col" { "Places" } th scope="col" { "By kind" }
            th scope="col" { "By operation" } th.number scope="col" { "Calls" } th scope="col" { "Status" }
        } },
        &html! {
            @for record in records {
                tr {
                    td { (record.workload) }
                    th scope="row" { (record.subject) }
                    td { (record.ownership.as_deref().unwrap_or_default()) }
                    (number(record.errors.map(quantity::count)))
                    (number(record.errors_suppressed.map(quantity::count)))
                    (number(record.contexts.map(quantity::count)))
                    td.wide { (by_count(&record.errors_by_kind)) }
                    td.wide { (by_count(&record.errors_by_operation)) }
                    (number(record.operations.map(quantity::count)))
                    td {
                        span class={ "word " (if record.status.is_failure() { "failed" } else { "plain" }) } {
                            (record.status.word())
                        }
                        @if let (true, Some(message)) = (record.status != Status::Ok, &record.message) {
                            ": " (message)
                        }
                    }
                }
            }
        },
    )
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
