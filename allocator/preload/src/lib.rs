//! `libarenite.so`: Arenite in the place of the C library's malloc, for whole programs.
//!
//! ```text
//! LD_PRELOAD=/path/libarenite.so program
//! ```
//! Exports glibc's replacement list and the functions of `arenite.h`. Needs nothing but the C
//! library; its thread-local storage is a few words in the initial-exec model, so that no call
//! depends on anything that might call malloc. C++'s `operator new` comes through malloc.
#![cfg_attr(panic = "abort", no_std)]

arenite_capi::panic_handler!();
arenite_capi::export!(arenite_capi::Arenite, libc);
