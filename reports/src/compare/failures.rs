//! What cannot be compared: cells that failed, and cells that only one file has (C2).

use serde::Serialize;

use super::conditions::Conditions;
use super::side::Side;
use super::{Case, Measure};
use crate::record::Status;

/// A cell that failed in A, in B or in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What was run.
    pub case: Case,
    /// Who served it.
    pub subject: String,
    /// How it failed in A, and what went wrong.
    pub a: Option<(Status, String)>,
    /// How it failed in B.
    pub b: Option<(Status, String)>,
    /// Whether the other file has the cell at all, where only one of them has the failure.
    pub in_both: bool,
}

/// Something that only one file has, or that the two have under different conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What was run.
    pub case: Case,
    /// Who served it.
    pub subject: String,
    /// The one measure that is left out; `None` for the whole cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Why, in a few words.
    pub reason: String,
}

impl Change {
    /// Whether the cell fails in B and did not fail in A.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.a.is_none() && self.b.is_some()
    }

    /// What became of the failure.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (&self.a, &self.b, self.in_both) {
            (None, _, true) => "new failure",
            (None, _, false) => "failure, not in A",
            (Some(_), Some(_), _) => "still fails",
            (Some(_), None, true) => "fixed",
            (Some(_), None, false) => "failed, not in B",
        }
    }
}

/// Every failed cell, those of A first.
pub(super) fn changes(sides: (&Side<'_>, &Side<'_>)) -> Vec<Change> {
    let mut found = Vec::new();
    for (case, subject, a) in sides.0.cells() {
        let b = sides.1.find(case, subject);
        let failed = b.and_then(|b| b.failure.clone());
        if a.failure.is_some() || failed.is_some() {
            found.push(Change {
                case: case.clone(),
                subject: subject.to_owned(),
                a: a.failure.clone(),
                b: failed,
                in_both: b.is_some(),
            });
        }
    }
    for (case, subject, b) in sides.1.cells() {
        if b.failure.is_some() && sides.0.find(case, subject).is_none() {
            found.push(Change {
                case: case.clone(),
                subject: subject.to_owned(),
                a: None,
                b: b.failure.clone(),
                in_both: false,
            });
        }
    }
    found
}

/// Everything that no row was made of, those of A first.
pub(super) fn left_out(sides: (&Side<'_>, &Side<'_>), conditions: &Conditions) -> Vec<LeftOut> {
    let mut found = Vec::new();
    for (case, subject, a) in sides.0.cells() {
        let mut put = |measure: Option<Measure>, reason: &str| {
            found.push(LeftOut {
                case: case.clone(),
                subject: subject.to_owned(),
                measure,
                reason: reason.to_owned(),
            });
        };
        let Some(b) = sides.1.find(case, subject) else {
            put(None, "only in A");
            continue;
        };
        match (a.is_unsupported(), b.is_unsupported()) {
            (true, true) => continue,
            (true, false) => put(None, "unsupported in A"),
            (false, true) => put(None, "unsupported in B"),
            _ if conditions.other_events.contains(&case.workload) => put(None, "other events in B"),
            _ if a.call != b.call => put(None, "called another way in B"),
            _ if a.failure.is_some() || b.failure.is_some() => {}
            _ => {
                for measure in Measure::ALL.into_iter().filter(|one| conditions.allow(*one)) {
                    match (a.rounds.get(&measure), b.rounds.get(&measure)) {
                        (Some(_), None) => put(Some(measure), "only in A"),
                        (None, Some(_)) => put(Some(measure), "only in B"),
                        _ => {}
                    }
                }
                match (a.errors, b.errors) {
                    (Some(a), Some(b)) if a.1 != b.1 => {
                        put(Some(Measure::Errors), "another number of calls in B");
                    }
                    (Some(_), None) => put(Some(Measure::Errors), "only in A"),
                    (None, Some(_)) => put(Some(Measure::Errors), "only in B"),
                    _ => {}
                }
            }
        }
    }
    for (case, subject, _) in sides.1.cells() {
        if sides.0.find(case, subject).is_none() {
            found.push(LeftOut {
                case: case.clone(),
                subject: subject.to_owned(),
                measure: None,
                reason: "only in B".to_owned(),
            });
        }
    }
    found
}
