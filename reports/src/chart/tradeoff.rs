//! Time against memory over all workloads: one marker per ranked subject, and the Pareto front.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Marker;
use super::panel::WIDTH_PX;
use super::{Basis, Chart, Slugs, counts, shorten};
use crate::statistics::Estimate;
use crate::summary::{Overall, Scope, Summary, front};

const LEFT_PX: f64 = 46.0;
const RIGHT_PX: f64 = 446.0;
const TOP_PX: f64 = 94.0;
const BOTTOM_PX: f64 = 324.0;
const COLUMNS: usize = 3;

/// A subject with both figures; the baseline's time is 1 by definition.
struct Point<'a> {
    subject: &'a str,
    time: Estimate,
    memory: Estimate,
}

/// The chart of the ranked subjects that finished every workload. `None` with fewer than two of them.
pub(super) fn tradeoff(
    summary: &Summary,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    let whole: Vec<&Overall> =
        summary.overall_of(Scope::Main).filter(|one| one.place.is_some()).collect();
    let points: Vec<Point<'_>> = whole.iter().filter_map(|one| point(one)).collect();
    if points.len() < 2 {
        return None;
    }
    let bounds = |of: fn(&Point<'_>) -> f64| {
        let values = || points.iter().map(of);
        Axis::log(values().fold(1.0, f64::min), values().fold(1.0, f64::max))
    };
    let (time, memory) = (bounds(|point| point.time.value), bounds(|point| point.memory.value));
    let height = BOTTOM_PX + 50.0 + points.len().div_ceil(COLUMNS) as f64 * 19.0;
    let x = |value: f64| LEFT_PX + (RIGHT_PX - LEFT_PX) * time.place(value).clamp(0.0, 1.0);
    let y = |value: f64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * memory.place(value).clamp(0.0, 1.0);

    let rounds = points.iter().flat_map(|point| [point.time.count, point.memory.count]);
    let rounds = counts(rounds, "round");
    let title = format!("Time against memory, over {}", summary.scope_words(Scope::Main));
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), &shorten(&title, 54), Type::TITLE, Anchor::Start, Tone::INK);
    let captions = [
        format!("Marker: geometric mean. Bars: its 95\u{a0}%\u{a0}intervals ({rounds})."),
        "Line: the front; nobody is better on both. Lower left is better.".to_owned(),
    ];
    for (line, caption) in captions.iter().enumerate() {
        let at = (8.0, 38.0 + 17.0 * line as f64);
        canvas.text(at, caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    }
    let axis_label = "peak resident set over peak live bytes, logarithmic";
    canvas.text((8.0, 78.0), axis_label, Type::SMALL, Anchor::Start, Tone::INK);
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
        format!("time over the time of {}, logarithmic", shorten(&summary.baseline, 16));
    let middle = f64::midpoint(LEFT_PX, RIGHT_PX);
    canvas.text((middle, BOTTOM_PX + 33.0), &axis_label, Type::SMALL, Anchor::Middle, Tone::INK);
    let front = front(&whole);
    let mut corners: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| front.contains(&point.subject))
        .map(|point| (x(point.time.value), y(point.memory.value)))
        .collect();
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in corners.windows(2) {
        // A step: between two subjects nothing is to be had that is better than the slower one's time.
        canvas.line(pair[0], (pair[1].0, pair[0].1), 1.5, Tone::QUIET);
        canvas.line((pair[1].0, pair[0].1), pair[1], 1.5, Tone::QUIET);
    }
    for Point { subject, time, memory } in &points {
        let at = (x(time.value), y(memory.value));
        // In the subject's colour: where bars cross, and beside the front, ink would not tell whose it is.
        let tone = Tone { colour: marker(subject).colour, strength: 0.9 };
        if let Some(ends) = time.interval {
            canvas.line((x(ends.low), at.1), (x(ends.high), at.1), 2.0, tone);
        }
        if let Some(ends) = memory.interval {
            canvas.line((at.0, y(ends.low)), (at.0, y(ends.high)), 2.0, tone);
        }
    }
    for (index, Point { subject, time, memory }) in points.iter().enumerate() {
        canvas.marker((x(time.value), y(memory.value)), 5.0, marker(subject));
        let column = (WIDTH_PX - 16.0) / COLUMNS as f64;
        let left = 8.0 + column * (index % COLUMNS) as f64;
        let line = BOTTOM_PX + 58.0 + (index / COLUMNS) as f64 * 19.0;
        canvas.marker((left + 6.0, line), 4.5, marker(subject));
        let name = shorten(subject, 17);
        canvas.text((left + 18.0, line), &name, Type::SMALL, Anchor::Start, Tone::INK);
    }
    canvas.finish();
    let is_sure = |one: &Point<'_>| one.time.interval.is_some() || one.memory.interval.is_some();
    Some(Chart {
        slug: slugs.next("tradeoff", ""),
        description: format!(
            "{} ranked subjects, time across and memory upwards. On the front: {}.",
            points.len(),
            crate::quantity::list(&front)
        ),
        title,
        basis: Basis::of_samples(
            "ratio of times, and of peak resident to peak live bytes",
            format!("{rounds} of one sample per subject and workload"),
            "the geometric means",
        )
        .if_any(points.iter().any(is_sure)),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}

fn point(one: &Overall) -> Option<Point<'_>> {
    let memory = one.rss_ratio?;
    let itself = Estimate { value: 1.0, count: memory.count, interval: None };
    let time = one.ratio.or(one.baseline.then_some(itself))?;
    Some(Point { subject: &one.subject, time, memory })
}
