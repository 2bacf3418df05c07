//! Reads memcheck's XML: which errors, how often, and from which operation.
//!
//! Valgrind writes each distinct error once, with its stack, and the number of occurrences of every
//! error at the end; an error's `unique` number connects the two.

use std::collections::{BTreeMap, HashMap};

use quick_xml::Reader;
use quick_xml::events::Event;

/// What memcheck found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Occurrences of all errors, leaks left out.
    pub(crate) errors: u64,
    /// Occurrences that a suppression silenced.
    pub(crate) suppressed: u64,
    /// Distinct errors.
    pub(crate) contexts: u64,
    /// Occurrences by kind.
    pub(crate) by_kind: BTreeMap<String, u64>,
    /// Occurrences by the operation they came from.
    pub(crate) by_operation: BTreeMap<String, u64>,
}

/// Why a file is not a memcheck report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XmlError {
    /// Not XML, at this byte.
    #[error("byte {offset}: {error}")]
    Syntax { offset: u64, error: quick_xml::Error },
    /// XML, but cut off: the run did not come to its end.
    #[error("the report is cut off after byte {offset}")]
    Truncated { offset: u64 },
    /// A number that is none.
    #[error("byte {offset}: `{text}` is not a number")]
    Number { offset: u64, text: String },
}

/// One distinct error.
#[derive(Default)]
struct Context {
    unique: String,
    kind: String,
    /// Functions from the innermost frame outwards, of the first stack.
    functions: Vec<String>,
    stacks: u32,
}

/// Parses a report.
///
/// # Errors
/// When `text` is not a complete report.
pub(crate) fn parse(text: &str) -> Result<Report, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut contexts: HashMap<String, Context> = HashMap::new();
    let mut context = Context::default();
    let mut pair = (String::new(), 0);
    let mut report = Report::default();
    let mut complete = false;
    loop {
        let offset = reader.buffer_position();
        let event = reader.read_event().map_err(|error| XmlError::Syntax { offset, error })?;
        match event {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                match (path.len(), name.as_str()) {
                    (1, "error") => context = Context::default(),
                    (2, "stack") => context.stacks += 1,
                    _ => {}
                }
                path.push(name);
            }
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                match (path.last().map(String::as_str), name.as_str()) {
                    (Some("valgrindoutput"), "error") => {
                        let ended = std::mem::take(&mut context);
                        contexts.insert(ended.unique.clone(), ended);
                    }
                    (Some("errorcounts"), "pair") => {
                        let (unique, count) = std::mem::take(&mut pair);
                        report.add(contexts.get(&unique), count);
                    }
                    (Some("suppcounts"), "pair") => {
                        report.suppressed += std::mem::take(&mut pair).1;
                    }
                    (None, "valgrindoutput") => complete = true,
                    _ => {}
                }
            }
            Event::Text(bytes) => {
                let value = <_ as AsRef<str>>::as_ref(&bytes).trim().to_owned();
                let at: Vec<_> = path.iter().skip(1).map(String::as_str).collect();
                match at.as_slice() {
                    ["error", "unique"] => context.unique = value,
                    ["error", "kind"] => context.kind = value,
                    ["error", "stack", "frame", "fn"] if context.stacks == 1 => {
                        context.functions.push(value);
                    }
                    ["errorcounts", "pair", "unique"] => pair.0 = value,
                    ["errorcounts" | "suppcounts", "pair", "count"] => {
                        pair.1 = value
                            .parse()
                            .map_err(|_| XmlError::Number { offset, text: value.clone() })?;
                    }
                    _ => {}
                }
            }
            Event::Eof if complete => return Ok(report),
            Event::Eof => return Err(XmlError::Truncated { offset }),
            _ => {}
        }
    }
}

impl Report {
    fn add(&mut self, context: Option<&Context>, count: u64) {
        let Some(context) = context else { return };
        if context.kind.starts_with("Leak_") {
            return;
        }
        self.errors += count;
        self.contexts += 1;
        *self.by_kind.entry(context.kind.clone()).or_default() += count;
        *self.by_operation.entry(operation(&context.functions).to_owned()).or_default() += count;
    }
}

/// The operation whose call the frames belong to: from the program's side inwards, the first frame
/// whose name is an allocator's function.
fn operation(functions: &[String]) -> &'static str {
    functions.iter().rev().find_map(|function| by_name(function)).unwrap_or("other")
}

fn by_name(function: &str) -> Option<&'static str> {
    let path = function.split(['<', '(']).next().unwrap_or(function);
    let name = path.rsplit("::").next().unwrap_or(path);
    // The replay loop's own functions are named like the calls they make.
    if path.contains("replay::") {
        return None;
    }
    if name.contains("realloc") {
        Some("realloc")
    } else if name.contains("calloc") {
        Some("calloc")
    } else if name.contains("free") || name.contains("dealloc") {
        Some("free")
    } else if name.contains("alloc") || name.contains("memalign") {
        Some("malloc")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(unique: &str, kind: &str, functions: &[&str]) -> String {
        let frames: String = functions
            .iter()
            .map(|function| format!("<frame><ip>0x1</ip><fn>{function}</fn></frame>"))
            .collect();
        format!(
            "<error><unique>{unique}</unique><kind>{kind}</kind><what>x</what>\
             <stack>{frames}</stack><auxwhat>y</auxwhat>\
             <stack><frame><fn>malloc</fn></frame></stack></error>"
        )
    }

    fn pair(unique: &str, count: u64) -> String {
        format!("<pair><count>{count}</count><unique>{unique}</unique></pair>")
    }

    fn document(body: &str) -> String {
        format!("<?xml version=\"1.0\"?>\n<valgrindoutput>{body}</valgrindoutput>\n")
    }

    #[test]
    fn occurrences_are_summed_by_kind_and_operation_and_leaks_left_out() {
        let body = [
            error("0x0", "UninitCondition", &["owns", "preset_free", "bench::replay::run"]),
            error("0x1", "InvalidRead", &["owns", "preset_realloc", "bench::replay::realloc"]),
            error("0x2", "Leak_DefinitelyLost", &["malloc", "main"]),
            format!(
                "<errorcounts>{}{}{}</errorcounts>",
                pair("0x0", 40),
                pair("0x1", 2),
                pair("0x2", 9)
            ),
            "<suppcounts><pair><count>5</count><name>s</name></pair></suppcounts>".to_owned(),
        ]
        .concat();
        let report = parse(&document(&body)).unwrap();
        assert_eq!((report.errors, report.contexts, report.suppressed), (42, 2, 5));
        assert_eq!(report.by_kind["UninitCondition"], 40);
        assert_eq!(report.by_operation["free"], 40);
        assert_eq!(report.by_operation["realloc"], 2);
    }

    #[test]
    fn only_the_first_stack_decides_the_operation() {
        let body = error("0x0", "InvalidRead", &["somewhere", "main"])
            + &format!("<errorcounts>{}</errorcounts>", pair("0x0", 1));
        assert_eq!(parse(&document(&body)).unwrap().by_operation["other"], 1);
    }

    #[test]
    fn a_report_that_was_cut_off_is_an_error_and_not_zero_errors() {
        let whole = document("<errorcounts></errorcounts>");
        assert_eq!(parse(&whole).unwrap(), Report::default());
        for len in 0..whole.len() - "</valgrindoutput>\n".len() {
            assert!(parse(&whole[..len]).is_err(), "{len}");
        }
    }
}
