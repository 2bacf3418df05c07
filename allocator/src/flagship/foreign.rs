//! Foreign pointers: what the program frees here and got elsewhere.
//!
//! Without a next allocator that is misuse and dies. A program that knows of blocks of another
//! allocator that may arrive here (memory handed out before the library was in place) names it with
//! [`Arenite::set_next`](crate::Arenite::set_next).

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::fatal::{Misuse, die};

/// The functions of the allocator that foreign pointers are passed on to.
#[derive(Clone, Copy, Debug)]
pub struct ForeignFunctions {
    /// `free`.
    pub free: unsafe fn(*mut u8),
    /// `realloc`. The block stays with that allocator.
    pub realloc: unsafe fn(*mut u8, usize) -> *mut u8,
    /// `malloc_usable_size`.
    pub usable_size: unsafe fn(*mut u8) -> usize,
}

static NEXT: AtomicPtr<ForeignFunctions> = AtomicPtr::new(ptr::null_mut());

/// See [`Arenite::set_next`](crate::Arenite::set_next).
pub(crate) fn set_next(next: &'static ForeignFunctions) {
    NEXT.store(ptr::from_ref(next).cast_mut(), Ordering::Release);
}

/// Whether foreign pointers have somewhere to go.
pub(crate) fn is_known() -> bool {
    !NEXT.load(Ordering::Relaxed).is_null()
}

fn next(block: *mut u8) -> &'static ForeignFunctions {
    // SAFETY: null, or what `set_next` was given.
    let next = unsafe { NEXT.load(Ordering::Acquire).as_ref() };
    next.unwrap_or_else(|| die(Misuse::Foreign, block))
}

/// # Safety
/// `block` is not ours.
pub(crate) unsafe fn free(block: *mut u8) {
    // SAFETY: whoever named the next allocator vouches for foreign pointers being its blocks.
    unsafe { (next(block).free)(block) };
}

/// # Safety
/// `block` is not ours.
pub(crate) unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: as in `free`.
    unsafe { (next(block).realloc)(block, size) }
}

/// # Safety
/// `block` is not ours.
pub(crate) unsafe fn usable_size(block: *mut u8) -> usize {
    // SAFETY: as in `free`.
    unsafe { (next(block).usable_size)(block) }
}
