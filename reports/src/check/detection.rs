//! The rule on seeded bugs: one that was caught and is not any more, or a program without a bug that is
//! reported. One that was missed before may be missed. Of another compiler a program is another one.

use super::Side;
use super::row::{Row, Ruling};
use super::rule::Rule;
use crate::record::{Detection, Finding};

/// What rows of this rule have in the place of a workload.
const SEEDED_BUGS: &str = "seeded bugs";

/// A row for each program that fares otherwise than before, or a single one.
pub(super) fn detection(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let (was, now) = (run(before), run(after));
    let cell = (SEEDED_BUGS, after.subject);
    let only = |ruling, note: &str| Row::without_figures(Rule::Detection, cell, ruling, note);
    if now.is_empty() {
        // Recorded by hand, or of a subject that is no library.
        if !was.is_empty() {
            rows.push(only(Ruling::Failed, "they were not run"));
        }
        return;
    }
    if was.is_empty() {
        let note = "the side before did not run them; record the baseline anew";
        return rows.push(only(Ruling::Undecided, note));
    }
    if let Some(first) = now.first().filter(|_| now.iter().all(|one| one.verdict.is_none())) {
        let note = first.message.as_deref().unwrap_or(first.status.word());
        return rows.push(only(Ruling::Failed, note));
    }
    let (cc, compiler) = (&before.results.host.cc, &after.results.host.cc);
    if cc != compiler {
        let name = |cc: &Option<String>| cc.clone().unwrap_or_else(|| "none".to_owned());
        let note = format!("C compiler {}, before {}", name(compiler), name(cc));
        return rows.push(only(Ruling::Undecided, &note));
    }
    let first = rows.len();
    for one in &now {
        let part = Some(format!("{}, {}", one.bug, watcher(one)));
        let same = |before: &&&Detection| before.bug == one.bug && before.tool == one.tool;
        let Some(before) = was.iter().find(same) else {
            let note = "the side before did not run it; record the baseline anew";
            rows.push(Row { part, ..only(Ruling::Undecided, note) });
            continue;
        };
        let note = format!("{}, before: {}", words(one), words(before));
        let threshold = "any".to_owned();
        rows.extend(ruling(before, one).map(|ruling| Row {
            part,
            threshold,
            ..only(ruling, &note)
        }));
    }
    if rows.len() == first {
        rows.push(Row {
            before: Some(caught(&was)),
            after: Some(caught(&now)),
            threshold: "any".to_owned(),
            note: None,
            ..only(Ruling::Good, "")
        });
    }
}

fn run<'a>(side: Side<'a>) -> Vec<&'a Detection> {
    side.results.detections.iter().filter(|one| one.subject == side.subject).collect()
}

/// What comes of one program, unless it fares as before.
fn ruling(before: &Detection, after: &Detection) -> Option<Ruling> {
    use Finding::{Caught, Clean, Crashed, FalseAlarm, Missed};
    let reports = |one: &Detection| one.own_reports.unwrap_or(0);
    match (before.verdict, after.verdict) {
        // A function that is gone is the contract's to tell.
        (_, None) if after.status.is_failure() => Some(Ruling::Failed),
        (None, _) if before.status.is_failure() => Some(Ruling::Failed),
        (Some(Caught), Some(Missed | Crashed)) | (Some(Clean), Some(FalseAlarm | Crashed)) => {
            Some(Ruling::Regression)
        }
        (Some(_), Some(_)) if reports(after) > reports(before) => Some(Ruling::Regression),
        (Some(Missed | Crashed), Some(Caught)) | (Some(FalseAlarm), Some(Clean)) => {
            Some(Ruling::Better)
        }
        _ => None,
    }
}

/// Who watches a program, in words.
fn watcher(record: &Detection) -> &str {
    if record.tool == "none" { "by itself" } else { &record.tool }
}

/// What became of a program, in words.
fn words(record: &Detection) -> String {
    let Some(verdict) = record.verdict else {
        return record.message.clone().unwrap_or(record.status.word().to_owned());
    };
    let own = record.own_reports.filter(|&reports| reports > 0);
    let own = own.map(|reports| format!("{reports} reports on the allocator"));
    let words: Vec<String> = record.words.iter().cloned().chain(own).collect();
    match words.as_slice() {
        [] => verdict.word().to_owned(),
        words => format!("{} ({})", verdict.word(), words.join("; ")),
    }
}

fn caught(records: &[&Detection]) -> f64 {
    records.iter().filter(|one| one.verdict == Some(Finding::Caught)).count() as f64
}
