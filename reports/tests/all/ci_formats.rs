//! What CI servers and benchmark trackers read, read back.

use std::collections::BTreeMap;

use crate::synthetic::{self, run};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use reports::record::Status;
use reports::summary::Summary;
use reports::{bencher_metric_format, benchmark_action, junit};

/// An element of the XML: its name, its attributes, and the text in it.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = quick_xml::escape::unescape(&attribute.value).unwrap();
        (attribute.key.as_ref().to_owned(), value.into_owned())
    });
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: attributes.collect(),
        text: String::new(),
    }
}

/// Every element in the order of the file; the document is well-formed or the test fails.
fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    let mut found: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => found.push(element(&start)),
            Event::Text(text) => {
                let last = found.last_mut();
                last.into_iter().for_each(|last| last.text += &text);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn named<'a>(found: &'a [Element], name: &str) -> Vec<&'a Element> {
    found.iter().filter(|one| one.name == name).collect()
}

#[test]
fn every_cell_is_a_case_and_every_failed_one_a_failure_with_its_message() {
    let results = run(8, 4, 3, 1);
    let found = elements(&junit(&results));
    let failures = named(&found, "failure");
    // snmalloc on the recorded program and pymalloc-2.3 on dict-resize.
    assert_eq!(failures.len(), 2);
    let words: Vec<_> = failures.iter().map(|one| one.attributes["type"].as_str()).collect();
    assert_eq!(words, ["signal", "mismatch"]);
    assert_eq!(failures[1].attributes["message"], "operation 81,204: block overlaps a live block");
    assert!(failures[1].text.contains("overlaps"));
    let cases = named(&found, "testcase");
    assert_eq!(cases.len(), 8 * 4 + results.memchecks.len());
    let root = &named(&found, "testsuites")[0].attributes;
    assert_eq!((root["tests"].as_str(), root["failures"].as_str()), ("64", "2"));
    let suites = named(&found, "testsuite");
    let sum: usize =
        suites.iter().map(|one| one.attributes["tests"].parse::<usize>().unwrap()).sum();
    assert_eq!(sum, cases.len());
    // snmalloc cannot run under Valgrind: once per workload.
    assert_eq!(named(&found, "skipped").len(), 4);
    assert!(found.iter().any(|one| one.name == "system-out" && one.text.contains("errors 27100")));
}

#[test]
fn a_failed_verification_and_a_failed_memcheck_are_failures() {
    let mut results = run(2, 1, 2, 1);
    let mut verified = synthetic::sample("system", "int-churn", 0, 1.0);
    verified.verified = true;
    results.samples.push(synthetic::failed(verified, Status::Mismatch, "a < b & \"c\"\u{1}"));
    results.memchecks[0].status = Status::Timeout;
    results.memchecks[0].message = Some("ran past 120 s".to_owned());
    let found = elements(&junit(&results));
    let messages: Vec<_> =
        named(&found, "failure").iter().map(|one| one.attributes["message"].clone()).collect();
    assert_eq!(messages, ["a < b & \"c\" ", "ran past 120 s"]);
}

#[test]
fn a_good_run_has_no_failure() {
    let found = elements(&junit(&run(2, 2, 2, 1)));
    assert!(named(&found, "failure").is_empty() && !named(&found, "testcase").is_empty());
}

#[test]
fn the_metric_format_holds_medians_and_intervals_of_the_summary() {
    let results = run(8, 4, 5, 1);
    let parsed: serde_json::Value =
        serde_json::from_str(&bencher_metric_format(&results).to_string()).unwrap();
    let summary = Summary::of(&results);
    for row in &summary.rows {
        let benchmark = &parsed[format!("{}/{}", row.setting.workload, row.subject)];
        if row.failure.is_some() {
            assert!(benchmark.get("ns_per_pair").is_none(), "{benchmark}");
            continue;
        }
        let (figure, time) = (&benchmark["ns_per_pair"], row.time.unwrap());
        let interval = time.interval.unwrap();
        assert_eq!(figure["value"], time.value);
        assert_eq!(figure["lower_value"], interval.low);
        assert_eq!(figure["upper_value"], interval.high);
        assert_eq!(benchmark["rss_peak_bytes"]["value"], row.rss_peak_bytes.unwrap());
    }
    assert_eq!(parsed["int-churn/pymalloc-2.3"]["memcheck_errors"]["value"], 27_100.0);
}

#[test]
fn the_action_gets_names_units_values_and_ranges() {
    let mut results = run(2, 1, 5, 1);
    results.programs.push(synthetic::program("nbody", "system", 0, 1_000_000_000));
    let parsed: serde_json::Value =
        serde_json::from_str(&benchmark_action(&results).to_string()).unwrap();
    let entries = parsed.as_array().unwrap();
    let named = |name: &str| entries.iter().find(|one| one["name"] == name).unwrap();
    let time = named("int-churn/mimalloc ns_per_pair");
    assert_eq!(time["unit"], "ns/pair");
    assert!(time["value"].as_f64().unwrap() > 0.0);
    assert!(time["range"].as_str().unwrap().starts_with("± "));
    assert!(time["extra"].as_str().unwrap().contains("5 rounds"));
    assert_eq!(named("nbody/system wall_ns")["value"], 1e9);
    assert!(entries.iter().all(|one| one["value"].is_number() && one["unit"].is_string()));
}
