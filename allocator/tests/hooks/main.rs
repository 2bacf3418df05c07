//! The debug hooks.
//!
//! | file | asks |
//! |---|---|
//! | `layout.rs` | is what stands around a block, fills and lists it what the era says? |
//! | `model.rs` | do random operations keep contents and fills? |
//! | `reports.rs` | does each kind of damage end the process, with exactly its report? |

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this binary is tests")]

#[path = "../all/random.rs"]
mod random;

mod layout;
mod model;
mod reports;
