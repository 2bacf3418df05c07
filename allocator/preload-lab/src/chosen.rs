//! The heap that the environment chooses, under the lock.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use arenite::Domain;
use arenite_capi::Heap;

use crate::heaps::{NAMES, Served, by_name};
use crate::lock;

unsafe extern "C" {
    fn abort() -> !;
    fn getenv(name: *const c_char) -> *const c_char;
    fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize;
}

/// What serves when the environment says nothing.
const DEFAULT: &[u8] = b"pymalloc-3.11";

/// The choice, made by the first call.
#[derive(Clone, Copy)]
struct Choice {
    heap: *mut dyn Served,
    hooked: bool,
}

struct Guarded(UnsafeCell<Option<Choice>>);

// SAFETY: reached under the lock alone.
unsafe impl Sync for Guarded {}

static CHOICE: Guarded = Guarded(UnsafeCell::new(None));

/// The value of a variable.
fn variable(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: a string that ends in zero.
    let value = unsafe { getenv(name.as_ptr()) };
    // SAFETY: null, or a string that ends in zero.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}

impl Choice {
    #[cold]
    fn make() -> Self {
        let name = variable(c"ARENITE_HEAP").unwrap_or(DEFAULT);
        let hooked = variable(c"ARENITE_HOOKS").is_some_and(|value| value == b"1");
        match by_name(name) {
            Some(heap) => Self { heap, hooked },
            None => {
                for part in
                    [b"arenite: fatal: no heap ".as_slice(), name, b"; there are ", NAMES, b"\n"]
                {
                    // SAFETY: the bytes are readable.
                    let _written = unsafe { write(2, part.as_ptr().cast(), part.len()) };
                }
                // SAFETY: no preconditions.
                unsafe { abort() }
            }
        }
    }
}

/// Lets `work` have the chosen heap, under the lock.
fn with<T>(work: impl FnOnce(&mut dyn Served, bool) -> T) -> T {
    static KNOWN_TO_FORK: AtomicBool = AtomicBool::new(false);
    // Once, and not by a call that the registration makes itself.
    if !KNOWN_TO_FORK.load(Ordering::Relaxed) && !KNOWN_TO_FORK.swap(true, Ordering::Relaxed) {
        lock::hold_around_fork();
    }
    let _held = lock::hold();
    // SAFETY: the lock is held, and no closure comes back here.
    let choice = unsafe { &mut *CHOICE.0.get() };
    let choice = *choice.get_or_insert_with(Choice::make);
    // SAFETY: as above; the heap is static.
    work(unsafe { &mut *choice.heap }, choice.hooked)
}

/// The chosen heap, by a type.
pub(crate) struct Lab;

impl Lab {
    pub(crate) fn malloc_in(domain: Domain, size: usize) -> *mut u8 {
        arenite_capi::or_enomem(with(|heap, hooked| heap.malloc(hooked, domain, size)))
    }

    pub(crate) fn calloc_in(domain: Domain, count: usize, size: usize) -> *mut u8 {
        arenite_capi::or_enomem(with(|heap, hooked| heap.calloc(hooked, domain, count, size)))
    }

    /// # Safety
    /// `block` is null or live, and dead after a result that is not null.
    pub(crate) unsafe fn realloc_in(domain: Domain, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return Self::malloc_in(domain, size);
        }
        // SAFETY: the caller's obligation.
        let resize =
            |heap: &mut dyn Served, hooked| unsafe { heap.realloc(hooked, domain, block, size) };
        arenite_capi::or_enomem(with(resize))
    }

    /// # Safety
    /// `block` is null or live, and dead afterwards.
    pub(crate) unsafe fn free_in(domain: Domain, block: *mut u8) {
        if !block.is_null() {
            // SAFETY: the caller's obligation.
            with(|heap, hooked| unsafe { heap.free(hooked, domain, block) });
        }
    }
}

// SAFETY: every heap keeps the promises of the C library's family, one call at a time.
unsafe impl Heap for Lab {
    fn malloc(size: usize) -> *mut u8 {
        Self::malloc_in(Domain::Raw, size)
    }

    fn calloc(count: usize, size: usize) -> *mut u8 {
        Self::calloc_in(Domain::Raw, count, size)
    }

    unsafe fn free(block: *mut u8) {
        // SAFETY: the caller's obligation.
        arenite_capi::keeping_errno(|| unsafe { Self::free_in(Domain::Raw, block) });
    }

    unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        unsafe { Self::realloc_in(Domain::Raw, block, size) }
    }

    fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
        with(|heap, hooked| heap.aligned_alloc(hooked, align, size))
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        if block.is_null() {
            return 0;
        }
        // SAFETY: the caller's obligation.
        with(|heap, hooked| unsafe { heap.usable_size(hooked, block) })
    }

    /// As much as was asked for, whatever the heap.
    fn good_size(size: usize) -> usize {
        size
    }

    /// Some heaps read what they are asked about: the answer is not to be had for any address, and
    /// the library does not export the function.
    fn owns(_address: *const u8) -> bool {
        false
    }

    /// Heaps give back by themselves.
    fn purge() {}
}
