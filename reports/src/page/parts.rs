//! Building blocks that sections share: figures of charts, tables in their boxes, cells.

use maud::{Markup, PreEscaped, html};

use crate::chart::{Basis, Chart};
use crate::quantity;
use crate::statistics::Estimate;
use crate::summary::{Overall, Row, Setting, Summary};

/// The records of a page, beside it.
pub(super) const RECORDS: &str = "results.jsonl";
/// The samples as a table, beside the page.
pub(super) const SAMPLES: &str = "results.csv";

/// Charts side by side, each with its foot, and the table of their figures below; without a chart, the
/// table alone. No section shows a chart in another way.
pub(super) fn figure<'a>(charts: impl IntoIterator<Item = &'a Chart>, table: &Markup) -> Markup {
    let charts: Vec<&Chart> = charts.into_iter().collect();
    if charts.is_empty() {
        return table.clone();
    }
    html! {
        figure {
            div.charts {
                @for chart in charts {
                    div.drawing {
                        div.chart { (PreEscaped(chart.inline())) }
                        (foot(&chart.basis))
                    }
                }
            }
            (table)
        }
    }
}

/// What stands under every chart: unit, samples, interval, and where the records are.
fn foot(basis: &Basis) -> Markup {
    html! {
        p.foot {
            "Unit: " span.unit { (basis.unit) } " · "
            span.samples { (basis.samples) } " · "
            "interval: " span.spread { (basis.interval_words()) } " · "
            "records: " a href=(RECORDS) { (RECORDS) }
            @if basis.in_csv { ", samples alone: " a href=(SAMPLES) { (SAMPLES) } }
        }
    }
}

/// A table in a box that scrolls by itself, under a caption that does not. `head` and `body` are rows.
pub(super) fn table(caption: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        p.caption { (caption) }
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                thead { (head) }
                tbody { (body) }
            }
        }
    }
}

/// Columns beside the first that a sheet of paper has room for.
const COLUMNS: usize = 7;

/// A table of many columns as several of about as many each, one below the other. `part` makes head and
/// body of those that it is given.
pub(super) fn tables<T>(
    caption: &str,
    columns: &[T],
    part: impl Fn(&[T]) -> (Markup, Markup),
) -> Markup {
    let count = columns.len().div_ceil(COLUMNS).max(1);
    html! {
        @for (at, columns) in columns.chunks(columns.len().div_ceil(count).max(1)).enumerate() {
            @let (head, body) = part(columns);
            (table(if at == 0 { caption } else { "Continued: the next columns." }, &head, &body))
        }
    }
}

/// The name of a setting, with a link to what is told of its workload.
pub(super) fn workload(summary: &Summary, setting: &Setting) -> Markup {
    html! { a href={ "#" (workload_anchor(summary, &setting.workload)) } { (summary.label(setting)) } }
}

/// Anchor of a workload that the summary has a setting of.
pub(super) fn workload_anchor(summary: &Summary, workload: &str) -> String {
    let first = summary.settings.iter().position(|setting| setting.workload == workload);
    format!("workload-{}", first.unwrap_or(summary.settings.len()))
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
    let word = overall.word();
    html! { span class={ "word " (class_of(word, false)) } { (word) } }
}

/// How an own allocator stands to a peer, marked by what it says.
pub(super) fn standing(word: &str) -> Markup {
    html! { span class={ "word " (class_of(word, false)) } { (word) } }
}

fn class_of(word: &str, failed: bool) -> &'static str {
    match word {
        _ if failed => "failed",
        "faster" | "ahead" => "faster",
        "slower" | "behind" => "slower",
        _ => "plain",
    }
}

/// Text from a record as a sentence: with a capital letter and a full stop, whether or not it came
/// with them.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_get_what_they_lack_and_no_more() {
        assert_eq!(sentence("dicts grown from empty"), "Dicts grown from empty.");
        assert_eq!(sentence(" Whole already. "), "Whole already.");
        assert_eq!(sentence(""), "");
    }
}
