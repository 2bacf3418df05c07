//! The ownership lab: what its records hold, that wrong answers are found, what it cannot do.

use crate::command::{arenabench, folder, have};

/// The least that can be measured, in one round.
const TINY: &str = "ownership --pattern random --rounds 1 --no-in-place --format json -q";

#[test]
fn a_strategy_is_measured_in_every_share_of_misses_and_both_metrics() {
    let ended =
        arenabench(&format!("{TINY} -s radix-tree -s arenite -a 1 -a 40 --no-instructions"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 2 * 2 * 5 * 2);
    for record in records {
        assert_eq!(record["kind"], "ownership");
        assert_eq!(record["status"], "ok");
        assert_eq!(record["pattern"], "random");
        assert!(record["ns_per_query"].as_f64().unwrap() > 0.0);
        assert!(record["ns_per_query_floor"].as_f64().unwrap() > 0.0);
        assert!(record.get("instructions_per_query").is_none(), "not counted, so left out");
    }
}

#[test]
fn a_strategy_that_lies_is_a_mismatch_and_carries_no_time() {
    let ended = arenabench(&format!("{TINY} -s lying -a 10 --no-instructions"));
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 1, "a cell that failed is not taken again");
    assert_eq!(records[0]["status"], "mismatch");
    assert!(records[0].get("ns_per_query").is_none());
}

#[test]
fn made_up_arenas_are_unsupported_where_the_queried_memory_is_read() {
    let ended = arenabench(&format!("{TINY} -s arena-index -a 100k --no-instructions"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records[0]["status"], "unsupported");
    assert_eq!(records[0]["made_up"], true);
    assert!(records[0]["message"].as_str().unwrap().contains("reads the memory"));
}

#[test]
fn instructions_are_counted_apart_from_times() {
    if !have("valgrind") {
        return;
    }
    let ended = arenabench(&format!("{TINY} -s radix-tree -a 2"));
    let records = ended.records();
    let counted: Vec<_> =
        records.iter().filter(|one| one.get("instructions_per_query").is_some()).collect();
    assert_eq!(counted.len(), 10, "{}", ended.stderr);
    for record in counted {
        let test = record["instructions_per_query"].as_f64().unwrap();
        assert!(test > record["instructions_per_query_floor"].as_f64().unwrap(), "{record}");
        assert!(record.get("ns_per_query").is_none(), "under callgrind there are no times");
    }
}

#[test]
fn the_report_has_a_chart_for_hits_and_misses_and_an_unknown_strategy_is_bad_usage() {
    let folder = folder();
    let output = folder.path().display();
    let arguments = "ownership -s radix-tree -a 1 -a 20 --pattern random --rounds 2 --no-in-place";
    let ended = arenabench(&format!("{arguments} --no-instructions -q -o {output}"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let charts = std::fs::read_dir(folder.path().join("charts")).unwrap().count();
    assert_eq!(charts, 4, "throughput and latency, hits and misses");
    assert_eq!(arenabench("ownership -s no-such-strategy").code, 2);
}
