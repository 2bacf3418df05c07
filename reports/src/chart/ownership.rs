//! The cost of ownership tests over the number of live arenas: one line per strategy, a chart for
//! hits and one for misses, of throughput and of latency.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Marker;
use super::panel::WIDTH_PX;
use super::{Basis, Chart, Slugs};
use crate::ownership::{CHARTED, Question, Strategies, title};
use crate::quantity;

const LEFT_PX: f64 = 46.0;
// Half of a label beyond the last tick has room.
const RIGHT_PX: f64 = 430.0;
const TOP_PX: f64 = 76.0;
const BOTTOM_PX: f64 = 316.0;
const COLUMNS: usize = 3;

/// Arenas, time, and the ends of its interval.
type Point = (f64, f64, Option<(f64, f64)>);

/// A strategy's line.
struct Line<'a> {
    name: &'a str,
    marker: Marker,
    points: Vec<Point>,
}

/// The charts of all questions that were asked.
pub(super) fn charts(
    strategies: &Strategies<'_>,
    slugs: &mut Slugs,
) -> Vec<(Question<'static>, Chart)> {
    let drawn = CHARTED.into_iter().map(|one| Some((one, chart(strategies, one, slugs)?)));
    drawn.flatten().collect()
}

fn lines<'a>(strategies: &'a Strategies<'_>, question: Question<'_>) -> Vec<Line<'a>> {
    let line = |(index, name): (usize, &&'a str)| {
        let points = strategies.arenas.iter().filter_map(|&arenas| {
            let ns = strategies.figures(name, arenas, question)?.raw_ns;
            Some((arenas as f64, ns.value, ns.interval.map(|ends| (ends.low, ends.high))))
        });
        // Ink is kept for text: a strategy has the same marker in every chart.
        Line { name, marker: Marker::nth(1 + index), points: points.collect() }
    };
    let lines = strategies.names.iter().enumerate().map(line);
    lines.filter(|line| !line.points.is_empty()).collect()
}

fn chart(strategies: &Strategies<'_>, question: Question<'_>, slugs: &mut Slugs) -> Option<Chart> {
    let lines = lines(strategies, question);
    let points = || lines.iter().flat_map(|line| &line.points);
    let bounds = |of: fn(&Point) -> (f64, f64)| {
        let low = points().map(|point| of(point).0).fold(f64::INFINITY, f64::min);
        let high = points().map(|point| of(point).1).fold(0.0, f64::max);
        Axis::log(low, high)
    };
    if lines.is_empty() {
        return None;
    }
    let across = bounds(|point| (point.0, point.0));
    let upwards = bounds(|point| point.2.unwrap_or((point.1, point.1)));
    let height = BOTTOM_PX + 50.0 + lines.len().div_ceil(COLUMNS) as f64 * 19.0;
    let x = |arenas: f64| LEFT_PX + (RIGHT_PX - LEFT_PX) * across.place(arenas);
    let y = |ns: f64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * upwards.place(ns);

    let title = format!("Ownership test: {}", title(question));
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), &title, Type::TITLE, Anchor::Start, Tone::INK);
    let rounds = strategies.rounds(question);
    let samples = format!("{} per point", super::counts(rounds.into_iter(), "sample"));
    let caption =
        format!("Marker: median. Bar: 95\u{a0}%\u{a0}interval of the median ({samples}).");
    canvas.text((8.0, 38.0), &caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    let label = "nanoseconds per query, the loop included, logarithmic; less is better";
    canvas.text((8.0, 60.0), label, Type::SMALL, Anchor::Start, Tone::INK);
    for &arenas in &strategies.arenas {
        let at = x(arenas as f64);
        if !(LEFT_PX..=RIGHT_PX).contains(&at) {
            continue;
        }
        canvas.line((at, TOP_PX), (at, BOTTOM_PX + 4.0), 1.0, Tone::GRID);
        let text = quantity::count(arenas);
        canvas.text((at, BOTTOM_PX + 13.0), &text, Type::SMALL, Anchor::Middle, Tone::QUIET);
    }
    for tick in upwards.ticks(BOTTOM_PX - TOP_PX, |_| 24.0) {
        canvas.line((LEFT_PX - 4.0, y(tick)), (RIGHT_PX, y(tick)), 1.0, Tone::GRID);
        let at = (LEFT_PX - 8.0, y(tick));
        canvas.text(at, &Axis::label(tick), Type::SMALL, Anchor::End, Tone::QUIET);
    }
    let middle = (f64::midpoint(LEFT_PX, RIGHT_PX), BOTTOM_PX + 33.0);
    canvas.text(middle, "live arenas, logarithmic", Type::SMALL, Anchor::Middle, Tone::INK);
    for (index, line) in lines.iter().enumerate() {
        let tone = Tone { colour: line.marker.colour, strength: 0.9 };
        for pair in line.points.windows(2) {
            canvas.line((x(pair[0].0), y(pair[0].1)), (x(pair[1].0), y(pair[1].1)), 1.5, tone);
        }
        for &(arenas, ns, interval) in &line.points {
            if let Some((low, high)) = interval {
                canvas.line((x(arenas), y(low)), (x(arenas), y(high)), 2.5, tone);
            }
            canvas.marker((x(arenas), y(ns)), 5.0, line.marker);
        }
        let column = (WIDTH_PX - 16.0) / COLUMNS as f64;
        let left = 8.0 + column * (index % COLUMNS) as f64;
        let below = BOTTOM_PX + 58.0 + (index / COLUMNS) as f64 * 19.0;
        canvas.marker((left + 6.0, below), 4.5, line.marker);
        let name = super::shorten(line.name, 20);
        canvas.text((left + 18.0, below), &name, Type::SMALL, Anchor::Start, Tone::INK);
    }
    canvas.finish();
    Some(Chart {
        slug: slugs.next("ownership", &crate::ownership::title(question)),
        description: format!(
            "{} strategies, live arenas across and time per query upwards. {}",
            lines.len(),
            strategies.sentence(question)
        ),
        title,
        basis: Basis::of_records("nanoseconds per query", samples, "the median")
            .if_any(points().any(|point| point.2.is_some())),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}
