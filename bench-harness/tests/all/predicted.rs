//! `program --fidelity`: programs are recorded and replayed, and what the replay predicts stands
//! beside what the program did.

use serde_json::Value;

use crate::command::{arenabench, command, control_subject, ended, folder, have};

fn records(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path.join("results.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

/// The planted allocator is slow on every call: a replay that did not tell so would be worth nothing.
#[test]
fn a_slow_allocator_is_predicted_slow_and_is_slow() {
    if !have("python3") {
        return;
    }
    let folder = folder();
    let out = folder.path().join("out");
    let arguments = format!(
        "program --suite python -p json_documents -p sort_records --amount 2 --rounds 3 --fidelity \
         -s system {} -q -o {}",
        control_subject("slow"),
        out.display()
    );
    let ended = ended(command(&arguments).env("ARENABENCH_CONTROL_SPIN", "640"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let all = records(&out);
    assert_eq!(all[0]["baseline"], "system");
    for program in ["json_documents", "sort_records"] {
        let is_of = |record: &&&Value| record["workload"] == program;
        assert_eq!(of_kind(&all, "recording").iter().filter(is_of).count(), 1);
        let workload = of_kind(&all, "workload").into_iter().find(|one| one["workload"] == program);
        assert_eq!(workload.unwrap()["source"], "recorded");
        assert!(workload.unwrap()["operations"].as_u64().unwrap() > 100_000);
        let samples = of_kind(&all, "sample");
        let of_program: Vec<_> =
            samples.into_iter().filter(|one| one["workload"] == program).collect();
        // Three rounds of two subjects, and the baseline's twin.
        assert_eq!(of_program.len(), 9);
        assert!(of_program.iter().all(|one| one["status"] == "ok" && one["mode"] == "serial"));
        let fastest = |subject: &str| {
            let mut times = of_program.iter().filter(|one| one["subject"] == subject);
            let first = times.next().unwrap()["wall_ns"].as_u64().unwrap();
            times.map(|one| one["wall_ns"].as_u64().unwrap()).fold(first, u64::min)
        };
        assert!(fastest("slow") > fastest("system"), "{program}");
        assert!(out.join(format!("{program}.trace")).exists());
    }
    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("What a replay is worth"));
    let before = all.len();
    let ended = arenabench(&format!("{arguments} --resume"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let all = records(&out);
    assert_eq!(all.len(), before + 1, "nothing but the end is added");
}

#[test]
fn who_cannot_be_replayed_cannot_be_the_baseline() {
    let ended = arenabench("program --suite python --fidelity --baseline pymalloc");
    assert_eq!(ended.code, 2);
    assert!(ended.error().contains("pymalloc"), "{}", ended.stderr);
}

#[test]
fn a_program_that_is_replayed_need_not_be_pythons() {
    let ended =
        arenabench("program --fidelity -s system --rounds 2 --format json -q -- sort /dev/null");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    let workload = records.iter().find(|one| one["kind"] == "workload").unwrap();
    assert_eq!(workload["workload"], "sort /dev/null");
}
