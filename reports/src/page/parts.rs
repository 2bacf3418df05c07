//! Building blocks that sections share: figures of charts, tables in their boxes, cells.

use maud::{Markup, PreEscaped, html};

use crate::chart::Chart;
use crate::quantity;
use crate::statistics::Estimate;
use crate::summary::{Overall, Row};

/// One or more charts side by side, with the table of their figures below.
pub(super) fn figure<'a>(charts: impl IntoIterator<Item = &'a Chart>, table: &Markup) -> Markup {
    html! {
        figure {
            div.charts {
                @for chart in charts {
                    div.chart { (PreEscaped(chart.inline())) }
                }
            }
            (table)
        }
    }
}

/// A table in a box that scrolls by itself. `head` and `body` are rows.
pub(super) fn table(caption: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { (head) }
                tbody { (body) }
            }
        }
    }
}

/// A cell with a value and, smaller, its interval. Empty without a value.
pub(super) fn estimate(estimate: Option<&Estimate>) -> Markup {
    html! {
        td.number {
            @if let Some(estimate) = estimate {
                (quantity::figure(estimate.value))
                @if let Some(ends) = estimate.interval {
                    " " span.interval { (quantity::interval(ends)) }
                }
            }
        }
    }
}

/// A number in a cell, or an empty cell.
pub(super) fn number(text: Option<String>) -> Markup {
    html! { td.number { (text.unwrap_or_default()) } }
}

/// The word on a row, marked by what it says.
pub(super) fn word(row: &Row) -> Markup {
    html! { span class={ "word " (class_of(row.word(), row.failure.is_some())) } { (row.word()) } }
}

/// The word on a subject over all workloads.
pub(super) fn overall_word(overall: &Overall) -> Markup {
    let word = match overall.verdict {
        Some(verdict) => verdict.word(),
        None if overall.baseline => "baseline",
        None if !overall.is_whole() => "incomplete",
        None => "not ranked",
    };
    html! { span class={ "word " (class_of(word, false)) } { (word) } }
}

fn class_of(word: &str, failed: bool) -> &'static str {
    match word {
        _ if failed => "failed",
        "faster" => "faster",
        "slower" => "slower",
        _ => "plain",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// `1 workload`, `3 workloads`.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", quantity::count(count as u64), if count == 1 { one } else { many })
}
