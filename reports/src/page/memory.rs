//! Memory beside time.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, table, tables, word, workload};
use crate::quantity::{self, plural};
use crate::summary::{Overall, Scope, Setting, Summary, front};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { summary, charts, .. } = context;
    if charts.memory.iter().all(Option::is_none) {
        return None;
    }
    Some(html! {
        p {
            "Overhead is the peak of the resident set over the peak of the bytes that the program has "
            "asked for and not yet freed. 1 is no overhead at all; less means that parts of large "
            "blocks were never touched. Both are taken in the first pass over the workload; memory of "
            "the harness is left out."
        }
        @if charts.tradeoff.is_some() { (figure(&charts.tradeoff, &overall(summary))) }
        (matrix(summary))
    })
}

fn overall(summary: &Summary) -> Markup {
    let whole: Vec<&Overall> =
        summary.overall_of(Scope::Main).filter(|one| one.place.is_some()).collect();
    let front = front(&whole);
    table(
        &format!(
            "Time over that of {}, and memory overhead: geometric means with 95 % intervals over {}, \
             for ranked subjects that finished each of them. On the front: no other subject is as good on both and \
             better on one.",
            summary.baseline,
            summary.scope_words(Scope::Main)
        ),
        &html! { tr {
            th scope="col" { "Subject" } th.number scope="col" { "Time ratio" }
            th.number scope="col" { "Memory overhead" } th scope="col" { "On the front" }
        } },
        &html! {
            @for one in &whole {
                tr {
                    th scope="row" { (one.subject) }
                    @if one.baseline { td.number { "1 (baseline)" } } @else { (estimate(one.ratio.as_ref())) }
                    (estimate(one.rss_ratio.as_ref()))
                    td { @if front.contains(&one.subject.as_str()) { "yes" } }
                }
            }
        },
    )
}

fn matrix(summary: &Summary) -> Markup {
    let samples =
        summary.rows.iter().filter_map(|row| Some(row.rss_ratio?.count)).max().unwrap_or(0);
    let caption = format!(
        "Peak resident set over peak live bytes: median over {} at most; in brackets the peak resident set.",
        plural(samples, "sample", "samples")
    );
    let measured: Vec<&Setting> = summary
        .settings
        .iter()
        .filter(|one| summary.rows_of(one).any(|row| row.rss_ratio.is_some()))
        .collect();
    let has_memory = |name: &&str| {
        summary
            .rows
            .iter()
            .any(|row| row.subject == *name && (row.rss_ratio.is_some() || row.ranked))
    };
    let part = |measured: &[&Setting]| {
        let head = html! { tr {
            th scope="col" { "Subject" }
            @for setting in measured { th scope="col" { (workload(summary, setting)) } }
        } };
        let body = html! {
            @for name in summary.subjects().iter().filter(|name| has_memory(name)) {
                tr {
                    th scope="row" { (name) }
                    @for setting in measured {
                        @match summary.rows_of(setting).find(|row| row.subject == **name) {
                            None => { td { "not run" } },
                            Some(row) if row.failure.is_some() => { td { (word(row)) } },
                            Some(row) => td {
                                @if let Some(ratio) = &row.rss_ratio { (quantity::figure(ratio.value)) }
                                @if let Some(bytes) = row.rss_peak_bytes {
                                    " " span.interval.below { "[" (quantity::bytes(bytes)) "]" }
                                }
                            },
                        }
                    }
                }
            }
        };
        (head, body)
    };
    tables(&caption, &measured, part)
}
