//! The preload libraries of Arenite: what they export and need, and C programs that call them where
//! an allocator is easily caught out.
//!
//! The programs are in `tests/c`; each runs without a library first, so that what fails is never the
//! program itself.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::command::{ARENABENCH, folder, have};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c");
const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../allocator/capi/include");

/// The preload libraries.
pub(crate) const LIBRARIES: [&str; 2] = ["libarenite.so", "libarenite-checked.so"];

/// What takes the place of the C library's own functions: the list of glibc's manual, and the two
/// that C23 added.
const FAMILY: [&str; 13] = [
    "malloc",
    "calloc",
    "realloc",
    "free",
    "aligned_alloc",
    "posix_memalign",
    "memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "reallocarray",
    "free_sized",
    "free_aligned_sized",
];

/// A preload library beside the binary, built by `scripts/test`.
pub(crate) fn library(name: &str) -> PathBuf {
    let path = Path::new(ARENABENCH).with_file_name(name);
    assert!(path.exists(), "{} is not built; run scripts/test", path.display());
    path
}

/// Standard output of a program that must succeed.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new(program).args(arguments).env("LC_ALL", "C").output().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Compiles one of the programs into `folder`.
pub(crate) fn compile(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let program = folder.join(name);
    let source = format!("{SOURCES}/{name}.c");
    let mut arguments = vec!["-O1", "-pthread", "-Wall", "-Wextra", "-Werror"];
    arguments.extend(options);
    arguments.extend(["-o", program.to_str().unwrap(), &source, "-ldl"]);
    output_of("cc", &arguments);
    program
}

/// Runs a program alone and under each library; it says "ok".
fn is_ok_under_every_library(program: &Path, arguments: &[&str]) {
    is_ok_alone(program, arguments);
    for name in LIBRARIES {
        is_ok_under(name, program, arguments);
    }
}

fn is_ok_alone(program: &Path, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).env_remove("LD_PRELOAD").output().unwrap();
    assert_eq!(ended.stdout, b"ok\n", "without a library: {ended:?}");
}

fn is_ok_under(name: &str, program: &Path, arguments: &[&str]) {
    let mut command = Command::new(program);
    let ended = command.args(arguments).env("LD_PRELOAD", library(name)).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{name}: {}: {said}", ended.status);
    assert_eq!((ended.stdout.as_slice(), &*said), (&b"ok\n"[..], ""), "{name}");
}

/// A symbol table's defined and exported names.
fn exports(path: &Path) -> BTreeSet<String> {
    let table = output_of("readelf", &["-W", "--dyn-syms", path.to_str().unwrap()]);
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() >= 8 && ["GLOBAL", "WEAK"].contains(&fields[4]))
        .filter(|fields| fields[6] != "UND")
        .map(|fields| fields[7].split('@').next().unwrap().to_owned())
        .collect()
}

/// The functions that `arenite.h` declares.
fn declared() -> BTreeSet<String> {
    let header = std::fs::read_to_string(format!("{INCLUDE}/arenite.h")).unwrap();
    header
        .lines()
        .filter(|line| ["void", "int ", "size"].iter().any(|begin| line.starts_with(begin)))
        .map(|line| {
            let name = line.split('(').next().unwrap().rsplit([' ', '*']).next().unwrap();
            assert!(name.starts_with("arenite_"), "{line}");
            name.to_owned()
        })
        .collect()
}

#[test]
fn the_libraries_export_the_family_and_what_the_header_declares_and_nothing_else() {
    if !have("readelf") {
        return;
    }
    let expected: BTreeSet<String> =
        FAMILY.map(str::to_owned).into_iter().chain(declared()).collect();
    assert!(FAMILY.iter().all(|name| expected.contains(&format!("arenite_{name}"))));
    for name in LIBRARIES {
        assert_eq!(exports(&library(name)), expected, "{name}");
    }
}

#[test]
fn the_libraries_need_the_c_library_alone_and_a_few_words_of_static_thread_storage() {
    if !have("readelf") {
        return;
    }
    for name in LIBRARIES {
        let path = library(name);
        let path = path.to_str().unwrap();
        let dynamic = output_of("readelf", &["-W", "-d", path]);
        let needed: Vec<&str> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
        assert_eq!(needed.len(), 1, "{name}: {needed:?}");
        assert!(needed[0].contains("[libc.so.6]"), "{name}: {needed:?}");
        // TPOFF is an offset that the loader knows; any other kind of relocation for thread-local
        // storage goes through a function that may allocate.
        let relocations = output_of("readelf", &["-W", "-r", path]);
        let of_threads: BTreeSet<&str> = relocations
            .split_whitespace()
            .filter(|word| {
                ["TPOFF", "DTPMOD", "DTPOFF", "TLSDESC"].iter().any(|is| word.contains(is))
            })
            .collect();
        assert_eq!(of_threads, BTreeSet::from(["R_X86_64_TPOFF64"]), "{name}");
        assert!(!output_of("readelf", &["-W", "--dyn-syms", path]).contains("__tls_get_addr"));
        let segments = output_of("readelf", &["-W", "-l", path]);
        let segment = segments.lines().find(|line| line.trim_start().starts_with("TLS")).unwrap();
        let bytes = segment.split_whitespace().nth(5).unwrap().trim_start_matches("0x");
        let bytes = u64::from_str_radix(bytes, 16).unwrap();
        assert!((1..=64).contains(&bytes), "{name}: {bytes} bytes of thread-local storage");
    }
}

/// On an older one the loader refuses every program.
#[test]
fn the_libraries_ask_for_no_later_c_library_than_that_of_2021() {
    const LATEST: [u32; 2] = [2, 34];
    if !have("readelf") {
        return;
    }
    for name in LIBRARIES {
        let versions = output_of("readelf", &["-W", "-V", library(name).to_str().unwrap()]);
        let asked = versions.split_whitespace().filter_map(|word| word.strip_prefix("GLIBC_"));
        // Another kind of name, `GLIBC_ABI_DT_RELR` for one, is later.
        let number = |text: &str| -> Vec<u32> {
            text.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
        };
        let later: Vec<&str> =
            asked.clone().filter(|text| number(text) > LATEST.to_vec()).collect();
        assert!(asked.count() > 0 && later.is_empty(), "{name}: {later:?}");
    }
}

#[test]
fn malloc_and_free_are_a_fast_path_and_jumps_without_a_stack_frame() {
    if !have("objdump") {
        return;
    }
    let path = library("libarenite.so");
    let code = output_of("objdump", &["-d", "--no-show-raw-insn", path.to_str().unwrap()]);
    // The linker keeps one of two equal functions, under either name.
    for name in ["malloc", "free"] {
        let function = code
            .split("\n\n")
            .find(|function| {
                let head = function.lines().next().unwrap_or_default();
                head.ends_with(&format!("<{name}>:"))
                    || head.ends_with(&format!("<arenite_{name}>:"))
            })
            .unwrap();
        for instruction in ["push", "pop", "call"] {
            let found = function.split_whitespace().any(|word| word == instruction);
            assert!(!found, "{name} has a {instruction}:\n{function}");
        }
    }
}

#[test]
fn the_header_is_valid_c_and_cpp_with_every_warning_an_error() {
    if !have("cc") || !have("c++") {
        return;
    }
    let folder = folder();
    let calls: String = declared().iter().map(|name| format!("    (void)&{name};\n")).collect();
    let source = format!(
        "#include \"arenite.h\"\n#include \"arenite.h\"\nint main(void) {{\n{calls}    return 0;\n}}\n"
    );
    for (compiler, standard, file) in [
        ("cc", "-std=c11", "header.c"),
        ("cc", "-std=c17", "header.c"),
        ("c++", "-std=c++17", "header.cc"),
    ] {
        let file = folder.path().join(file);
        std::fs::write(&file, &source).unwrap();
        let file = file.to_str().unwrap();
        let flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-I", INCLUDE, "-fsyntax-only"];
        output_of(compiler, &[&[standard], &flags[..], &[file]].concat());
    }
}

#[test]
fn a_c_program_that_includes_the_header_links_the_library_and_the_archive() {
    if !have("cc") {
        return;
    }
    let folder = folder();
    let source = folder.path().join("uses.c");
    let text = "#include <arenite.h>\n#include <stdio.h>\n#include <string.h>\n\
        int main(void) {\n    char *text = arenite_malloc(6);\n    if (!text) return 1;\n    \
        strcpy(text, \"hello\");\n    int other;\n    \
        printf(\"%s %d %d\\n\", text, arenite_owns(text), arenite_owns(&other));\n    \
        arenite_free(text);\n    arenite_purge();\n    return 0;\n}\n";
    std::fs::write(&source, text).unwrap();
    let archive = Path::new(ARENABENCH).with_file_name("examples").join("libarenite.a");
    assert!(archive.exists(), "{} is not built; run scripts/test", archive.display());
    for (name, library) in [("by-library", library("libarenite.so")), ("by-archive", archive)] {
        let program = folder.path().join(name);
        let (program, source) = (program.to_str().unwrap(), source.to_str().unwrap());
        let library = library.to_str().unwrap();
        output_of("cc", &["-Wall", "-Werror", "-I", INCLUDE, "-o", program, source, library]);
        assert_eq!(output_of(program, &[]), "hello 1 0\n", "{name}");
    }
}

#[test]
fn the_first_calls_may_come_before_every_constructor() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "first_call", &[]), &[]);
    }
}

#[test]
fn each_function_may_be_a_threads_first_call_with_any_size() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "first_in_thread", &[]), &[]);
    }
}

#[test]
fn destructors_of_threads_and_of_a_hundred_keys_may_allocate() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "thread_end", &[]), &[]);
    }
}

#[test]
fn exit_handlers_and_destructors_may_allocate_and_free_what_main_had() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "process_end", &[]), &[]);
    }
}

#[test]
fn no_child_of_a_thousand_forks_under_load_hangs() {
    if have("cc") {
        let folder = folder();
        let program = compile(folder.path(), "fork_under_load", &[]);
        let campaign = std::env::var_os("ARENABENCH_CAMPAIGN").is_some();
        is_ok_alone(&program, &["50"]);
        is_ok_under("libarenite.so", &program, &[if campaign { "10000" } else { "1000" }]);
        is_ok_under("libarenite-checked.so", &program, &[if campaign { "10000" } else { "100" }]);
    }
}

#[test]
fn no_fork_hangs_while_one_thread_flushes_all_streams_and_another_allocates_with_one_in_hand() {
    if have("cc") {
        let folder = folder();
        let program = compile(folder.path(), "fork_beside_streams", &[]);
        is_ok_under_every_library(&program, &["300"]);
    }
}

/// Would catch a lock of the C library that is taken around a fork and stays taken in the child: the C
/// library frees its own only in the child of a process with threads.
#[test]
fn threads_of_a_daemon_may_use_streams() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "daemon", &[]), &[]);
    }
}

#[test]
fn threads_that_end_leave_nothing_behind_where_no_key_was_left() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "no_thread_keys", &[]), &[]);
    }
}

/// A buffer on the stack of a slow path is no fault of the program's.
#[test]
fn a_thread_with_the_smallest_stack_may_call_everything() {
    if have("cc") {
        let folder = folder();
        is_ok_under_every_library(&compile(folder.path(), "small_stack", &[]), &[]);
    }
}

#[test]
fn libraries_that_allocate_in_their_constructors_load_and_unload() {
    if have("cc") {
        let folder = folder();
        let plugin = compile(folder.path(), "plugin", &["-shared", "-fPIC"]);
        let program = compile(folder.path(), "dlopen", &[]);
        is_ok_under_every_library(&program, &[plugin.to_str().unwrap()]);
    }
}

/// How a misuse ends under a library: the line it died with, without the address, or what it said.
fn misuse(program: &Path, name: &str, how: &str) -> String {
    let ended = Command::new(program).arg(how).env("LD_PRELOAD", library(name)).output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    match ended.status.signal() {
        Some(libc::SIGABRT) => {
            let line = stderr.lines().last().unwrap();
            let (text, address) = line.rsplit_once(" 0x").unwrap();
            assert!(u64::from_str_radix(address, 16).is_ok(), "{line}");
            text.to_owned()
        }
        Some(signal) => format!("signal {signal}"),
        None => String::from_utf8(ended.stdout).unwrap().trim_end().to_owned(),
    }
}

#[test]
fn wild_frees_die_with_one_fixed_line_under_both_libraries() {
    if !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "misuse", &[]);
    for name in LIBRARIES {
        assert_eq!(misuse(&program, name, "nothing"), "survived", "{name}");
        for how in ["static", "stack", "wild", "double-free-large"] {
            let ended = misuse(&program, name, how);
            assert_eq!(ended, "arenite: fatal: free of foreign pointer", "{name}: {how}");
        }
        let ended = misuse(&program, name, "interior-large");
        assert_eq!(ended, "arenite: fatal: free of interior pointer", "{name}");
        let ended = misuse(&program, name, "double-free-remote");
        let line = if name == "libarenite.so" { "smashed free link in" } else { "double free of" };
        assert_eq!(ended, format!("arenite: fatal: {line}"), "{name}");
    }
}

#[test]
fn the_checked_library_names_every_misuse_of_blocks() {
    if !have("cc") {
        return;
    }
    let folder = folder();
    let program = compile(folder.path(), "misuse", &[]);
    for (how, line) in [
        ("double-free", "arenite: fatal: double free of"),
        ("double-free-apart", "arenite: fatal: double free of"),
        ("realloc-after-free", "arenite: fatal: double free of"),
        ("interior", "arenite: fatal: free of interior pointer"),
        ("smashed-link", "arenite: fatal: smashed free link in"),
    ] {
        assert_eq!(misuse(&program, "libarenite-checked.so", how), line, "{how}");
    }
}
