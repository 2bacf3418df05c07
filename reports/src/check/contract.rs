//! The rule on the C contract: a promise that was kept and is not any more, or only as far as the standards
//! ask. Broken ones that were broken before are no change; what the computer of one side did not let anyone try is undecided.

use std::cmp::Ordering;

use super::Side;
use super::row::{Row, Ruling};
use super::rule::Rule;
use crate::record::{Contract, Status, Verdict};

/// What rows of this rule have in the place of a workload.
const EVERY_CALL: &str = "every call";

/// A row for each promise that is newly broken or newly kept, or a single one.
pub(super) fn contract(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let (was, now) = (tried(before), tried(after));
    let cell = (EVERY_CALL, after.subject);
    let only = |ruling, note: String| Row::without_figures(Rule::Contract, cell, ruling, note);
    match (untried(&was), untried(&now)) {
        // Recorded by hand, or of a subject without C functions.
        _ if was.is_empty() && now.is_empty() => return,
        (_, Some(Status::Unsupported)) if !was.iter().any(|one| one.row.is_some()) => return,
        _ if now.is_empty() => {
            return rows.push(only(Ruling::Failed, "it was not tried".to_owned()));
        }
        (_, Some(status)) => {
            let ruling = match status {
                // It could not be tried before either.
                _ if untried(&was).is_some() => Ruling::Failed,
                Status::Signal | Status::Timeout | Status::Exit | Status::Oom => Ruling::Regression,
                _ => Ruling::Failed,
            };
            let said = now[0].message.as_deref().unwrap_or_default();
            return rows.push(only(ruling, format!("{}: {said}", status.word())));
        }
        _ if was.is_empty() => {
            let note = "the side before was not tried; record the baseline anew".to_owned();
            return rows.push(only(Ruling::Undecided, note));
        }
        (Some(status), _) => {
            return rows.push(only(Ruling::Failed, format!("before: {}", status.word())));
        }
        (None, None) => {}
    }
    let broken = |all: &[&Contract]| all.iter().filter(|one| !is_kept(one)).count() as f64;
    let first = rows.len();
    for one in &now {
        let Some(before) = was.iter().find(|before| before.row == one.row) else {
            let note = "the side before was not asked this; record the baseline anew".to_owned();
            rows.push(Row { part: one.row.clone(), ..only(Ruling::Undecided, note) });
            continue;
        };
        let untried = [before, one].map(|one| one.verdict == Some(Verdict::Untried));
        let ruling = match standing(one).cmp(&standing(before)) {
            _ if untried[0] != untried[1] => Ruling::Undecided,
            Ordering::Less => Ruling::Regression,
            Ordering::Greater => Ruling::Better,
            Ordering::Equal => continue,
        };
        let found = one.found.as_deref().unwrap_or_default();
        let note = match (ruling, one.promise.as_deref()) {
            (Ruling::Regression, Some(promise)) => format!("{found}, where {promise} is promised"),
            (Ruling::Undecided, _) if untried[0] => {
                format!("before: {}", before.found.as_deref().unwrap_or_default())
            }
            _ => found.to_owned(),
        };
        rows.push(Row { part: one.row.clone(), threshold: "any".to_owned(), ..only(ruling, note) });
    }
    if rows.len() == first {
        rows.push(Row {
            before: Some(broken(&was)),
            after: Some(broken(&now)),
            threshold: "any".to_owned(),
            note: None,
            ..only(Ruling::Good, String::new())
        });
    }
}

fn tried<'a>(side: Side<'a>) -> Vec<&'a Contract> {
    side.results.contracts.iter().filter(|one| one.subject == side.subject).collect()
}

/// How a child ended that left no findings.
fn untried(records: &[&Contract]) -> Option<Status> {
    records.iter().find(|one| one.row.is_none()).map(|one| one.status)
}

/// Whether the call does what is promised, or what the standards allow instead.
fn is_kept(record: &Contract) -> bool {
    standing(record) > 0
}

/// How good it is. Programs get used to what is promised, whatever the standards allow instead.
fn standing(record: &Contract) -> u8 {
    match record.verdict {
        Some(Verdict::Ok) => 2,
        Some(Verdict::Allowed) => 1,
        _ => 0,
    }
}
