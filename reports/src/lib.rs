//! Result records and everything drawn from them: statistics, charts, pages.
//!
//! This crate runs nothing: it reads records and writes files.
//!
//! ```text
//! record      the records, one JSON object per line; the contract with the harness
//! results     writing and reading a file of them
//! statistics  medians, intervals, floors, verdicts
//! summary     figures per cell and over all workloads
//! programs    the same for runs of real programs
//! fidelity    what replays of programs predict, beside what the programs did
//! ownership   the same for ownership tests
//! detections  what the matrix of seeded bugs comes to
//! compare     two files side by side
//! check       the gate: what is worse than before, and by which rule
//! counts      instructions and misses per pair
//! counters    events counted by the processor, per pair
//! tails       times of single calls: medians over rounds
//! life        memory over the life of a program
//! findings    what was found, in sentences
//! neighbour   what a page says of the reports beside it
//! quantity    figures as text
//! chart page markdown samples_csv    what people look at
//! junit trackers    what CI servers and benchmark trackers read
//! report      all of it as files
//! ```

pub mod check;
pub mod compare;
pub mod fidelity;
pub mod findings;
pub mod ownership;
pub mod programs;
pub mod quantity;
pub mod record;
pub mod results;
pub mod statistics;
pub mod summary;
pub mod weather;

mod chart;
mod counters;
mod counts;
mod detections;
mod junit;
mod life;
mod markdown;
mod neighbour;
mod page;
mod report;
mod samples_csv;
mod tails;
mod trackers;
mod valgrind_notes;

pub use junit::junit;
pub use markdown::{MARKDOWN_LIMIT_BYTES, markdown};
pub use neighbour::Neighbour;
pub use report::{WriteError, write_file, write_report, write_report_beside};
pub use samples_csv::samples_csv;
pub use trackers::{bencher_metric_format, benchmark_action};
