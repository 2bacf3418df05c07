//! The examples run, and what they print is true. This binary has the allocator of one of them, so
//! that the test harness runs on Arenite as well.
#![allow(clippy::print_stdout, reason = "the examples print")]

#[path = "../../examples/global_allocator.rs"]
mod global_allocator;
#[path = "../../examples/private_heap.rs"]
mod private_heap;

use std::env;
use std::process::{Command, Output};

/// Runs the test in a process of its own, where the harness prints what the example does.
fn output_of(test: &str, example: fn()) -> Option<String> {
    if env::var_os("TEST_EXAMPLE").is_some() {
        example();
        return None;
    }
    let Output { status, stdout, .. } = Command::new(env::current_exe().ok()?)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("TEST_EXAMPLE", test)
        .output()
        .ok()?;
    assert!(status.success(), "{status}");
    Some(String::from_utf8_lossy(&stdout).into_owned())
}

#[test]
fn program_with_the_global_allocator_says_where_its_bytes_are() {
    let test = "program_with_the_global_allocator_says_where_its_bytes_are";
    let Some(said) = output_of(test, global_allocator::main) else { return };
    assert!(said.contains("the words lie in Arenite's memory: true"), "{said}");
    assert!(said.contains("# bytes in allocated blocks"), "{said}");
}

#[test]
fn request_leaves_nothing_behind() {
    let Some(said) = output_of("request_leaves_nothing_behind", private_heap::main) else { return };
    // The harness's own blocks live in the same process; the nodes are gone.
    assert_eq!(said.matches("sum 2147450880").count(), 3, "{said}");
}
