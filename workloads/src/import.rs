//! Logs of live programs, turned into events.
//!
//! An importer maps addresses to dense ids, puts calls in order, and makes up nothing but the free
//! of a block whose address is handed out again; what it leaves out or puts in is counted in
//! [`crate::trace::Losses`].

pub mod raw_log;
