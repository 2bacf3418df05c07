//! Slices, spans and pools: the memory of a range and the records beside it.
//!
//! A range is cut into *slices* of 16 KiB. A *span* is a row of slices in one arena, used as a pool
//! of equal blocks, as one large block, or free. Nothing is written into the memory itself but the
//! links of free blocks and, in chains on their way, addresses of others (`remote.rs`): what is known
//! of a slice stands in its [`SliceRecord`], 64 bytes in a side array, so that a pool's blocks begin at
//! the pool's first byte.
//!
//! ```text
//! SliceRecord      of a pool's first slice          of a free span's first slice
//! 0x00 first       first block of the free list     older } among dirty spans, by age
//! 0x08 tail        where the next freed block goes  younger }
//! 0x10 head        record of the span's first slice (every slice of a pool; last slice of a free span)
//! 0x18 start       the span's memory
//! 0x20 live        blocks not in the free list      stamp: when it became free
//! 0x24 event       value of `live` that is acted on
//! 0x26 carved      blocks that have ever existed
//! 0x28 capacity    blocks there is room for
//! 0x2a offset      class (`class.rs`)               -
//! 0x2c slices      length of the span
//! 0x2e state       Used, Clean or Dirty
//! 0x2f place       which list the pool is in
//! 0x30 next, 0x38 prev   links of that list         links among free spans of the length
//! ```
//! `live` has 32 bits, though 16 would do: of 16 that are aligned to 4 bytes a compiler reads 32, and
//! a read of more than was just written waits until the write has reached the cache, which is behind
//! every link written before it.
//!
//! The free list of a pool is a queue: blocks join at `tail` and are taken as a whole. `tail` points
//! at the last block's link, or at `first` when the list is empty.
//!
//! Invariants:
//! * **F1** A [`Span`] names a record in the committed part of a range's array, or is null.
//! * **F2** Records outside of `head`, `state` and `slices` are touched only by the owner of the
//!   span: the thread heap it serves, or whoever holds the spans lock while it is free.
//! * **F3** `head`, `state` and `slices` are written only under the spans lock.
//! * **F4** In a pool, `live <= carved <= capacity`, the free list has `carved - live` blocks, and
//!   `*tail` is null.

use core::ptr;

/// Bytes of a slice.
pub(crate) const SLICE_BYTES: usize = 1 << SLICE_SHIFT;
/// Binary logarithm of [`SLICE_BYTES`].
pub(crate) const SLICE_SHIFT: u32 = 14;

/// The record of a slice.
#[repr(C, align(64))]
pub(crate) struct SliceRecord {
    first: *mut u8,
    tail: *mut *mut u8,
    head: Span,
    start: *mut u8,
    live: u32,
    event: u16,
    carved: u16,
    capacity: u16,
    offset: u16,
    slices: u16,
    state: State,
    place: Place,
    next: Span,
    prev: Span,
}

const _: () = {
    assert!(size_of::<SliceRecord>() == 64);
    assert!(core::mem::offset_of!(SliceRecord, live) == 0x20);
    assert!(core::mem::offset_of!(SliceRecord, next) == 0x30);
};

/// What a span is used for. The zero value is that of records never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// A pool or a large block.
    Used = 0,
    /// Free, and reads as zeroes.
    Clean = 1,
    /// Free, with old contents that still occupy memory.
    Dirty = 2,
}

/// Which list of its thread heap a pool is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Place {
    /// None.
    Nowhere = 0,
    /// The class's current pool.
    Current = 1,
    /// Full when it was left; sleeps until an eighth of it is free.
    Asleep = 2,
    /// Has room.
    Available = 3,
    /// Has room and few live blocks.
    Sparse = 4,
}

/// A value of `live` that is never reached by counting down.
pub(crate) const NEVER: u16 = u16::MAX;

/// A span, by the record of its first slice; or null.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Span(pub(crate) *mut SliceRecord);

macro_rules! field {
    ($field:ident, $set:ident, $type:ty) => {
        #[inline(always)]
        pub(crate) fn $field(self) -> $type {
            // SAFETY: F1; F2 and F3 say who may call this.
            unsafe { (*self.0).$field }
        }

        #[inline(always)]
        pub(crate) fn $set(self, value: $type) {
            // SAFETY: F1; F2 and F3 say who may call this.
            unsafe { (*self.0).$field = value };
        }
    };
}

impl Span {
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    field!(first, set_first, *mut u8);
    field!(tail, set_tail, *mut *mut u8);
    field!(head, set_head, Span);
    field!(start, set_start, *mut u8);
    field!(live, set_live, u32);
    field!(event, set_event, u16);
    field!(carved, set_carved, u16);
    field!(capacity, set_capacity, u16);
    field!(offset, set_offset, u16);
    field!(slices, set_slices, u16);
    field!(state, set_state, State);
    field!(place, set_place, Place);
    field!(next, set_next, Span);
    field!(prev, set_prev, Span);

    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The record `slices` further on.
    #[inline(always)]
    pub(crate) fn after(self, slices: usize) -> Self {
        Self(self.0.wrapping_add(slices))
    }

    /// The record before.
    #[inline(always)]
    pub(crate) fn before(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }

    /// When the free span was freed; occupies the place of `live`.
    pub(crate) fn stamp(self) -> u32 {
        self.live()
    }

    /// See [`Span::stamp`].
    pub(crate) fn set_stamp(self, stamp: u32) {
        self.set_live(stamp);
    }

    /// Links among dirty spans by age; occupy the places of `first` and `tail`.
    pub(crate) fn older(self) -> Self {
        Self(self.first().cast())
    }

    /// See [`Span::older`].
    pub(crate) fn set_older(self, span: Self) {
        self.set_first(span.0.cast());
    }

    /// See [`Span::older`].
    pub(crate) fn younger(self) -> Self {
        Self(self.tail().cast())
    }

    /// See [`Span::older`].
    pub(crate) fn set_younger(self, span: Self) {
        self.set_tail(span.0.cast());
    }

    /// Empties the free list of a pool, without a look at it.
    #[inline(always)]
    pub(crate) fn clear_list(self) {
        self.set_first(ptr::null_mut());
        self.set_tail(self.list_begin());
    }

    /// Where `tail` points when the free list is empty.
    #[inline(always)]
    pub(crate) fn list_begin(self) -> *mut *mut u8 {
        // SAFETY: F1.
        unsafe { &raw mut (*self.0).first }
    }

    /// Appends a dead block to the pool's free list, and counts it.
    ///
    /// # Safety
    /// `block` is a block of this pool that nobody uses, and the caller owns the pool.
    #[inline(always)]
    pub(crate) unsafe fn append(self, block: *mut u8) {
        // SAFETY: a dead block is ours to write.
        unsafe { set_link(block, ptr::null_mut()) };
        let tail = self.tail();
        // SAFETY: F4: `tail` points at `first` or at the link of a dead block of the pool.
        unsafe { tail.write(block) };
        self.set_tail(block.cast());
        self.set_live(self.live() - 1);
    }
}

/// A list of pools, linked both ways, beginning at `*list`.
pub(crate) fn push(list: &mut Span, span: Span, place: Place) {
    span.set_place(place);
    span.set_prev(Span::NULL);
    span.set_next(*list);
    if !list.is_null() {
        list.set_prev(span);
    }
    *list = span;
}

/// Takes a pool out of its list.
pub(crate) fn unlink(list: &mut Span, span: Span) {
    let (next, prev) = (span.next(), span.prev());
    if prev.is_null() {
        *list = next;
    } else {
        prev.set_next(next);
    }
    if !next.is_null() {
        next.set_prev(prev);
    }
    span.set_place(Place::Nowhere);
}

/// The address that a dead block holds in its first word.
///
/// # Safety
/// `block` is a dead block of ours.
#[inline(always)]
pub(crate) unsafe fn link(block: *mut u8) -> *mut u8 {
    // SAFETY: blocks have at least 16 bytes and are aligned to 16.
    unsafe { block.cast::<*mut u8>().read() }
}

/// Writes the first word of a dead block.
///
/// # Safety
/// `block` is a dead block of ours.
#[inline(always)]
pub(crate) unsafe fn set_link(block: *mut u8, next: *mut u8) {
    // SAFETY: blocks have at least 16 bytes and are aligned to 16.
    unsafe { block.cast::<*mut u8>().write(next) };
}

/// The second word of a dead block.
///
/// # Safety
/// `block` is a dead block of ours.
#[inline(always)]
pub(crate) unsafe fn second(block: *mut u8) -> *mut u8 {
    // SAFETY: blocks have at least 16 bytes and are aligned to 16.
    unsafe { block.cast::<*mut u8>().wrapping_add(1).read() }
}

/// Writes the second word of a dead block.
///
/// # Safety
/// `block` is a dead block of ours.
#[inline(always)]
pub(crate) unsafe fn set_second(block: *mut u8, value: *mut u8) {
    // SAFETY: blocks have at least 16 bytes and are aligned to 16.
    unsafe { block.cast::<*mut u8>().wrapping_add(1).write(value) };
}

/// The address that a dead block holds for another, in one of its words from the third on.
///
/// # Safety
/// `block` is a dead block of ours of at least `seat + 3` words.
#[inline(always)]
pub(crate) unsafe fn passenger(block: *mut u8, seat: usize) -> *mut u8 {
    // SAFETY: the caller's obligation.
    unsafe { block.cast::<*mut u8>().wrapping_add(2 + seat).read() }
}

/// Writes such an address.
///
/// # Safety
/// As for [`passenger`].
#[inline(always)]
pub(crate) unsafe fn set_passenger(block: *mut u8, seat: usize, value: *mut u8) {
    // SAFETY: the caller's obligation.
    unsafe { block.cast::<*mut u8>().wrapping_add(2 + seat).write(value) };
}
