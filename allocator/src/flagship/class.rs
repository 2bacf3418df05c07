//! Size classes of the flagship heap.
//!
//! ```text
//! class   0          requests of 0 bytes: blocks of 16, so that no request needs a test for zero
//! class   1 ..= 32   every 16 bytes to 512, found by rounding
//! class  33 ..= 40   every 64 bytes to 1 KiB, found in a table of 64-byte steps
//! class  41 ..= 60   four per doubling to 32 KiB, found in the same table
//! ```
//! A program has blocks of nearly every size, but few of most above 512 bytes: finer classes there
//! would fill OS pages with a block or two each.
//!
//! A class is named by its *offset*, its number times the size of a [`Bin`](super::heap::Bin): the
//! distance of its bin from the start of a thread heap, and what a map entry holds. Rounding a small
//! request up to 16 bytes gives its class's offset at once.
//!
//! Invariants, C1 checked by a test and C2 by the compiler below:
//! * **C1** `size(class) >= request` for every request that maps to the class, and no smaller class
//!   would do.
//! * **C2** A span of the class's length holds between `MIN_BLOCKS` and 1,024 blocks and wastes at
//!   most a sixteenth of itself at its end.

use super::slice::SLICE_BYTES;

/// Distance of two small classes, alignment of every block, and length of a bin, in bytes.
pub(crate) const GRAIN: usize = 16;
/// Largest request found by rounding, in bytes.
pub(crate) const SMALL_MAX: usize = 512;
/// Largest request served from pools, in bytes.
pub(crate) const MEDIUM_MAX: usize = 32 << 10;
/// Number of size classes.
pub(crate) const CLASSES: usize = 61;
/// First offset that is no class's.
pub(crate) const OFFSETS_END: usize = CLASSES * GRAIN;

const SMALL_CLASSES: usize = SMALL_MAX / GRAIN + 1;
/// Classes of every [`MEDIUM_STEP`] bytes, up to [`DOUBLINGS_FROM`].
const STEP_CLASSES: usize = (DOUBLINGS_FROM - SMALL_MAX) / MEDIUM_STEP;
const DOUBLINGS_FROM: usize = 1 << 10;
const PER_DOUBLING: usize = 4;
const MEDIUM_STEP: usize = 64;
/// Blocks that a pool holds at least.
const MIN_BLOCKS: usize = 4;
/// Bytes of never used memory that are made into blocks at a time.
const CARVE_BYTES: usize = 4 << 10;

/// Blocks and bytes of a class's budget, see `heap.rs`, but for classes of the next constants.
const BUDGET: usize = 16;
const BUDGET_BYTES: usize = 32 << 10;
/// Bytes of the budget of a class with blocks of more than [`FRAMES_ABOVE`] and at most
/// [`DOUBLINGS_FROM`] bytes: what unwinds deep stacks frees some hundred frames and takes them again. As
/// much of every other class would keep more memory that nobody uses, and is hardly faster.
const FRAMES_BUDGET_BYTES: usize = 128 << 10;
const FRAMES_ABOVE: usize = 256;

/// What a class is made of.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// Block size in bytes.
    pub(crate) size: u32,
    /// Slices of a span.
    pub(crate) slices: u16,
    /// Blocks of a span.
    pub(crate) capacity: u16,
    /// Blocks carved at a time.
    pub(crate) chunk: u16,
    /// Frees that go to a front that has just been filled, before any malloc.
    pub(crate) budget: u16,
    /// Live blocks at which a pool that was full is taken up again: an eighth of it is free.
    pub(crate) wake: u16,
}

const fn size_of_class(class: usize) -> usize {
    if class == 0 {
        GRAIN
    } else if class < SMALL_CLASSES {
        class * GRAIN
    } else if class < SMALL_CLASSES + STEP_CLASSES {
        SMALL_MAX + (class - SMALL_CLASSES + 1) * MEDIUM_STEP
    } else {
        let medium = class - SMALL_CLASSES - STEP_CLASSES;
        let base = DOUBLINGS_FROM << (medium / PER_DOUBLING);
        base + base / PER_DOUBLING * (medium % PER_DOUBLING + 1)
    }
}

const fn class(number: usize) -> Class {
    let size = size_of_class(number);
    let mut slices = 1;
    loop {
        let bytes = slices * SLICE_BYTES;
        let capacity = bytes / size;
        if capacity >= MIN_BLOCKS && (bytes - capacity * size) * 16 <= bytes {
            let chunk = if size >= CARVE_BYTES { 1 } else { CARVE_BYTES / size };
            let most = BUDGET_BYTES / size;
            let budget = if FRAMES_ABOVE < size && size <= DOUBLINGS_FROM {
                FRAMES_BUDGET_BYTES / size
            } else if most > BUDGET {
                BUDGET
            } else {
                most
            };
            let room = if capacity < 8 { 1 } else { capacity / 8 };
            return Class {
                size: size as u32,
                slices: slices as u16,
                capacity: capacity as u16,
                chunk: chunk as u16,
                budget: budget as u16,
                wake: (capacity - room) as u16,
            };
        }
        slices += 1;
    }
}

/// All classes by number.
static TABLE: [Class; CLASSES] = {
    let mut table = [class(0); CLASSES];
    let mut number = 1;
    while number < CLASSES {
        table[number] = class(number);
        number += 1;
    }
    table
};

/// Offsets of medium classes, by `(request - 1) / 64`.
static MEDIUM: [u16; MEDIUM_MAX / MEDIUM_STEP] = {
    let mut offsets = [0; MEDIUM_MAX / MEDIUM_STEP];
    let mut step = 0;
    let mut number = SMALL_CLASSES;
    while step < offsets.len() {
        while size_of_class(number) < (step + 1) * MEDIUM_STEP {
            number += 1;
        }
        offsets[step] = (number * GRAIN) as u16;
        step += 1;
    }
    offsets
};

const _: () = {
    assert!(size_of_class(CLASSES - 1) == MEDIUM_MAX);
    let mut number = 1;
    while number < CLASSES {
        let class = class(number);
        assert!(class.capacity <= 1024 && class.slices <= 16, "C2");
        assert!(size_of_class(number - 1) < size_of_class(number) || number == 1, "C1");
        number += 1;
    }
};

/// The class at an offset. `offset < OFFSETS_END`.
#[inline(always)]
pub(crate) fn at(offset: usize) -> &'static Class {
    &TABLE[offset / GRAIN]
}

/// Offset of the class of a request of at most [`SMALL_MAX`] bytes.
#[inline(always)]
pub(crate) const fn small_offset(request: usize) -> usize {
    (request + (GRAIN - 1)) & !(GRAIN - 1)
}

/// Offset of the class of a request between [`SMALL_MAX`] and [`MEDIUM_MAX`] bytes.
#[inline(always)]
pub(crate) fn medium_offset(request: usize) -> usize {
    MEDIUM[(request - 1) / MEDIUM_STEP] as usize
}

/// Offset of the class of a request of at most [`MEDIUM_MAX`] bytes.
#[inline(always)]
pub(crate) fn offset_of(request: usize) -> usize {
    if request <= SMALL_MAX { small_offset(request) } else { medium_offset(request) }
}

/// Offset of the smallest class whose blocks hold `request` bytes and can all be aligned to
/// `align`, a power of two of at most a slice, where the class's size is a multiple of it.
pub(crate) fn aligned_offset(request: usize, align: usize) -> Option<usize> {
    if request > MEDIUM_MAX || align > SLICE_BYTES {
        return None;
    }
    let first = offset_of(request.max(1)) / GRAIN;
    let fitting = TABLE[first..].iter().position(|class| class.size as usize & (align - 1) == 0)?;
    Some((first + fitting) * GRAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    #[test]
    fn every_request_gets_the_smallest_class_that_holds_it() {
        for request in 1..=MEDIUM_MAX {
            let number = offset_of(request) / GRAIN;
            assert!(TABLE[number].size as usize >= request, "{request}");
            let smaller = TABLE[1..].iter().position(|class| class.size as usize >= request);
            assert_eq!(smaller.map(|at| at + 1), Some(number), "{request}");
        }
        assert_eq!(offset_of(0), 0);
    }

    #[test]
    fn aligned_requests_get_classes_of_multiples_of_the_alignment() {
        for align in (5..=14).map(|shift| 1_usize << shift) {
            for request in [0, 1, 17, 100, 1000, 1025, 5000, 20_000, MEDIUM_MAX] {
                let class = at(aligned_offset(request, align).expect("at most a slice"));
                assert!(
                    class.size as usize >= request && (class.size as usize).is_multiple_of(align)
                );
            }
        }
        assert_eq!(aligned_offset(MEDIUM_MAX + 1, 16), None);
        assert_eq!(aligned_offset(16, 2 * SLICE_BYTES), None);
    }

    /// Worst share of a block that a request leaves unused, by range of request sizes; the table
    /// stands in README.md.
    #[test]
    fn internal_waste_is_as_documented() {
        let mut text = String::new();
        for (first, last) in [(1, 15), (16, 128), (129, 512), (513, 1024), (1025, 32 << 10)] {
            let worst = (first..=last)
                .map(|request| {
                    let size = at(offset_of(request)).size as usize;
                    ((size - request) * 1000 / size, request)
                })
                .max()
                .unwrap();
            let share = format!("{}.{} %", worst.0 / 10, worst.0 % 10);
            text += &format!("| {first} to {last} | {share} | {} |\n", worst.1);
        }
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&text), "the table in README.md should read:\n{text}");
    }
}
