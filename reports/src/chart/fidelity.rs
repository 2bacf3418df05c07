//! Predicted beside measured time of real programs: one marker per program and subject.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Markers;
use super::panel::WIDTH_PX;
use super::{Basis, Chart, Slugs, counts, shorten};
use crate::fidelity::Fidelity;
use crate::statistics::Estimate;

const LEFT_PX: f64 = 56.0;
const RIGHT_PX: f64 = 446.0;
const TOP_PX: f64 = 94.0;
const BOTTOM_PX: f64 = 394.0;
const COLUMNS: usize = 3;

/// The chart. `None` without a point.
pub(super) fn fidelity(fidelity: &Fidelity, markers: &Markers, slugs: &mut Slugs) -> Option<Chart> {
    let subjects = fidelity.subjects();
    let points: Vec<(&str, Estimate, Estimate)> = fidelity
        .programs
        .iter()
        .flat_map(|program| &program.points)
        .filter_map(|one| Some((one.subject.as_str(), one.predicted_time?, one.measured_time?)))
        .collect();
    if points.is_empty() {
        return None;
    }
    // One axis for both, so that the line of equal figures is the diagonal.
    let values = || points.iter().flat_map(|point| [point.1.value, point.2.value]);
    let axis = Axis::log(values().fold(1.0, f64::min), values().fold(1.0, f64::max));
    let marker = |name: &str| markers.get(name);
    let is_drawn = |name: &&&str| points.iter().any(|point| point.0 == **name);
    let drawn: Vec<&str> = subjects.iter().filter(is_drawn).copied().collect();
    let height = BOTTOM_PX + 50.0 + drawn.len().div_ceil(COLUMNS) as f64 * 19.0;
    let place = |value: f64| axis.place(value).clamp(0.0, 1.0);
    let x = |value: f64| LEFT_PX + (RIGHT_PX - LEFT_PX) * place(value);
    let y = |value: f64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * place(value);
    let rounds = points.iter().flat_map(|point| [point.1.count, point.2.count]);
    let rounds = counts(rounds, "round");

    let baseline = shorten(&fidelity.baseline, 16);
    let title = "Processor time: predicted by replay, and measured";
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), title, Type::TITLE, Anchor::Start, Tone::INK);
    let captions = [
        "A marker per program and subject. On the line the prediction is right.".to_owned(),
        format!("Bars: 95\u{a0}%\u{a0}intervals of the medians ({rounds})."),
    ];
    for (line, caption) in captions.iter().enumerate() {
        let at = (8.0, 38.0 + 17.0 * line as f64);
        canvas.text(at, caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    }
    let label = format!("measured, over {baseline}, logarithmic");
    canvas.text((8.0, 78.0), &label, Type::SMALL, Anchor::Start, Tone::INK);
    for tick in axis.ticks(RIGHT_PX - LEFT_PX, |_| 44.0) {
        canvas.line((x(tick), TOP_PX), (x(tick), BOTTOM_PX + 4.0), 1.0, Tone::GRID);
        let at = (x(tick), BOTTOM_PX + 13.0);
        canvas.text(at, &Axis::label(tick), Type::SMALL, Anchor::Middle, Tone::QUIET);
    }
    for tick in axis.ticks(BOTTOM_PX - TOP_PX, |_| 28.0) {
        canvas.line((LEFT_PX - 4.0, y(tick)), (RIGHT_PX, y(tick)), 1.0, Tone::GRID);
        canvas.text(
            (LEFT_PX - 8.0, y(tick)),
            &Axis::label(tick),
            Type::SMALL,
            Anchor::End,
            Tone::QUIET,
        );
    }
    canvas.line((LEFT_PX, BOTTOM_PX), (RIGHT_PX, TOP_PX), 1.5, Tone::QUIET);
    let label = format!("predicted, over {baseline}, logarithmic");
    let middle = f64::midpoint(LEFT_PX, RIGHT_PX);
    canvas.text((middle, BOTTOM_PX + 33.0), &label, Type::SMALL, Anchor::Middle, Tone::INK);
    for (_, predicted, measured) in &points {
        let tone = Tone { strength: 0.45, ..Tone::INK };
        let at = (x(predicted.value), y(measured.value));
        if let Some(ends) = predicted.interval {
            canvas.line((x(ends.low), at.1), (x(ends.high), at.1), 1.0, tone);
        }
        if let Some(ends) = measured.interval {
            canvas.line((at.0, y(ends.low)), (at.0, y(ends.high)), 1.0, tone);
        }
    }
    for (subject, predicted, measured) in &points {
        canvas.marker((x(predicted.value), y(measured.value)), 4.5, marker(subject));
    }
    for (index, name) in drawn.iter().enumerate() {
        let column = (WIDTH_PX - 16.0) / COLUMNS as f64;
        let left = 8.0 + column * (index % COLUMNS) as f64;
        let line = BOTTOM_PX + 58.0 + (index / COLUMNS) as f64 * 19.0;
        canvas.marker((left + 6.0, line), 4.5, marker(name));
        canvas.text((left + 18.0, line), &shorten(name, 17), Type::SMALL, Anchor::Start, Tone::INK);
    }
    canvas.finish();
    Some(Chart {
        slug: slugs.next("fidelity", ""),
        description: format!(
            "{} points: {} programs under {} subjects, predicted ratio across and measured upwards.",
            points.len(),
            fidelity.programs.len(),
            drawn.len()
        ),
        title: title.to_owned(),
        basis: Basis::of_records(
            "ratio of processor times",
            format!("{rounds} of one run and one replay per program and subject"),
            "the medians",
        )
        .if_any(points.iter().any(|point| point.2.interval.is_some())),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}
