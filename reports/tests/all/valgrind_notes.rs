//! The notes on arena allocators under Valgrind: every figure is one of the records, and a part
//! without records is left out.

use crate::synthetic;
use std::fs;

use reports::record::Finding;
use reports::results::Results;
use reports::write_report;

/// The notes of a report, where there are any.
fn notes(results: &Results) -> Option<String> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    write_report(results, dir.path()).expect("a report");
    fs::read_to_string(dir.path().join("valgrind.md")).ok()
}

fn run() -> Results {
    synthetic::run(4, 2, 2, 3)
}

#[test]
fn a_run_without_memcheck_has_no_notes() {
    assert_eq!(notes(&synthetic::without_memcheck(run())), None);
}

#[test]
fn errors_are_those_of_the_records() {
    let mut results = run();
    let first = results.memchecks[0].clone();
    results.memchecks.truncate(1);
    results.memchecks[0].errors = Some(123_457);
    results.memchecks[0].errors_by_kind = [("InvalidRead".to_owned(), 123_457)].into();
    let text = notes(&results).expect("notes");
    assert!(text.contains("123,457") && text.contains("InvalidRead 123,457"), "{text}");
    assert!(text.contains(&first.subject), "{text}");
    results.memchecks[0].errors = Some(3);
    results.memchecks[0].errors_by_kind = [("InvalidRead".to_owned(), 3)].into();
    assert!(!notes(&results).expect("notes").contains("123,457"), "a figure that is no record's");
}

#[test]
fn seeded_bugs_have_their_part_only_where_they_ran() {
    let mut results = run();
    assert!(!notes(&results).expect("notes").contains("What the silence hides"));
    results.detections = vec![
        synthetic::detection("double-free", "malloc+memcheck", Finding::Caught),
        synthetic::detection("double-free", "arenite+memcheck-unaided", Finding::Missed),
    ];
    let text = notes(&results).expect("notes");
    assert!(text.contains("What the silence hides"), "{text}");
    assert!(text.contains("| arenite+memcheck-unaided | 0 | 1 | 0 | 0 |"), "{text}");
}
