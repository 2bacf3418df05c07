//! What Valgrind reports is counted, by kind and operation, and is a result.

use serde_json::Value;

use crate::command::{arenabench, control_subject, have};

fn memcheck(arguments: &str) -> Vec<Value> {
    let ended = arenabench(&format!("memcheck {arguments} --format json -q"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

#[test]
fn header_reading_presets_are_reported_and_the_radix_tree_is_not() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck(
        "-w dict-resize -s system -s mimalloc -s pymalloc-2.3 -s pymalloc-3.9 -s pymalloc-3.11",
    );
    assert_eq!(records.len(), 5);
    for record in records {
        assert_eq!(record["status"], "ok", "{record}");
        let errors = record["errors"].as_u64().unwrap();
        let by_kind = record["errors_by_kind"].as_object();
        if record["ownership"].as_str().is_some_and(|name| name.starts_with("arena-index")) {
            assert!(errors >= 1000, "{record}");
            for kind in ["UninitCondition", "UninitValue", "InvalidRead"] {
                assert!(by_kind.unwrap().contains_key(kind), "{kind}: {record}");
            }
            assert!(record["errors_by_operation"]["free"].as_u64().unwrap() > 0, "{record}");
        } else {
            assert_eq!(errors, 0, "{record}");
        }
    }
}

#[test]
fn errors_of_realloc_are_told_from_errors_of_free() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck("-w frame-push-pop@2.3 -s pymalloc-2.3 --operations 60k");
    let by_operation = &records[0]["errors_by_operation"];
    assert!(by_operation["realloc"].as_u64().unwrap() > 0, "{by_operation}");
    assert!(by_operation["free"].as_u64().unwrap() > 0, "{by_operation}");
}

#[test]
fn a_subject_that_cannot_run_there_is_unsupported_and_no_failure() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck("-w int-churn:1k -s snmalloc --operations 1k");
    assert_eq!(records[0]["status"], "unsupported");
    assert!(records[0]["errors"].is_null());
}

#[test]
fn a_preloaded_subject_is_not_replaced_by_memchecks_own_malloc() {
    if !have("valgrind") {
        return;
    }
    let subject = control_subject("slow");
    let records = memcheck(&format!("-w int-churn:1k {subject} --operations 1k"));
    assert_eq!(records[0]["status"], "ok", "{}", records[0]);
}

#[test]
fn without_valgrind_the_command_says_what_to_install() {
    let ended = crate::command::ended(
        crate::command::command("memcheck -w int-churn -s system").env("PATH", "/nowhere"),
    );
    assert_eq!(ended.code, 3);
    assert!(ended.error().contains("install"), "{}", ended.stderr);
}
