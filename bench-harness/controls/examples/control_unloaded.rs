//! A control that is no allocator: a library that loads and exports no malloc, so that glibc serves
//! the program as if nothing had been preloaded.
//!
//! Must show as `not-loaded`, and never as a figure.

#![cfg_attr(panic = "abort", no_std)]

/// Something to export.
#[unsafe(no_mangle)]
extern "C" fn arenabench_control_unloaded() {}

arenabench_controls::panic_handler!();
