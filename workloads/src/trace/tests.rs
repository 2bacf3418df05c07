//! The format as a whole: round trips here, faults and the file on disk in the files below.

mod faults;
mod files;
mod random_events;
mod round_trip;

use std::io::Cursor;

use super::{Meta, Reader, TraceError, Writer};
use crate::event::Event;
use crate::totals::Totals;

/// A trace of these events, in memory.
fn written(meta: &Meta, events: &[Event]) -> (Totals, Vec<u8>) {
    let mut writer = Writer::new(Cursor::new(Vec::new()), meta).unwrap();
    for event in events {
        writer.write(event).unwrap();
    }
    let (totals, file) = writer.finish_into().unwrap();
    (totals, file.into_inner())
}

/// All events of a trace in memory.
fn read(bytes: &[u8]) -> Result<Vec<Event>, TraceError> {
    Reader::new(bytes)?.collect()
}
