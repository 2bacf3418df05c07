//! Used and live memory over the calls of a workload: one line per subject.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Markers;
use super::panel::WIDTH_PX;
use super::{Basis, Chart, Slugs, shorten};
use crate::life::LifeTable;
use crate::quantity;

const LEFT_PX: f64 = 52.0;
const RIGHT_PX: f64 = 440.0;
const TOP_PX: f64 = 80.0;
const BOTTOM_PX: f64 = 300.0;
const COLUMNS: usize = 2;
const MIB: f64 = (1 << 20) as f64;

/// Markers along a line.
const MARKERS: usize = 8;

/// The chart of one workload. `None` when no memory was read.
pub(super) fn life(table: &LifeTable<'_>, markers: &Markers, slugs: &mut Slugs) -> Option<Chart> {
    let first = table.drawn.first()?;
    let values = table.drawn.iter().flat_map(|one| &one.series);
    let high = values.clone().map(|point| point.1.max(point.2)).max()?;
    let last = values.map(|point| point.0).max()?;
    let packed = table.packing.and_then(|packing| packing.packed_bytes);
    let high = high.max(packed.unwrap_or(0)) as f64 / MIB;
    let (across, upwards) = (Axis::linear(last.max(1) as f64), Axis::linear(high));
    let x = |calls: u64| LEFT_PX + (RIGHT_PX - LEFT_PX) * across.place(calls as f64);
    let y = |bytes: u64| BOTTOM_PX - (BOTTOM_PX - TOP_PX) * upwards.place(bytes as f64 / MIB);
    let names: Vec<&str> = table.drawn.iter().map(|one| one.subject.as_str()).collect();
    let colours = markers.lines(&names);
    let marker = |name: &str| {
        names.iter().position(|known| *known == name).map_or(markers.get(name), |at| colours[at])
    };
    let first_entry = 1 + usize::from(packed.is_some());
    let lines = first_entry + table.drawn.len();
    let height = BOTTOM_PX + 56.0 + lines.div_ceil(COLUMNS) as f64 * 19.0;

    let title = format!("Memory over time: {}", shorten(table.workload, 36));
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), &title, Type::TITLE, Anchor::Start, Tone::INK);
    let samples = format!("1\u{a0}sample per subject, {} readings each", first.series.len());
    let caption = format!("Resident memory; {samples}.");
    canvas.text((8.0, 38.0), &caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    canvas.text((8.0, 60.0), "MiB; less is better", Type::SMALL, Anchor::Start, Tone::INK);
    let calls = across.ticks(RIGHT_PX - LEFT_PX, |_| 70.0);
    let sizes = upwards.ticks(BOTTOM_PX - TOP_PX, |_| 28.0);
    let level = |tick: f64| y((tick * MIB) as u64);
    // Strokes first, words behind: what is alike stands together and takes fewer bytes.
    for &tick in &calls {
        canvas.line((x(tick as u64), TOP_PX), (x(tick as u64), BOTTOM_PX + 4.0), 1.0, Tone::GRID);
    }
    for &tick in &sizes {
        canvas.line((LEFT_PX - 4.0, level(tick)), (RIGHT_PX, level(tick)), 1.0, Tone::GRID);
    }
    for &tick in &calls {
        let at = (x(tick as u64), BOTTOM_PX + 13.0);
        let text = quantity::count(tick as u64);
        canvas.text(at, &text, Type::SMALL, Anchor::Middle, Tone::QUIET);
    }
    for &tick in &sizes {
        let at = (LEFT_PX - 8.0, level(tick));
        canvas.text(at, &Axis::label(tick), Type::SMALL, Anchor::End, Tone::QUIET);
    }
    let middle = (f64::midpoint(LEFT_PX, RIGHT_PX), BOTTOM_PX + 33.0);
    canvas.text(
        middle,
        "calls made in the measured region",
        Type::SMALL,
        Anchor::Middle,
        Tone::INK,
    );
    if let Some(packed) = packed {
        dashed(&canvas, y(packed), (LEFT_PX, RIGHT_PX));
    }
    for one in &table.drawn {
        let marker = marker(&one.subject);
        let points = thinned(&one.series, |point| (x(point.0), y(point.2)));
        canvas.curve(&points, 1.25, Tone { colour: marker.colour, strength: 0.9 });
        for point in points.iter().step_by((points.len() / MARKERS).max(1)) {
            canvas.marker(*point, 3.5, marker);
        }
    }
    let live = thinned(&first.series, |point| (x(point.0), y(point.1)));
    canvas.curve(&live, 2.5, Tone::QUIET);
    let place = |index: usize| {
        let column = (WIDTH_PX - 16.0) / COLUMNS as f64;
        let left = 8.0 + column * (index % COLUMNS) as f64;
        (left, BOTTOM_PX + 60.0 + (index / COLUMNS) as f64 * 19.0)
    };
    let name = |index: usize, text: &str| {
        let (left, level) = place(index);
        canvas.text(
            (left + 26.0, level),
            &shorten(text, 24),
            Type::SMALL,
            Anchor::Start,
            Tone::INK,
        );
    };
    let (left, level) = place(0);
    canvas.line((left, level), (left + 20.0, level), 2.5, Tone::QUIET);
    name(0, "live (requested) bytes");
    if packed.is_some() {
        let (left, level) = place(1);
        dashed(&canvas, level, (left, left + 20.0));
        name(1, "best packing found");
    }
    for (index, one) in table.drawn.iter().enumerate() {
        let (left, level) = place(index + first_entry);
        canvas.marker((left + 10.0, level), 4.5, marker(&one.subject));
        name(index + first_entry, &one.subject);
    }
    canvas.finish();
    Some(Chart {
        slug: slugs.next("life", table.workload),
        description: format!(
            "{} subjects on {}: resident memory and live bytes over {} calls.",
            table.drawn.len(),
            table.workload,
            quantity::count(last)
        ),
        title,
        basis: Basis::without_interval("MiB", samples, repeats_words(table)),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}

/// Why one pass has no interval: what a second pass in another process found.
fn repeats_words(table: &LifeTable<'_>) -> &'static str {
    match table.drawn.iter().all(|one| one.repeats == Some(true)) {
        true => "a second pass in another process found the same figures",
        false => "it is one pass; the table names subjects whose second pass differed",
    }
}

/// Every second reading: a line of a chart this wide shows no more.
fn thinned(
    series: &[(u64, u64, u64)],
    place: impl Fn(&(u64, u64, u64)) -> (f64, f64),
) -> Vec<(f64, f64)> {
    series.iter().step_by(2.max(series.len() / 128)).chain(series.last()).map(place).collect()
}

fn dashed(canvas: &Canvas<'_>, level: f64, (from, to): (f64, f64)) {
    let mut at = from;
    while at < to {
        canvas.line((at, level), ((at + 5.0).min(to), level), 1.5, Tone::INK);
        at += 8.0;
    }
}
