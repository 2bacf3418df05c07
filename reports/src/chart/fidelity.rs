//! Predicted beside measured time of real programs: one marker per program and subject.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Marker;
use super::panel::WIDTH_PX;
use super::{Chart, Slugs, shorten};
use crate::fidelity::Fidelity;

const LEFT_PX: f64 = 56.0;
const RIGHT_PX: f64 = 446.0;
const TOP_PX: f64 = 76.0;
const BOTTOM_PX: f64 = 376.0;
const COLUMNS: usize = 3;

/// The chart. `None` without a point.
pub(super) fn fidelity(fidelity: &Fidelity, slugs: &mut Slugs) -> Option<Chart> {
    let subjects = fidelity.subjects();
    let points: Vec<(&str, f64, f64)> = fidelity
        .programs
        .iter()
        .flat_map(|program| &program.points)
        .filter_map(|point| {
            let (predicted, measured) = point.time()?;
            Some((point.subject.as_str(), predicted, measured))
        })
        .collect();
    if points.is_empty() {
        return None;
    }
    // One axis for both, so that the line of equal figures is the diagonal.
    let values = || points.iter().flat_map(|point| [point.1, point.2]);
    let axis = Axis::log(values().fold(1.0, f64::min), values().fold(1.0, f64::max));
    // The first colour is the baseline's, which has no marker here.
    let marker = |name: &str| {
        Marker::nth(1 + subjects.iter().position(|known| *known == name).unwrap_or(subjects.len()))
    };
    let height = BOTTOM_PX + 50.0 + subjects.len().div_ceil(COLUMNS) as f64 * 19.0;
    let x = |value: f64| LEFT_PX + (RIGHT_PX - LEFT_PX) * axis.place(value);
    let y = |value: f64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * axis.place(value);

    let baseline = shorten(&fidelity.baseline, 16);
    let title = "Processor time: predicted by replay, and measured";
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), title, Type::TITLE, Anchor::Start, Tone::INK);
    let caption = "A marker per program and subject. On the line the prediction is right.";
    canvas.text((8.0, 38.0), caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    let label = format!("measured, over {baseline}, logarithmic");
    canvas.text((8.0, 60.0), &label, Type::SMALL, Anchor::Start, Tone::INK);
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
    for &(subject, predicted, measured) in &points {
        canvas.marker((x(predicted), y(measured)), 4.5, marker(subject));
    }
    for (index, name) in subjects.iter().enumerate() {
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
            subjects.len()
        ),
        title: title.to_owned(),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}
