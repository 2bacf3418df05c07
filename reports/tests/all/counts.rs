//! Counted instructions reach the page and the Markdown summary, per pair and above the replay's own.

use crate::synthetic;
use reports::record::{Call, Status};
use reports::results::Results;
use reports::summary::Summary;

fn results() -> Results {
    let mut results = synthetic::run(3, 2, 1, 1);
    results.counts.push(synthetic::counts("system", Call::C, 17_000_000));
    results.counts.push(synthetic::counts("null", Call::None, 3_300_000));
    results
}

fn section(results: &Results) -> String {
    let text = reports::markdown(results, &Summary::of(results), None);
    let section = text.split("### Instructions and cache misses").nth(1).unwrap_or_default();
    section.split("###").next().unwrap_or_default().to_owned()
}

#[test]
fn instructions_are_per_pair_and_above_those_of_null() {
    let section = section(&results());
    let line = section.lines().find(|line| line.contains("| system |")).unwrap();
    let cells: Vec<_> = line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells, ["int-churn", "system", "170", "137", "0.200", "300", "40.0", "17", "412"]);
}

#[test]
fn without_null_nothing_is_subtracted_and_a_failed_cell_has_no_figures() {
    let mut results = results();
    let null = results.counts.pop().unwrap();
    results.counts.push(reports::record::Counts { status: Status::Timeout, ..null });
    let section = section(&results);
    assert!(section.contains("| 170 |  | 0.200 |"), "{section}");
    assert!(!section.contains("| null |"), "{section}");
}
