//! Recordings that do not go the usual way: signals, daemons, outputs that cannot be written, logs
//! that are converted later, paths that the loader or a terminal would stumble over.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{ARENABENCH, Ended, arenabench, command, ended, folder, have};

fn record(options: &str, trace: &Path, program: &[&str]) -> Ended {
    let mut record = command(&format!("record {options} -o"));
    ended(record.arg(trace).arg("--").args(program))
}

fn info(trace: &Path) -> serde_json::Value {
    let ended = arenabench(&format!("trace info {} --format json", trace.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Files of the folder whose names begin like the trace's, without the trace itself.
fn beside(trace: &Path) -> Vec<PathBuf> {
    let name = trace.file_name().unwrap().to_str().unwrap();
    let entries = fs::read_dir(trace.parent().unwrap()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path != trace && path.file_name().unwrap().to_str().unwrap().starts_with(name)
        })
        .collect()
}

/// A perl program whose parent ends at once and whose child allocates for `seconds`.
fn daemon(seconds: f32) -> Vec<String> {
    let script = format!(
        "use Time::HiRes 'time'; exit 0 if fork; open STDOUT, '>/dev/null'; \
         open STDERR, '>/dev/null'; my $end = time + {seconds}; \
         while (time < $end) {{ my @a = map {{ [$_] }} 1 .. 200; select undef, undef, undef, 0.002 }}"
    );
    ["perl", "-e", &script].map(str::to_owned).to_vec()
}

#[test]
fn a_process_that_ends_soon_after_the_program_is_recorded_whole() {
    if !have("perl") {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("t.trace");
    let program = daemon(0.4);
    let program: Vec<_> = program.iter().map(String::as_str).collect();
    let ended = record("--linger 20s", &trace, &program);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let others = beside(&trace);
    assert_eq!(others.len(), 1, "{others:?}");
    let info = info(&others[0]);
    assert!(info["calls"].as_u64().unwrap() > 1000, "{info}");
    assert!(!info["losses"].to_string().contains("truncated"), "{info}");
    assert!(!ended.stderr.contains("still run"), "{}", ended.stderr);
}

#[test]
fn a_daemon_is_cut_off_marked_truncated_and_lives_on() {
    if !have("perl") {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("t.trace");
    let program = daemon(60.0);
    let program: Vec<_> = program.iter().map(String::as_str).collect();
    let begin = Instant::now();
    let ended = record("--linger 1s", &trace, &program);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("still run: 1"), "{}", ended.stderr);
    let others = beside(&trace);
    assert_eq!(others.len(), 1, "the folder of raw logs is gone: {others:?}");
    let info = info(&others[0]);
    assert!(info["losses"].to_string().contains("truncated"), "{info}");
    assert!(info["calls"].as_u64().unwrap() > 1000, "{info}");
    assert_eq!(arenabench(&format!("trace validate {}", others[0].display())).code, 0);
    // The daemon runs on, neither stopped nor killed, and its log grows no more.
    let name = others[0].file_name().unwrap().to_str().unwrap();
    let pid = name.split('.').nth(2).unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(!stat.contains(") T "), "{stat}");
    let logs = || -> Vec<_> {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let files = open.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        files.filter(|path| path.to_string_lossy().contains(".log")).collect()
    };
    while !logs().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(45), "{:?}", logs());
        std::thread::sleep(Duration::from_millis(100));
    }
    // SAFETY: the process is this test's own program, which would run on for most of a minute.
    assert_eq!(unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) }, 0);
}

fn start(trace: &Path, program: &[&str]) -> Child {
    let mut record = command("record -q -o");
    record.arg(trace).arg("--").args(program).stdout(Stdio::null()).stderr(Stdio::null());
    // Tests that are run to go on behind a closed terminal ignore the signal, and so would the program.
    let heed = || {
        // SAFETY: the default is no function.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: the closure makes a system call and nothing else.
    unsafe { record.pre_exec(heed) };
    record.spawn().unwrap()
}

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_signal_goes_to_the_program_and_what_it_did_is_kept() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let folder = folder();
        let (trace, ready) = (folder.path().join("t.trace"), folder.path().join("ready"));
        let script = format!("touch '{}'; exec sleep 30", ready.display());
        let mut child = start(&trace, &["sh", "-c", &script]);
        let begin = Instant::now();
        while !ready.exists() {
            assert!(begin.elapsed() < Duration::from_secs(20), "the program did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(200));
        kill(&child, signal);
        let status = child.wait().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(20), "{signal} was not handed on");
        assert_eq!(status.code(), Some(128 + number), "{signal}");
        assert!(info(&trace)["calls"].as_u64().unwrap() > 0, "{signal}");
    }
}

#[test]
fn a_program_that_handles_a_signal_ends_as_it_likes() {
    if !have("perl") {
        return;
    }
    let folder = folder();
    let (trace, ready) = (folder.path().join("t.trace"), folder.path().join("ready"));
    let script = format!(
        "$SIG{{TERM}} = sub {{ exit 7 }}; open my $f, '>', '{}'; close $f; sleep 1 for 1 .. 30",
        ready.display()
    );
    let mut child = start(&trace, &["perl", "-e", &script]);
    while !ready.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert!(trace.exists());
}

#[test]
fn an_output_that_cannot_be_written_is_found_before_the_program_runs() {
    let folder = folder();
    let ran = folder.path().join("ran");
    let touch = ran.to_str().unwrap();
    let directory = folder.path().join("directory");
    fs::create_dir(&directory).unwrap();
    for output in ["/no/such/folder/t.trace".into(), directory, "/proc/t.trace".into()] {
        let ended = record("", &output, &["touch", touch]);
        assert_eq!(ended.code, 74, "{}", ended.stderr);
        assert!(ended.error().contains(output.to_str().unwrap()), "{}", ended.stderr);
        assert!(!ran.exists(), "{}", output.display());
    }
}

#[test]
fn logs_that_could_not_be_converted_are_taken_up_by_the_command_the_message_names() {
    let folder = folder();
    let trace = folder.path().join("t.trace");
    // The program puts a folder where the trace is to stand.
    let ended = record("", &trace, &["mkdir", trace.to_str().unwrap()]);
    assert_eq!(ended.code, 74, "{}", ended.stderr);
    let message = ended.error();
    let command = message.split("arenabench ").last().unwrap().split(": ").next().unwrap();
    assert!(command.starts_with("trace import "), "{message}");
    fs::remove_dir(&trace).unwrap();
    let imported = arenabench(command);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let info = info(&trace);
    assert!(info["command"].as_str().unwrap().starts_with("mkdir "), "{info}");
    assert!(info["calls"].as_u64().unwrap() > 0, "{info}");
    let missing = arenabench(&format!("trace import /no/such/folder -o {}", trace.display()));
    assert_eq!(missing.code, 74, "{}", missing.stderr);
}

#[test]
fn the_recorder_works_from_a_folder_with_spaces_and_colons_in_its_name() {
    let folder = folder();
    let inner = folder.path().join("a b:c");
    fs::create_dir(&inner).unwrap();
    for file in ["arenabench", "libarenabench_recorder.so"] {
        // By another process: a child that a test beside this one starts meanwhile would inherit the open
        // file, and what is open for writing cannot be run.
        let from = Path::new(ARENABENCH).with_file_name(file);
        assert!(Command::new("cp").arg(from).arg(inner.join(file)).status().unwrap().success());
    }
    let trace = inner.join("t.trace");
    let mut record = Command::new(inner.join("arenabench"));
    record.env_remove("LD_PRELOAD").args(["record", "-o"]).arg(&trace).args(["--", "ls", "/"]);
    let ended = ended(&mut record);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(trace.exists() && !ended.stderr.contains("LD_PRELOAD"), "{}", ended.stderr);
}

#[test]
fn a_path_that_is_not_utf_8_is_as_good_as_any() {
    let folder = folder();
    let trace = folder.path().join(OsStr::from_bytes(b"caf\xe9.trace"));
    let ended = record("", &trace, &["ls", "/"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for (arguments, rest) in [
        ("trace validate", &[][..]),
        ("trace info", &[]),
        ("replay", &["-s", "system", "--rounds", "1", "-q"]),
    ] {
        let ended = crate::command::ended(command(arguments).arg(&trace).args(rest));
        assert_eq!(ended.code, 0, "{arguments}: {}", ended.stderr);
        assert!(ended.stdout.contains("caf\u{fffd}"), "{arguments}: {}", ended.stdout);
    }
}
