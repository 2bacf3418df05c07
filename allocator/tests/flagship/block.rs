//! A live block that knows its contents, whichever way it was asked for.
//!
//! Contents are a stretch of a fixed random text, from a place of the block's own, so that a block
//! that was copied to the wrong place or overlaps another one is noticed. Blocks up to [`WHOLE`]
//! bytes are written and compared whole; larger ones at both edges and once in every
//! [`STEP`] bytes, which touches every slice, or [`HUGE_STEP`] bytes.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::LazyLock;

use arenite::{Arenite, AreniteChecked, Heap};

/// Largest block that is looked at whole, in bytes.
const WHOLE: usize = 4 << 10;
/// Distance of the places looked at in larger blocks, in bytes.
const STEP: usize = 8 << 10;
/// The same in blocks of more than [`SPAN`] bytes.
const HUGE_STEP: usize = 128 << 10;
/// Largest block that lies in slices, in bytes.
const SPAN: usize = 1 << 20;
/// Bytes looked at in each.
const PIECE: usize = 64;
/// Length after which the text begins again, a prime.
const PERIOD: usize = 4093;

static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let byte = |at: usize| {
        let mixed = (at % PERIOD + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as u8 ^ (mixed >> 51) as u8
    };
    (0..PERIOD + WHOLE).map(byte).collect()
});

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) zeroed: bool,
}

impl Request {
    pub(crate) const fn of(size: usize) -> Self {
        Self { size, align: 1, zeroed: false }
    }

    fn layout(self) -> Layout {
        Layout::from_size_align(self.size.max(1), self.align).unwrap()
    }
}

/// A way to call a heap.
pub(crate) trait Door: Copy {
    fn alloc(self, request: Request) -> *mut u8;

    /// # Safety
    /// `start` is live, from this heap, for the request; dead after a result that is not null.
    unsafe fn realloc(self, start: *mut u8, request: Request, size: usize) -> *mut u8;

    /// # Safety
    /// `start` is live, from this heap, for the request, dead afterwards.
    unsafe fn free(self, start: *mut u8, request: Request);

    /// # Safety
    /// `start` is live and from this heap.
    unsafe fn usable_size(self, start: *mut u8) -> usize;
}

/// The functions of [`Arenite`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called;

/// The functions of [`AreniteChecked`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked;

/// [`Arenite`] as Rust's global allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlined;

macro_rules! functions {
    ($door:ty, $heap:ty) => {
        impl Door for $door {
            fn alloc(self, request: Request) -> *mut u8 {
                match request {
                    Request { size, zeroed: true, .. } => <$heap>::calloc(1, size),
                    Request { size, align: 1, .. } => <$heap>::malloc(size),
                    Request { size, align, .. } => <$heap>::aligned_alloc(align, size),
                }
            }

            unsafe fn realloc(self, start: *mut u8, _: Request, size: usize) -> *mut u8 {
                // SAFETY: forwarded to the caller.
                unsafe { <$heap>::realloc(start, size) }
            }

            unsafe fn free(self, start: *mut u8, _: Request) {
                // SAFETY: forwarded to the caller.
                unsafe { <$heap>::free(start) };
            }

            unsafe fn usable_size(self, start: *mut u8) -> usize {
                // SAFETY: forwarded to the caller.
                unsafe { <$heap>::usable_size(start) }
            }
        }
    };
}

functions!(Called, Arenite);
functions!(Checked, AreniteChecked);

impl Door for Inlined {
    fn alloc(self, request: Request) -> *mut u8 {
        let layout = request.layout();
        if request.zeroed {
            // SAFETY: the size is not 0.
            unsafe { Arenite.alloc_zeroed(layout) }
        } else {
            // SAFETY: the size is not 0.
            unsafe { Arenite.alloc(layout) }
        }
    }

    unsafe fn realloc(self, start: *mut u8, request: Request, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller; the size is not 0.
        unsafe { Arenite.realloc(start, request.layout(), size.max(1)) }
    }

    unsafe fn free(self, start: *mut u8, request: Request) {
        // SAFETY: forwarded to the caller.
        unsafe { Arenite.dealloc(start, request.layout()) };
    }

    unsafe fn usable_size(self, start: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { Arenite::usable_size(start) }
    }
}

impl Door for &Heap {
    fn alloc(self, request: Request) -> *mut u8 {
        let block = Heap::alloc(self, request.layout());
        if request.zeroed && !block.is_null() {
            // SAFETY: a fresh block of that size.
            unsafe { block.write_bytes(0, request.size) };
        }
        block
    }

    unsafe fn realloc(self, start: *mut u8, request: Request, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { Heap::realloc(self, start, request.layout(), size.max(1)) }
    }

    unsafe fn free(self, start: *mut u8, _: Request) {
        // SAFETY: forwarded to the caller.
        unsafe { self.dealloc(start) };
    }

    unsafe fn usable_size(self, start: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { Heap::usable_size(self, start) }
    }
}

/// A live block. Dropping it looks at the contents and frees it.
pub(crate) struct Block<D: Door> {
    door: D,
    start: *mut u8,
    request: Request,
    /// Where in the text the contents begin.
    place: usize,
}

// SAFETY: any thread may use and free a block; a private heap is not `Sync`, so that its door stays.
unsafe impl<D: Door + Send> Send for Block<D> {}

impl<D: Door> Block<D> {
    /// A block with contents from `place`; `None` when out of memory. What the heap promises of a
    /// fresh block is looked at.
    pub(crate) fn new(door: D, request: Request, place: usize) -> Option<Self> {
        let start = door.alloc(request);
        if start.is_null() {
            return None;
        }
        let block = Self { door, start, request, place: place % PERIOD };
        assert!(start.addr().is_multiple_of(request.align.max(16)), "{start:p} {request:?}");
        assert!(Arenite::owns(start), "{start:p} {request:?}");
        assert!(block.usable_size() >= request.size, "{request:?}");
        if request.zeroed {
            assert!(block.pieces().all(|(at, len)| block.bytes(at, len).iter().all(|&b| b == 0)));
        }
        block.write(0);
        Some(block)
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start
    }

    pub(crate) fn size(&self) -> usize {
        self.request.size
    }

    pub(crate) fn usable_size(&self) -> usize {
        // SAFETY: live, and of this door's heap.
        unsafe { self.door.usable_size(self.start) }
    }

    /// The bytes `[at, at + len)`, which are in the block.
    fn bytes(&self, at: usize, len: usize) -> &[u8] {
        assert!(at + len <= self.request.size);
        // SAFETY: in the block, which is live, and initialised by `write` or `calloc`.
        unsafe { std::slice::from_raw_parts(self.start.wrapping_add(at), len) }
    }

    /// The stretches that are written and compared, `(at, len)`.
    fn pieces(&self) -> impl Iterator<Item = (usize, usize)> + use<D> {
        let size = self.request.size;
        let edge = if size <= WHOLE { size } else { WHOLE / 8 };
        let inner = if size <= WHOLE { 0..0 } else { WHOLE..size - PIECE };
        let last = if size <= WHOLE { 0 } else { edge };
        let step = if size <= SPAN { STEP } else { HUGE_STEP };
        let inner = inner.step_by(step).map(|at| (at, PIECE));
        [(0, edge), (size - last, last)].into_iter().chain(inner)
    }

    /// Writes the contents of all pieces that reach beyond `from`.
    fn write(&self, from: usize) {
        for (at, len) in self.pieces().filter(|(at, len)| at + len > from) {
            let text = &TEXT[(self.place + at) % PERIOD..][..len];
            let piece = self.start.wrapping_add(at);
            // SAFETY: in the block, which is live and nobody else's.
            unsafe { piece.copy_from_nonoverlapping(text.as_ptr(), len) };
        }
    }

    /// Looks at the contents of all pieces that end before `end`.
    fn check_until(&self, end: usize) {
        for (at, len) in self.pieces() {
            let len = len.min(end.saturating_sub(at));
            let text = &TEXT[(self.place + at) % PERIOD..][..len];
            let start = self.start;
            assert!(self.bytes(at, len) == text, "{start:p} {:?} at {at}", self.request);
        }
    }

    /// Looks at the contents.
    pub(crate) fn check(&self) {
        self.check_until(self.request.size);
    }

    /// Resizes the block; false when out of memory, and then it is as it was. What is kept of the
    /// contents is looked at.
    pub(crate) fn resize(&mut self, size: usize) -> bool {
        self.check();
        let old = self.request;
        // SAFETY: live, for that request; the old address is forgotten.
        let moved = unsafe { self.door.realloc(self.start, old, size) };
        if moved.is_null() {
            self.check();
            return false;
        }
        self.start = moved;
        self.request = Request { size, zeroed: false, ..old };
        assert!(self.usable_size() >= size);
        // Pieces of the old size, as far as they are in both.
        self.request.size = old.size.min(size);
        let kept = Self { door: self.door, start: moved, request: old, place: self.place };
        for (at, len) in kept.pieces() {
            let len = len.min(self.request.size.saturating_sub(at));
            if len > 0 {
                let text = &TEXT[(self.place + at) % PERIOD..][..len];
                assert!(self.bytes(at, len) == text, "{moved:p}: {} to {size} at {at}", old.size);
            }
        }
        std::mem::forget(kept);
        self.request.size = size;
        self.write(0);
        true
    }
}

impl<D: Door> Drop for Block<D> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.check();
        // SAFETY: live, for that request, and dropped once.
        unsafe { self.door.free(self.start, self.request) };
    }
}

/// Blocks with contents, `bytes` in all.
pub(crate) fn fill(bytes: usize, size: usize) -> Vec<Block<Called>> {
    (0..bytes / size).map(|at| Block::new(Called, Request::of(size), at).unwrap()).collect()
}

/// A block of which the first byte of every OS page is written.
pub(crate) fn touched(size: usize) -> *mut u8 {
    let block = Arenite::malloc(size);
    assert!(!block.is_null());
    for at in (0..size).step_by(4096) {
        // SAFETY: a live block of `size` bytes.
        unsafe { block.wrapping_add(at).write(1) };
    }
    block
}

pub(crate) fn free(block: *mut u8) {
    // SAFETY: every block that is given here is live.
    unsafe { Arenite::free(block) };
}
