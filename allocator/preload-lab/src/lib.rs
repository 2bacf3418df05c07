//! `libarenite_lab.so`: any heap of arenite in the place of the C library's malloc, for whole programs.
//!
//! ```text
//! ARENITE_HEAP=classic-radix-tree LD_PRELOAD=/path/libarenite_lab.so program
//! ```
//! | variable | default | does |
//! |---|---|---|
//! | `ARENITE_HEAP` | `pymalloc-3.11` | which heap serves (`heaps.rs` has the list) |
//! | `ARENITE_HOOKS` | 0 | 1: with CPython's debug hooks around it |
//! | `ARENITE_VALGRIND` | 1 | 0: memcheck is not told of blocks |
//!
//! One lock around everything stands for CPython's: this library is for questions, not for speed.
//! What a classic heap does not serve comes from glibc's own malloc. Heaps that align to 8 bytes, as
//! before CPython 3.7, are not among the choices: programs rely on 16.
//!
//! Besides malloc and its family the library exports `arenite_domain_malloc`, `_calloc`, `_realloc` and
//! `_free`, which take a domain as CPython's memory calls have them, 'r', 'm' or 'o', in front; under
//! debug hooks a block must be freed in the domain it was asked from. Everything else is of 'r'.
#![cfg_attr(panic = "abort", no_std)]

mod chosen;
mod heaps;
mod lock;

use core::ffi::{c_int, c_void};

use arenite::Domain;
use chosen::Lab;

arenite_capi::panic_handler!();
arenite_capi::functions! {
    Lab, #[unsafe(no_mangle)],
    malloc calloc free realloc reallocarray aligned_alloc posix_memalign memalign valloc
    pvalloc malloc_usable_size free_sized free_aligned_sized
}

/// The domain of a letter; whatever is none is taken for 'r'.
fn domain(letter: c_int) -> Domain {
    match u8::try_from(letter) {
        Ok(b'm') => Domain::Mem,
        Ok(b'o') => Domain::Object,
        _ => Domain::Raw,
    }
}

/// `malloc` in a domain.
#[unsafe(no_mangle)]
pub extern "C" fn arenite_domain_malloc(letter: c_int, size: usize) -> *mut c_void {
    Lab::malloc_in(domain(letter), size).cast()
}

/// `calloc` in a domain.
#[unsafe(no_mangle)]
pub extern "C" fn arenite_domain_calloc(letter: c_int, count: usize, size: usize) -> *mut c_void {
    Lab::calloc_in(domain(letter), count, size).cast()
}

/// `realloc` in a domain, which never takes 0 for a free.
///
/// # Safety
/// `block` is null or live, and dead after a result that is not null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arenite_domain_realloc(
    letter: c_int,
    block: *mut c_void,
    size: usize,
) -> *mut c_void {
    // SAFETY: the caller's obligation.
    unsafe { Lab::realloc_in(domain(letter), block.cast(), size) }.cast()
}

/// `free` in a domain.
///
/// # Safety
/// `block` is null or live, and dead afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arenite_domain_free(letter: c_int, block: *mut c_void) {
    // SAFETY: the caller's obligation.
    unsafe { Lab::free_in(domain(letter), block.cast()) };
}
