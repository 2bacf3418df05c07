//! Who wins where, by how much, and how sure that is.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, overall_word, sentence, table, tables, word, workload};
use crate::quantity::{self, list, plural};
use crate::record::Role;
use crate::statistics::Floor;
use crate::summary::{Overall, Scope, Setting, Summary};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { summary, charts, .. } = context;
    let timed =
        |name: &&str| summary.rows.iter().any(|row| row.subject == *name && row.time.is_some());
    if summary.subjects().into_iter().filter(timed).count() < 2 {
        return None;
    }
    Some(html! {
        p {
            "A ratio is a subject's time over the time of " (summary.baseline) ", which is measured twice in each round and averaged: "
            "0.80 is a fifth less time, 1.25 a quarter more. " em { "Faster" } " and " em { "slower" }
            " are said only when the 95 % interval leaves 1 out and the difference is larger than the "
            "A/A floor: the farthest that " (summary.baseline) " may be from itself, by the 95 % interval of "
            "its ratio to itself. Anything else is " em { "undecided" } "."
        }
        @for scope in [Scope::Main, Scope::Threads] {
            @if summary.overall_of(scope).next().is_some() {
                (figure(charts.overall_of(scope), &overall_table(summary, scope)))
            }
        }
        @if !summary.leads.is_empty() { (leads(summary)) }
        @if summary.rows.iter().any(|row| row.ratio.is_some()) { (matrix(summary)) }
    })
}

fn overall_table(summary: &Summary, scope: Scope) -> Markup {
    let compared: Vec<&Overall> =
        summary.overall_of(scope).filter(|one| one.role != Role::Reference).collect();
    let split = scope == Scope::Main && summary.scope(Scope::Generated).is_some();
    let (unsupporting, listed): (Vec<&Overall>, Vec<&Overall>) =
        compared.iter().partition(|one| one.settings == 0 && one.missing.is_empty());
    let gaps = listed.iter().any(|one| !one.is_whole());
    let find = |scope: Scope, name: &str| {
        summary.overall_of(scope).find(|one| one.subject == name).and_then(|one| one.ratio)
    };
    let rounds = listed.iter().filter_map(|one| Some(one.ratio?.count)).max().unwrap_or(0);
    let caption = format!(
        "{}: geometric mean of time over the time of {}, with its 95 % interval over {}. A range \
         of places means that the run cannot tell them apart.{}{}",
        sentence(&summary.scope_words(scope)).trim_end_matches('.'),
        summary.baseline,
        plural(rounds, "round", "rounds"),
        floor_words(summary.overall_floor(scope)),
        match unsupporting.as_slice() {
            [] => String::new(),
            some => {
                let names: Vec<&str> = some.iter().map(|one| one.subject.as_str()).collect();
                format!(" Not supported by {}.", list(&names))
            }
        },
    );
    table(
        &caption,
        &html! { tr {
            th.number scope="col" { "Place" } th scope="col" { "Subject" }
            th.number scope="col" { "Ratio" } th scope="col" { "Verdict" }
            @if split {
                th.number scope="col" { "Generated" } th.number scope="col" { "Recorded programs" }
            }
            th.number scope="col" { "Workloads" }
            @if gaps { th scope="col" { "Missing" } }
        } },
        &html! {
            @for one in listed {
                tr {
                    td.number { (one.places_text()) }
                    th scope="row" { (one.subject) }
                    (estimate(one.ratio.as_ref()))
                    td { (overall_word(one)) }
                    @if split {
                        (estimate(find(Scope::Generated, &one.subject).as_ref()))
                        (estimate(find(Scope::Programs, &one.subject).as_ref()))
                    }
                    td.number { (one.settings) " of " (one.settings_in_scope) }
                    @if gaps { td.wide { (gaps_of(one)) } }
                }
            }
        },
    )
}

/// `json; does not support larson`.
fn gaps_of(one: &Overall) -> String {
    let mut parts = Vec::new();
    if !one.missing.is_empty() {
        parts.push(one.missing.join(", "));
    }
    if !one.unsupported.is_empty() {
        parts.push(format!("does not support {}", one.unsupported.join(", ")));
    }
    parts.join("; ")
}

fn floor_words(floor: Option<Floor>) -> String {
    match floor {
        Some(floor) => {
            let percent = quantity::percent(floor.half_width_percent());
            format!(
                " A/A floor: {percent} either way over {}.",
                plural(floor.count, "round", "rounds")
            )
        }
        None => " The A/A floor was not measured.".to_owned(),
    }
}

fn leads(summary: &Summary) -> Markup {
    let unknown = summary.leads.iter().any(|one| !one.lead.unknown.is_empty());
    table(
        "Fastest ranked subject by workload: median nanoseconds per allocation and free with 95 % \
         interval, and the first that is slower beyond doubt, by its ratio within rounds to the fastest.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Fastest" }
            th.number scope="col" { "ns per pair" } th scope="col" { "Cannot be told from it" }
            @if unknown { th scope="col" { "Too few calm rounds with it" } }
            th scope="col" { "Next" } th.number scope="col" { "A/A floor" }
        } },
        &html! {
            @for one in &summary.leads {
                @let row = summary.rows_of(&one.setting).find(|row| row.subject == one.lead.subject);
                tr {
                    th scope="row" { (workload(summary, &one.setting)) }
                    td { (one.lead.subject) }
                    (estimate(row.and_then(|row| row.time.as_ref())))
                    td.wide { (one.lead.level_with.join(", ")) }
                    @if unknown { td.wide { (one.lead.unknown.join(", ")) } }
                    td {
                        @if let Some((name, ratio)) = &one.lead.next {
                            (name) ", " (quantity::estimate(ratio))
                        }
                    }
                    td.number {
                        @match summary.floor_of(&one.setting) {
                            Some(floor) => { (quantity::percent(floor.half_width_percent())) },
                            None => { "not measured" },
                        }
                    }
                }
            }
        },
    )
}

/// Ratios of every subject on every workload.
fn matrix(summary: &Summary) -> Markup {
    let compared = |name: &&str| {
        summary.rows.iter().any(|row| row.subject == *name && row.role != Role::Reference)
    };
    let rounds = summary.rows.iter().filter_map(|row| Some(row.ratio?.count)).max().unwrap_or(0);
    let caption = format!(
        "Time over the time of {}: median over {} at most, 95 % interval, verdict.",
        summary.baseline,
        plural(rounds, "round", "rounds")
    );
    let part = |settings: &[Setting]| {
        let head = html! { tr {
            th scope="col" { "Subject" }
            @for setting in settings { th scope="col" { (workload(summary, setting)) } }
        } };
        let body = html! {
            @for name in summary.subjects().iter().filter(|name| compared(name)) {
                tr {
                    th scope="row" { (name) }
                    @for setting in settings {
                        @match summary.rows_of(setting).find(|row| row.subject == **name) {
                            None => { td { "not run" } },
                            Some(row) => td {
                                @if let Some(ratio) = &row.ratio { (quantity::figure(ratio.value)) " " }
                                (word(row))
                                @if let Some(ends) = row.ratio.and_then(|ratio| ratio.interval) {
                                    " " span.interval.below { (quantity::interval(ends)) }
                                }
                            },
                        }
                    }
                }
            }
        };
        (head, body)
    };
    tables(&caption, &summary.settings, part)
}
