//! Reads memcheck's XML: which errors, how often and from where, which suppressions, which leaks.
//!
//! Valgrind writes each distinct error once, with its stack, and the number of occurrences of every
//! error at the end; an error's `unique` number connects the two. A leak is written like an error,
//! with the bytes and blocks that were lost.

use std::collections::{BTreeMap, HashMap};

use quick_xml::Reader;
use quick_xml::events::Event;
use reports::record::{Leak, Place};

/// Most distinct errors that are kept one by one; the sums hold all of them.
const MOST_PLACES: usize = 1000;
/// Most functions that are kept of an error.
const MOST_FRAMES: usize = 8;

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
    /// Occurrences by the name of the suppression that silenced them.
    pub(crate) by_suppression: BTreeMap<String, u64>,
    /// Lost and left blocks by kind.
    pub(crate) leaks: BTreeMap<String, Leak>,
    /// Distinct errors, most frequent first.
    pub(crate) places: Vec<Place>,
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
    leak: Leak,
}

/// One frame as far as it was read.
#[derive(Default)]
struct Frame {
    function: Option<String>,
    object: Option<String>,
}

impl Frame {
    /// The function, or a question mark and the file that it is in.
    fn name(self) -> String {
        self.function.unwrap_or_else(|| {
            let object = self.object.unwrap_or_default();
            format!("? {}", object.rsplit('/').next().unwrap_or_default()).trim_end().to_owned()
        })
    }
}

/// Parses a report; `operation` names the operation under way from an error's functions.
///
/// # Errors
/// When `text` is not a complete report.
pub(crate) fn parse(
    text: &str,
    operation: fn(&[String]) -> &'static str,
) -> Result<Report, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut contexts: HashMap<String, Context> = HashMap::new();
    let mut context = Context::default();
    let mut frame = Frame::default();
    let mut pair = (String::new(), 0);
    let mut report = Report::default();
    let mut text_here = String::new();
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
                text_here.clear();
            }
            Event::End(_) => {
                let value = text_here.trim().to_owned();
                text_here.clear();
                let number = |text: &str| {
                    text.parse().map_err(|_| XmlError::Number { offset, text: text.to_owned() })
                };
                let at: Vec<_> = path.iter().skip(1).map(String::as_str).collect();
                match at.as_slice() {
                    ["error", "unique"] => context.unique = value,
                    ["error", "kind"] => context.kind = value,
                    ["error", "stack", "frame", "fn"] => frame.function = Some(value),
                    ["error", "stack", "frame", "obj"] => frame.object = Some(value),
                    ["error", "xwhat", "leakedbytes"] => context.leak.bytes = number(&value)?,
                    ["error", "xwhat", "leakedblocks"] => context.leak.blocks = number(&value)?,
                    ["errorcounts", "pair", "unique"] | ["suppcounts", "pair", "name"] => {
                        pair.0 = value;
                    }
                    ["errorcounts" | "suppcounts", "pair", "count"] => pair.1 = number(&value)?,
                    _ => {}
                }
                let name = path.pop().unwrap_or_default();
                match (path.last().map(String::as_str), name.as_str()) {
                    (Some("valgrindoutput"), "error") => {
                        let ended = std::mem::take(&mut context);
                        if ended.kind.starts_with("Leak_") {
                            let sum = report.leaks.entry(ended.kind.clone()).or_default();
                            sum.bytes += ended.leak.bytes;
                            sum.blocks += ended.leak.blocks;
                        }
                        contexts.insert(ended.unique.clone(), ended);
                    }
                    (Some("errorcounts"), "pair") => {
                        let (unique, count) = std::mem::take(&mut pair);
                        report.add(contexts.get(&unique), count, operation);
                    }
                    (Some("suppcounts"), "pair") => {
                        let (name, count) = std::mem::take(&mut pair);
                        report.suppressed += count;
                        *report.by_suppression.entry(name).or_default() += count;
                    }
                    (Some("stack"), "frame") => {
                        let ended = std::mem::take(&mut frame);
                        if context.stacks == 1 {
                            context.functions.push(ended.name());
                        }
                    }
                    (None, "valgrindoutput") => {
                        report.places.sort_by_key(|place| std::cmp::Reverse(place.count));
                        report.places.truncate(MOST_PLACES);
                        complete = true;
                    }
                    _ => {}
                }
            }
            Event::Text(bytes) => text_here.push_str(bytes.as_ref()),
            // `&lt;` and its like come apart from the text around them.
            Event::GeneralRef(name) => text_here.push_str(meaning(name.as_ref())),
            Event::Eof if complete => return Ok(report),
            Event::Eof => return Err(XmlError::Truncated { offset }),
            _ => {}
        }
    }
}

/// The character that an entity stands for; Valgrind uses those that XML itself defines.
fn meaning(entity: &str) -> &'static str {
    match entity {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => "?",
    }
}

impl Report {
    fn add(
        &mut self,
        context: Option<&Context>,
        count: u64,
        operation: fn(&[String]) -> &'static str,
    ) {
        let Some(context) = context else { return };
        if context.kind.starts_with("Leak_") {
            return;
        }
        let operation = operation(&context.functions).to_owned();
        self.errors += count;
        self.contexts += 1;
        *self.by_kind.entry(context.kind.clone()).or_default() += count;
        *self.by_operation.entry(operation.clone()).or_default() += count;
        self.places.push(Place {
            kind: context.kind.clone(),
            count,
            operation,
            frames: context.functions.iter().take(MOST_FRAMES).cloned().collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::of_replay;
    use super::*;

    fn parse(text: &str) -> Result<Report, XmlError> {
        super::parse(text, of_replay)
    }

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
        assert_eq!(report.by_suppression["s"], 5);
        let place = &report.places[0];
        assert_eq!((place.kind.as_str(), place.count), ("UninitCondition", 40));
        assert_eq!(place.frames, ["owns", "preset_free", "bench::replay::run"]);
    }

    #[test]
    fn leaks_are_summed_by_kind_in_bytes_and_blocks() {
        let leak = |unique: &str, bytes: u64| {
            format!(
                "<error><unique>{unique}</unique><kind>Leak_DefinitelyLost</kind><xwhat>\
                 <text>x</text><leakedbytes>{bytes}</leakedbytes><leakedblocks>2</leakedblocks>\
                 </xwhat><stack><frame><fn>malloc</fn></frame></stack></error>"
            )
        };
        let counts = format!("<errorcounts>{}{}</errorcounts>", pair("0x1", 1), pair("0x2", 1));
        let body = [leak("0x1", 30), leak("0x2", 12), counts].concat();
        let report = parse(&document(&body)).unwrap();
        assert_eq!(report.leaks["Leak_DefinitelyLost"], Leak { bytes: 42, blocks: 4 });
        assert_eq!((report.errors, report.places.len()), (0, 0));
    }

    #[test]
    fn angle_brackets_in_a_name_are_part_of_it() {
        let body = error("0x0", "InvalidRead", &["free&lt;A, B&gt;", "main"])
            + &format!("<errorcounts>{}</errorcounts>", pair("0x0", 1));
        assert_eq!(parse(&document(&body)).unwrap().places[0].frames, ["free<A, B>", "main"]);
    }

    #[test]
    fn a_frame_without_a_function_goes_by_its_file() {
        let frame = "<frame><ip>0x1</ip><obj>/lib/libx.so</obj></frame>";
        let body = format!(
            "<error><unique>0x0</unique><kind>InvalidRead</kind><stack>{frame}</stack></error>\
             <errorcounts>{}</errorcounts>",
            pair("0x0", 1)
        );
        assert_eq!(parse(&document(&body)).unwrap().places[0].frames, ["? libx.so"]);
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
