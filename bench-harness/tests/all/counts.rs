//! Instructions are counted in the measured region alone, and counts repeat.

use serde_json::Value;

use crate::command::{arenabench, control_subject, have};

/// The counts of subjects on a short run of int-churn.
fn counted(subjects: &str) -> Vec<Value> {
    let folder = crate::command::folder();
    let ended = arenabench(&format!(
        "run {subjects} -w int-churn:1k --operations 50k --rounds 1 --counts --no-memcheck --no-verify \
         -o {} --format json -q",
        folder.path().display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records().into_iter().filter(|record| record["kind"] == "counts").collect()
}

fn of<'a>(records: &'a [Value], subject: &str) -> &'a Value {
    records.iter().find(|record| record["subject"] == subject).unwrap()
}

#[test]
fn instructions_repeat_to_a_ten_thousandth() {
    if !have("valgrind") {
        return;
    }
    let subjects = "-s system -s arenite -s pymalloc-3.11";
    let (one, other) = (counted(subjects), counted(subjects));
    assert_eq!(one.len(), 3);
    for record in &one {
        let again = of(&other, record["subject"].as_str().unwrap());
        for key in ["instructions", "data_reads", "data_writes"] {
            let (first, second) = (record[key].as_f64().unwrap(), again[key].as_f64().unwrap());
            assert!((first / second - 1.0).abs() < 1e-4, "{key}: {first} and {second}: {record}");
        }
        assert_eq!(record["system_calls"], again["system_calls"], "{record}");
        assert_eq!(record["operations"], again["operations"]);
    }
}

#[test]
fn only_the_region_is_counted_and_a_planted_spin_shows_to_the_instruction() {
    if !have("valgrind") {
        return;
    }
    let records = counted(&format!("-s system -s null {}", control_subject("slow")));
    let per_call = |subject: &str| {
        let record = of(&records, subject);
        record["instructions"].as_f64().unwrap() / record["operations"].as_f64().unwrap()
    };
    // The loop takes a dozen or two a call; the base heap or the start of the process would show.
    assert!((5.0..40.0).contains(&per_call("null")), "{}", per_call("null"));
    assert_eq!(of(&records, "null")["system_calls"], 0);
    // 64 instructions more in every malloc and free, and some for the control's own calls.
    let more = per_call("slow") - per_call("system");
    assert!((64.0..110.0).contains(&more), "{more}");
}
