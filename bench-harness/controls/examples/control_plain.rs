//! A control that does nothing wrong: glibc's malloc behind the same door as the others.
//!
//! It is what the other controls are compared with where a check sets one library against another,
//! and, against itself, what such a check must find nothing wrong with.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export};

struct Plain;

impl Allocator for Plain {}

export!(Plain);
