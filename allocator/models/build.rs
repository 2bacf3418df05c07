//! Copies the protocol files of the flagship heap to where the models include them: as they are, and
//! once for every planted bug.
//!
//! The copies differ from the originals in what [`ALWAYS`] lists, and no more: a substitution that
//! does not apply exactly once fails the build, so that the models cannot drift from the code.

use std::env;
use std::fs;
use std::path::Path;

/// File, original, replacement.
type Change = (&'static str, &'static str, &'static str);

/// What every copy gets: the model's atomics, fewer turns and chains to wait for, no checks by walking.
const ALWAYS: &[Change] = &[
    ("lock.rs", "use core::sync::atomic::", "use super::atomic::"),
    ("lock.rs", "const SPINS: u32 = 100;", "const SPINS: u32 = 0;"),
    ("threads.rs", "use core::sync::atomic::", "use super::atomic::"),
    ("threads.rs", "use core::cell::UnsafeCell;", "use super::atomic::UnsafeCell;"),
    ("threads.rs", "pub(crate) mod check;", ""),
    ("remote.rs", "const UNSEEN_CHAINS: u32 = 16;", "const UNSEEN_CHAINS: u32 = 0;"),
    ("remote.rs", "pub(crate) mod check;", ""),
];

/// Bugs that a model must find.
const PLANTED: &[(&str, Change)] = &[
    (
        "relaxed_push",
        ("remote.rs", "(newest, chain, Ordering::Release,", "(newest, chain, Ordering::Relaxed,"),
    ),
    (
        "relaxed_collect",
        (
            "remote.rs",
            "swap(ptr::null_mut(), Ordering::Acquire)",
            "swap(ptr::null_mut(), Ordering::Relaxed)",
        ),
    ),
    (
        "double_collect",
        (
            "remote.rs",
            "inbox.newest.swap(ptr::null_mut(), Ordering::Acquire)",
            "inbox.newest.load(Ordering::Acquire)",
        ),
    ),
    (
        "lost_push",
        ("remote.rs", "Err(other) => newest = other,", "Err(other) => { newest = other; break; }"),
    ),
    (
        "look_without_lock",
        (
            "threads.rs",
            "pub(crate) fn look_after(heap: Heap) {\n    let _held = ROSTER.hold();",
            "pub(crate) fn look_after(heap: Heap) {",
        ),
    ),
    (
        "look_at_any",
        ("threads.rs", "if heap.inbox().parked.load(Ordering::Relaxed) {", "if true {"),
    ),
    (
        "parked_before_ready",
        (
            "threads.rs",
            "    heap.settle();\n    park(heap);",
            "    park(heap);\n    heap.settle();",
        ),
    ),
    (
        "hooks_before_key",
        ("threads.rs", "Ok(_) => {", "Ok(_) => { HOOKS.store(SET, Ordering::Release);"),
    ),
    (
        "late_without_lock",
        ("threads.rs", "    let _held = LATE.hold();\n    let mut heap", "    let mut heap"),
    ),
    (
        "relaxed_acquire",
        (
            "lock.rs",
            "(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err()",
            "(FREE, HELD, Ordering::Relaxed, Ordering::Relaxed).is_err()",
        ),
    ),
    (
        "relaxed_release",
        ("lock.rs", "swap(FREE, Ordering::Release)", "swap(FREE, Ordering::Relaxed)"),
    ),
];

fn copy(variant: &str, planted: Option<Change>) {
    let folder = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join(variant);
    fs::create_dir_all(&folder).expect("a writable build folder");
    for file in ["lock.rs", "remote.rs", "threads.rs"] {
        let path = Path::new("../src/flagship").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let original = fs::read_to_string(&path).expect("a file of the flagship heap");
        // Comments that open a file cannot be included.
        let mut text: String = original
            .lines()
            .filter(|line| !line.starts_with("//!"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let changes = ALWAYS.iter().copied().chain(planted);
        for (_, from, to) in changes.filter(|(place, ..)| *place == file) {
            let count = text.matches(from).count();
            assert_eq!(count, 1, "{variant}: {file} has `{from}` {count} times");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.join(file), text).expect("a writable build folder");
    }
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    copy("real", None);
    for (variant, change) in PLANTED {
        copy(variant, Some(*change));
    }
}
