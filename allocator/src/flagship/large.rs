//! Large blocks: spans of whole slices, from 32 KiB to 1 MiB.

use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::huge;
use super::range::{LARGE, OWNER_SHIFT, Range};
use super::slice::{self, SLICE_BYTES, Span};
use super::span_store;
use super::threads;

/// Largest block in a span, in bytes; beyond it blocks have mappings of their own.
pub(crate) const LARGE_MAX: usize = 1 << 20;

/// A block of `size` bytes aligned to `align`, a power of two of at least a slice and at most
/// [`LARGE_MAX`], and whether it reads as zeroes. Null when out of memory.
pub(crate) fn take(heap: Heap, size: usize, align: usize) -> (*mut u8, bool) {
    let slices = size.div_ceil(SLICE_BYTES).max(1);
    let owner = if heap.fields().is_private { heap.tag() } else { 0 };
    match span_store::take(slices, align / SLICE_BYTES, owner | LARGE) {
        Some((span, clean)) => {
            if owner != 0 {
                let _held = span_store::hold();
                slice::push(&mut heap.fields().large, span, slice::Place::Nowhere);
            }
            (span.start(), clean)
        }
        None => huge::take(heap, size, align),
    }
}

/// The span of the large block that begins in slice `index`; dies unless `block` is its first byte.
pub(crate) fn span(range: &Range, index: usize, block: *mut u8) -> Span {
    if !block.addr().is_multiple_of(SLICE_BYTES) {
        die(Misuse::Interior, block);
    }
    range.record(index)
}

/// Frees a large block with map entry `entry`.
pub(crate) fn free(span: Span, entry: u32) {
    if entry >> OWNER_SHIFT != 0 {
        let _held = span_store::hold();
        slice::unlink(&mut threads::heap_of(entry >> OWNER_SHIFT).fields().large, span);
    }
    span_store::give(span);
}

/// Makes a block of a span hold `size` bytes where it lies; false where it cannot.
pub(crate) fn resize(span: Span, size: usize) -> bool {
    let (old, new) = (usize::from(span.slices()), size.div_ceil(SLICE_BYTES).max(1));
    if new < old {
        span_store::shorten(span, new);
    }
    new <= old || span_store::lengthen(span, new)
}

/// Frees the large blocks of a private heap that nobody uses any more.
pub(crate) fn give_back(heap: Heap) {
    let mut span = heap.fields().large;
    heap.fields().large = Span::NULL;
    while !span.is_null() {
        let next = span.next();
        span_store::give(span);
        span = next;
    }
}
