//! Times of single calls reach the page, its charts and the Markdown summary.

use crate::synthetic;
use reports::record::{Cause, Status};
use reports::results::Results;
use reports::summary::Summary;

fn page(results: &Results) -> String {
    let folder = tempfile::tempdir().expect("a folder for the report");
    let files = reports::write_report(results, folder.path()).expect("a report");
    std::fs::read_to_string(&files[0]).expect("its page")
}

fn results() -> Results {
    let mut results = synthetic::run(3, 2, 1, 1);
    for round in 0..3 {
        // The second round of the system's malloc is disturbed.
        let p50 = if round == 1 { 4_000.0 } else { 40.0 };
        results.tails.push(synthetic::tails("system", "int-churn", round, p50));
        results.tails.push(synthetic::tails("mimalloc", "int-churn", round, 4.0));
    }
    results
}

#[test]
fn the_page_names_percentiles_causes_and_what_lies_below_the_timer() {
    let page = page(&results());
    assert!(page.contains("Times of single calls: int-churn"));
    // 40 ns times 300, the median over rounds: the disturbed round does not move it.
    assert!(page.contains("12.0 µs"), "p99.99 of system");
    assert!(page.contains("&lt; 10.0 ns"), "the median of mimalloc is below the resolution");
    assert!(page.contains("64.0 KiB mapped, 1 page fault"));
}

/// One workload's slowest calls say little of an allocator; and a subject that was not timed on all of
/// them would be compared by others' workloads.
#[test]
fn several_workloads_have_geometric_means_of_those_that_were_timed_on_each() {
    let mut results = synthetic::run(3, 2, 1, 1);
    for (subject, load, p50) in [
        ("system", "dict-resize", 100.0),
        ("system", "int-churn", 400.0),
        ("mimalloc", "dict-resize", 20.0),
        ("mimalloc", "int-churn", 5.0),
        ("jemalloc", "int-churn", 1.0),
    ] {
        results.tails.push(synthetic::tails(subject, load, 0, p50));
    }
    let page = page(&results);
    let section = page.split("<section id=\"tails\">").nth(1).unwrap();
    // In the order of the workloads, not in that of measuring.
    let place = |load: &str| section.find(&format!("<h3>{load}</h3>")).unwrap();
    assert!(place("int-churn") < place("dict-resize"));
    let means = section.split("The slowest call").next().unwrap();
    // 100 and 400 are 200; 20 and 10, which the clock can tell from none, are 14.1.
    assert!(means.contains("200 ns") && means.contains("14.1 ns"), "{means}");
    assert!(!means.contains("jemalloc"), "{means}");
    assert!(means.find("mimalloc") < means.find("system"), "the fastest first: {means}");
    // What counts as the shortest that the clock can tell is not said to be a time.
    assert!(means.contains("up to 14.1 ns") && !means.contains("up to 200 ns"), "{means}");
    let said = "One call in a hundred takes longer than 50.0 ns (mimalloc) to 1.00 µs (system).";
    assert!(page.contains(said), "{}", page.split("</header>").next().unwrap());
}

/// A page that leaves out the long tables still says which call was the slowest, and why.
#[test]
fn the_slowest_call_that_was_slow_twice_is_named_for_each_subject() {
    let mut results = synthetic::run(3, 2, 1, 1);
    for (load, p50) in [("dict-resize", 100.0), ("int-churn", 400.0)] {
        results.tails.push(synthetic::tails("system", load, 0, p50));
        let mut disturbed = synthetic::tails("mimalloc", load, 0, 1000.0 * p50);
        for call in &mut disturbed.worst {
            call.cause = Some(Cause::NotRepeated);
        }
        results.tails.push(disturbed);
    }
    let page = page(&results);
    let table = page.split("The slowest call of each subject").nth(2).unwrap();
    let table = table.split("</table>").next().unwrap();
    assert!(table.contains("int-churn") && !table.contains("dict-resize"), "{table}");
    assert!(table.contains("1.60 ms") && table.contains("1.20 ms"), "{table}");
    assert!(table.contains("64.0 KiB mapped, 1 page fault"), "{table}");
    assert!(!table.contains("mimalloc"), "not slow again: {table}");
}

/// Half of the longest call of one disturbed round would be no time that any call took.
#[test]
fn of_two_rounds_the_lower_time_stands_and_not_the_mean() {
    let mut results = results();
    results.tails.retain(|one| one.round < 2);
    let text = reports::markdown(&results, &Summary::of(&results), None);
    let section = text.split("### Times of single calls").nth(1).unwrap();
    let row = section.lines().find(|line| line.contains("| system |")).unwrap();
    // p99.99 of the round that was not disturbed; neither that of the other, nor the mean.
    assert!(row.contains("12.0 µs"), "{row}");
    assert!(!row.contains("1.20 ms") && !row.contains("606 µs"), "{row}");
}

#[test]
fn a_subject_whose_calls_could_not_be_timed_has_no_percentiles() {
    let mut results = results();
    for record in results.tails.iter_mut().filter(|one| one.subject == "mimalloc") {
        (record.status, record.rows) = (Status::Timeout, Vec::new());
    }
    let text = reports::markdown(&results, &Summary::of(&results), None);
    let section = text.split("### Times of single calls").nth(1).unwrap();
    let section = section.split("###").next().unwrap();
    assert!(section.contains("| system |") && !section.contains("mimalloc"), "{section}");
    assert!(page(&results).contains("timeout"));
}

#[test]
fn without_timed_calls_there_is_no_section() {
    let results = synthetic::run(3, 2, 1, 1);
    assert!(!page(&results).contains("Times of single calls"));
}

/// A run of hours has so many tables that a browser on a phone would give up; the records have it all.
#[test]
fn a_page_beyond_three_mebibytes_leaves_the_longest_tables_to_the_records() {
    let details = "By operation, and the slowest calls</summary>";
    assert!(page(&results()).contains(details));
    let mut long = synthetic::run(3, 2, 1, 1);
    for workload in 0..60 {
        for subject in 0..60 {
            let (subject, workload) = (format!("subject-{subject}"), format!("load-{workload}"));
            long.tails.push(synthetic::tails(&subject, &workload, 0, 40.0));
        }
    }
    let page = page(&long);
    assert!(!page.contains(details) && page.contains("would make the page too"));
    assert!(page.contains("Times of single calls: load-59"), "charts and percentiles stay");
}
