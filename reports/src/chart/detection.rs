//! Seeded bugs caught, missed and crashed by mode.

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Group, Panel, Row as Drawn};
use super::{Basis, Chart, Slugs};
use crate::detections::{self, Counts};
use crate::results::Results;

/// What the names of the classic heap's modes begin with.
const CLASSIC: &str = "classic-";

/// The chart, or `None` when no seeded bug was run.
pub(super) fn detection(results: &Results, slugs: &mut Slugs) -> Option<Chart> {
    let counts: Vec<(&str, Counts)> = detections::modes(results)
        .into_iter()
        .map(|mode| (mode, Counts::of(results, mode)))
        .collect();
    let most = counts.iter().map(|(_, one)| one.caught + one.missed + one.crashed).max()?;
    let [caught, missed, crashed] = [Marker::nth(1), Marker::nth(2), Marker::nth(3)];
    let draw = |(mode, one): &(&str, Counts)| {
        let (allocator, sublabel) = mode.split_once('+').unwrap_or((mode, ""));
        // Whole, the names of strategies are wider than a label and would be cut where they differ.
        let label = allocator.strip_prefix(CLASSIC).unwrap_or(allocator);
        let shown = [(one.caught, caught), (one.missed, missed), (one.crashed, crashed)];
        let shown = shown.into_iter().filter(|(count, _)| *count > 0);
        Drawn {
            label: label.to_owned(),
            sublabel: sublabel.to_owned(),
            note: format!("{} / {} / {}", one.caught, one.missed, one.crashed),
            points: shown.map(|(count, marker)| (count as f64, marker)).collect(),
            ..Drawn::default()
        }
    };
    let classic = match counts.iter().any(|(mode, _)| mode.starts_with(CLASSIC)) {
        true => " A strategy's name stands for the classic heap with it.",
        false => "",
    };
    let panel = Panel {
        slug: slugs.next("detection", "modes"),
        title: "Seeded bugs by allocator and watcher".to_owned(),
        caption: format!(
            "One run of each program, so no interval. Right: caught / missed / crashed without a \
             word.{classic}"
        ),
        description: detections::sentences(results).join(" "),
        basis: Basis::without_interval(
            "number of programs",
            "1\u{a0}run per program and mode".to_owned(),
            "each program has one verdict",
        ),
        axis: Axis::linear(most as f64),
        axis_label: "programs".to_owned(),
        band: None,
        line: None,
        groups: vec![Group { heading: String::new(), rows: counts.iter().map(draw).collect() }],
        legend: vec![
            (caught, "caught".to_owned()),
            (missed, "missed".to_owned()),
            (crashed, "crashed".to_owned()),
        ],
    };
    Some(panel.draw())
}
