//! The ownership test: what each strategy costs, and which cost the same however many arenas live.

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, table};
use crate::ownership::{CONSTANT_FACTOR, Question, Strategies, in_place, title};
use crate::quantity;
use crate::record::Status;
use crate::summary::Table;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let strategies = Strategies::of(context.results)?;
    let asked = strategies.arenas.iter().rev().find(|&&arenas| arenas <= 1_000);
    Some(html! {
        p {
            "Every free and realloc begins with one question: does this address lie in an arena of "
            "ours? Each strategy is asked about prepared rows of addresses, ours (hits) and foreign "
            "(misses), by independent queries (throughput) and by queries of which each waits for the "
            "answer to the last (latency). Every answer is checked. A strategy is called constant when "
            "the whole 95\u{a0}% interval of the ratio from most to fewest arenas lies below "
            (quantity::figure(CONSTANT_FACTOR)) "."
        }
        @for (question, chart) in &context.charts.ownership {
            p { (capital(&title(*question))) ". " (strategies.sentence(*question)) }
            (figure([chart], &by_arenas(&strategies, *question)))
        }
        (plain(
            "Hits and misses at random, with the empty loop beside them: nanoseconds and, where they were \
             counted under callgrind, instructions per query, the loop included.",
            &strategies.table(),
        ))
        @if let Some(&arenas) = asked {
            (plain(
                &format!(
                    "Other orders of addresses and shares of misses, with {}: median nanoseconds per query.",
                    quantity::plural(arenas as usize, "arena", "arenas")
                ),
                &strategies.mixed(arenas),
            ))
        }
        (refusals(&strategies))
        @if let Some(table) = in_place(&context.results.samples) {
            (plain(
                "In place: the strategies in a heap, by the ordinary replay, against the fastest of these \
                 heaps on the same workload. Presets differ in more than their ownership test.",
                &table,
            ))
        }
    })
}

/// The figures of one chart.
fn by_arenas(strategies: &Strategies<'_>, question: Question<'_>) -> Markup {
    let cell = |name: &str, arenas| {
        let figures = strategies.figures(name, arenas, question);
        match (figures, strategies.failure(name, arenas)) {
            (Some(figures), _) => quantity::estimate(&figures.raw_ns),
            (None, Some(record)) => record.status.word().to_owned(),
            (None, None) => String::new(),
        }
    };
    table(
        &format!("Nanoseconds per query by live arenas: {}.", title(question)),
        &html! { tr {
            th scope="col" { "Strategy" }
            @for &arenas in &strategies.arenas {
                th.number scope="col" { (quantity::count(arenas)) }
            }
            th scope="col" { "Most over fewest" }
        } },
        &html! { @for name in &strategies.names { tr {
            th scope="row" { (name) }
            @for &arenas in &strategies.arenas { td.number { (cell(name, arenas)) } }
            td {
                @if let Some(growth) = strategies.growth(name, question) {
                    (quantity::estimate(&growth.ratio)) " " (growth.word())
                }
            }
        } } },
    )
}

/// What was not measured or went wrong, a line each.
fn refusals(strategies: &Strategies<'_>) -> Markup {
    let mut told = Vec::new();
    for name in &strategies.names {
        for &arenas in &strategies.arenas {
            let Some(record) = strategies.failure(name, arenas) else { continue };
            let why = record.message.as_deref().unwrap_or(record.status.meaning());
            told.push((name, arenas, record.status, why));
        }
    }
    html! {
        @if !told.is_empty() {
            ul { @for (name, arenas, status, why) in told {
                li {
                    (name) " with " (quantity::count(arenas)) " arenas: "
                    @if status == Status::Unsupported { (status.word()) } @else {
                        span.word.failed { (status.word()) }
                    }
                    ", " (why)
                    "."
                }
            } }
        }
    }
}

fn plain(caption: &str, figures: &Table) -> Markup {
    let class = |column: usize| if figures.right[column] { "number" } else { "" };
    table(
        caption,
        &html! { tr { @for (column, head) in figures.head.iter().enumerate() {
            th class=(class(column)) scope="col" { (head) }
        } } },
        &html! { @for row in &figures.rows { tr {
            @for (column, cell) in row.iter().enumerate() { td class=(class(column)) { (cell) } }
        } } },
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
