//! Two results files from the command line: forms, files and exit codes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{arenabench, folder};

/// A results file of one subject beside the baseline, its time `slow` times the usual.
fn results(path: &Path, slow: f64) {
    let host = r#""kind":"host","started_unix_s":1,"arenabench":"0.1.0","profile":"custom","seed":1,"baseline":"system","cpu_model":"x","cpus":2,"memory_bytes":1,"kernel":"k","libc":"l","rustc":"r","address_randomisation":true,"load_1m":0.0"#;
    let mut lines = vec![host.to_owned()];
    for round in 0..8 {
        for (subject, ns) in [("system", 20.0), ("mine", 10.0 * slow)] {
            let ns = ns * (1.0 + 0.001 * f64::from(round));
            lines.push(format!(
                r#""kind":"sample","subject":"{subject}","workload":"w","seq":0,"round":{round},"mode":"serial","call":"c","touch":"header","status":"ok","ns_per_pair":{ns}"#
            ));
        }
    }
    lines.push(r#""kind":"end","outcome":"complete","run_wall_ns":1,"measuring_wall_ns":1"#.into());
    let text: String = lines
        .iter()
        .map(|line| format!("{{\"schema\":\"arenabench.results/1\",{line}}}\n"))
        .collect();
    fs::write(path, text).unwrap();
}

#[test]
fn a_slower_file_is_slower_in_every_form_and_no_error() {
    let folder = folder();
    let (a, b) = (folder.path().join("a"), folder.path().join("b.jsonl"));
    fs::create_dir(&a).unwrap();
    results(&a.join("results.jsonl"), 1.0);
    results(&b, 1.1);
    for format in ["table", "json", "csv", "md"] {
        let out = folder.path().join("out");
        let ended = arenabench(&format!(
            "compare {} {} --format {format} -o {}",
            a.display(),
            b.display(),
            out.display()
        ));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
        let text = fs::read_to_string(&out).unwrap();
        assert!(text.contains("slower"), "{format}: {text}");
        let ended =
            arenabench(&format!("compare {} {} --format {format} -q", a.display(), b.display()));
        assert_eq!(ended.stdout, text, "{format}");
        assert!(ended.stderr.is_empty(), "{}", ended.stderr);
    }
    let ended = arenabench(&format!("compare {} {} --format json", b.display(), a.display()));
    let records: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert!(records.iter().any(|one| one["kind"] == "mean" && one["verdict"] == "faster"));
}

#[test]
fn bad_files_end_with_the_codes_of_bad_files() {
    let folder = folder();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    results(&good, 1.0);
    fs::write(&bad, "garbage\n").unwrap();
    let (good, bad) = (good.display(), bad.display());
    assert_eq!(arenabench(&format!("compare {good}")).code, 2);
    assert_eq!(arenabench(&format!("compare {good} {good} --format nosuch")).code, 2);
    for arguments in [format!("{good} {bad}"), format!("{bad} {good}")] {
        let ended = arenabench(&format!("compare {arguments}"));
        assert_eq!(ended.code, 65, "{}", ended.stderr);
        assert!(ended.error().contains("bad"), "{}", ended.stderr);
    }
    assert_eq!(arenabench(&format!("compare {good} /no/such.jsonl")).code, 74);
    assert_eq!(arenabench(&format!("compare {good} {good} -o /proc/no/file")).code, 74);
}

#[test]
fn a_report_in_a_form_for_ci_is_one_file() {
    let folder = folder();
    let good = folder.path().join("good.jsonl");
    results(&good, 1.0);
    for (format, text) in [
        ("junit", "<testsuites"),
        ("bmf", "\"w/mine\""),
        ("benchmark-action", "w/mine ns_per_pair"),
        ("markdown", "mine"),
        ("csv", "subject,workload"),
    ] {
        let out = folder.path().join(format);
        let ended = arenabench(&format!(
            "report {} --format {format} -o {}",
            good.display(),
            out.display()
        ));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(fs::read_to_string(&out).unwrap().contains(text), "{format}");
        let ended = arenabench(&format!("report {} --format {format} -o -", good.display()));
        assert!(ended.stdout.contains(text), "{format}");
    }
}
