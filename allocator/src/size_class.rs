//! Size classes: request size to class index to block size.
//!
//! Classes are spaced evenly, `ALIGNMENT` bytes apart:
//!
//! ```text
//! request bytes     block bytes     class
//!  1 .. A                 A           0
//!  A+1 .. 2A             2A           1
//!  ...
//!  T-A+1 .. T             T        T/A - 1        (A = ALIGNMENT, T = THRESHOLD)
//! ```
//!
//! Zero and everything above the threshold have no class and belong to the next allocator. The
//! source of the scheme is pymalloc (obmalloc.c), and segregated fits in general.

use crate::geometry::{Geometry, HEADER_BYTES};

/// The class map of a geometry. Blanket-implemented, so that no geometry can bend it.
pub(crate) trait SizeClasses: Geometry {
    /// Number of classes.
    const CLASSES: usize = Self::THRESHOLD / Self::ALIGNMENT;
    /// log2 of the distance between two classes.
    const SHIFT: u32 = Self::ALIGNMENT.trailing_zeros();

    /// The class that serves `size` bytes, or `None` for zero and for sizes above the threshold.
    #[inline(always)]
    fn class_of(size: usize) -> Option<usize> {
        // Zero wraps around to the largest number, so that one comparison rules out both ends.
        let last_byte = size.wrapping_sub(1);
        if last_byte < Self::THRESHOLD { Some(last_byte >> Self::SHIFT) } else { None }
    }

    /// Size in bytes of the blocks of `class`.
    #[inline(always)]
    fn block_bytes(class: usize) -> usize {
        (class + 1) << Self::SHIFT
    }

    /// Number of blocks of `class` in a pool.
    fn capacity(class: usize) -> usize {
        (Self::POOL_BYTES - HEADER_BYTES) / Self::block_bytes(class)
    }

    /// Bytes at the end of a pool of `class` that are too few for another block.
    fn tail_bytes(class: usize) -> usize {
        Self::POOL_BYTES - HEADER_BYTES - Self::capacity(class) * Self::block_bytes(class)
    }
}

impl<G: Geometry> SizeClasses for G {}

#[cfg(test)]
mod tests {
    use super::SizeClasses;
    use crate::presets::{Python23, Python39, Python311};

    fn check_map<G: SizeClasses>() {
        assert_eq!(G::class_of(0), None);
        assert_eq!(G::class_of(G::THRESHOLD + 1), None);
        assert_eq!(G::class_of(usize::MAX), None);
        for size in 1..=G::THRESHOLD {
            let class = G::class_of(size).unwrap();
            assert!(class < G::CLASSES);
            assert!(G::block_bytes(class) >= size, "size {size}");
            assert!(G::block_bytes(class) - size < G::ALIGNMENT, "size {size}");
        }
    }

    #[test]
    fn every_small_size_maps_to_the_tightest_class() {
        check_map::<Python23>();
        check_map::<Python39>();
        check_map::<Python311>();
    }

    /// The figures of the published pool sizes, not the formula again.
    #[test]
    fn pool_capacities_are_those_of_the_eras() {
        let in_16k: [(usize, usize); 7] =
            [(16, 1021), (32, 510), (48, 340), (64, 255), (128, 127), (256, 63), (512, 31)];
        for (size, blocks) in in_16k {
            assert_eq!(Python311::capacity(Python311::class_of(size).unwrap()), blocks);
        }
        let in_4k: [(usize, usize); 7] =
            [(16, 253), (32, 126), (48, 84), (64, 63), (128, 31), (256, 15), (512, 7)];
        for (size, blocks) in in_4k {
            assert_eq!(Python39::capacity(Python39::class_of(size).unwrap()), blocks);
        }
        assert_eq!(Python311::tail_bytes(Python311::class_of(512).unwrap()), 464);
        assert_eq!(Python39::tail_bytes(Python39::class_of(256).unwrap()), 208);
        assert_eq!(Python39::tail_bytes(Python39::class_of(512).unwrap()), 464);
        assert_eq!(Python23::capacity(Python23::class_of(8).unwrap()), 506);
    }
}
