//! What failed, what was not measured, and what a reader can do about it.

use maud::{Markup, html};

use super::Context;
use super::parts::table;
use crate::record::{Memcheck, Sample, Status};
use crate::summary::Row;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { results, summary, .. } = context;
    let failed: Vec<&Row> = summary.rows.iter().filter(|row| row.failure.is_some()).collect();
    let checks: Vec<&Memcheck> =
        results.memchecks.iter().filter(|record| record.status != Status::Ok).collect();
    let others: Vec<&Sample> = results
        .samples
        .iter()
        .filter(|sample| matches!(sample.status, Status::Unsupported | Status::Interrupted))
        .collect();
    let twins: Vec<&Sample> = results
        .samples
        .iter()
        .filter(|sample| sample.again && sample.status.is_failure())
        .collect();
    let nothing = failed.is_empty() && checks.is_empty() && others.is_empty() && twins.is_empty();
    if nothing && results.unmeasured.is_empty() {
        return None;
    }
    Some(html! {
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
        @if !others.is_empty() || !twins.is_empty() {
            (table(
                "Other processes without figures.",
                &html! { tr {
                    th scope="col" { "Workload" } th scope="col" { "Subject" } th.number scope="col" { "Round" }
                    th scope="col" { "Status" } th scope="col" { "What happened" }
                } },
                &html! { @for one in others.into_iter().chain(twins) {
                    tr {
                        td { (one.workload) }
                        th scope="row" { (one.subject) @if one.again { " (A/A)" } }
                        td.number { (one.round) }
                        td { (one.status.word()) }
                        td.wide { (one.message.as_deref().unwrap_or(one.status.meaning())) }
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
