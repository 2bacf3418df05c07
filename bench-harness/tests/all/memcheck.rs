//! What Valgrind reports is counted, by kind and operation, and is a result.

use serde_json::Value;

use crate::command::{arenabench, control_subject, have};

fn memcheck(arguments: &str) -> Vec<Value> {
    let ended = arenabench(&format!("memcheck {arguments} --format json -q"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

#[test]
fn header_reading_presets_are_reported_and_the_radix_tree_is_not() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck(
        "-w dict-resize -s system -s mimalloc -s pymalloc-2.3 -s pymalloc-3.9 -s pymalloc-3.11",
    );
    assert_eq!(records.len(), 5);
    for record in records {
        assert_eq!(record["status"], "ok", "{record}");
        let errors = record["errors"].as_u64().unwrap();
        let by_kind = record["errors_by_kind"].as_object();
        if record["ownership"].as_str().is_some_and(|name| name.starts_with("arena-index")) {
            assert!(errors >= 1000, "{record}");
            for kind in ["UninitCondition", "UninitValue", "InvalidRead"] {
                assert!(by_kind.unwrap().contains_key(kind), "{kind}: {record}");
            }
            assert!(record["errors_by_operation"]["free"].as_u64().unwrap() > 0, "{record}");
        } else {
            assert_eq!(errors, 0, "{record}");
        }
    }
}

#[test]
fn errors_of_realloc_are_told_from_errors_of_free() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck("-w frame-push-pop@2.3 -s pymalloc-2.3 --operations 60k");
    let by_operation = &records[0]["errors_by_operation"];
    assert!(by_operation["realloc"].as_u64().unwrap() > 0, "{by_operation}");
    assert!(by_operation["free"].as_u64().unwrap() > 0, "{by_operation}");
}

#[test]
fn a_subject_that_cannot_run_there_is_unsupported_and_no_failure() {
    if !have("valgrind") {
        return;
    }
    let records = memcheck("-w int-churn:1k -s snmalloc --operations 1k");
    assert_eq!(records[0]["status"], "unsupported");
    assert!(records[0]["errors"].is_null());
}

#[test]
fn a_preloaded_subject_is_not_replaced_by_memchecks_own_malloc() {
    if !have("valgrind") {
        return;
    }
    let subject = control_subject("slow");
    let records = memcheck(&format!("-w int-churn:1k {subject} --operations 1k"));
    assert_eq!(records[0]["status"], "ok", "{}", records[0]);
}

#[test]
fn without_valgrind_the_command_says_what_to_install() {
    let ended = crate::command::ended(
        crate::command::command("memcheck -w int-churn -s system").env("PATH", "/nowhere"),
    );
    assert_eq!(ended.code, 3);
    assert!(ended.error().contains("install"), "{}", ended.stderr);
}

#[test]
fn places_and_ratios_are_part_of_the_record_and_variants_tell_records_apart() {
    if !have("valgrind") || !have("strip") {
        return;
    }
    let records = memcheck(
        "-w dict-resize -s pymalloc-3.9 --operations 20k --symbols full --symbols no-inline \
         --symbols stripped --leak-check",
    );
    let symbols: Vec<_> = records.iter().map(|record| record["symbols"].as_str()).collect();
    assert_eq!(symbols, [None, Some("no-inline"), Some("stripped")]);
    for record in &records {
        assert_eq!(record["status"], "ok", "{record}");
        assert_eq!(record["errors"], records[0]["errors"]);
        assert!(record["leaks"].is_object(), "{record}");
        for ratio in ["cpu_ratio", "rss_ratio"] {
            assert!(record[ratio].as_f64().unwrap() > 1.0, "{ratio}: {record}");
        }
    }
    let has = |record: &Value, name: &str| {
        let places = record["places"].as_array().unwrap().iter();
        let mut frames = places.flat_map(|place| place["frames"].as_array().unwrap());
        frames.any(|frame| frame.as_str().unwrap().starts_with(name))
    };
    assert!(has(&records[0], "owns<"), "{}", records[0]);
    assert!(!has(&records[1], "owns<") && has(&records[1], "bench_harness::"), "{}", records[1]);
    assert!(has(&records[2], "? arenabench") && !has(&records[2], "bench_harness::"));
}

#[test]
fn a_program_is_run_itself_with_its_exit_code_and_what_it_loses() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = crate::command::folder();
    let text = "#include <stdlib.h>\nint main(void) {\n    void *volatile block = malloc(48);\n    \
                block = 0;\n    return 7;\n}\n";
    let program = compiled(folder.path(), text);
    let records = memcheck_program("-s system --leak-check", &program);
    let record = &records[0];
    assert_eq!((&record["status"], &record["exit_code"]), (&"ok".into(), &7.into()), "{record}");
    assert_eq!(record["program"], true);
    assert!(record["library"].as_str().unwrap().contains("libc"), "{record}");
    assert_eq!(record["leaks"]["Leak_DefinitelyLost"]["bytes"], 48, "{record}");
    assert_eq!(record["errors"], 0, "{record}");
}

/// A report of a bug must not be taken for a failure because the program dies of the bug by itself.
#[test]
fn a_program_that_dies_by_itself_and_is_watched_to_its_end_has_its_errors_counted() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = crate::command::folder();
    let text = "#include <stdlib.h>\nint main(void) {\n    char *volatile block = malloc(100);\n    \
                free(block + 8);\n    return 0;\n}\n";
    let program = compiled(folder.path(), text);
    for record in memcheck_program("-s system -s arenite-preload", &program) {
        assert_eq!(record["status"], "ok", "{record}");
        assert_eq!(record["errors_by_kind"]["InvalidFree"], 1, "{record}");
        assert_eq!(record["errors_by_operation"]["free"], 1, "{record}");
        assert!(record.get("cpu_ratio").is_none(), "of two different runs: {record}");
    }
}

/// The program of a C text.
fn compiled(folder: &std::path::Path, text: &str) -> std::path::PathBuf {
    let (source, program) = (folder.join("program.c"), folder.join("program"));
    std::fs::write(&source, text).unwrap();
    let compiler = std::process::Command::new("cc").arg("-o").arg(&program).arg(&source).status();
    assert!(compiler.unwrap().success());
    program
}

fn memcheck_program(options: &str, program: &std::path::Path) -> Vec<Value> {
    let mut command = crate::command::command(&format!("memcheck --format json -q {options} --"));
    let ended = crate::command::ended(command.arg(program));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

#[test]
fn results_go_to_a_folder_and_a_resumed_run_counts_nothing_twice() {
    if !have("valgrind") {
        return;
    }
    let folder = crate::command::folder();
    let out = folder.path().join("out");
    let arguments = format!(
        "memcheck -s system -s pymalloc-3.9 -w dict-resize --operations 5k -q -o {}",
        out.display()
    );
    let first = arenabench(&arguments);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("Valgrind errors") && page.contains("arena-index"));
    let lines = || {
        let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
        text.lines().filter(|line| line.contains("\"kind\":\"memcheck\"")).count()
    };
    assert_eq!(lines(), 2);
    assert_eq!(arenabench(&arguments).code, 2, "an old folder is not written over");
    let resumed = arenabench(&format!("{arguments} --resume"));
    assert_eq!((resumed.code, lines()), (0, 2), "{}", resumed.stderr);
}

#[test]
fn a_file_of_suppressions_that_is_not_there_is_an_io_error() {
    let ended = arenabench("memcheck -s system -w int-churn:1k --suppressions /no/such.supp");
    assert_eq!(ended.code, 74);
    assert!(ended.error().contains("/no/such.supp"), "{}", ended.stderr);
}
