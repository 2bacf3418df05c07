//! The main job: records that prove themselves, a report, and a run that can be taken up again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{arenabench, folder};

const SMALL: &str = "-s system -s mimalloc -s pymalloc-3.11 -s null \
                     -w int-churn:1k -w frame-push-pop:1k --operations 20k";

fn records(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("results.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(records: &[Value], kind: &str) -> usize {
    records.iter().filter(|record| record["kind"] == kind).count()
}

#[test]
fn a_run_leaves_records_and_a_report_that_can_be_redrawn_to_the_byte() {
    let folder = folder();
    let out = folder.path().join("out");
    let ended =
        arenabench(&format!("run {SMALL} --rounds 3 --no-memcheck -o {} -q", out.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.trim_end().ends_with("index.html"), "{}", ended.stdout);

    let records = records(&out);
    assert_eq!(records[0]["kind"], "host");
    assert_eq!(records.last().unwrap()["kind"], "end");
    assert_eq!(records.last().unwrap()["outcome"], "complete");
    assert_eq!(count(&records, "subject"), 4);
    assert_eq!(count(&records, "workload"), 2);
    for record in &records {
        assert_eq!(record["schema"], "arenabench.results/1");
    }
    for sample in records.iter().filter(|record| record["kind"] == "sample") {
        assert_eq!(sample["status"], "ok", "{sample}");
        let timed = sample["verified"].is_null();
        assert_eq!(sample["wall_ns"].is_u64(), timed, "{sample}");
        assert_eq!(sample["rss_peak_bytes"].is_u64(), timed, "{sample}");
        if timed {
            let wall = sample["wall_ns"].as_f64().unwrap();
            let operations = sample["operations"].as_f64().unwrap();
            let per_pair = sample["ns_per_pair"].as_f64().unwrap();
            assert!((per_pair - 2.0 * wall / operations).abs() < 1e-6, "{sample}");
        }
    }

    let again = folder.path().join("again");
    let ended = arenabench(&format!("report {} -o {} -q", out.display(), again.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let files = |folder: &Path| -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for name in ["index.html", "report.md", "results.csv", "results.jsonl"] {
            all.insert(name.to_owned(), fs::read(folder.join(name)).unwrap());
        }
        for chart in fs::read_dir(folder.join("charts")).unwrap() {
            let path = chart.unwrap().path();
            all.insert(
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            );
        }
        all
    };
    let (first, second) = (files(&out), files(&again));
    assert!(first.len() >= 6, "{:?}", first.keys());
    for (name, bytes) in &first {
        assert!(second.get(name) == Some(bytes), "{name} differs when redrawn");
    }
}

#[test]
fn samples_are_interleaved_in_random_order_and_never_subject_by_subject() {
    let folder = folder();
    let out = folder.path();
    arenabench(&format!(
        "run {SMALL} --rounds 4 --no-memcheck --no-verify -o {} -q",
        out.display()
    ));
    let order: Vec<_> = records(out)
        .into_iter()
        .filter(|record| record["kind"] == "sample" && record["round"].as_u64() < Some(4))
        .map(|record| {
            let again = record["again"] == true;
            let is_in_place = record["retaken_calm_shares"].as_array().is_none_or(Vec::is_empty);
            let cell = (record["workload"].to_string(), format!("{}{again}", record["subject"]));
            (record["round"].as_u64(), cell, is_in_place)
        })
        .collect();
    // 4 subjects and the baseline's second sample, on 2 workloads, in 4 rounds.
    assert_eq!(order.len(), 40);
    let rounds: Vec<Vec<_>> = (0..4)
        .map(|round| {
            let in_round = order.iter().filter(|(of, ..)| *of == Some(round));
            in_round.map(|(_, cell, is_in_place)| (cell.clone(), *is_in_place)).collect()
        })
        .collect();
    for round in &rounds {
        let mut cells = round.clone();
        cells.sort();
        cells.dedup();
        assert_eq!(cells.len(), 10, "every cell once a round");
        // What was not calm is taken again at the round's end.
        let in_place: Vec<_> = round.iter().filter(|one| one.1).map(|one| &one.0.0).collect();
        let groups = in_place.chunk_by(|one, other| one == other).count();
        assert!(groups <= 2, "what is compared is measured in one go: {round:?}");
    }
    assert!(rounds.windows(2).any(|pair| pair[0] != pair[1]), "every round has its own order");
}

#[test]
fn the_same_seed_makes_the_same_workload_and_another_seed_another() {
    let folder = folder();
    let hash = |seed: u32, name: &str| {
        let out = folder.path().join(name);
        arenabench(&format!(
            "run -s null -w dict-resize:1k --baseline system --operations 5k --rounds 1 --no-memcheck \
             --seed {seed} -o {} -q",
            out.display()
        ));
        let workload = records(&out).into_iter().find(|record| record["kind"] == "workload");
        workload.unwrap()["sha256"].as_str().unwrap().to_owned()
    };
    let (one, same, other) = (hash(1, "a"), hash(1, "b"), hash(2, "c"));
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn json_on_standard_output_is_an_array_of_the_same_records() {
    let folder = folder();
    let out = folder.path();
    let ended = arenabench(&format!(
        "run {SMALL} --rounds 1 --no-memcheck -o {} --format json -q",
        out.display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let printed = ended.records();
    let stored = records(out);
    assert_eq!(printed.len(), stored.len());
    for record in &stored {
        assert!(printed.contains(record), "{record}");
    }
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let folder = folder();
    let out = folder.path();
    let arguments = format!("run {SMALL} --rounds 2 --no-memcheck -o {} -q", out.display());
    assert_eq!(arenabench(&arguments).code, 0);
    // As if killed in the middle of the last lines: no end, and a torn line.
    let path = out.join("results.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let kept = lines.len() * 2 / 3;
    let torn = format!("{}\n{}", lines[..kept].join("\n"), &lines[kept][..lines[kept].len() / 2]);
    fs::write(&path, torn).unwrap();
    let ended = arenabench(&format!("{arguments} --resume"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let after = records(out);
    assert_eq!(after.last().unwrap()["outcome"], "complete");
    let mut cells: Vec<_> = after
        .iter()
        .filter(|record| record["kind"] == "sample" && record["round"].as_u64() < Some(2))
        .map(|sample| {
            format!(
                "{} {} {} {} {}",
                sample["subject"],
                sample["workload"],
                sample["round"],
                sample["again"],
                sample["verified"]
            )
        })
        .collect();
    let all = cells.len();
    cells.sort();
    cells.dedup();
    assert_eq!(cells.len(), all, "no sample is taken twice");
    // 4 subjects + the second baseline sample in 2 rounds, and 4 verified, on 2 workloads.
    assert_eq!(all, (5 * 2 + 4) * 2);
    for (line, record) in lines[..kept].iter().zip(&after) {
        assert_eq!(
            serde_json::from_str::<Value>(line).unwrap(),
            *record,
            "nothing finished is lost"
        );
    }
}

#[test]
fn going_on_with_other_settings_is_refused() {
    let folder = folder();
    let out = folder.path();
    let arguments = format!("run {SMALL} --rounds 1 --no-memcheck -o {} -q", out.display());
    assert_eq!(arenabench(&arguments).code, 0);
    let ended = arenabench(&format!("{arguments} --resume --seed 5"));
    assert_eq!(ended.code, 2, "{}", ended.stderr);
}

#[test]
fn without_valgrind_and_python_the_report_says_what_was_not_measured() {
    let folder = folder();
    let out = folder.path().join("out");
    let ended = crate::command::ended(
        crate::command::command(&format!(
            "run -s system -s null -w int-churn:1k -w python-here --operations 5k --rounds 1 -o {}",
            out.display()
        ))
        .env("PATH", "/nowhere"),
    );
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let records = records(&out);
    let missing: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "unmeasured")
        .map(|record| record["measure"].as_str().unwrap())
        .collect();
    assert_eq!(missing, ["python-here", "memcheck"]);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("not measured"), "the page says so");
    assert!(page.contains("valgrind"));
}

#[test]
fn a_run_is_gone_on_with_only_as_it_was_begun() {
    let folder = folder();
    let out = folder.path().join("out");
    let run = |subjects: &str, more: &str| {
        arenabench(&format!(
            "run {subjects} -w int-churn:1k --operations 2k --rounds 1 --no-memcheck --no-verify \
             -q -o {} {more}",
            out.display()
        ))
    };
    assert_eq!(run("-s system -s mimalloc", "").code, 0);
    for (subjects, more, said) in [
        ("-s system", "", "subjects were system, mimalloc, now system"),
        ("-s system -s rpmalloc", "", "subjects were system, mimalloc, now system, rpmalloc"),
        ("-s system -s mimalloc", "--touch all", "--touch was header, now all"),
        ("-s system -s mimalloc", "--seed 5", "--seed was 1, now 5"),
    ] {
        let ended = run(subjects, &format!("{more} --resume"));
        assert_eq!(ended.code, 2, "{more}: {}", ended.stderr);
        assert!(ended.error().contains(said), "{}", ended.stderr);
    }
    // The same run, but on another computer, by another version, with another build of a subject.
    let path = out.join("results.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    for (key, said) in
        [("cpu_model", "processor was"), ("arenabench", "arenabench was"), ("version", "subject ")]
    {
        let at = whole.find(&format!("\"{key}\":\"")).unwrap() + key.len() + 4;
        let changed = format!("{}other {}", &whole[..at], &whole[at..]);
        fs::write(&path, changed).unwrap();
        let ended = run("-s system -s mimalloc", "--resume");
        assert_eq!(ended.code, 2, "{key}: {}", ended.stderr);
        assert!(ended.error().contains(said), "{}", ended.stderr);
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(run("-s system -s mimalloc", "--resume").code, 0);
}
