//! Arenite under memcheck, as a preload library with client requests: every misuse is told in
//! memcheck's own words, nothing else is, and a real program gets the reports that it gets with the C
//! library's malloc.

use std::path::Path;
use std::process::Command;

use crate::command::{folder, have};
use crate::doors::{compile, library};

/// What memcheck found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// The first lines of errors, each once, numbers of bytes kept.
    words: Vec<String>,
    /// Bytes definitely and indirectly lost.
    lost: (u64, u64),
    errors: u64,
    contexts: u64,
}

/// Runs a program under memcheck, with a library unless it is `None`, and with settings of it.
fn memcheck(
    program: &Path,
    arguments: &[&str],
    preload: Option<&str>,
    settings: &[(&str, &str)],
) -> Found {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("valgrind");
    command.args(["--leak-check=full", "--num-callers=30", "--error-limit=no"]);
    command.arg("--soname-synonyms=somalloc=nouserintercepts");
    command.arg(format!("--log-file={}", log.path().display()));
    command.arg(program).args(arguments).env("PYTHONMALLOC", "malloc");
    if let Some(name) = preload {
        command.env("LD_PRELOAD", library(name));
    }
    let ended = command.envs(settings.iter().copied()).output().unwrap();
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    let text = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> =
        text.lines().map(|line| line.splitn(3, "==").nth(2).unwrap_or(line).trim()).collect();
    let number = |text: &str| -> u64 { text.replace(',', "").parse().unwrap() };
    let lost = |kind: &str| {
        let line = lines.iter().find_map(|line| line.strip_prefix(kind));
        line.map_or(0, |line| number(line.split_whitespace().next().unwrap()))
    };
    let summary = lines.iter().find_map(|line| line.strip_prefix("ERROR SUMMARY: ")).unwrap();
    let mut counts = summary.split_whitespace();
    let begins = ["Invalid ", "Use of ", "Conditional jump", "Mismatched "];
    let mut words: Vec<String> = lines
        .iter()
        .filter(|line| begins.iter().any(|begin| line.starts_with(begin)))
        .map(|line| (*line).to_owned())
        .collect();
    words.dedup();
    Found {
        words,
        lost: (lost("definitely lost: "), lost("indirectly lost: ")),
        errors: number(counts.next().unwrap()),
        contexts: number(counts.nth(2).unwrap()),
    }
}

const INVALID_FREE: &str = "Invalid free() / delete / delete[] / realloc()";

/// What the program does wrong, and memcheck's words.
const MISUSE: &[(&str, &str)] = &[
    ("read-after-free", "Invalid read of size 1"),
    ("read-after-reuse", "Invalid read of size 1"),
    ("double-free", INVALID_FREE),
    ("interior-free", INVALID_FREE),
    ("stack-free", INVALID_FREE),
    ("read-behind", "Invalid read of size 1"),
    ("write-before", "Invalid write of size 1"),
    ("write-far-behind-table", "Invalid write of size 1"),
    ("undefined-branch", "Conditional jump or move depends on uninitialised value(s)"),
    ("stale-after-realloc", "Invalid read of size 1"),
    ("realloc-of-freed", INVALID_FREE),
];

#[test]
fn every_misuse_is_told_in_memchecks_words_and_only_with_client_requests() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "watched", &["-g"]);
    for (misuse, words) in MISUSE {
        for name in ["libarenite.so", "libarenite-checked.so"] {
            let found = memcheck(&program, &[misuse], Some(name), &[]);
            assert_eq!(found.words, [*words], "{misuse} under {name}");
        }
    }
    // The plant: the heap that tells nothing hides what the one above finds.
    for misuse in ["read-after-free", "read-behind", "undefined-branch"] {
        let silent =
            memcheck(&program, &[misuse], Some("libarenite.so"), &[("ARENITE_VALGRIND", "0")]);
        assert_eq!(silent.words, [""; 0], "{misuse}");
    }
}

#[test]
fn both_blocks_of_a_lost_chain_and_of_a_lost_cycle_are_lost() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "watched", &["-g"]);
    for what in ["lost-chain", "lost-cycle"] {
        let plain = memcheck(&program, &[what], None, &[]);
        assert_eq!(plain.lost, (16, 16), "{what}");
        assert_eq!(memcheck(&program, &[what], Some("libarenite.so"), &[]).lost, plain.lost);
    }
}

#[test]
fn a_correct_program_with_threads_is_left_in_peace() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "watched", &["-g"]);
    for settings in [
        &[][..],
        &[("ARENITE_VALGRIND", "0")],
        &[("ARENITE_RED_ZONE", "4096")],
        &[("ARENITE_QUARANTINE", "0")],
    ] {
        let found = memcheck(&program, &["clean"], Some("libarenite.so"), settings);
        assert_eq!((found.errors, found.lost), (0, (0, 0)), "{settings:?}: {found:?}");
    }
}

#[test]
fn a_red_zone_as_asked_finds_a_far_overrun_of_a_small_block() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "watched", &["-g"]);
    let settings = [("ARENITE_RED_ZONE", "8192")];
    let found = memcheck(&program, &["write-far-behind-block"], Some("libarenite.so"), &settings);
    assert_eq!(found.words, ["Invalid write of size 1"]);
}

#[test]
fn an_interpreter_gets_the_reports_that_it_gets_with_the_c_librarys_malloc() {
    if !have("valgrind") || !have("python3") {
        return;
    }
    let program = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .map(|output| String::from_utf8(output.stdout).unwrap())
        .unwrap();
    let program = Path::new(program.trim());
    let arguments = ["-c", "x = [i for i in range(1000)]; y = {str(i): i for i in x}"];
    let plain = memcheck(program, &arguments, None, &[]);
    assert_eq!(memcheck(program, &arguments, Some("libarenite.so"), &[]), plain);
    let untold = memcheck(program, &arguments, Some("libarenite.so"), &[("ARENITE_VALGRIND", "0")]);
    assert_eq!((untold.errors, untold.contexts), (0, 0));
}
