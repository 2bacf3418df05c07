//! `run --counters` on a computer with and without hardware counters.

use serde_json::Value;

use crate::command::arenabench;

const HARDWARE: [&str; 5] =
    ["instructions", "cycles", "llc_misses", "dtlb_misses", "branch_misses"];

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

#[test]
fn what_is_not_counted_is_left_out_and_said() {
    let folder = crate::command::folder();
    let ended = arenabench(&format!(
        "run -s system -s null -w int-churn:1k --operations 20000 --rounds 1 --counters --no-verify \
         --no-memcheck --format json -q -o {}",
        folder.path().join("out").display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    let counted = of_kind(&records, "counters");
    assert_eq!(counted.len(), 6);
    let unmeasured = of_kind(&records, "unmeasured");
    let is_said = unmeasured.iter().any(|one| one["measure"] == "counters");
    let has_any = counted.iter().any(|one| HARDWARE.iter().any(|key| one.get(key).is_some()));
    assert_ne!(is_said, has_any, "either counted or said to be missing");
    for one in counted {
        assert_eq!(one["status"], "ok", "{one}");
        for key in HARDWARE {
            // A region of 20,000 calls has instructions and cycles, if it has the keys.
            assert!(!matches!(key, "instructions" | "cycles") || one[key] != 0, "{one}");
        }
    }
    let doctor = arenabench("doctor");
    let line = doctor.stdout.lines().find(|line| line.contains("counters")).unwrap();
    assert_eq!(line.contains("note"), is_said, "{line}");
}
