//! Bad input gets one clear error that names what is wrong, and the right exit code.

use std::fs;

use crate::command::{arenabench, folder};

#[test]
fn bad_usage_is_exit_code_2_and_touches_no_file() {
    let folder = folder();
    let out = folder.path().join("out");
    for arguments in [
        "run -s nosuch",
        "run -w nosuch",
        "run -w int-churn@1.0",
        "run -w int-churn:banana",
        "run -s system -s system",
        "run -w int-churn -w int-churn",
        "run --baseline nosuch",
        "run --baseline null",
        "run --timeout 5",
        "run --rounds 0",
        "run --touch everything",
        "replay int-churn -s system=/lib/x.so",
        "replay",
        "trace generate nosuch -o x.trace",
        "nosuch",
    ] {
        let arguments = match arguments.starts_with("run") {
            true => format!("{arguments} -o {}", out.display()),
            false => arguments.to_owned(),
        };
        let ended = arenabench(&arguments);
        assert_eq!(ended.code, 2, "{arguments}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{arguments}");
        assert!(!ended.stderr.is_empty(), "{arguments}");
        assert!(!out.exists(), "{arguments}");
    }
}

#[test]
fn an_unknown_name_is_told_what_exists() {
    let ended = arenabench("run -s nosuch");
    assert!(
        ended.stderr.contains("nosuch") && ended.stderr.contains("mimalloc"),
        "{}",
        ended.stderr
    );
    let ended = arenabench("run -w nosuch");
    assert!(ended.stderr.contains("nosuch") && ended.stderr.contains("dict-resize"));
}

#[test]
fn a_missing_trace_is_an_io_error_that_names_it() {
    let ended = arenabench("replay /nowhere/missing.trace");
    assert_eq!(ended.code, 74, "{}", ended.stderr);
    assert!(ended.error().contains("/nowhere/missing.trace"));
}

#[test]
fn empty_truncated_corrupt_and_foreign_traces_are_bad_data_with_file_and_offset() {
    let folder = folder();
    let good = folder.path().join("good.trace");
    let made = arenabench(&format!(
        "trace generate frame-push-pop:1k --operations 20k -o {} -q",
        good.display()
    ));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let bytes = fs::read(&good).unwrap();
    let mut corrupt = bytes.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0x10;
    let cases: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("foreign", b"%PDF-1.7 this is something else altogether, and long enough"),
        ("short", &bytes[..bytes.len() - 1]),
        ("half", &bytes[..bytes.len() / 2]),
        ("corrupt", &corrupt),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(format!("{name}.trace"));
        fs::write(&path, bytes).unwrap();
        for arguments in ["trace validate", "trace info", "replay"] {
            let ended = arenabench(&format!("{arguments} {} -q", path.display()));
            assert_eq!(ended.code, 65, "{arguments} {name}: {}", ended.stderr);
            let error = ended.error();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
            assert!(error.contains("offset") || error.contains("byte"), "{error}");
        }
    }
    assert_eq!(arenabench(&format!("trace validate {}", good.display())).code, 0);
}

#[test]
fn an_output_folder_that_cannot_be_written_is_an_io_error() {
    for out in ["/proc/out", "/dev/null/out"] {
        let ended = arenabench(&format!("run -s null -w int-churn -o {out}"));
        assert_eq!(ended.code, 74, "{}", ended.stderr);
        assert!(ended.error().contains(out));
    }
}

#[test]
fn a_full_disk_is_an_io_error() {
    let ended = arenabench("trace generate int-churn --operations 1k -o /dev/full");
    assert_eq!(ended.code, 74, "{}", ended.stderr);
    let ended = crate::command::ended(
        std::process::Command::new("sh")
            .args(["-c", &format!("{} list > /dev/full", crate::command::ARENABENCH)]),
    );
    assert_eq!(ended.code, 74, "{}", ended.stderr);
}

#[test]
fn results_of_an_earlier_run_are_not_overwritten() {
    let folder = folder();
    let out = folder.path();
    fs::write(out.join("results.jsonl"), "precious\n").unwrap();
    let ended = arenabench(&format!("run -s system -w int-churn -o {}", out.display()));
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert_eq!(fs::read_to_string(out.join("results.jsonl")).unwrap(), "precious\n");
}

#[test]
fn records_that_are_none_are_bad_data_with_file_and_line() {
    let folder = folder();
    let path = folder.path().join("results.jsonl");
    for text in ["", "garbage\n", "{\"schema\":\"arenabench.results/99\",\"kind\":\"host\"}\n"] {
        fs::write(&path, text).unwrap();
        let ended = arenabench(&format!("report {} -o {0}.out", path.display()));
        assert_eq!(ended.code, 65, "{text:?}: {}", ended.stderr);
        assert!(ended.error().contains("results.jsonl"), "{}", ended.stderr);
    }
    let missing = folder.path().join("missing.jsonl");
    let ended = arenabench(&format!("report {} -o out", missing.display()));
    assert_eq!(ended.code, 74, "{}", ended.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let ended = crate::command::ended(
        std::process::Command::new("sh")
            .args(["-c", &format!("{} list | head -c 1 >/dev/null", crate::command::ARENABENCH)]),
    );
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
}

/// `arenabench check | head` in a script must not pass what it found.
#[test]
fn a_reader_that_goes_away_takes_no_verdict_with_it() {
    let subject = crate::command::control_subject("misaligned");
    let arguments = format!("replay int-churn:100 {subject} --operations 2k --verify -q");
    let mut child =
        crate::command::command(&arguments).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn what_the_system_said_is_said_once() {
    for arguments in [
        "trace info /no/such.trace",
        "trace import /no/such -o /tmp/x.trace",
        "replay /no/such.trace",
        "report /no/such.jsonl -o /tmp/x",
    ] {
        let ended = arenabench(arguments);
        assert_eq!(ended.code, 74, "{arguments}: {}", ended.stderr);
        let said = ended.error().matches("No such file").count();
        assert_eq!(said, 1, "{arguments}: {}", ended.stderr);
    }
}

#[test]
fn a_workload_file_that_cannot_be_used_is_found_before_results_are_begun() {
    let folder = folder();
    let bad = folder.path().join("bad.trace");
    fs::write(&bad, "no trace").unwrap();
    let out = folder.path().join("out");
    for (file, code) in [(folder.path().join("missing.trace"), 74), (bad, 65)] {
        let ended = arenabench(&format!(
            "run -s system -w int-churn -w {} -o {}",
            file.display(),
            out.display()
        ));
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(!out.exists(), "{}", file.display());
    }
}
