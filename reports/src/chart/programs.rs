//! Runs of real programs: wall time and peak memory of each subject beside the baseline's.

use super::axis::Axis;
use super::marker::Markers;
use super::panel::{Group, Panel, Row as Drawn};
use super::ratio::{axis, band, floor_words, spread_words};
use super::{Basis, Chart, Slugs};
use crate::programs::{Overall, Programs, Row};
use crate::quantity;
use crate::statistics::{Estimate, Floor};

/// What a chart of programs shows.
struct Kind {
    slug: &'static str,
    title: &'static str,
    axis_label: &'static str,
    unit: &'static str,
    of_overall: fn(&Overall) -> Option<Estimate>,
    of_row: fn(&Row) -> Option<Estimate>,
    /// Whether the A/A floor is of this figure.
    has_floor: bool,
}

const KINDS: [Kind; 2] = [
    Kind {
        slug: "time",
        title: "Wall time of real programs",
        axis_label: "wall time",
        unit: "ratio of wall times",
        of_overall: |one| one.wall_ratio,
        of_row: |row| row.wall_ratio,
        has_floor: true,
    },
    Kind {
        slug: "memory",
        title: "Peak memory of real programs",
        axis_label: "peak memory",
        unit: "ratio of peak resident bytes",
        of_overall: |one| one.rss_ratio,
        of_row: |row| row.rss_ratio,
        has_floor: false,
    },
];

/// A chart of times and one of memory, for as much as there is a ratio.
pub(super) fn programs(programs: &Programs, markers: &Markers, slugs: &mut Slugs) -> Vec<Chart> {
    KINDS.iter().filter_map(|kind| chart(programs, kind, markers, slugs)).collect()
}

fn chart(programs: &Programs, kind: &Kind, markers: &Markers, slugs: &mut Slugs) -> Option<Chart> {
    let baseline = super::shorten(&programs.baseline, 16);
    let estimates: Vec<Estimate> = programs.overall.iter().filter_map(kind.of_overall).collect();
    let dots_of = |subject: &str| -> Vec<f64> {
        let rows = programs.rows.iter().filter(|row| row.subject == subject);
        rows.filter_map(kind.of_row).map(|ratio| ratio.value).collect()
    };
    let every_dot: Vec<f64> = match programs.names.len() {
        1 => Vec::new(),
        _ => programs.subjects.iter().flat_map(|subject| dots_of(subject)).collect(),
    };
    let axis: Axis = axis(&estimates, &every_dot)?;
    let marker = |name: &str| markers.get(name);
    let draw = |one: &Overall| {
        let ratio = (kind.of_overall)(one);
        let value = ratio.map(|ratio| ratio.value).or(one.baseline.then_some(1.0));
        let all = one.programs + one.missing.len();
        Drawn {
            label: one.subject.clone(),
            sublabel: match one.missing.len() {
                0 => String::new(),
                _ => format!("{} of {all} programs", one.programs),
            },
            note: match (ratio, kind.has_floor) {
                (Some(ratio), true) => format!("{} {}", quantity::figure(ratio.value), one.word()),
                (Some(ratio), false) => quantity::figure(ratio.value),
                (None, _) if one.baseline => "baseline".to_owned(),
                (None, _) => programs.failure_word(&one.subject).to_owned(),
            },
            hatched: value.is_none(),
            dots: if every_dot.is_empty() { Vec::new() } else { dots_of(&one.subject) },
            interval: ratio.and_then(|ratio| ratio.interval).map(|ends| (ends.low, ends.high)),
            points: value.map(|value| (value, marker(&one.subject))).into_iter().collect(),
            ..Drawn::default()
        }
    };
    let floor: Option<Floor> = programs.overall_floor.filter(|_| kind.has_floor);
    let counts = super::counts(estimates.iter().map(|ratio| ratio.count), "round");
    let what = match programs.names.as_slice() {
        [name] => super::shorten(name, 30),
        names => format!("{} programs", names.len()),
    };
    let dots = if every_dot.is_empty() { "" } else { " Dots: the programs." };
    let floor_text = if kind.has_floor { floor_words(floor) } else { String::new() };
    let values = programs.overall.iter();
    let values =
        values.filter_map(|one| Some((one.subject.as_str(), (kind.of_overall)(one)?.value)));
    Some(
        Panel {
            slug: slugs.next("program", kind.slug),
            title: format!("{}, relative to {baseline}", kind.title),
            caption: format!(
                "{what}. Marker: geometric mean of the ratios within a round. Bar: its \
                 95\u{a0}%\u{a0}interval ({counts}).{dots} {floor_text}"
            ),
            description: format!(
                "{} subjects, each next to {baseline}, on {what}. {}",
                programs.subjects.len(),
                spread_words(values),
            ),
            basis: Basis::of_records(
                kind.unit,
                format!("{counts} of one run per subject and program"),
                "the geometric mean",
            )
            .if_any(estimates.iter().any(|one| one.interval.is_some())),
            axis,
            axis_label: format!(
                "{} over that under {baseline}, logarithmic; less is better",
                kind.axis_label
            ),
            band: floor.map(band),
            line: Some(1.0),
            groups: vec![Group {
                heading: String::new(),
                rows: programs.overall.iter().map(draw).collect(),
            }],
            legend: Vec::new(),
        }
        .draw(),
    )
}
