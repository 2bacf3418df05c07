//! The C interface of Arenite.
//!
//! ```text
//! preload libraries        malloc, free, ...  under C's own names       export!
//! libarenite.a             arenite_malloc, ...                          export!, examples/arenite.rs
//! Rust programs            arenite_malloc, ... as Rust paths            prefixed.rs
//!        \ all of them
//! door                     what C promises: errno, null, overflow       door.rs
//! heap                     what a door needs of a heap                  heap.rs
//! ```
//! A door has one set of functions, generic over the heap behind it. They hold to the C library's
//! manual pages; `aligned_alloc` refuses an alignment that is no power of two, as POSIX asks.
//! `include/arenite.h` says so to C compilers.
//!
//! This crate exports no symbol by itself: features unify and crates are linked into all kinds of
//! programs, so who wants C symbols says so with [`export!`], in a package of its own.
#![no_std]

pub mod door;
mod errno;
mod export;
mod heap;
mod prefixed;

pub use errno::{abort, keeping_errno, or_enomem};
pub use heap::Heap;
pub use prefixed::{
    arenite_aligned_alloc, arenite_calloc, arenite_free, arenite_free_aligned_sized,
    arenite_free_sized, arenite_malloc, arenite_malloc_good_size, arenite_malloc_usable_size,
    arenite_memalign, arenite_owns, arenite_posix_memalign, arenite_purge, arenite_pvalloc,
    arenite_realloc, arenite_reallocarray, arenite_valloc,
};

pub use arenite::{Arenite, AreniteChecked};
