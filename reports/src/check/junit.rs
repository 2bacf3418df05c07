//! A check as JUnit XML: a suite per rule, a case per ruling. What is undecided is skipped, so that a
//! CI server shows it and does not call it passed.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use super::Check;
use super::row::{Row, Ruling};

impl Check {
    /// The check as JUnit XML.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer).expect("writing to memory cannot fail");
        let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
        text.push('\n');
        text
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut rules: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !rules.contains(&row.rule.name()) {
                rules.push(row.rule.name());
            }
        }
        let all: Vec<&Row> = self.rows.iter().collect();
        totals(writer, "testsuites", "arenabench check", &all, |writer| {
            for rule in &rules {
                let rows: Vec<&Row> =
                    all.iter().copied().filter(|row| row.rule.name() == *rule).collect();
                totals(writer, "testsuite", rule, &rows, |writer| {
                    rows.iter().try_for_each(|row| case(writer, row))
                })?;
            }
            Ok(())
        })
    }
}

/// An element with the numbers of cases in it.
fn totals(
    writer: &mut Writer<Vec<u8>>,
    element: &str,
    name: &str,
    rows: &[&Row],
    inner: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<()> {
    let count = |of: fn(Ruling) -> bool| rows.iter().filter(|row| of(row.ruling)).count();
    let failures = count(is_failure).to_string();
    let skipped = count(|ruling| ruling == Ruling::Undecided).to_string();
    let tests = rows.len().to_string();
    let mut begun = writer
        .create_element(element)
        .with_attribute(("name", name))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()));
    if element == "testsuite" {
        begun = begun.with_attribute(("skipped", skipped.as_str()));
    }
    begun.write_inner_content(inner)?;
    Ok(())
}

fn is_failure(ruling: Ruling) -> bool {
    matches!(ruling, Ruling::Regression | Ruling::Failed)
}

fn case(writer: &mut Writer<Vec<u8>>, row: &Row) -> io::Result<()> {
    let part = row.part.as_ref().map(|part| format!(" ({part})")).unwrap_or_default();
    let name = format!("{}: {}{part}", row.workload, row.subject);
    let (before, after) = (row.figure(row.before), row.figure(row.after));
    let note = row.note.as_deref().unwrap_or(row.rule.why());
    let message = format!("before {before}, after {after}, {}: {note}", row.change());
    let case = writer
        .create_element("testcase")
        .with_attribute(("classname", row.rule.name()))
        .with_attribute(("name", name.as_str()));
    match row.ruling {
        Ruling::Good | Ruling::Better => case.write_empty()?,
        Ruling::Undecided => case.write_inner_content(|writer| {
            let skipped = writer.create_element("skipped");
            skipped.with_attribute(("message", message.as_str())).write_empty()?;
            Ok(())
        })?,
        Ruling::Regression | Ruling::Failed => case.write_inner_content(|writer| {
            let failure = writer.create_element("failure");
            failure
                .with_attribute(("type", row.ruling.word()))
                .with_attribute(("message", message.as_str()))
                .write_empty()?;
            Ok(())
        })?,
    };
    Ok(())
}
