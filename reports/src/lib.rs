//! Result records and everything drawn from them: statistics, charts, pages.
//!
//! This crate runs nothing: it reads records and writes files.

pub mod quantity;
pub mod record;
pub mod results;
pub mod statistics;
pub mod summary;
