//! One file per command of `arenabench`, and what they share: how results are printed.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod contract;
pub(crate) mod detection;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod memcheck;
pub(crate) mod ownership;
pub(crate) mod print;
pub(crate) mod program;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod shell;
pub(crate) mod summary_rows;
pub(crate) mod trace;
pub(crate) mod trace_info;
pub(crate) mod trace_reduce;
