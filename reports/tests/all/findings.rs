//! The head of the page: what a run found, how sure that is, and what the reports beside it found.

use crate::synthetic;
use std::fs;

use reports::results::Results;
use reports::summary::Summary;
use reports::{Neighbour, markdown, write_report, write_report_beside};

fn page_of(results: &Results) -> String {
    let dir = tempfile::tempdir().unwrap();
    write_report(results, dir.path()).unwrap();
    fs::read_to_string(dir.path().join("index.html")).unwrap()
}

/// The words of the page that say what a run cannot show must be those of this run.
#[test]
fn the_page_says_what_is_measured_on_threads_and_how_small_a_difference_can_be_told() {
    let mut results = synthetic::crowd::crowd(2, 5);
    let page = page_of(&results);
    assert!(page.contains("the time and the tails are those of real threads"));
    assert!(!page.contains("nothing is said about contention"));
    assert!(page.contains(
        "How sure: the A/A floor, the most by which system may differ from itself (95 %), is up to"
    ));
    for sample in &mut results.samples {
        sample.mode = "serial".to_owned();
    }
    results.samples.retain(|sample| !sample.again);
    let page = page_of(&results);
    assert!(page.contains("nothing is said about contention"));
    assert!(!page.contains("are those of real threads") && !page.contains("How sure"));
}

/// A reader of replays must find what whole programs say, where there is such a report beside this one.
#[test]
fn reports_beside_this_one_are_linked_with_what_they_found_first() {
    let mut programs = synthetic::everything();
    programs.samples.clear();
    let other = Neighbour::of(&programs, "../programs");
    assert!(other.findings.len() <= 2 && !other.findings.is_empty(), "{other:?}");
    let dir = tempfile::tempdir().unwrap();
    write_report_beside(&synthetic::run(9, 4, 5, 3), dir.path(), std::slice::from_ref(&other))
        .unwrap();
    let page = fs::read_to_string(dir.path().join("index.html")).unwrap();
    let text = fs::read_to_string(dir.path().join("report.md")).unwrap();
    assert!(page.contains("<a href=\"../programs/index.html\">"), "{page:.4000}");
    assert!(text.contains("](../programs/report.md): "), "{text:.2000}");
    for finding in &other.findings {
        assert!(page.contains(finding) && text.contains(finding), "{finding}");
    }
    let alone = page_of(&synthetic::run(9, 4, 5, 3));
    assert!(!alone.contains("Beside this report"));
}

/// From 1.01 to 1.01 is no finding.
#[test]
fn memory_that_is_alike_for_all_is_said_once_and_heaps_are_named_with_their_size() {
    let mut results = synthetic::run(9, 4, 5, 3);
    let memory = |results: &Results| {
        let text = markdown(results, &Summary::of(results), None);
        text.lines().find(|line| line.starts_with("* Peak resident memory")).unwrap().to_owned()
    };
    let said = memory(&results);
    assert!(said.contains("from ") && said.contains(" alive at the peak"), "{said}");
    for one in &mut results.samples {
        one.rss_peak_bytes = one.live_peak_bytes.map(|live| live * 5 / 4);
    }
    let said = memory(&results);
    assert!(said.contains("1.25 for each") && !said.contains("from "), "{said}");
}
