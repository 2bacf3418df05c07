//! Recording live programs: the program is undisturbed, and the trace holds all it did.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{Ended, arenabench, command, ended, folder, have};

const SUBJECTS: &str = "-s system -s mimalloc -s jemalloc -s snmalloc -s rpmalloc \
                        -s pymalloc-2.3 -s pymalloc-3.9 -s pymalloc-3.11";

/// Records a command; its arguments as they are.
fn record(trace: &Path, program: &[&str]) -> Ended {
    let mut record = command("record -o");
    record.arg(trace).arg("--").args(program);
    ended(&mut record)
}

fn info(trace: &Path) -> Value {
    let ended = arenabench(&format!("trace info {} --format json", trace.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// `N calls logged` in what `record` says of a trace.
fn logged(ended: &Ended, trace: &Path) -> u64 {
    let name = format!("{}:", trace.display());
    let line = ended.stderr.lines().find(|line| line.starts_with(&name)).unwrap();
    let before = line.split(" calls logged").next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

fn verify_everywhere(trace: &Path) {
    let ended =
        arenabench(&format!("replay {} {SUBJECTS} --verify --format json -q", trace.display()));
    for record in ended.records() {
        assert_eq!(record["status"], "ok", "{record}");
    }
    assert_eq!(ended.code, 0);
}

#[test]
fn a_python_program_is_recorded_and_replays_on_every_subject() {
    if !have("python3") {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("t.trace");
    let script = "import json\n\
                  data = [{'k%d' % i: [i, str(i), i * 1.5]} for i in range(3000)]\n\
                  print(len(json.loads(json.dumps(data))))\n";
    let ended = record(&trace, &["env", "PYTHONMALLOC=malloc", "python3", "-c", script]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stdout, "3000\n", "the program's own output is untouched");
    let info = info(&trace);
    let losses =
        info["failed_calls"].as_u64().unwrap() + info["frees_of_unknown"].as_u64().unwrap();
    assert_eq!(
        logged(&ended, &trace),
        info["calls"].as_u64().unwrap() + losses - info["lost_frees"].as_u64().unwrap(),
        "operations equal the recorder's own count"
    );
    assert!(info["calls"].as_u64().unwrap() > 50_000, "{info}");
    let per_call = trace.metadata().unwrap().len() as f64 / info["calls"].as_f64().unwrap();
    assert!(per_call <= 3.0, "{per_call} bytes a call");
    verify_everywhere(&trace);
}

#[test]
fn git_perl_and_a_compiler_are_recorded_and_replay() {
    let folder = folder();
    let source = folder.path().join("x.c");
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }\n")
        .unwrap();
    let object = folder.path().join("x.o");
    let (source, object) = (source.to_str().unwrap(), object.to_str().unwrap());
    let perl = "my %h; $h{$_} = [1 .. 9] for 1 .. 2000; print scalar(keys %h), qq(\\n)";
    let programs: [(&str, &[&str]); 3] = [
        ("git", &["git", "--version"]),
        ("perl", &["perl", "-e", perl]),
        ("cc", &["cc", "-c", source, "-o", object]),
    ];
    for (name, program) in programs {
        if !have(name) {
            continue;
        }
        let trace = folder.path().join(format!("{name}.trace"));
        let ended = record(&trace, program);
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert!(info(&trace)["calls"].as_u64().unwrap() > 10, "{name}");
        // A compiler driver starts others: every process has a trace of its own, and all are valid.
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}.trace")) {
                let valid = arenabench(&format!("trace validate {}", path.display()));
                assert_eq!(valid.code, 0, "{}", valid.stderr);
            }
        }
        verify_everywhere(&trace);
    }
}

#[test]
fn the_exit_code_is_the_programs_own_and_128_plus_the_signal() {
    let folder = folder();
    let trace = folder.path().join("t.trace");
    assert_eq!(record(&trace, &["sh", "-c", "exit 7"]).code, 7);
    assert_eq!(record(&trace, &["sh", "-c", "kill -TERM $$"]).code, 128 + 15);
    let ended = record(&trace, &["no-such-program-anywhere"]);
    assert_eq!(ended.code, 74, "{}", ended.stderr);
    assert!(ended.error().contains("no-such-program-anywhere"));
}

#[test]
fn what_a_program_did_before_it_was_killed_stays_readable() {
    if !have("perl") {
        return;
    }
    let folder = folder();
    for signal in ["SEGV", "KILL"] {
        let trace = folder.path().join(format!("{signal}.trace"));
        let script = format!("my @a = map {{ [1 .. 5] }} 1 .. 5000; kill '{signal}', $$; sleep 5");
        let ended = record(&trace, &["perl", "-e", &script]);
        assert!(ended.code > 128, "{} {}", ended.code, ended.stderr);
        let info = info(&trace);
        assert!(info["calls"].as_u64().unwrap() > 5_000, "{signal}: {info}");
        verify_everywhere(&trace);
    }
}

#[test]
fn forks_get_traces_of_their_own() {
    if !have("perl") {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("t.trace");
    let script = "my @a = (1) x 100; for (1 .. 3) { my $p = fork; if (!$p) { my @b = map { [$_] } 1 .. 3000; exit 0 } waitpid $p, 0 }";
    let ended = record(&trace, &["perl", "-e", script]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let others: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".trace."))
        .collect();
    assert_eq!(others.len(), 3, "{others:?}");
    for path in others {
        let info = info(&path);
        assert!(info["calls"].as_u64().unwrap() > 3000, "{info}");
        assert!(info["losses"].to_string().contains("late-start"), "{info}");
    }
}

#[test]
fn a_marked_region_is_kept_apart_from_start_up() {
    if !have("python3") {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("t.trace");
    let script = "bytes(1234511)\nx = [i * 1000 for i in range(1000, 5000)]\nbytes(1234511)\n";
    let mut record = command("record --mark-size 1234544 -o");
    record.arg(&trace).args(["--", "env", "PYTHONMALLOC=malloc", "python3", "-c", script]);
    let ended = ended(&mut record);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let info = info(&trace);
    let region = info["region"]["calls"].as_u64().unwrap();
    assert!((8000..16_000).contains(&region), "{info}");
    assert!(info["region"]["base_blocks"].as_u64().unwrap() > 10_000, "{info}");
}

#[test]
fn nothing_is_left_beside_the_traces() {
    let folder = folder();
    let trace = folder.path().join("t.trace");
    assert_eq!(record(&trace, &["true"]).code, 0);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [trace]);
}

#[test]
fn a_static_program_is_told_why_there_is_no_trace() {
    if !have("cc") {
        return;
    }
    let folder = folder();
    let (source, program) = (folder.path().join("x.c"), folder.path().join("x"));
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let built =
        Command::new("cc").args(["-static", "-o"]).args([&program, &source]).output().unwrap();
    if !built.status.success() {
        eprintln!("SKIPPED: no static C library");
        return;
    }
    let ended = record(&folder.path().join("t.trace"), &[program.to_str().unwrap()]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.error().contains("statically linked"), "{}", ended.stderr);
}
