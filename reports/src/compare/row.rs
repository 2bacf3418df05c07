//! Cells that both files have, measure by measure.

use super::conditions::Conditions;
use super::side::Side;
use super::{Case, Measure, Move};
use crate::statistics::{Estimate, Floor, Rounds, unpaired_ratio};

/// One measure of one cell in both files.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was run.
    pub case: Case,
    /// Who served it.
    pub subject: String,
    /// What is compared.
    pub measure: Measure,
    /// Median in A, with its interval at 95 % where there is one.
    pub a: Estimate,
    /// Median in B.
    pub b: Estimate,
    /// B over A. `None` for counts of which A has none.
    pub ratio: Option<Estimate>,
    /// The floor in percent (C4). `None` when neither file has one.
    pub floor_percent: Option<f64>,
    /// How B stands to A.
    pub moved: Move,
}

/// A row with what geometric means need of it.
pub(super) struct Compared<'a> {
    pub(super) row: Row,
    /// Values in A and in B; `None` for counts (C5).
    pub(super) rounds: Option<(&'a Rounds, &'a Rounds)>,
    /// The baseline's values in A and in B, where they tell what the computer did between the files.
    pub(super) drift: Option<(&'a Rounds, &'a Rounds)>,
}

impl Row {
    /// The verdict as one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.measure.word(self.moved)
    }
}

/// Every row, by case, subject and measure, in the order of A.
pub(super) fn all<'a>(
    sides: (&'a Side<'a>, &'a Side<'a>),
    conditions: &Conditions,
) -> Vec<Compared<'a>> {
    let mut found = Vec::new();
    for (case, subject, a) in sides.0.cells() {
        let Some(b) = sides.1.find(case, subject) else { continue };
        if conditions.other_events.contains(&case.workload) || a.call != b.call {
            continue;
        }
        for measure in Measure::ALL {
            if !conditions.allow(measure) {
                continue;
            }
            if let (Some(one), Some(other)) = (a.sound(measure), b.sound(measure)) {
                let drift = drift(sides, conditions, case, subject, measure);
                found.extend(timed(sides, (case, subject, measure), (one, other), drift));
            }
        }
        if let (Some(one), Some(other)) = (a.errors, b.errors) {
            // Counts of unequal work say nothing (C1).
            if one.1 == other.1 && a.failure.is_none() && b.failure.is_none() {
                let row = counted(case, subject, one.0, other.0);
                found.push(Compared { row, rounds: None, drift: None });
            }
        }
    }
    found
}

impl Conditions {
    /// Whether a measure can be compared between the two files (C3).
    pub(super) fn allow(&self, measure: Measure) -> bool {
        match measure {
            measure if measure.is_absolute_time() => self.same_computer,
            Measure::NsPerPairOverBaseline | Measure::WallOverBaseline => self.same_baseline,
            _ => true,
        }
    }
}

/// The baseline in both files, for absolute times of others than the baseline (C4).
fn drift<'a>(
    sides: (&'a Side<'a>, &'a Side<'a>),
    conditions: &Conditions,
    case: &Case,
    subject: &str,
    measure: Measure,
) -> Option<(&'a Rounds, &'a Rounds)> {
    let applies = measure.is_absolute_time()
        && conditions.baseline_unchanged
        && subject != sides.0.baseline();
    let both =
        || Some((sides.0.baseline_rounds(case, measure)?, sides.1.baseline_rounds(case, measure)?));
    if applies { both() } else { None }
}

fn timed<'a>(
    sides: (&Side<'_>, &Side<'_>),
    (case, subject, measure): (&Case, &str, Measure),
    (a, b): (&'a Rounds, &'a Rounds),
    drift: Option<(&'a Rounds, &'a Rounds)>,
) -> Option<Compared<'a>> {
    let values = |rounds: &Rounds| rounds.values().copied().collect::<Vec<f64>>();
    let ratio = unpaired_ratio(&[(a, b)], None)?;
    let floors = [sides.0, sides.1].map(|side| {
        let twins = side.twin_ratios(case, measure.floor_measure())?;
        Floor::from_estimate(Estimate::of(&values(&twins))?)
    });
    let shift = drift.and_then(|pair| unpaired_ratio(&[pair], None));
    let reach = reach(floors, shift);
    let moved = if a == b { Move::Equal } else { Move::of(&ratio, reach) };
    let row = Row {
        case: case.clone(),
        subject: subject.to_owned(),
        measure,
        a: Estimate::of(&values(a))?,
        b: Estimate::of(&values(b))?,
        ratio: Some(ratio),
        floor_percent: reach.map(percent),
        moved,
    };
    Some(Compared { row, rounds: Some((a, b)), drift })
}

/// The widest of the floors and of what the baseline moved, as a logarithm.
pub(super) fn reach(floors: [Option<Floor>; 2], shift: Option<Estimate>) -> Option<f64> {
    let floors = floors.into_iter().flatten().map(Floor::reach);
    floors.chain(shift.map(|shift| shift.value.ln().abs())).max_by(f64::total_cmp)
}

/// A floor as the percentage that the distance from 1 makes.
pub(super) fn percent(reach: f64) -> f64 {
    100.0 * (reach.exp() - 1.0)
}

fn counted(case: &Case, subject: &str, a: u64, b: u64) -> Row {
    let exact = |value: f64| Estimate { value, count: 1, interval: None };
    Row {
        case: case.clone(),
        subject: subject.to_owned(),
        measure: Measure::Errors,
        a: exact(a as f64),
        b: exact(b as f64),
        ratio: (a > 0).then(|| exact(b as f64 / a as f64)),
        floor_percent: None,
        moved: match b.cmp(&a) {
            std::cmp::Ordering::Less => Move::Less,
            std::cmp::Ordering::Equal => Move::Equal,
            std::cmp::Ordering::Greater => Move::More,
        },
    }
}
