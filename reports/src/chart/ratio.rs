//! Ratios to the baseline: one chart per setting, and one over all of them.

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Group, Panel, Row as Drawn};
use super::{Basis, Chart, Slugs};
use crate::quantity;
use crate::record::Role;
use crate::statistics::{Estimate, Floor};
use crate::summary::{Overall, Row, Scope, Setting, Summary};

/// The chart of one setting. `None` when no subject has a ratio.
pub(super) fn ratio(
    summary: &Summary,
    setting: &Setting,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    let is_shown = |row: &&Row| is_compared(row.role) && !row.is_unsupported();
    let rows: Vec<&Row> = summary.rows_of(setting).filter(is_shown).collect();
    let estimates: Vec<Estimate> = rows.iter().filter_map(|row| row.ratio).collect();
    let floor = summary.floor_of(setting);
    let label = summary.label(setting);
    let counts = super::counts(estimates.iter().map(|ratio| ratio.count), "round");
    let baseline = super::shorten(&summary.baseline, 16);
    let panel = Panel {
        slug: slugs.next("ratio", &label),
        title: format!("Time relative to {baseline}: {label}"),
        caption: format!(
            "Marker: median over rounds of the ratio within a round. Bar: its 95\u{a0}%\u{a0}interval \
             ({counts}). {}",
            floor_words(floor)
        ),
        description: format!(
            "{} subjects on {label}, each next to {baseline}. {}",
            rows.len(),
            spread_words(
                rows.iter().filter_map(|row| Some((row.subject.as_str(), row.ratio?.value)))
            ),
        ),
        basis: Basis::of_samples(
            "ratio of times",
            format!("{counts} of one sample per subject"),
            "the median over rounds",
        )
        .if_any(estimates.iter().any(|one| one.interval.is_some())),
        axis: axis(&estimates, &[])?,
        axis_label: format!("time over the time of {baseline}, logarithmic; less is better"),
        band: floor.map(band),
        line: Some(1.0),
        groups: super::groups(
            &rows,
            |row| row.ratio.map(|ratio| ratio.value).or(row.baseline.then_some(1.0)),
            |row| draw(row, &marker),
        ),
        legend: Vec::new(),
    };
    Some(panel.draw())
}

/// The chart over all settings of a scope. `None` with fewer than two settings or no ratio.
pub(super) fn overall(
    summary: &Summary,
    scope: Scope,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    let figures = summary.scope(scope)?;
    let settings = figures.settings.len();
    if settings < 2 {
        return None;
    }
    // Who serves none of the workloads has nothing to show and did not fail.
    let is_shown = |one: &&Overall| one.settings > 0 || !one.missing.is_empty();
    let rows: Vec<&Overall> =
        summary.overall_of(scope).filter(|one| is_compared(one.role)).filter(is_shown).collect();
    let dots_of = |name: &str| -> Vec<f64> {
        let mine = summary.rows.iter().filter(|row| row.subject == name);
        let mine = mine.filter(|row| figures.settings.contains(&row.setting));
        mine.filter_map(|row| Some(row.ratio?.value)).collect()
    };
    let estimates: Vec<Estimate> = rows.iter().filter_map(|overall| overall.ratio).collect();
    let every_dot: Vec<f64> = rows.iter().flat_map(|overall| dots_of(&overall.subject)).collect();
    let row = |overall: &&Overall| {
        let value = overall.ratio.map(|ratio| ratio.value).or(overall.baseline.then_some(1.0));
        Drawn {
            label: overall.subject.clone(),
            sublabel: match overall.is_whole() {
                true => String::new(),
                false => format!("{} of {settings} workloads", overall.settings),
            },
            note: match (overall.ratio, overall.verdict) {
                (Some(ratio), Some(verdict)) => {
                    format!("{} {verdict}", quantity::figure(ratio.value))
                }
                (Some(ratio), None) => quantity::figure(ratio.value),
                (None, _) if overall.baseline => "baseline".to_owned(),
                (None, _) => "no ratio".to_owned(),
            },
            hatched: value.is_none(),
            dots: dots_of(&overall.subject),
            interval: overall
                .ratio
                .and_then(|ratio| ratio.interval)
                .map(|ends| (ends.low, ends.high)),
            points: value.map(|value| (value, marker(&overall.subject))).into_iter().collect(),
            ..Drawn::default()
        }
    };
    let group = |heading: &str, belongs: &dyn Fn(&Overall) -> bool| Group {
        heading: heading.to_owned(),
        rows: rows.iter().filter(|overall| belongs(overall)).map(row).collect(),
    };
    let groups = super::HEADINGS.map(|heading| {
        group(heading, &|one| {
            super::heading(one.role, one.call, one.ranked) == heading
                && (one.is_whole() || !one.ranked)
        })
    });
    let mut groups = groups.to_vec();
    groups.insert(
        1,
        group("not measured on all of them, not ranked", &|one| one.ranked && !one.is_whole()),
    );
    groups.retain(|group| !group.rows.is_empty());
    let baseline = super::shorten(&summary.baseline, 16);
    let counts = super::counts(estimates.iter().map(|ratio| ratio.count), "round");
    let panel = Panel {
        slug: slugs.next("ratio", if scope == Scope::Threads { "threads" } else { "overall" }),
        title: format!("Time relative to {baseline}, {}", summary.scope_words(scope)),
        caption: format!(
            "Marker: geometric mean of the ratios. Bar: its 95\u{a0}%\u{a0}interval ({counts}). Dots: the \
             workloads. {}",
            floor_words(figures.floor)
        ),
        description: format!(
            "{} subjects over {}, each next to {baseline}. {}",
            rows.len(),
            summary.scope_words(scope),
            spread_words(
                rows.iter()
                    .filter(|one| one.place.is_some())
                    .filter_map(|one| Some((one.subject.as_str(), one.ratio?.value)))
            ),
        ),
        basis: Basis::of_samples(
            "ratio of times",
            format!("{counts} of one sample per subject and workload"),
            "the geometric mean",
        )
        .if_any(estimates.iter().any(|one| one.interval.is_some())),
        axis: axis(&estimates, &every_dot)?,
        axis_label: format!("time over the time of {baseline}, logarithmic; less is better"),
        band: figures.floor.map(band),
        line: Some(1.0),
        groups,
        legend: Vec::new(),
    };
    Some(panel.draw())
}

/// References are yardsticks for times. As ratios they would only press the others together.
fn is_compared(role: Role) -> bool {
    role != Role::Reference
}

fn draw(row: &Row, marker: &impl Fn(&str) -> Marker) -> Drawn {
    let value = row.ratio.map(|ratio| ratio.value).or(row.baseline.then_some(1.0));
    let value = value.filter(|_| row.failure.is_none());
    Drawn {
        label: row.subject.clone(),
        note: match (&row.failure, &row.ratio, row.verdict) {
            (None, Some(ratio), Some(verdict)) => {
                format!("{} {verdict}", quantity::figure(ratio.value))
            }
            (None, Some(ratio), None) => quantity::figure(ratio.value),
            _ => super::failure_note(row),
        },
        hatched: value.is_none(),
        interval: row.ratio.and_then(|ratio| ratio.interval).map(|ends| (ends.low, ends.high)),
        points: value.map(|value| (value, marker(&row.subject))).into_iter().collect(),
        ..Drawn::default()
    }
}

/// An axis over 1, all `estimates` and `dots`. Intervals much wider than the estimates leave it.
pub(super) fn axis(estimates: &[Estimate], dots: &[f64]) -> Option<Axis> {
    const REACH: f64 = 1.5;
    if estimates.is_empty() {
        return None;
    }
    let values = || estimates.iter().map(|ratio| ratio.value).chain(dots.iter().copied());
    let least = values().fold(1.0, f64::min);
    let most = values().fold(1.0, f64::max);
    let ends = || estimates.iter().filter_map(|ratio| ratio.interval);
    let low = ends().map(|ends| ends.low).fold(least, f64::min).max(least / REACH);
    let high = ends().map(|ends| ends.high).fold(most, f64::max).min(most * REACH);
    Some(Axis::log(low, high))
}

/// Ratios inside the floor.
pub(super) fn band(floor: Floor) -> (f64, f64) {
    let reach = 1.0 + floor.half_width_percent() / 100.0;
    (1.0 / reach, reach)
}

pub(super) fn floor_words(floor: Option<Floor>) -> String {
    match floor {
        Some(floor) => format!(
            "Band: the A/A floor, {} either way ({}).",
            quantity::percent(floor.half_width_percent()).replace(' ', "\u{a0}"),
            super::counts(std::iter::once(floor.count), "round")
        ),
        None => "The A/A floor was not measured.".to_owned(),
    }
}

/// `From 0.62 (mimalloc) to 1.30 (slow).`
pub(super) fn spread_words<'a>(values: impl Iterator<Item = (&'a str, f64)> + Clone) -> String {
    let least = values.clone().min_by(|a, b| a.1.total_cmp(&b.1));
    let most = values.max_by(|a, b| a.1.total_cmp(&b.1));
    match (least, most) {
        (Some(least), Some(most)) => format!(
            "From {} ({}) to {} ({}).",
            quantity::figure(least.1),
            least.0,
            quantity::figure(most.1),
            most.0
        ),
        _ => "No ratio.".to_owned(),
    }
}
