//! A heap as a picture: rows of OS pages in the order of their addresses, the darker the fuller.

use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Colour;
use super::panel::WIDTH_PX;
use super::{Basis, Chart, Slugs, shorten};
use crate::quantity;
use crate::record::{HeapMap, Memory};

const LEFT_PX: f64 = 8.0;
const TOP_PX: f64 = 74.0;
const CELL_PX: f64 = 7.0;
const COLUMNS: usize = 62;
/// Cells that are drawn at most: neighbours are drawn as one until they fit.
const CELLS: usize = 1_240;

/// A cell of resident pages that hold nothing: a bar of half the height and of another colour.
const EMPTY: Tone = Tone { colour: Colour::Rgb(0xD5, 0x5E, 0x00), strength: 0.95 };

/// The picture of one heap.
pub(super) fn heap(record: &Memory, slugs: &mut Slugs) -> Option<Chart> {
    let map = record.map.as_ref()?;
    let (cells, pages) = cells(map);
    let rows = cells.len().div_ceil(COLUMNS);
    let bottom = TOP_PX + rows as f64 * CELL_PX;
    let height = bottom + 40.0;
    let (workload, subject) = (shorten(&record.workload, 18), shorten(&record.subject, 18));
    let title = format!("Heap map: {subject} on {workload}");
    let mut document = String::new();
    let canvas = Canvas::new(&mut document, WIDTH_PX, height);
    canvas.text((8.0, 17.0), &title, Type::TITLE, Anchor::Start, Tone::INK);
    let size = quantity::bytes((pages * map.page_bytes) as f64);
    let caption = "OS pages by live bytes when most were alive; 1\u{a0}sample.";
    canvas.text((8.0, 38.0), caption, Type::SMALL, Anchor::Start, Tone::QUIET);
    let unit = format!("One cell is {size} of addresses, in rising order");
    canvas.text((8.0, 58.0), &unit, Type::SMALL, Anchor::Start, Tone::INK);
    let mut at = 0;
    while at < cells.len() {
        // Equal neighbours in a row are one rectangle.
        let row = at / COLUMNS;
        let end = cells.len().min((row + 1) * COLUMNS);
        let run = cells[at..end].iter().take_while(|cell| **cell == cells[at]).count();
        let left = LEFT_PX + (at % COLUMNS) as f64 * CELL_PX;
        let top = TOP_PX + row as f64 * CELL_PX;
        block(&canvas, cells[at], (left, top), run as f64 * CELL_PX);
        at += run;
    }
    let legend = [(Some(0), "nothing alive"), (Some(2), "a quarter"), (Some(4), "half")];
    let legend = legend.into_iter().chain([(Some(8), "full")]);
    for ((fill, text), left) in legend.zip([8.0, 130.0, 230.0, 310.0]) {
        block(&canvas, fill, (left, bottom + 17.0), CELL_PX);
        let at = (left + 14.0, bottom + 20.0);
        canvas.text(at, text, Type::SMALL, Anchor::Start, Tone::INK);
    }
    canvas.finish();
    Some(Chart {
        slug: slugs.next("heap", &format!("{}-{}", record.workload, record.subject)),
        description: format!(
            "{} resident pages, {} of them hold nothing alive.",
            quantity::count(map.pages_by_fill.iter().sum()),
            quantity::count(map.pages_by_fill[0])
        ),
        title,
        basis: Basis::without_interval(
            &format!("live bytes per {} B page", quantity::count(map.page_bytes)),
            "1\u{a0}sample".to_owned(),
            "it is the state at one moment of one pass",
        ),
        size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
        width_px: WIDTH_PX as u32,
        elements: elements(&document),
    })
}

fn block(canvas: &Canvas<'_>, fill: Option<u32>, (left, top): (f64, f64), width_px: f64) {
    let bottom = top + CELL_PX - 1.0;
    match fill {
        None => {}
        Some(0) => canvas.fill((left, top + 3.0), (left + width_px, bottom), EMPTY),
        Some(fill) => {
            let tone = Tone { strength: 0.1 + 0.1 * f64::from(fill.min(8)), ..Tone::INK };
            canvas.fill((left, top), (left + width_px, bottom), tone);
        }
    }
}

/// Fills of the cells that are drawn, a blank one between regions, and the pages of each.
fn cells(map: &HeapMap) -> (Vec<Option<u32>>, u64) {
    let mut regions: Vec<Vec<Option<u32>>> = map
        .regions
        .iter()
        .map(|one| one.chars().map(|letter| letter.to_digit(10)).collect())
        .collect();
    let mut pages = map.cell_pages;
    let total =
        |regions: &[Vec<Option<u32>>]| regions.iter().map(|one| one.len() + 1).sum::<usize>();
    while total(&regions) > CELLS && regions.iter().any(|one| one.len() > 1) {
        for region in &mut regions {
            *region = region.chunks(2).map(mean).collect();
        }
        pages *= 2;
    }
    let mut cells: Vec<_> =
        regions.into_iter().flat_map(|region| region.into_iter().chain([None])).collect();
    cells.truncate(CELLS);
    cells.pop_if(|last| last.is_none());
    (cells, pages)
}

fn mean(cells: &[Option<u32>]) -> Option<u32> {
    let resident: Vec<u32> = cells.iter().copied().flatten().collect();
    let sum: u32 = resident.iter().sum();
    (!resident.is_empty()).then(|| sum.div_ceil(resident.len() as u32))
}
