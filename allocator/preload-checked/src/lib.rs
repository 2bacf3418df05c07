//! `libarenite-checked.so`: Arenite with every free checked, in the place of the C library's malloc.
//!
//! ```text
//! LD_PRELOAD=/path/libarenite-checked.so program
//! ```
//! A double free, an invalid free, a free of an interior pointer and a smashed free link end the
//! program with one line on standard error that begins with `arenite: fatal:`. Otherwise the same
//! door as `libarenite.so`.
#![cfg_attr(panic = "abort", no_std)]

arenite_capi::panic_handler!();
arenite_capi::export!(arenite_capi::AreniteChecked, libc);
