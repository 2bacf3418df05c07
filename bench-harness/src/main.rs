//! `arenabench`: see the crate documentation of `bench_harness`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::main()
}
