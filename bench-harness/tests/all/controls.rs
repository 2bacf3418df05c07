//! Each planted bad allocator is caught by the check that should catch it, and by name.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::command::{arenabench, command, control, control_subject, ended};

fn only(records: &[Value]) -> &Value {
    assert_eq!(records.len(), 1, "{records:?}");
    &records[0]
}

fn verify(control: &str, workload: &str) -> (i32, Value) {
    let subject = control_subject(control);
    let ended = arenabench(&format!(
        "replay {workload} {subject} --verify --operations 200k --timeout 20s --format json -q"
    ));
    (ended.code, only(&ended.records()).clone())
}

#[test]
fn the_forwarding_library_itself_is_no_fault() {
    // The controls share their way to the C library; a control that does nothing must pass.
    let (code, record) = verify("leaking", "int-churn");
    assert_eq!((code, &record["status"]), (0, &Value::from("ok")), "{record}");
}

#[test]
fn overlapping_blocks_fail_verification() {
    let (code, record) = verify("overlapping", "int-churn");
    assert_eq!((code, &record["status"]), (1, &Value::from("mismatch")), "{record}");
    assert!(record["message"].as_str().unwrap().contains("inside the live block"), "{record}");
}

#[test]
fn misaligned_blocks_fail_verification() {
    let (code, record) = verify("misaligned", "int-churn");
    assert_eq!((code, &record["status"]), (1, &Value::from("mismatch")), "{record}");
    assert!(record["message"].as_str().unwrap().contains("not aligned"), "{record}");
}

#[test]
fn calloc_that_does_not_zero_fails_verification() {
    let (code, record) = verify("dirty", "cpython-3.11-day");
    assert_eq!((code, &record["status"]), (1, &Value::from("mismatch")), "{record}");
    assert!(record["message"].as_str().unwrap().contains("is not zero"), "{record}");
}

#[test]
fn realloc_that_loses_contents_fails_verification() {
    let (code, record) = verify("forgetful", "cpython-3.11-day");
    assert_eq!((code, &record["status"]), (1, &Value::from("mismatch")), "{record}");
    assert!(record["message"].as_str().unwrap().contains("has changed"), "{record}");
}

#[test]
fn a_slow_subject_is_reported_slower() {
    let subject = control_subject("slow");
    // Other tests run beside this one: a noisy moment may leave it undecided, but never faster.
    let verdict = || {
        let folder = crate::command::folder();
        let out = folder.path().display();
        let ended = arenabench(&format!(
            "run -s system {subject} -w int-churn --operations 300k --rounds 9 --no-memcheck \
             --no-verify -o {out} --format csv -q"
        ));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let row = ended.stdout.lines().find(|line| line.contains(",slow,")).unwrap();
        assert!(!row.contains("faster"), "{row}");
        let records = fs::read_to_string(folder.path().join("results.jsonl")).unwrap();
        let calm = |subject: &str| {
            let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let calm = records.filter(|one| {
                one["subject"] == subject && one["calm_share"].as_f64().is_some_and(|it| it >= 0.95)
            });
            calm.filter_map(|one| one["round"].as_u64()).collect::<BTreeSet<_>>()
        };
        let calm = calm("slow").intersection(&calm("system")).count();
        (row.contains("slower"), calm)
    };
    let mut found: Vec<(bool, usize)> = Vec::new();
    while found.len() < 4 && found.last().is_none_or(|(is_slower, _)| !is_slower) {
        found.push(verdict());
    }
    if found.iter().all(|(_, calm)| *calm < 4) {
        return eprintln!("SKIPPED: no four rounds were calm, and fewer decide little");
    }
    assert!(found.iter().any(|(is_slower, _)| *is_slower), "undecided: {found:?}");
}

/// Would catch samples of one subject that all load the same file: its place would be taken for the
/// library's speed.
#[test]
fn a_library_whose_file_lies_badly_is_not_called_slow() {
    let folder = crate::command::folder();
    let (good, bad) = (control("misplaced"), folder.path().join("bad.so"));
    fs::copy(&good, &bad).unwrap();
    let mut line = command(&format!(
        "run -s good={} -s bad={} -w int-churn:1k --operations 20k --rounds 3 --tails --no-memcheck \
         --no-verify -o {} --format json -q",
        good.display(),
        bad.display(),
        folder.path().join("run").display()
    ));
    let inode = bad.metadata().unwrap().ino().to_string();
    let ended = ended(line.env("ARENABENCH_CONTROL_INODE", inode));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    let least = |subject: &str| {
        let of_subject = records.iter().filter(|record| record["subject"] == subject);
        of_subject.filter_map(|record| record["ns_per_pair"].as_f64()).fold(f64::MAX, f64::min)
    };
    assert!(least("bad") < 5.0 * least("good"), "{} and {}", least("bad"), least("good"));
    let tails: Vec<Value> =
        records.iter().filter(|record| record["kind"] == "tails").cloned().collect();
    let [bad, good] = ["bad", "good"].map(|subject| percentile(&tails, subject, "p50_ns"));
    assert!(bad < 5.0 * good.max(50.0), "{bad} and {good}");
}

/// Records of single calls' times of `system` and a control, in three rounds.
fn timed_calls(control: &str) -> Vec<Value> {
    let subject = control_subject(control);
    let folder = crate::command::folder();
    let out = folder.path().display();
    let ended = arenabench(&format!(
        "run -s system {subject} -w int-churn --operations 300k --rounds 1 --tails --no-memcheck \
         --no-verify -o {out} --format json -q"
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records().into_iter().filter(|record| record["kind"] == "tails").collect()
}

/// The median over rounds of a percentile of all calls.
fn percentile(records: &[Value], subject: &str, key: &str) -> f64 {
    let of_subject = records.iter().filter(|record| record["subject"] == subject);
    let mut found: Vec<_> =
        of_subject.map(|record| record["rows"][0][key].as_f64().unwrap()).collect();
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}

/// What keeps these records from showing that one malloc of `stalling` in 2,500 is slow.
fn what_hides_a_rare_slow_call(records: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let both = |key| ["stalling", "system"].map(|name| percentile(records, name, key));
    for key in ["p50_ns", "p90_ns", "p99_ns", "p999_ns"] {
        let [stalling, system] = both(key);
        if stalling >= 4.0 * system.max(50.0) {
            found.push(format!("{key}: {stalling} against {system}"));
        }
    }
    let [stalling, system] = both("p9999_ns");
    if stalling <= 30_000.0 || stalling <= 5.0 * system {
        found.push(format!("p9999_ns: {stalling} against {system}"));
    }
    let stalling = records.iter().filter(|record| record["subject"] == "stalling");
    let worst: Vec<&Value> =
        stalling.flat_map(|record| record["worst"].as_array().unwrap()).collect();
    // It does so again when it is looked at.
    let own: Vec<_> = worst.iter().filter(|one| one["cause"] == "own-work").collect();
    if 2 * own.len() <= worst.len() || own.iter().any(|one| one["operation"] != "malloc") {
        found.push(format!("{worst:?}"));
    }
    found
}

/// What runs beside this test interrupts calls of both subjects, and some a second time when they are looked
/// at: three tries.
#[test]
fn a_rare_slow_call_shows_in_the_highest_percentile_and_in_no_lower_one() {
    let mut hidden = Vec::new();
    while hidden.len() < 3 {
        hidden.push(what_hides_a_rare_slow_call(&timed_calls("stalling")));
        if hidden[hidden.len() - 1].is_empty() {
            return;
        }
    }
    panic!("{hidden:?}");
}

#[test]
fn a_leaking_subject_shows_in_its_resident_memory() {
    let subject = control_subject("leaking");
    let ended = arenabench(&format!(
        "replay int-churn -s system {subject} --operations 400k --rounds 3 --format json -q"
    ));
    let of = |name: &str| {
        let all = ended.records();
        let mut sizes: Vec<_> = all
            .iter()
            .filter(|record| record["subject"] == name)
            .map(|record| record["rss_peak_bytes"].as_u64().unwrap())
            .collect();
        sizes.sort_unstable();
        sizes[sizes.len() / 2]
    };
    let (leaking, system) = (of("leaking"), of("system"));
    assert!(leaking as f64 > 1.3 * system as f64, "{leaking} against {system}");
}

#[test]
fn children_that_crash_hang_exit_or_print_garbage_are_told_apart() {
    for (control, status) in [
        ("crashing", "signal"),
        ("hanging", "timeout"),
        ("exiting", "exit"),
        ("garbage", "exit"),
        ("unloaded", "not-loaded"),
    ] {
        let subject = control_subject(control);
        let timeout = if control == "hanging" { "2s" } else { "60s" };
        let ended = arenabench(&format!(
            "replay int-churn {subject} --operations 50k --timeout {timeout} --rounds 1 \
             --format json -q"
        ));
        assert_eq!(ended.code, 3, "{control}: {}", ended.stderr);
        for record in ended.records() {
            assert_eq!(record["status"], status, "{control}: {record}");
            assert!(record["wall_ns"].is_null(), "a void sample carries no time: {record}");
        }
    }
}

#[test]
fn a_library_that_does_not_exist_is_not_loaded_and_never_a_glibc_figure() {
    let ended =
        arenabench("replay int-churn -s ghost=/nowhere/libghost.so --rounds 1 --format json -q");
    assert_eq!(ended.code, 3);
    for record in ended.records() {
        assert_eq!(record["status"], "not-loaded", "{record}");
        assert!(record["wall_ns"].is_null());
    }
}

#[test]
fn a_failed_cell_spoils_no_other_and_leaves_every_finished_sample() {
    let folder = crate::command::folder();
    let out = folder.path();
    let subject = control_subject("crashing");
    let ended = arenabench(&format!(
        "run -s system {subject} -w int-churn -w dict-resize --operations 50k --rounds 3 \
         --no-memcheck -o {} --format csv -q",
        out.display()
    ));
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    let good = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["kind"] == "sample" && record["subject"] == "system")
        .inspect(|record| assert_eq!(record["status"], "ok", "{record}"))
        .count();
    // One verified, three measured and three for the floor, on two workloads, at least.
    assert!(good >= 14, "{good}");
    assert!(out.join("index.html").exists());
}
