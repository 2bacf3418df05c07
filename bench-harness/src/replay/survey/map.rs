//! The heap as a picture: which OS pages hold how many live bytes.
//!
//! Pages between live blocks that are close belong to the heap as well, and are looked up in the page
//! map of the process: a resident page with nothing alive is what fragmentation is made of. Pages that
//! were resident before the subject's first call are the harness's and left out. What lies far from any
//! live block, the records that some allocators keep apart, is not seen.
//!
//! Scratch memory is mapped and unmapped again; the result is small and bounded by [`CELLS`].

use std::io;

use reports::record::HeapMap;

use crate::os::residency::{PageMap, Resident};
use crate::os::{Mapping, page_bytes};

/// Most cells of a map; a cell stands for as many pages as that takes.
const CELLS: u64 = 4096;
/// Pages without anything alive that do not end a stretch of heap.
const GAP_PAGES: u64 = 1024;
/// Pages in a row that are not resident and end a region of the picture.
const HOLE_PAGES: usize = 16;

/// Mark of a page that is not resident, above all fills.
const ABSENT: u8 = 9;

/// An entry packs a page's number and live bytes in it, so that sorting them needs no memory.
const BYTES_BITS: u32 = 24;

/// The map of live blocks, given as address and size.
///
/// # Errors
/// When the page map cannot be read, or there is no memory for scratch.
pub(crate) fn map(
    blocks: impl Iterator<Item = (usize, usize)> + Clone,
    before: &Resident,
) -> io::Result<HeapMap> {
    let page = page_bytes();
    let spans = |(addr, size): (usize, usize)| {
        let end = addr + size;
        let pages = addr / page..end.div_ceil(page).max(addr / page);
        pages.map(move |number| {
            let held = (end.min((number + 1) * page)) - addr.max(number * page);
            (number as u64) << BYTES_BITS | held as u64
        })
    };
    let count = blocks.clone().flat_map(spans).count();
    let mut scratch = Mapping::reserved(count.max(1) * 8)?;
    let entries = words_mut(&mut scratch, count);
    for (entry, packed) in entries.iter_mut().zip(blocks.flat_map(spans)) {
        *entry = packed;
    }
    entries.sort_unstable();
    let stretches = stretches(entries);
    let total: u64 = stretches.iter().map(|(first, end)| end - first).sum();
    let mut fills = Mapping::reserved(total.max(1) as usize)?;
    let fills = &mut fills.bytes_mut()[..total as usize];
    let (mut at, mut next) = (0, 0);
    let pages = PageMap::open()?;
    for &(first, end) in &stretches {
        pages.each(first, end - first, |number, resident| {
            let mut held = 0;
            while next < entries.len() && entries[next] >> BYTES_BITS == number {
                held += entries[next] & ((1 << BYTES_BITS) - 1);
                next += 1;
            }
            let is_own = resident && (held > 0 || !before.holds(number));
            fills[at] = if is_own { eighths(held, page as u64) } else { ABSENT };
            at += 1;
        })?;
    }
    Ok(picture(fills, &stretches, page as u64))
}

/// Live bytes of a page in eighths of it, rounded up; blocks that a broken subject lets overlap fill it.
fn eighths(held: u64, page: u64) -> u8 {
    (held * 8).div_ceil(page).min(8) as u8
}

/// Pages from the first live block to the last, cut where nothing is alive for long.
fn stretches(entries: &[u64]) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for number in entries.iter().map(|entry| entry >> BYTES_BITS) {
        match found.last_mut() {
            Some(last) if number <= last.1 + GAP_PAGES => last.1 = last.1.max(number + 1),
            _ => found.push((number, number + 1)),
        }
    }
    found
}

/// Cells of `fills`, which holds the pages of the stretches one after the other.
fn picture(fills: &[u8], stretches: &[(u64, u64)], page_bytes: u64) -> HeapMap {
    let mut pages_by_fill = [0; 9];
    for fill in fills.iter().filter(|fill| **fill < ABSENT) {
        pages_by_fill[usize::from(*fill)] += 1;
    }
    let mut regions: Vec<&[u8]> = Vec::new();
    let mut rest = fills;
    for (first, end) in stretches {
        let (stretch, others) = rest.split_at((end - first) as usize);
        rest = others;
        regions.extend(cut(stretch));
    }
    let cells = |pages: u64| -> u64 {
        regions.iter().map(|region| (region.len() as u64).div_ceil(pages)).sum()
    };
    let mut cell_pages = 1;
    while cells(cell_pages) > CELLS && cell_pages < 1 << 20 {
        cell_pages *= 2;
    }
    let letters = |region: &&[u8]| region.chunks(cell_pages as usize).map(letter).collect();
    // Heaps of more stretches than cells are cut off.
    let regions = regions.iter().take(CELLS as usize).map(letters).collect();
    HeapMap { page_bytes, cell_pages, pages_by_fill, regions }
}

/// The parts of a stretch between long runs of pages that are not resident, none at their ends.
fn cut(stretch: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut part: Option<(usize, usize)> = None;
    for at in (0..stretch.len()).filter(|at| stretch[*at] < ABSENT) {
        match &mut part {
            Some((_, end)) if at - *end < HOLE_PAGES => *end = at + 1,
            _ => {
                parts.extend(part.map(|(from, to)| &stretch[from..to]));
                part = Some((at, at + 1));
            }
        }
    }
    parts.extend(part.map(|(from, to)| &stretch[from..to]));
    parts
}

/// The letter of a cell: mean fill of its resident pages, rounded up.
fn letter(pages: &[u8]) -> char {
    let resident = || pages.iter().filter(|fill| **fill < ABSENT);
    match resident().count() as u32 {
        0 => '.',
        count => {
            let sum: u32 = resident().map(|fill| u32::from(*fill)).sum();
            char::from_digit(sum.div_ceil(count), 10).unwrap_or('8')
        }
    }
}

fn words_mut(mapping: &mut Mapping, count: usize) -> &mut [u64] {
    let bytes = &mut mapping.bytes_mut()[..count * 8];
    // SAFETY: mappings are aligned to OS pages, the bytes are borrowed mutably, and any are valid.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_cut_at_long_holes_and_bounded() {
        let mut fills = vec![8; 10];
        fills.extend([ABSENT; 40]);
        fills.extend([0, 4, ABSENT, 1]);
        let map = picture(&fills, &[(0, fills.len() as u64)], 4096);
        assert_eq!(map.regions, ["8888888888", "04.1"]);
        assert_eq!((map.cell_pages, map.pages_by_fill[8], map.pages_by_fill[0]), (1, 10, 1));
        let large = vec![3; 100_000];
        let map = picture(&large, &[(0, 100_000)], 4096);
        assert!(map.regions[0].len() <= CELLS as usize && map.cell_pages == 32);
        assert!(map.regions[0].chars().all(|letter| letter == '3'));
        assert_eq!(map.pages_by_fill[3], 100_000);
    }

    #[test]
    fn a_page_is_as_full_as_the_blocks_in_it_and_an_emptied_one_is_seen() {
        // Other tests map and unmap beside this one: what was resident is asked of this mapping.
        let mapping = Mapping::reserved(4 << 12).unwrap();
        let before = Resident::now().unwrap();
        let start = mapping.start().addr();
        for at in [0, 1, 3] {
            // SAFETY: inside the mapping.
            unsafe { mapping.start().wrapping_add(at << 12).write_volatile(1) };
        }
        // Half of the first page, nothing in the next two, all of the last; the third is not touched.
        let blocks = [(start, 1024), (start + 1024, 1024), (start + (3 << 12), 4096)];
        let map = map(blocks.into_iter(), &before).unwrap();
        // Where huge pages are given, the untouched page is resident too.
        let text = map.regions.join("");
        assert!(text == "40.8" || text == "4008", "{text}");
    }
}
