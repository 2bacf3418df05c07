//! Geometric means of the ratios: per subject, and over all subjects.

use super::row::{self, Compared};
use super::side::Side;
use super::{Case, Measure, Move};
use crate::statistics::{Estimate, Floor, Rounds, geometric_mean, unpaired_ratio};
use crate::weather::DISTURBANCE;

/// One measure over all cells of a subject, or of all subjects.
#[derive(Clone, Debug, PartialEq)]
pub struct OverAll {
    /// Subject; `None` for all of them, references left out.
    pub subject: Option<String>,
    /// What is compared.
    pub measure: Measure,
    /// Cells that the mean goes over.
    pub cells: usize,
    /// Geometric mean of B over A.
    pub ratio: Estimate,
    /// The floor of the same mean, in percent.
    pub floor_percent: Option<f64>,
    /// How B stands to A.
    pub moved: Move,
}

impl OverAll {
    /// The verdict as one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.measure.word(self.moved)
    }
}

/// All means: over all subjects first, then subject by subject in the order of the rows.
pub(super) fn all(sides: (&Side<'_>, &Side<'_>), rows: &[Compared<'_>]) -> Vec<OverAll> {
    let mut subjects: Vec<&str> = Vec::new();
    for name in rows.iter().map(|one| one.row.subject.as_str()) {
        if !subjects.contains(&name) {
            subjects.push(name);
        }
    }
    subjects.sort_by_key(|name| sides.0.subjects.iter().position(|known| known == name));
    let everyone = |name: &str| !sides.0.is_reference(name) && !sides.1.is_reference(name);
    let mut found: Vec<OverAll> =
        Measure::ALL.iter().filter_map(|&one| over(sides, rows, None, one, everyone)).collect();
    for subject in subjects {
        let means = Measure::ALL.iter().filter_map(|&measure| {
            over(sides, rows, Some(subject), measure, |name| name == subject)
        });
        found.extend(means);
    }
    found
}

fn over(
    sides: (&Side<'_>, &Side<'_>),
    rows: &[Compared<'_>],
    subject: Option<&str>,
    measure: Measure,
    belongs: impl Fn(&str) -> bool,
) -> Option<OverAll> {
    let chosen: Vec<&Compared<'_>> =
        rows.iter().filter(|one| one.row.measure == measure && belongs(&one.row.subject)).collect();
    let pairs: Vec<(&Rounds, &Rounds)> = chosen.iter().filter_map(|one| one.rounds).collect();
    let mut cases: Vec<&Case> = chosen.iter().map(|one| &one.row.case).collect();
    cases.dedup();
    let alone = measure == Measure::NsPerPair && cases.iter().all(|case| case.mode == "serial");
    let lone = alone.then_some(DISTURBANCE);
    let ratio = unpaired_ratio(&pairs, lone)?;
    let floors = [sides.0, sides.1].map(|side| {
        let twins: Option<Vec<Rounds>> =
            cases.iter().map(|case| side.twin_ratios(case, measure.floor_measure())).collect();
        Floor::from_estimate(geometric_mean(&twins?.iter().collect::<Vec<_>>(), lone)?)
    });
    let drifts: Vec<(&Rounds, &Rounds)> = chosen.iter().filter_map(|one| one.drift).collect();
    let reach = row::reach(floors, unpaired_ratio(&drifts, lone));
    let equal = chosen.iter().all(|one| one.row.moved == Move::Equal);
    Some(OverAll {
        subject: subject.map(str::to_owned),
        measure,
        cells: pairs.len(),
        ratio,
        floor_percent: reach.map(row::percent),
        moved: if equal { Move::Equal } else { Move::of(&ratio, reach) },
    })
}
