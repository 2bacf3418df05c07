//! Tests of what is drawn and said of records, in one binary: every link of plotters takes a while.
//!
//! `synthetic/` holds records of runs that never took place, for all of them.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "tests may fail")]

mod browser;
mod check;
mod ci_formats;
mod compare;
mod contest;
mod counts;
mod fidelity;
mod findings;
mod life;
mod ownership;
mod programs;
mod report;
mod results_file;
mod schema;
mod statistics;
mod summary;
mod synthetic;
mod tails;
mod valgrind_notes;
mod weather;
