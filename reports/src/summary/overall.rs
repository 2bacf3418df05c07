//! Ratios over several workloads.

use serde::Serialize;

use super::cell::{Cell, Grid};
use super::{Lead, Scope};
use crate::record::{Call, Role};
use crate::statistics::{Estimate, Floor, Rounds, Verdict, geometric_mean};
use crate::weather::DISTURBANCE;

/// One subject over the workloads of a scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Which workloads.
    pub scope: Scope,
    /// Subject.
    pub subject: String,
    /// What the subject is.
    pub role: Role,
    /// How it was called.
    pub call: Call,
    /// Whether it is compared with the others.
    pub ranked: bool,
    /// Whether it is the baseline itself, whose ratio is 1 by definition.
    pub baseline: bool,
    /// Settings the ratio goes over.
    pub settings: usize,
    /// Settings of the scope in which the baseline did not fail.
    pub settings_in_scope: usize,
    /// Workloads on which the subject failed or was not measured; while there are any, it stands
    /// outside the ranking, since its mean goes over fewer workloads than the others'.
    pub missing: Vec<String>,
    /// Workloads that the subject cannot serve. That is no failure, and the subject still stands
    /// outside the ranking of a scope that has any.
    pub unsupported: Vec<String>,
    /// Geometric mean of the ratios to the baseline. `None` for the baseline and without any ratio.
    pub ratio: Option<Estimate>,
    /// Word on that ratio, by the floor of the same geometric mean. `None` for what is not ranked.
    pub verdict: Option<Verdict>,
    /// Place in the ranking from 1, by the value of the ratio; `None` for what is not ranked.
    pub place: Option<usize>,
    /// First and last place that it may have: as many subjects are faster beyond doubt as stand before
    /// the first, and as many slower as stand behind the last. With every placed subject as one side of
    /// a pair.
    pub places: Option<(usize, usize)>,
    /// Geometric mean of peak resident set over peak live bytes, over the settings that have it.
    pub rss_ratio: Option<Estimate>,
}

impl Overall {
    /// Whether the subject has a ratio, or is the baseline, on every workload of the scope.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.unsupported.is_empty()
    }

    /// `3`, or `2-5` where the run cannot tell which; empty without a place.
    #[must_use]
    pub fn places_text(&self) -> String {
        match (self.places, self.place) {
            (Some((first, last)), _) if first < last => format!("{first}-{last}"),
            (_, Some(place)) => place.to_string(),
            _ => String::new(),
        }
    }

    /// One word on the subject: the verdict, or why there is none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Some(verdict) => verdict.word(),
            None if self.baseline => "baseline",
            None if !self.missing.is_empty() => "incomplete",
            None if !self.unsupported.is_empty() => "unsupported",
            None => "not ranked",
        }
    }
}

/// Settings in which ratios can be taken at all: those in which the baseline did not fail.
pub(super) fn comparable(grid: &Grid<'_>) -> Vec<usize> {
    (0..grid.settings.len()).filter(|&setting| grid.baseline_cell(setting).is_some()).collect()
}

/// The A/A floor of the geometric mean over `settings`.
pub(super) fn floor(grid: &Grid<'_>, settings: &[usize]) -> Option<Floor> {
    let twins: Option<Vec<Rounds>> =
        settings.iter().map(|&setting| grid.twin_ratios(setting)).collect();
    Floor::from_estimate(mean_of_times(grid, settings, &twins?)?)
}

/// The lead over the settings of a scope, whose figures are `overall`. `None` without a ranked
/// subject that is whole.
pub(super) fn lead(grid: &Grid<'_>, settings: &[usize], overall: &[Overall]) -> Option<Lead> {
    let mut placed = overall.iter().filter(|one| one.place.is_some());
    let first = placed.next()?;
    let others = placed.map(|one| {
        let ratio = between(grid, settings, &one.subject, &first.subject);
        (one.subject.clone(), one.role, ratio)
    });
    Some(Lead::of((&first.subject, first.role), others, floor(grid, settings)))
}

/// Geometric mean of ratios of times over `settings`. On one thread a figure that stands alone was disturbed
/// at the most (W2 of `weather.rs`); on several nobody knows.
pub(super) fn mean_of_times(
    grid: &Grid<'_>,
    settings: &[usize],
    series: &[Rounds],
) -> Option<Estimate> {
    let on_threads = settings.iter().any(|&setting| grid.threaded[setting]);
    let lone = (!on_threads).then_some(DISTURBANCE);
    geometric_mean(&series.iter().collect::<Vec<_>>(), lone)
}

/// Geometric mean over `settings` of the time of `subject` over that of `other`.
fn between(grid: &Grid<'_>, settings: &[usize], subject: &str, other: &str) -> Option<Estimate> {
    let series: Option<Vec<Rounds>> = settings
        .iter()
        .map(|&setting| {
            let other = grid.times_of(setting, other)?;
            Some(grid.times_of(setting, subject)?.over(&other))
        })
        .collect();
    mean_of_times(grid, settings, &series?)
}

/// Notes of each of the `placed`, from fastest to slowest, which places it may have.
fn bound_places(
    grid: &Grid<'_>,
    settings: &[usize],
    floor: Option<Floor>,
    placed: &mut [&mut Overall],
) {
    let count = placed.len();
    let mut bounds: Vec<(usize, usize)> = vec![(1, count); count];
    for slower in 0..count {
        for faster in 0..slower {
            let [one, other] = [slower, faster].map(|at| &*placed[at]);
            if are_apart(one, other, floor)
                || between(grid, settings, &one.subject, &other.subject)
                    .is_some_and(|ratio| Verdict::of(&ratio, floor) == Verdict::Slower)
            {
                bounds[slower].0 += 1;
                bounds[faster].1 -= 1;
            }
        }
    }
    for (one, bounds) in placed.iter_mut().zip(bounds) {
        one.places = Some(bounds);
    }
}

/// Whether two subjects are so far apart that they need not be compared by round: neither of the
/// intervals reaches the other one, and their distance exceeds the floor.
fn are_apart(slower: &Overall, faster: &Overall, floor: Option<Floor>) -> bool {
    let (Some(slower), Some(faster)) = (slower.ratio, faster.ratio) else { return false };
    let (Some(above), Some(below)) = (slower.interval, faster.interval) else { return false };
    above.low > below.high && floor.is_none_or(|floor| !floor.holds(slower.value / faster.value))
}

/// Every subject that was measured in the settings of `scope`: ranked ones from fastest to slowest,
/// then those with gaps, then those that are not ranked.
pub(super) fn all(grid: &Grid<'_>, scope: Scope, settings: &[usize]) -> Vec<Overall> {
    let floor = floor(grid, settings);
    let mut found: Vec<Overall> = (0..grid.contenders.len())
        .map(|contender| one(grid, scope, settings, contender, floor))
        .filter(|overall| overall.settings > 0 || !overall.is_whole())
        .collect();
    let value = |overall: &Overall| match overall.ratio {
        Some(ratio) => ratio.value,
        None if overall.baseline => 1.0,
        None => f64::INFINITY,
    };
    // Ranked and whole first, then ranked with gaps, then the rest; each from fastest to slowest.
    let group =
        |overall: &Overall| (!overall.ranked, overall.role == Role::Reference, !overall.is_whole());
    found.sort_by(|a, b| group(a).cmp(&group(b)).then(value(a).total_cmp(&value(b))));
    let mut place = 0;
    for overall in &mut found {
        if overall.ranked && overall.is_whole() && value(overall).is_finite() {
            place += 1;
            overall.place = Some(place);
        }
    }
    let mut placed: Vec<&mut Overall> =
        found.iter_mut().filter(|one| one.place.is_some()).collect();
    bound_places(grid, settings, floor, &mut placed);
    found
}

fn one(
    grid: &Grid<'_>,
    scope: Scope,
    settings: &[usize],
    contender: usize,
    floor: Option<Floor>,
) -> Overall {
    let facts = &grid.contenders[contender];
    let baseline = grid.baseline == Some(contender);
    let ranked = grid.is_ranked(contender);
    let mut series = Vec::new();
    let mut missing = Vec::new();
    let mut unsupported = Vec::new();
    let mut memory = Vec::new();
    for &setting in settings {
        let name = &grid.settings[setting];
        memory.extend(
            grid.cell(setting, contender).map(Cell::memory).filter(|rounds| !rounds.is_empty()),
        );
        let sound = grid.cell(setting, contender).filter(|cell| cell.is_sound());
        let paired = sound
            .zip(grid.against(setting))
            .map(|(cell, base)| cell.times.over(&base))
            .filter(|paired| !paired.is_empty());
        match paired {
            Some(paired) => series.push(paired),
            None if grid.cell(setting, contender).is_some_and(Cell::is_unsupported) => {
                unsupported.push(name.workload.clone());
            }
            None => missing.push(name.workload.clone()),
        }
    }
    let ratio = match baseline {
        true => None,
        false => mean_of_times(grid, settings, &series),
    };
    Overall {
        scope,
        subject: facts.name.clone(),
        role: facts.role,
        call: facts.call,
        ranked,
        baseline,
        settings: series.len(),
        settings_in_scope: settings.len(),
        verdict: ratio
            .as_ref()
            .filter(|_| ranked && missing.is_empty() && unsupported.is_empty())
            .map(|ratio| Verdict::of(ratio, floor)),
        missing,
        unsupported,
        ratio,
        place: None,
        places: None,
        rss_ratio: geometric_mean(&memory.iter().collect::<Vec<_>>(), None),
    }
}

/// Names of the subjects on the Pareto front of time and memory: those that no other one equals on
/// both and beats on one. Values decide, not intervals. Subjects without either figure are on no front.
#[must_use]
pub fn front<'a>(subjects: &[&'a Overall]) -> Vec<&'a str> {
    let points: Vec<(&str, f64, f64)> = subjects
        .iter()
        .filter_map(|one| {
            let time = one.ratio.map(|ratio| ratio.value).or(one.baseline.then_some(1.0))?;
            Some((one.subject.as_str(), time, one.rss_ratio?.value))
        })
        .collect();
    let beaten = |one: &(&str, f64, f64)| {
        points.iter().any(|other| {
            other.1 <= one.1 && other.2 <= one.2 && (other.1 < one.1 || other.2 < one.2)
        })
    };
    points.iter().filter(|one| !beaten(one)).map(|one| one.0).collect()
}
