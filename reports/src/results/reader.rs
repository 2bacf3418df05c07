//! The reading side: a whole file into [`Results`], or one error with path and line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{ReadError, Results};
use crate::record::{Host, Record, SCHEMA};

impl Results {
    /// Reads a results file.
    ///
    /// Unknown keys and unknown kinds of the same major schema are skipped. A last line without a
    /// newline that is no JSON is the torn end of a run that was killed: it is left out and its
    /// number kept in [`torn_line`](Results::torn_line).
    ///
    /// # Errors
    /// [`ReadError::Io`] when the file is missing or unreadable. [`ReadError::Data`] when it is
    /// empty, is not JSON Lines, is of another major schema, does not begin with a host record or has
    /// two of them, lacks a required key, or describes one subject or workload in two ways.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let bytes =
            fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Self::parse(&bytes, path)
    }

    /// Reads the contents of a results file; `path` is what errors name.
    ///
    /// # Errors
    /// [`ReadError::Data`], see [`Results::read`].
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, ReadError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(ReadError::data(
                path,
                1,
                "the file is empty; a results file begins with a host record",
            ));
        }
        let mut results: Option<Self> = None;
        let mut lines = bytes.split(|&byte| byte == b'\n').enumerate().peekable();
        while let Some((index, text)) = lines.next() {
            let number = index + 1;
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let fail = |reason: String| ReadError::data(path, number, reason);
            let value = match serde_json::from_slice::<Value>(text) {
                Ok(value) => value,
                // What follows the last newline is the last line; it ends the loop by itself.
                Err(_) if lines.peek().is_none() && results.is_some() => {
                    if let Some(results) = results.as_mut() {
                        results.torn_line = Some(number);
                    }
                    continue;
                }
                Err(error) => return Err(fail(format!("not a JSON record: {}", describe(&error)))),
            };
            match (decode(value).map_err(fail)?, results.as_mut()) {
                (Some(Record::Host(host)), None) => results = Some(Self::new(host)),
                (_, None) => {
                    return Err(fail("the first record is not a host record".to_owned()));
                }
                (Some(record), Some(results)) => results.put(record).map_err(fail)?,
                (None, Some(results)) => results.unknown_kinds += 1,
            }
        }
        results.ok_or_else(|| ReadError::data(path, 1, "the file holds no record"))
    }

    /// Adds a record of any kind but host (I1), refusing what contradicts another (I4).
    fn put(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Host(Host { .. }) => return Err("a second host record".to_owned()),
            Record::Subject(subject) => {
                match self.subjects.iter().find(|known| known.subject == subject.subject) {
                    None => self.subjects.push(subject),
                    Some(known) if *known == subject => {}
                    Some(_) => return Err(contradiction("subject", &subject.subject)),
                }
            }
            Record::Workload(workload) => {
                match self.workloads.iter().find(|known| known.workload == workload.workload) {
                    None => self.workloads.push(workload),
                    Some(known) if *known == workload => {}
                    Some(_) => return Err(contradiction("workload", &workload.workload)),
                }
            }
            Record::Recording(recording) => self.recordings.push(recording),
            Record::Sample(sample) => self.samples.push(sample),
            Record::Memcheck(memcheck) => self.memchecks.push(memcheck),
            Record::Program(program) => self.programs.push(program),
            Record::Contract(contract) => self.contracts.push(contract),
            Record::Ownership(ownership) => self.ownerships.push(ownership),
            Record::Detection(detection) => self.detections.push(detection),
            Record::Tails(tails) => self.tails.push(tails),
            Record::Counts(counts) => self.counts.push(counts),
            Record::Counters(counters) => self.counters.push(counters),
            Record::Footprint(footprint) => self.footprints.push(footprint),
            Record::Memory(memory) => self.memories.push(memory),
            Record::Packing(packing) => self.packings.push(packing),
            // A run that is gone on with finds the same things missing.
            Record::Unmeasured(unmeasured) => {
                if !self.unmeasured.contains(&unmeasured) {
                    self.unmeasured.push(unmeasured);
                }
            }
            Record::End(end) => self.ends.push(end),
        }
        Ok(())
    }
}

/// Turns one JSON value into a record; `None` for a kind this version does not know.
fn decode(value: Value) -> Result<Option<Record>, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if !value.is_object() {
        return Err("not a JSON object".to_owned());
    }
    let schema = text("schema").ok_or("the record has no `schema`")?;
    if !is_same_major(&schema) {
        return Err(format!("schema `{schema}` cannot be read, only `{SCHEMA}` can"));
    }
    let kind = text("kind").ok_or("the record has no `kind`")?;
    if !Record::KINDS.contains(&kind.as_str()) {
        return Ok(None);
    }
    serde_json::from_value(value)
        .map(Some)
        .map_err(|error| format!("bad `{kind}` record: {}", describe(&error)))
}

/// Whether `schema` is [`SCHEMA`], or a later minor version of it (`name/1.2`).
fn is_same_major(schema: &str) -> bool {
    schema.strip_prefix(SCHEMA).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn contradiction(what: &str, name: &str) -> String {
    format!("{what} `{name}` is described a second time, and differently")
}

/// The error without the line number, which would be counted from the start of the record.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    match error.column() {
        0 => message.to_owned(),
        column => format!("{message} at column {column}"),
    }
}
