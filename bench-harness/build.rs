//! Tells the harness which compiler built it, for the fingerprint in its records.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_else(|| "rustc of unknown version".to_owned());
    println!("cargo::rustc-env=ARENABENCH_RUSTC={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
}
