//! A run as JUnit XML, so that a CI server lists what failed.
//!
//! A suite per workload and way of running it, a case per subject. A failed cell is a failure with
//! its status as type and its message; what a subject cannot do, what was interrupted and what could
//! not be measured is skipped. Errors that memcheck counted are a result and no failure: the case
//! names their number. Times and memory have no place in the format: [`crate::trackers`] has them.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::record::Status;
use crate::results::Results;

/// One subject in one suite.
#[derive(Debug)]
struct Case<'a> {
    suite: String,
    subject: &'a str,
    /// The most telling end of its children: a failure before a skip before a good one.
    status: Status,
    message: Option<&'a str>,
    /// Time spent inside the children's measured regions.
    wall_ns: u64,
    /// What else a reader should know.
    output: Option<String>,
}

/// The run as JUnit XML. Every cell is a case, in the order of the file.
#[must_use]
pub fn junit(results: &Results) -> String {
    let cases = cases(results);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut writer, results, &cases).expect("writing to memory cannot fail");
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn cases(results: &Results) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for sample in &results.samples {
        let how = if sample.verified { "verified" } else { &sample.mode };
        let suite = format!("{} ({how}, touch {})", sample.workload, sample.touch);
        let end = (sample.status, sample.message.as_deref());
        add(&mut cases, suite, &sample.subject, end, sample.pass_wall_ns.iter().sum());
    }
    for run in &results.programs {
        let end = (run.status, run.message.as_deref());
        let wall_ns = run.wall_ns.unwrap_or(0);
        add(&mut cases, format!("{} (program)", run.program), &run.subject, end, wall_ns);
    }
    for memcheck in &results.memchecks {
        let suite = format!("{} (memcheck)", memcheck.workload);
        let end = (memcheck.status, memcheck.message.as_deref());
        add(&mut cases, suite, &memcheck.subject, end, 0);
        if let (Some(case), Some(errors)) = (cases.last_mut(), memcheck.errors) {
            case.output = Some(format!("errors {errors}"));
        }
    }
    for row in results.contracts.iter().filter(|one| one.row.is_none()) {
        let end = (row.status, row.message.as_deref());
        add(&mut cases, "C contract".to_owned(), &row.subject, end, 0);
    }
    for one in &results.unmeasured {
        let end = (Status::Unsupported, Some(one.reason.as_str()));
        add(&mut cases, "not measured".to_owned(), &one.measure, end, 0);
    }
    cases
}

/// Adds one child to its case, which begins with its first child.
fn add<'a>(
    cases: &mut Vec<Case<'a>>,
    suite: String,
    subject: &'a str,
    (status, message): (Status, Option<&'a str>),
    wall_ns: u64,
) {
    let known = cases.iter().position(|case| case.suite == suite && case.subject == subject);
    let Some(known) = known else {
        cases.push(Case { suite, subject, status, message, wall_ns, output: None });
        return;
    };
    let case = &mut cases[known];
    case.wall_ns += wall_ns;
    if weight(status) > weight(case.status) {
        (case.status, case.message) = (status, message);
    }
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Unsupported | Status::Interrupted => 1,
        _ => 2,
    }
}

fn write(writer: &mut Writer<Vec<u8>>, results: &Results, cases: &[Case<'_>]) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |cases: &[&Case<'_>], of: u8| {
        cases.iter().filter(|case| weight(case.status) == of).count().to_string()
    };
    let all: Vec<&Case<'_>> = cases.iter().collect();
    let mut suites: Vec<&str> = Vec::new();
    for case in cases {
        if !suites.contains(&case.suite.as_str()) {
            suites.push(&case.suite);
        }
    }
    let name = format!("arenabench {}", results.host.profile);
    let (tests, failures) = (all.len().to_string(), count(&all, 2));
    writer
        .create_element("testsuites")
        .with_attribute(("name", name.as_str()))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .write_inner_content(|writer| {
            for suite in suites {
                let own: Vec<&Case<'_>> =
                    all.iter().copied().filter(|c| c.suite == suite).collect();
                let (tests, failures) = (own.len().to_string(), count(&own, 2));
                let skipped = count(&own, 1);
                writer
                    .create_element("testsuite")
                    .with_attribute(("name", clean(suite).as_str()))
                    .with_attribute(("tests", tests.as_str()))
                    .with_attribute(("failures", failures.as_str()))
                    .with_attribute(("skipped", skipped.as_str()))
                    .write_inner_content(|writer| {
                        own.iter().try_for_each(|case| write_case(writer, case))
                    })?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, case: &Case<'_>) -> io::Result<()> {
    let message = clean(case.message.unwrap_or(case.status.meaning()));
    let seconds = format!("{:.6}", case.wall_ns as f64 / 1e9);
    writer
        .create_element("testcase")
        .with_attribute(("classname", clean(&case.suite).as_str()))
        .with_attribute(("name", clean(case.subject).as_str()))
        .with_attribute(("time", seconds.as_str()))
        .write_inner_content(|writer| {
            match weight(case.status) {
                0 => {}
                1 => {
                    let skipped = writer.create_element("skipped");
                    skipped.with_attribute(("message", message.as_str())).write_empty()?;
                }
                _ => {
                    writer
                        .create_element("failure")
                        .with_attribute(("type", case.status.word()))
                        .with_attribute(("message", message.as_str()))
                        .write_text_content(BytesText::new(&message))?;
                }
            }
            if let Some(output) = &case.output {
                let element = writer.create_element("system-out");
                element.write_text_content(BytesText::new(output))?;
            }
            Ok(())
        })?;
    Ok(())
}

/// Text without the control characters that XML 1.0 cannot hold in any spelling.
fn clean(text: &str) -> String {
    let held = |letter: char| !matches!(letter, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    text.chars().map(|letter| if held(letter) { letter } else { ' ' }).collect()
}
