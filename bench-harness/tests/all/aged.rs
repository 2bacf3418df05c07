//! Workloads on a heap that another one has aged: the past is really played, it is no part of what is
//! measured, and what is wrong with a past is said.

use std::fs;

use serde_json::Value;
use workloads::trace::{Meta, Writer};

use crate::command::{arenabench, control_subject, folder};
use crate::threads::timed_trace;

/// Records of `int-churn:1k` on three subjects.
fn run(more: &str) -> Vec<Value> {
    let folder = folder();
    let ended = arenabench(&format!(
        "run -s system -s arenite -s bump -w int-churn:1k --operations 50k --rounds 1 --no-memcheck \
         {more} -o {} --format json -q",
        folder.path().display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

fn peak(records: &[Value], subject: &str) -> u64 {
    let is_it = |one: &&Value| {
        one["kind"] == "sample"
            && one["subject"] == subject
            && one["workload"] != "dict-resize"
            && one["rss_peak_bytes"].is_u64()
    };
    records.iter().find(is_it).unwrap()["rss_peak_bytes"].as_u64().unwrap()
}

fn workload<'a>(records: &'a [Value], name: &str) -> &'a Value {
    let is_it = |one: &&Value| one["kind"] == "workload" && one["workload"] == name;
    records.iter().find(is_it).unwrap_or_else(|| panic!("no workload {name}"))
}

/// An allocator that never uses a byte twice holds all that the past has asked for; one that does
/// holds more than a young heap and less than that.
#[test]
fn a_past_is_played_before_the_region_and_what_survives_of_it_stays() {
    let (young, aged) = (run("-w dict-resize"), run("--aged dict-resize"));
    let (before, past) = (workload(&young, "int-churn:1k"), workload(&young, "dict-resize"));
    let after = workload(&aged, "int-churn:1k+aged-by-dict-resize");
    assert_eq!(after["aged_by"], "dict-resize");
    assert!(before.get("aged_by").is_none(), "{before}");
    assert_eq!(before["operations"], after["operations"], "the past is no part of the region");
    let live = |one: &Value| one["live_peak_bytes"].as_u64().unwrap();
    // Every second block survives, chosen at random: some half of the past's bytes.
    let survive = live(after) - live(before);
    assert!(survive > live(past) / 3 && survive < live(past) * 2 / 3, "{survive}: {past}");
    for subject in ["system", "arenite"] {
        let (young, old) = (peak(&young, subject), peak(&aged, subject));
        assert!(old > young, "{subject}: what survives is there: {young} and {old}");
        assert!(old < peak(&aged, "bump"), "{subject}: {old}, holes are used again");
    }
}

#[test]
fn an_aged_workload_is_verified_like_any_other() {
    let replay = |subject: &str| {
        arenabench(&format!(
            "replay int-churn:1k --operations 20k --aged frame-push-pop {subject} --verify -q"
        ))
    };
    let good = replay("-s system -s arenite -s pymalloc-3.11");
    assert_eq!(good.code, 0, "{}", good.stderr);
    let bad = replay(&control_subject("overlapping"));
    assert_eq!(bad.code, 1, "{}{}", bad.stdout, bad.stderr);
}

#[test]
fn what_is_wrong_with_a_past_is_said_with_its_name_and_the_right_code() {
    let folder = folder();
    let of = |past: &str| {
        let ended = arenabench(&format!("replay int-churn:1k -s system --aged {past}"));
        (ended.code, ended.error().to_owned())
    };
    let (code, said) = of("python-here");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("python-here"), "{said}");
    let (code, said) = of("no-such.trace");
    assert_eq!(code, 74, "{said}");
    assert!(said.contains("no-such.trace"), "{said}");
    let bad = folder.path().join("bad.trace");
    fs::write(&bad, "this is no trace\n").unwrap();
    let (code, said) = of(&bad.display().to_string());
    assert_eq!(code, 65, "{said}");
    assert!(said.contains("bad.trace"), "{said}");
    let idle = folder.path().join("idle.trace");
    Writer::create(&idle, &Meta::default()).unwrap().finish().unwrap();
    let (code, said) = of(&idle.display().to_string());
    assert_eq!(code, 65, "{said}");
    assert!(said.contains("idle.trace") && said.contains("allocates nothing"), "{said}");
}

/// Calls of a past have no times: those of the workload alone decide when it goes on.
#[test]
fn a_trace_with_times_is_paced_on_an_aged_heap() {
    let folder = folder();
    let trace = folder.path().join("timed.trace");
    timed_trace(&trace, true);
    let ended = arenabench(&format!(
        "replay {} -s system --rounds 1 --aged int-churn:1k --mode paced --format json -q",
        trace.display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    let sample = records.iter().find(|one| one["kind"] == "sample").unwrap();
    assert_eq!((&sample["status"], &sample["mode"]), (&"ok".into(), &"paced".into()));
    assert!(sample["wall_ns"].as_u64().unwrap() >= 79_000_000, "{sample}");
}
