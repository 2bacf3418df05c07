//! The lab in instructions: a child under callgrind that counts only inside the loops.
//!
//! The child starts and stops callgrind's instrumentation around every loop and has the counts
//! written to a file per loop, with the loop's [`label`] in its head; the parent reads the totals.
//! The requests are Valgrind's own: a few rotations that do nothing on a processor.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::io;
use std::path::Path;

use reports::record::Metric;

/// Arguments of every run; the output file comes behind them.
pub(super) const ARGUMENTS: [&str; 2] = ["--tool=callgrind", "--instr-atstart=no"];

/// Whether requests can be made on this kind of processor.
pub(super) const IS_SUPPORTED: bool = cfg!(target_arch = "x86_64");

/// Callgrind's requests begin here: its letters and 16 zero bits.
const BASE: usize = 0x4354_0000;
const ZERO_STATS: usize = BASE + 1;
const DUMP_STATS_AT: usize = BASE + 3;
const START_INSTRUMENTATION: usize = BASE + 4;
const STOP_INSTRUMENTATION: usize = BASE + 5;

/// Name of a loop in callgrind's files.
pub(super) fn label(miss_share: f64, metric: Metric, is_floor: bool) -> String {
    let what = if is_floor { "floor" } else { "test" };
    format!("ownership {what} {} {miss_share}", metric.word())
}

/// Runs `body` with its instructions counted under that name.
pub(super) fn counted(label: &str, body: impl FnOnce() -> usize) {
    let name = CString::new(label).unwrap_or_default();
    request(START_INSTRUMENTATION, 0);
    request(ZERO_STATS, 0);
    std::hint::black_box(body());
    request(DUMP_STATS_AT, name.as_ptr().addr());
    request(STOP_INSTRUMENTATION, 0);
}

/// Makes a request of Valgrind; outside of it, nothing happens.
#[cfg(target_arch = "x86_64")]
fn request(code: usize, argument: usize) {
    let arguments = [code, argument, 0, 0, 0, 0];
    // SAFETY: the rotations add up to a full turn and the exchange is of a register with itself;
    // Valgrind reads the six words and the name that the argument may point to, which live on.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_usize => _,
            options(nostack)
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_code: usize, _argument: usize) {}

/// Reads the totals of all files that were written beside `output`, by label.
///
/// # Errors
/// When the folder or a file cannot be read.
pub(super) fn totals(output: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut totals = BTreeMap::new();
    let folder = output.parent().unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder)? {
        let text = fs::read_to_string(entry?.path())?;
        totals.extend(total(&text));
    }
    Ok(totals)
}

/// Label and total of one file; `None` of a file that no request has made.
fn total(text: &str) -> Option<(String, u64)> {
    let after = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix));
    let label = after("desc: Trigger: Client Request: ")?.trim();
    let count = after("totals: ").or_else(|| after("summary: "))?;
    Some((label.to_owned(), count.split_whitespace().next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_dump_is_found_under_its_label() {
        let label = label(0.35, Metric::Latency, false);
        let text = format!(
            "version: 1\ndesc: Trigger: Client Request: {label}\n\nevents: Ir\nfn=(1)\n1 5\n\ntotals: 4096\n"
        );
        assert_eq!(total(&text), Some((label, 4096)));
        assert_eq!(total("version: 1\ndesc: Trigger: Program termination\ntotals: 9\n"), None);
    }

    #[test]
    fn requests_do_nothing_outside_of_valgrind() {
        let mut ran = false;
        counted("name", || {
            ran = true;
            7
        });
        assert!(ran);
    }
}
