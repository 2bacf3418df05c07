//! Memory over the life of a program reaches the page, its charts and the Markdown summary.

use crate::synthetic;
use reports::record::{Packing, Status};
use reports::results::Results;
use reports::summary::Summary;

fn page(results: &Results) -> String {
    let folder = tempfile::tempdir().expect("a folder for the report");
    let files = reports::write_report(results, folder.path()).expect("a report");
    std::fs::read_to_string(&files[0]).expect("its page")
}

fn results() -> Results {
    let mut results = synthetic::run(3, 4, 1, 1);
    results.memories.push(synthetic::memory("system", 1.5));
    results.memories.push(synthetic::memory("mimalloc", 1.2));
    results.packings.push(synthetic::packing());
    results
}

#[test]
fn the_page_draws_used_against_live_the_packing_and_the_heap() {
    let page = page(&results());
    assert!(page.contains("Memory over time: int-churn"));
    assert!(page.contains("best packing found"));
    assert!(page.contains("Heap map: system on int-churn"));
    // 80,000 of 400,000 requested bytes.
    assert!(page.contains("20"), "waste in blocks");
    assert!(page.contains("8,000 lifetimes") || page.contains("8000 lifetimes"));
}

#[test]
fn least_used_memory_comes_first_and_figures_that_move_say_so() {
    let mut results = results();
    results.memories[0].repeats = Some(false);
    let text = reports::markdown(&results, &Summary::of(&results), None);
    let section = text.split("### Memory over the life of a program").nth(1).unwrap();
    let section = section.split("###").next().unwrap();
    let rows: Vec<_> = section.lines().filter(|line| line.contains("int-churn")).collect();
    assert!(rows[0].contains("mimalloc") && rows[0].contains("| yes |"), "{section}");
    assert!(rows[1].contains("system") && rows[1].contains("| no |"), "{section}");
    assert!(rows[1].contains("| 1.50 | 1.50 | 1.50 | 1.50 |"), "{section}");
}

#[test]
fn failed_cells_and_workloads_too_large_to_pack_are_named() {
    let mut results = results();
    let failed = &mut results.memories[1];
    (failed.status, failed.series, failed.fragmentation) = (Status::Oom, Vec::new(), None);
    results.packings[0] = Packing {
        message: Some("not measured: too many".to_owned()),
        packed_bytes: None,
        ..synthetic::packing()
    };
    let page = page(&results);
    assert!(page.contains("Best packing: not measured: too many."));
    let section = page.split("id=\"life\"").nth(1).unwrap();
    assert!(section.split("</section>").next().unwrap().contains("oom"));
}

#[test]
fn without_memory_over_time_there_is_no_section() {
    assert!(!page(&synthetic::run(3, 2, 1, 1)).contains("Memory over the life"));
}
