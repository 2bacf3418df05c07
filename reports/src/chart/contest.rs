//! The project's own allocators beside the best peer: one chart per allocator, a row per workload.

use super::marker::Marker;
use super::panel::{Group, Panel, Row as Drawn};
use super::ratio::{axis, band, spread_words};
use super::{Basis, Chart, Slugs};
use crate::quantity;
use crate::statistics::Estimate;
use crate::summary::{Contest, Row, Summary};

/// A chart for every own allocator that has a peer to compare with.
pub(super) fn contests(
    summary: &Summary,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Vec<Chart> {
    let mut subjects: Vec<&str> = Vec::new();
    for row in summary.rows.iter().filter(|row| row.contest.is_some()) {
        if !subjects.contains(&row.subject.as_str()) {
            subjects.push(&row.subject);
        }
    }
    subjects.into_iter().filter_map(|name| chart(summary, name, &marker, slugs)).collect()
}

fn chart(
    summary: &Summary,
    subject: &str,
    marker: &impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    let mut rows: Vec<(&Row, &Contest)> = summary
        .rows
        .iter()
        .filter(|row| row.subject == subject)
        .filter_map(|row| Some((row, row.contest.as_ref()?)))
        .collect();
    rows.sort_by(|a, b| b.1.ratio.value.total_cmp(&a.1.ratio.value));
    let estimates: Vec<Estimate> = rows.iter().map(|(_, contest)| contest.ratio).collect();
    let counts = super::counts(estimates.iter().map(|ratio| ratio.count), "round");
    let name = super::shorten(subject, 20);
    let any_floor = rows.iter().any(|(row, _)| summary.floor_of(&row.setting).is_some());
    let floor_words = match any_floor {
        true => "Band: the A/A floor of the workload.",
        false => "The A/A floor was not measured.",
    };
    let draw = |(row, contest): &(&Row, &Contest)| Drawn {
        label: summary.label(&row.setting),
        sublabel: format!("to {}", contest.peer),
        note: format!("{} {}", quantity::figure(contest.ratio.value), contest.standing.word()),
        band: summary.floor_of(&row.setting).map(band),
        interval: contest.ratio.interval.map(|ends| (ends.low, ends.high)),
        points: vec![(contest.ratio.value, marker(&contest.peer))],
        ..Drawn::default()
    };
    let labels: Vec<String> = rows.iter().map(|(row, _)| summary.label(&row.setting)).collect();
    let values = rows.iter().zip(&labels);
    let values = values.map(|((_, contest), label)| (label.as_str(), contest.ratio.value));
    let panel = Panel {
        slug: slugs.next("best-peer", subject),
        title: format!("{name} against the best peer of each workload"),
        caption: format!(
            "Marker: median over rounds of the ratio within a round, shaped and coloured as the peer is elsewhere. Bar: its \
             95\u{a0}%\u{a0}interval ({counts}). {floor_words}"
        ),
        description: format!(
            "{subject} on {} workloads, each next to the fastest peer there. {}",
            rows.len(),
            spread_words(values),
        ),
        basis: Basis::of_samples(
            "ratio of times",
            format!("{counts} of one sample per subject"),
            "the median over rounds",
        )
        .if_any(estimates.iter().any(|one| one.interval.is_some())),
        axis: axis(&estimates, &[])?,
        axis_label: "time over the time of the best peer, logarithmic; less is better".to_owned(),
        band: None,
        line: Some(1.0),
        groups: vec![Group { heading: String::new(), rows: rows.iter().map(draw).collect() }],
        legend: Vec::new(),
    };
    Some(panel.draw())
}
