//! Memory over time repeats, and what is wrong with a control's shows.

use serde_json::Value;

use crate::command::{arenabench, control_subject};

/// The records of memory of subjects on a short run of int-churn.
fn memories(subjects: &str) -> Vec<Value> {
    let folder = crate::command::folder();
    let ended = arenabench(&format!(
        "run {subjects} -w int-churn:1k --operations 50k --rounds 1 --memory --no-memcheck --no-verify \
         -o {} --format json -q",
        folder.path().display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kinds = ["memory", "packing"];
    ended
        .records()
        .into_iter()
        .filter(|one| kinds.contains(&one["kind"].as_str().unwrap()))
        .collect()
}

fn of<'a>(records: &'a [Value], subject: &str) -> &'a Value {
    records.iter().find(|record| record["subject"] == subject).unwrap()
}

/// Used bytes so many milliseconds after everything was freed.
fn left(record: &Value, ms: u64) -> u64 {
    let drained = record["drained"].as_array().unwrap();
    drained.iter().find(|one| one[0] == ms).unwrap()[1].as_u64().unwrap()
}

#[test]
fn memory_of_arenite_presets_and_glibc_is_the_same_in_two_runs() {
    let subjects = "-s system -s arenite -s pymalloc-3.11 -s null";
    let (one, other) = (memories(subjects), memories(subjects));
    for subject in ["system", "arenite", "pymalloc-3.11"] {
        let (first, second) = (of(&one, subject), of(&other, subject));
        assert_eq!(first["repeats"], true, "{subject}");
        for key in ["series", "used_peak_bytes", "fragmentation", "waste", "map"] {
            assert_eq!(first[key], second[key], "{subject}: {key}");
        }
        assert_eq!(left(first, 0), left(second, 0), "{subject}");
        let peak = |key: &str| first[key].as_u64().unwrap();
        assert!(peak("used_peak_bytes") > peak("live_peak_bytes") / 2, "{first}");
        assert!(first["series"].as_array().unwrap().len() > 200);
        let pages = &first["map"]["pages_by_fill"];
        let pages: u64 = pages.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).sum();
        // Of a block only the header is touched, so that large ones are not resident whole.
        assert!(pages * 4096 >= peak("live_peak_bytes") / 2, "{subject}: {pages} pages");
    }
    assert_eq!(of(&one, "null")["status"], "unsupported");
    let packing = one.iter().find(|one| one["kind"] == "packing").unwrap();
    let bytes = |key: &str| packing[key].as_u64().unwrap();
    assert!(bytes("packed_bytes") >= bytes("bound_bytes"), "{packing}");
    assert!(bytes("bound_bytes") >= of(&one, "system")["live_peak_bytes"].as_u64().unwrap());
}

#[test]
fn a_leaking_subject_keeps_memory_after_the_drain_and_is_the_more_fragmented() {
    let records = memories(&format!("-s system {}", control_subject("leaking")));
    let (leaking, system) = (of(&records, "leaking"), of(&records, "system"));
    for ms in [0, 100, 1_000, 5_000] {
        let (kept, usual) = (left(leaking, ms), left(system, ms));
        assert!(kept as f64 > 1.3 * usual as f64, "after {ms} ms: {kept} against {usual}");
    }
    let of_peaks = |record: &Value| record["fragmentation"][3].as_f64().unwrap();
    assert!(of_peaks(leaking) > 1.2 * of_peaks(system), "{records:?}");
}

#[test]
fn a_subject_whose_memory_moves_between_processes_is_flagged() {
    let records = memories(&format!("-s system {}", control_subject("wavering")));
    assert_eq!(of(&records, "wavering")["repeats"], false);
    assert_eq!(of(&records, "system")["repeats"], true);
}
