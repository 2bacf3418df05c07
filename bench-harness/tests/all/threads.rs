//! Traces of several threads, replayed by as many: what is measured, what is caught, what is not had.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use workloads::event::{BlockId, Event, Op, ThreadIndex};
use workloads::trace::{Meta, Writer};

use crate::command::{arenabench, control_subject, folder};

fn replay(arguments: &str) -> (i32, Vec<Value>) {
    let ended = arenabench(&format!("replay {arguments} --format json -q"));
    (ended.code, ended.records())
}

#[test]
fn every_linked_subject_that_serves_threads_passes_verification_on_them() {
    let subjects = "-s system -s mimalloc -s jemalloc -s snmalloc -s rpmalloc -s null \
                    -s mimalloc-inline -s jemalloc-inline";
    for workload in ["larson:3:500", "producer-consumer"] {
        let (code, records) = replay(&format!("{workload} {subjects} --verify --operations 10k"));
        for record in records {
            assert_eq!(record["status"], "ok", "{record}");
            assert_eq!(record["mode"], "parallel", "{record}");
        }
        assert_eq!(code, 0);
    }
}

#[test]
fn a_parallel_sample_has_times_and_no_memory_figures_and_a_serial_one_has_both() {
    for workload in ["larson", "producer-consumer"] {
        let (_, parallel) = replay(&format!("{workload} -s system --operations 50k --rounds 1"));
        let (_, serial) =
            replay(&format!("{workload} -s system --operations 50k --rounds 1 --mode serial"));
        let (parallel, serial) = (&parallel[0], &serial[0]);
        assert_eq!((&parallel["mode"], &serial["mode"]), (&"parallel".into(), &"serial".into()));
        assert_eq!(parallel["operations"], serial["operations"], "{parallel}");
        let wall = parallel["wall_ns"].as_f64().unwrap();
        let operations = parallel["operations"].as_f64().unwrap();
        let per_pair = parallel["ns_per_pair"].as_f64().unwrap();
        assert!((per_pair - 2.0 * wall / operations).abs() < 1e-6, "{parallel}");
        let passes = |record: &Value| record["pass_wall_ns"].as_array().unwrap().len();
        // Nine are over before a quarter of a second is, unless the computer is a slow one.
        let played: u64 =
            parallel["pass_wall_ns"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
        assert!(passes(parallel) == 72 || played >= 250_000_000, "{parallel}");
        assert!(passes(serial) >= 9, "{serial}");
        for key in ["rss_peak_bytes", "live_peak_bytes", "page_faults"] {
            assert!(parallel[key].is_null() && serial[key].is_u64(), "{key}: {parallel}");
        }
    }
}

#[test]
fn subjects_that_serve_one_thread_are_unsupported_on_several_and_no_failure() {
    let subjects = "-s pymalloc-2.3 -s pymalloc-3.11 -s bump -s ideal -s ideal-inline";
    for task in ["--verify", "--rounds 2"] {
        let (code, records) = replay(&format!("larson {subjects} {task} --operations 5k"));
        assert_eq!((code, records.len()), (0, 5), "one record for each: {records:?}");
        for record in records {
            assert_eq!(record["status"], "unsupported", "{record}");
            assert!(record["message"].as_str().unwrap().contains("one thread"), "{record}");
            assert!(record["wall_ns"].is_null());
        }
    }
    // On one thread, and flattened into one, they are served in any mode.
    for arguments in ["larson --mode serial", "int-churn:1k --mode parallel"] {
        let (code, records) = replay(&format!("{arguments} {subjects} --verify --operations 5k"));
        assert!(code == 0 && records.iter().all(|record| record["status"] == "ok"), "{records:?}");
    }
}

#[test]
fn blocks_handed_to_two_threads_are_caught_on_threads_and_only_there() {
    let subject = control_subject("racing");
    let verify =
        |mode: &str| replay(&format!("larson:4 {subject} --verify --operations 100k {mode}"));
    let (code, records) = verify("");
    assert_eq!((code, &records[0]["status"]), (1, &Value::from("mismatch")), "{records:?}");
    let message = records[0]["message"].as_str().unwrap();
    assert!(message.contains("inside the live block"), "{message}");
    let (code, records) = verify("--mode serial");
    assert_eq!((code, &records[0]["status"]), (0, &Value::from("ok")), "{records:?}");
}

#[test]
fn what_goes_wrong_on_one_thread_ends_the_sample_with_its_own_status() {
    for (control, status) in [
        ("overlapping", "mismatch"),
        ("crashing", "signal"),
        ("hanging", "timeout"),
        ("exiting", "exit"),
    ] {
        let subject = control_subject(control);
        for workload in ["larson:2:500", "producer-consumer:2:500"] {
            let begin = Instant::now();
            let timeout = if control == "hanging" { "2s" } else { "15s" };
            let (code, records) = replay(&format!(
                "{workload} {subject} --operations 50k --timeout {timeout} --verify"
            ));
            assert_eq!(records[0]["status"], status, "{control}: {records:?}");
            assert_eq!(code, if status == "mismatch" { 1 } else { 3 }, "{control}");
            assert!(begin.elapsed() < Duration::from_secs(20), "{control}: no hang");
        }
    }
}

#[test]
fn a_generated_trace_of_threads_is_replayed_from_its_file_as_from_its_name() {
    let folder = folder();
    for workload in ["larson", "producer-consumer"] {
        let trace = folder.path().join(format!("{workload}.trace"));
        let made = arenabench(&format!(
            "trace generate {workload} --operations 20k -q -o {}",
            trace.display()
        ));
        assert_eq!(made.code, 0, "{}", made.stderr);
        let valid = arenabench(&format!("trace validate {}", trace.display()));
        assert_eq!(valid.code, 0, "{}", valid.stderr);
        assert!(!valid.stdout.contains("on 1 threads"), "{}", valid.stdout);
        let (code, records) = replay(&format!("{} -s system -s null --verify", trace.display()));
        assert_eq!(code, 0);
        for record in records {
            assert_eq!(record["mode"], "parallel", "{record}");
            assert_eq!(record["operations"], 20_000, "{record}");
        }
    }
}

/// A trace of two threads over 80 ms, timed or not.
pub(crate) fn timed_trace(path: &Path, timed: bool) {
    let meta = Meta { producer: "test".to_owned(), timed, ..Meta::default() };
    let mut writer = Writer::create(path, &meta).unwrap();
    for at in 0..80 {
        let block = BlockId(at / 2);
        let op = match at % 2 {
            0 => Op::Malloc { block, size: 100 },
            _ => Op::Free { block, size: None },
        };
        let thread = ThreadIndex(u32::from(at % 4 >= 2));
        writer.write(&Event { thread, op, time_ns: Some(at * 1_000_000) }).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_paced_replay_takes_the_recorded_time_and_needs_recorded_times() {
    let folder = folder();
    let path = folder.path().join("timed.trace");
    timed_trace(&path, true);
    let (code, records) =
        replay(&format!("{} -s system -s null --mode paced --rounds 1", path.display()));
    assert_eq!(code, 0);
    for record in records {
        assert_eq!((&record["status"], &record["mode"]), (&"ok".into(), &"paced".into()));
        assert!(record["wall_ns"].as_u64().unwrap() >= 79_000_000, "{record}");
        assert!(record["ns_per_pair"].is_null(), "the pace is the program's: {record}");
    }
    let untimed = folder.path().join("untimed.trace");
    timed_trace(&untimed, false);
    for workload in [untimed.to_str().unwrap(), "larson"] {
        let ended = arenabench(&format!("replay {workload} --mode paced -q"));
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.error().contains("carries no times"), "{}", ended.stderr);
    }
}

#[test]
fn a_run_takes_each_workload_in_its_own_mode_and_goes_on_in_no_other() {
    let folder = folder();
    let out = folder.path().join("out");
    let arguments = format!(
        "run -s system -s null -s pymalloc-3.11 -w int-churn:1k -w larson:2:500 \
         -w producer-consumer:2:500 --operations 10k --rounds 2 --no-memcheck -o {} -q",
        out.display()
    );
    let ended = arenabench(&arguments);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for sample in records.iter().filter(|record| record["kind"] == "sample") {
        let is_threaded = sample["workload"] != "int-churn:1k";
        assert_eq!(sample["mode"], if is_threaded { "parallel" } else { "serial" }, "{sample}");
        let has_no_threads = sample["subject"] == "pymalloc-3.11" && is_threaded;
        assert_eq!(sample["status"], if has_no_threads { "unsupported" } else { "ok" }, "{sample}");
    }
    assert!(out.join("index.html").exists());
    // Going on with all samples taken: nothing is left to do, and nothing was a failure.
    let ended = arenabench(&format!("{arguments} --resume"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let ended = arenabench(&format!("{arguments} --resume --mode serial"));
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.error().contains("mode"), "{}", ended.stderr);
}
