//! The detection matrix: which seeded bugs are caught, by whom and in which words.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, table};
use crate::detections::{self, Counts, watcher_place};
use crate::record::{Detection, Finding, Status};
use crate::results::Results;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let results = context.results;
    if results.detections.is_empty() {
        return None;
    }
    let modes = detections::modes(results);
    let unusable = detections::unusable(results);
    let (notes, numbers) = notes(results);
    Some(html! {
        p {
            "Every row is a small program that does one thing wrong, or nothing; every column an "
            "allocator and who watches it. Caught means that somebody said so, in words that are "
            "about the program: reports on reads of the allocator itself are counted apart. "
            code { "memcheck-unaided" } ": the allocator tells memcheck nothing of its blocks. "
            code { "hooks" } ": CPython's debug hooks. " code { "asan" } ": AddressSanitizer."
        }
        ul { @for sentence in detections::sentences(results) { li { (sentence) } } }
        (figure(&context.charts.detection, &counts(results, &modes)))
        (matrix(results, &modes, &numbers))
        @if !notes.is_empty() {
            details {
                summary { "The words in which bugs were caught, by their numbers" }
                ol { @for note in &notes { li { (note) } } }
            }
        }
        @if !unusable.is_empty() {
            p { "Modes that could not be run:" }
            ul { @for (mode, why) in &unusable { li { code { (mode) } ": " (why) } } }
        }
    })
}

/// Every wording once, and its number from 1.
fn notes(results: &Results) -> (Vec<&str>, BTreeMap<&str, usize>) {
    let (mut notes, mut numbers) = (Vec::new(), BTreeMap::new());
    for words in results.detections.iter().filter_map(|record| record.words.as_deref()) {
        numbers.entry(words).or_insert_with(|| {
            notes.push(words);
            notes.len()
        });
    }
    (notes, numbers)
}

/// Verdicts by mode.
fn counts(results: &Results, modes: &[&str]) -> Markup {
    table(
        "Programs by verdict. Own reports: distinct errors that memcheck reports of the allocator's own \
         reads, at most in one program.",
        &html! { tr {
            th scope="col" { "Mode" }
            th.number scope="col" { "Caught" } th.number scope="col" { "Missed" }
            th.number scope="col" { "Crashed" } th.number scope="col" { "False alarms" }
            th.number scope="col" { "Clean" } th.number scope="col" { "No verdict" }
            th.number scope="col" { "Own reports" }
        } },
        &html! { @for mode in modes {
            @let one = Counts::of(results, mode);
            tr {
                th scope="row" { (mode) }
                @for count in [one.caught, one.missed, one.crashed, one.false_alarms, one.clean, one.without] {
                    td.number { (count) }
                }
                td.number { @if let Some(own) = one.own_reports { (own) } }
            }
        } },
    )
}

/// The matrix itself.
fn matrix(results: &Results, modes: &[&str], numbers: &BTreeMap<&str, usize>) -> Markup {
    let mut modes = modes.to_vec();
    // Stable: within a watcher the order of the modes.
    modes.sort_by_key(|mode| (watcher_place(watcher(mode)), watcher(mode)));
    let groups: Vec<&[&str]> = modes.chunk_by(|a, b| watcher(a) == watcher(b)).collect();
    let caption = format!(
        "Bugs by mode, grouped by who watches: {}, blank: not run. The number is that of the words below the table; a \
         reader with a pointer finds them on the cell.",
        legend(results).join(", ")
    );
    table(
        &caption,
        &html! {
            tr {
                th rowspan="2" scope="col" { "Program" }
                @for group in &groups {
                    th.group colspan=(group.len()) scope="colgroup" { (watcher(group[0])) }
                }
            }
            tr { @for mode in &modes { th.upright scope="col" title=(mode) { span { (allocator(mode)) } } } }
        },
        &html! { @for bug in detections::bugs(results) {
            tr {
                th scope="row" title=[title(results, bug)] { (bug) }
                @for mode in &modes {
                    @match detections::cell(results, bug, mode) {
                        Some(cell) => { (verdict(cell, numbers)) },
                        None => td title="not run" { span.unseen { "not run" } },
                    }
                }
            }
        } },
    )
}

/// What the signs of the matrix mean: all findings, and of cells without one those that occur.
fn legend(results: &Results) -> Vec<String> {
    let signs = Finding::ALL.iter().map(|one| format!("{} {}", one.sign(), one.word()));
    let without = |sign: &str| {
        let mut cells = results.detections.iter().filter(|cell| cell.verdict.is_none());
        cells.any(|cell| sign_without(cell.status) == sign)
    };
    let others = [
        (UNSUPPORTED, "unsupported, the mode lacks what the program needs"),
        (NO_VERDICT, "no verdict"),
    ];
    let others = others.into_iter().filter(|(sign, _)| without(sign));
    signs.chain(others.map(|(sign, words)| format!("{sign} {words}"))).collect()
}

/// Signs of cells without a finding, as narrow as those with one.
const UNSUPPORTED: &str = "n/a";
const NO_VERDICT: &str = "?";

fn sign_without(status: Status) -> &'static str {
    if status == Status::Unsupported { UNSUPPORTED } else { NO_VERDICT }
}

fn title<'a>(results: &'a Results, bug: &str) -> Option<&'a str> {
    results.detections.iter().find(|one| one.bug == bug).map(|one| one.title.as_str())
}

fn verdict(cell: &Detection, numbers: &BTreeMap<&str, usize>) -> Markup {
    let number = cell.words.as_deref().and_then(|words| numbers.get(words));
    let told = cell.words.as_deref().or(cell.message.as_deref());
    let told = told.or(cell.verdict.is_none().then_some(cell.status.meaning()));
    html! {
        td title=[told] {
            @match cell.verdict {
                Some(finding) => {
                    span class={ "word " (class_of(finding)) } { (finding.sign()) span.unseen { " " (finding.word()) } }
                },
                None => span.word.plain { (sign_without(cell.status)) span.unseen { " " (cell.status.word()) } },
            }
            @if let Some(number) = number { " " span.interval { (number) } }
        }
    }
}

fn class_of(finding: Finding) -> &'static str {
    match finding {
        Finding::Caught => "faster",
        Finding::Missed | Finding::Clean => "plain",
        Finding::Crashed => "slower",
        Finding::FalseAlarm => "failed",
    }
}

/// Who watches in a mode.
fn watcher(mode: &str) -> &str {
    detections::parts(mode).1
}

/// Who is watched in a mode.
fn allocator(mode: &str) -> &str {
    detections::parts(mode).0
}
