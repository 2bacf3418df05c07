//! What the replay loop calls: one trait, so that the loop is compiled once for every call kind.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use crate::plan::op::{Extent, Meeting, Place};
use crate::plan::streams::Phase;

/// Something that serves a replay's calls. Slots name blocks, see `plan::op`.
///
/// # Safety
/// A non-null pointer that a method returns must be the start of memory that nobody else uses, of
/// at least the size asked for, until it is given to `free` or `realloc`; or, where a planted bad
/// subject breaks this, the process must be one that is meant to be thrown away.
pub(crate) unsafe trait Allocator {
    /// True when every slot's address is in the pointer table before the replay begins and stays
    /// there ([`Allocator::assign`]): then the loop takes it from there and calls nothing.
    const ASSIGNED: bool = false;

    /// Smallest size, in bytes, that `malloc` and `free` may be called with. The loop rounds smaller
    /// requests up where they are rare; the two commonest calls of a plan are never that small.
    const MIN_SIZE: usize = 0;

    /// Writes the address of every slot into the pointer table, where they are assigned beforehand.
    ///
    /// # Safety
    /// `pointers` has room for every slot of the plan.
    unsafe fn assign(&mut self, pointers: *mut *mut u8) {
        let _ = pointers;
    }

    /// Another handle on the same allocator, for another thread; `None` where it serves one thread.
    fn another(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// The calls from here on belong to this part of the pass; on every thread.
    fn enter(&mut self, phase: Phase) {
        let _ = phase;
    }

    /// Keeps a meeting of a plan for threads; false when the replay is to stop.
    fn meet(&mut self, meeting: Meeting, thread: u32, argument: u64) -> bool {
        unreachable!("P3: {meeting:?} with {thread}, {argument} in a plan of one row");
    }

    /// Why a meeting was not kept.
    fn refusal(&mut self) -> std::io::Error {
        std::io::Error::other("a meeting was not kept")
    }

    /// `malloc(size)`; `size` is at least [`Allocator::MIN_SIZE`].
    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8;

    /// `calloc(1, size)`.
    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8;

    /// An aligned allocation.
    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8;

    /// `realloc(NULL, size)`.
    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.malloc(slot, size.max(Self::MIN_SIZE))
    }

    /// `realloc(ptr, size)`.
    ///
    /// # Safety
    /// `ptr` is the live block of `slot`, of extent `old`.
    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8;

    /// `free(ptr)`.
    ///
    /// # Safety
    /// `ptr` is the live block of `slot`, of extent `old`, sizes rounded up to
    /// [`Allocator::MIN_SIZE`].
    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent);

    /// `free(NULL)`.
    fn free_null(&mut self) {}

    /// Bytes of the block that may be used, where the subject can tell.
    ///
    /// # Safety
    /// `ptr` is a live block of this allocator.
    unsafe fn usable_size(&mut self, ptr: *mut u8) -> Option<usize> {
        let _ = ptr;
        None
    }
}

/// C functions of one subject. All subjects of call kind `c` are called through one of these.
#[derive(Clone, Copy)]
pub(crate) struct FunctionTable {
    pub(crate) malloc: unsafe extern "C" fn(usize) -> *mut c_void,
    pub(crate) calloc: unsafe extern "C" fn(usize, usize) -> *mut c_void,
    pub(crate) realloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    /// Alignment first, as in `aligned_alloc`.
    pub(crate) aligned_alloc: unsafe extern "C" fn(usize, usize) -> *mut c_void,
    pub(crate) free: unsafe extern "C" fn(*mut c_void),
    pub(crate) usable_size: Option<unsafe extern "C" fn(*mut c_void) -> usize>,
}

/// Calls through a [`FunctionTable`].
pub(crate) struct CCalls<'table>(pub(crate) &'table FunctionTable);

// SAFETY: the functions of a table are an allocator's C interface, which promises just this.
unsafe impl Allocator for CCalls<'_> {
    fn another(&self) -> Option<Self> {
        Some(Self(self.0))
    }

    #[inline(always)]
    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: malloc has no preconditions.
        unsafe { (self.0.malloc)(size) }.cast()
    }

    #[inline(always)]
    fn calloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: calloc has no preconditions.
        unsafe { (self.0.calloc)(1, size) }.cast()
    }

    #[inline(always)]
    fn aligned(&mut self, _slot: Place, extent: Extent) -> *mut u8 {
        // SAFETY: the alignment is a power of two, as traces guarantee (I4).
        unsafe { (self.0.aligned_alloc)(extent.align, extent.size) }.cast()
    }

    #[inline(always)]
    fn realloc_new(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: realloc takes null.
        unsafe { (self.0.realloc)(std::ptr::null_mut(), size) }.cast()
    }

    #[inline(always)]
    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, _old: Extent, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation: `ptr` is a live block of this subject.
        unsafe { (self.0.realloc)(ptr.cast(), size) }.cast()
    }

    #[inline(always)]
    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, _old: Extent) {
        // SAFETY: the caller's obligation: `ptr` is a live block of this subject.
        unsafe { (self.0.free)(ptr.cast()) };
    }

    #[inline(always)]
    fn free_null(&mut self) {
        // SAFETY: free takes null.
        unsafe { (self.0.free)(std::ptr::null_mut()) };
    }

    unsafe fn usable_size(&mut self, ptr: *mut u8) -> Option<usize> {
        let usable_size = self.0.usable_size?;
        // SAFETY: the caller's obligation: `ptr` is a live block of this subject.
        Some(unsafe { usable_size(ptr.cast()) })
    }
}

/// Calls a Rust allocator as Rust programs do: inlined, with the layout known at free.
pub(crate) struct InlineCalls<G>(pub(crate) G);

/// Alignment a Rust caller would name for a block of C's default alignment.
const DEFAULT_ALIGN: usize = 16;

/// The layout of an extent.
#[inline(always)]
fn layout(extent: Extent) -> Layout {
    let align = if extent.align == 1 { DEFAULT_ALIGN } else { extent.align };
    // SAFETY: traces guarantee a power of two of at most 2^30 (I4), the compiler of plans sizes
    // below 2^47: rounded up they are far below `isize::MAX`.
    unsafe { Layout::from_size_align_unchecked(extent.size, align) }
}

/// The layout of an extent that may be empty, rounded up, as `GlobalAlloc` takes none of size zero.
#[inline(always)]
fn filled_layout(extent: Extent) -> Layout {
    layout(Extent { size: extent.size.max(1), ..extent })
}

// SAFETY: `GlobalAlloc` promises just this.
unsafe impl<G: GlobalAlloc> Allocator for InlineCalls<G> {
    const MIN_SIZE: usize = 1;

    fn another(&self) -> Option<Self> {
        const { assert!(size_of::<G>() == 0) };
        // SAFETY: a type without bytes is read from any aligned address; its allocator is a static.
        Some(Self(unsafe { std::ptr::NonNull::<G>::dangling().as_ptr().read() }))
    }

    #[inline(always)]
    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: `size` is at least `MIN_SIZE`.
        unsafe { self.0.alloc(layout(Extent { size, align: 1 })) }
    }

    #[inline(always)]
    fn calloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: layouts made by `filled_layout` are never of size zero.
        unsafe { self.0.alloc_zeroed(filled_layout(Extent { size, align: 1 })) }
    }

    #[inline(always)]
    fn aligned(&mut self, _slot: Place, extent: Extent) -> *mut u8 {
        // SAFETY: layouts made by `filled_layout` are never of size zero.
        unsafe { self.0.alloc(filled_layout(extent)) }
    }

    #[inline(always)]
    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation, and `filled_layout(old)` is the layout the block was made with.
        unsafe { self.0.realloc(ptr, filled_layout(old), size.max(1)) }
    }

    #[inline(always)]
    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, old: Extent) {
        // SAFETY: the caller's obligation, and `layout(old)` is the layout the block was made with.
        unsafe { self.0.dealloc(ptr, layout(old)) };
    }
}
