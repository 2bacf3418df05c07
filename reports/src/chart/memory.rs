//! Memory: peak resident set over peak live bytes by subject, and that figure beside time.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Marker;
use super::panel::{Panel, Row as Drawn, WIDTH_PX};
use super::{Chart, Slugs};
use crate::quantity;
use crate::summary::{Overall, Row, Scope, Setting, Summary};

/// The chart of one setting. `None` when no subject has a memory figure.
pub(super) fn memory(
    summary: &Summary,
    setting: &Setting,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    // A reference without a heap has no memory to show; any other gap is shown as a gap.
    let rows: Vec<&Row> = summary
        .rows_of(setting)
        .filter(|row| row.rss_ratio.is_some() || row.failure.is_some() || row.ranked)
        .filter(|row| !row.is_unsupported())
        .collect();
    let values: Vec<f64> = rows.iter().filter_map(|row| Some(row.rss_ratio?.value)).collect();
    if values.is_empty() {
        return None;
    }
    let least = values.iter().copied().fold(1.0, f64::min);
    let most = values.iter().copied().fold(1.0, f64::max);
    let label = summary.label(setting);
    let counts = super::counts(rows.iter().filter_map(|row| Some(row.rss_ratio?.count)), "sample");
    let live = rows.iter().find_map(|row| row.live_peak_bytes);
    let panel = Panel {
        slug: slugs.next("memory", &label),
        title: format!("Memory overhead: {label}"),
        caption: format!(
            "Marker: median. Bar: 95\u{a0}%\u{a0}interval of the median ({counts} per subject). Line at 1: \
             no overhead{}.",
            live.map(|bytes| format!(", {} live", quantity::bytes(bytes))).unwrap_or_default()
        ),
        description: format!(
            "{} subjects on {label}. Lowest overhead {}, highest {}.",
            rows.len(),
            quantity::figure(values.iter().copied().fold(f64::INFINITY, f64::min)),
            quantity::figure(most)
        ),
        axis: Axis::log(least, most),
        axis_label: "peak resident set over peak live bytes, logarithmic; less is better"
            .to_owned(),
        band: None,
        line: Some(1.0),
        groups: super::groups(
            &rows,
            |row| row.rss_ratio.map(|ratio| ratio.value),
            |row| draw(row, &marker),
        ),
        legend: Vec::new(),
    };
    Some(panel.draw())
}

fn draw(row: &Row, marker: &impl Fn(&str) -> Marker) -> Drawn {
    let ratio = row.rss_ratio.filter(|_| row.failure.is_none());
    Drawn {
        label: row.subject.clone(),
        note: match (ratio, &row.failure) {
            (Some(ratio), _) => quantity::figure(ratio.value),
            (None, Some(_)) => super::failure_note(row),
            (None, None) => "not measured".to_owned(),
        },
        hatched: ratio.is_none(),
        interval: ratio.and_then(|ratio| ratio.interval).map(|ends| (ends.low, ends.high)),
        points: ratio.map(|ratio| (ratio.value, marker(&row.subject))).into_iter().collect(),
        ..Drawn::default()
    }
}

/// Time against memory, one marker per ranked subject that finished every workload. `None` with
/// fewer than two of them.
pub(super) fn tradeoff(
    summary: &Summary,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    const LEFT_PX: f64 = 46.0;
    const RIGHT_PX: f64 = 446.0;
    const TOP_PX: f64 = 76.0;
    const BOTTOM_PX: f64 = 306.0;
    const COLUMNS: usize = 3;

    let whole: Vec<&Overall> =
        summary.overall_of(Scope::Main).filter(|one| one.place.is_some()).collect();
    let points: Vec<(&str, f64, f64)> = whole
        .iter()
        .filter_map(|one| {
            let time = one.ratio.map(|ratio| ratio.value).or(one.baseline.then_some(1.0))?;
            Some((one.subject.as_str(), time, one.rss_ratio?))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let bounds = |of: fn(&(&str, f64, f64)) -> f64| {
        let values = || points.iter().map(of);
        Axis::log(values().fold(1.0, f64::min), values().fold(1.0, f64::max))
    };
    let (time, memory) = (bounds(|point| point.1), bounds(|point| point.2));
    let height = BOTTOM_PX + 50.0 + points.len().div_ceil(COLUMNS) as f64 * 19.0;
    let x = |value: f64| LEFT_PX + (RIGHT_PX - LEFT_PX) * time.place(value);
    let y = |value: f64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * memory.place(value);

    let title = format!("Time against memory, over {}", summary.scope_words(Scope::Main));
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), &title, Type::TITLE, Anchor::Start, Tone::INK);
    let caption = "Bar: 95\u{a0}%\u{a0}interval of time. Line: the front. Lower left is better.";
    canvas.text((8.0, 38.0), caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    let axis_label = "peak resident set over peak live bytes, logarithmic";
    canvas.text((8.0, 60.0), axis_label, Type::SMALL, Anchor::Start, Tone::INK);
    for tick in time.ticks(RIGHT_PX - LEFT_PX, |_| 40.0) {
        canvas.line((x(tick), TOP_PX), (x(tick), BOTTOM_PX + 4.0), 1.0, Tone::GRID);
        let at = (x(tick), BOTTOM_PX + 13.0);
        canvas.text(at, &Axis::label(tick), Type::SMALL, Anchor::Middle, Tone::QUIET);
    }
    for tick in memory.ticks(BOTTOM_PX - TOP_PX, |_| 28.0) {
        canvas.line((LEFT_PX - 4.0, y(tick)), (RIGHT_PX, y(tick)), 1.0, Tone::GRID);
        let at = (LEFT_PX - 8.0, y(tick));
        canvas.text(at, &Axis::label(tick), Type::SMALL, Anchor::End, Tone::QUIET);
    }
    let axis_label =
        format!("time over the time of {}, logarithmic", super::shorten(&summary.baseline, 16));
    let middle = f64::midpoint(LEFT_PX, RIGHT_PX);
    canvas.text((middle, BOTTOM_PX + 33.0), &axis_label, Type::SMALL, Anchor::Middle, Tone::INK);
    let front = crate::summary::front(&whole);
    let mut corners: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| front.contains(&point.0))
        .map(|point| (x(point.1), y(point.2)))
        .collect();
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in corners.windows(2) {
        // A step: between two subjects nothing is to be had that is better than the slower one's time.
        canvas.line(pair[0], (pair[1].0, pair[0].1), 1.5, Tone::QUIET);
        canvas.line((pair[1].0, pair[0].1), pair[1], 1.5, Tone::QUIET);
    }
    for one in &whole {
        let ends = one.ratio.as_ref().and_then(|ratio| ratio.interval);
        if let (Some(ends), Some(memory)) = (ends, one.rss_ratio) {
            let within = |value: f64| x(value).clamp(LEFT_PX, RIGHT_PX);
            canvas.line(
                (within(ends.low), y(memory)),
                (within(ends.high), y(memory)),
                1.5,
                Tone::INK,
            );
        }
    }
    for (index, &(name, time, memory)) in points.iter().enumerate() {
        canvas.marker((x(time), y(memory)), 5.0, marker(name));
        let column = (WIDTH_PX - 16.0) / COLUMNS as f64;
        let left = 8.0 + column * (index % COLUMNS) as f64;
        let line = BOTTOM_PX + 58.0 + (index / COLUMNS) as f64 * 19.0;
        canvas.marker((left + 6.0, line), 4.5, marker(name));
        let name = super::shorten(name, 17);
        canvas.text((left + 18.0, line), &name, Type::SMALL, Anchor::Start, Tone::INK);
    }
    canvas.finish();
    Some(Chart {
        slug: slugs.next("tradeoff", ""),
        description: format!("{} ranked subjects, time across and memory upwards.", points.len()),
        title,
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}
