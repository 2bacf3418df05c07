//! libarenite.a: the functions that `arenite.h` declares, for C programs that link them.
#![cfg_attr(panic = "abort", no_std)]

arenite_capi::panic_handler!();
arenite_capi::export!(arenite_capi::Arenite, prefixed);
