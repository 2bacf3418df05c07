//! Fingerprint of the computer a run is made on, and of the settings that matter to it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use reports::record::Host;

use crate::subject::Subject;

/// What a run fixes about itself.
pub(crate) struct Settings<'a> {
    pub(crate) profile: &'a str,
    pub(crate) seed: u64,
    pub(crate) baseline: &'a str,
}

/// Reads the fingerprint.
pub(crate) fn fingerprint(settings: &Settings<'_>) -> Host {
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned());
    let system = Subject::parse("system").expect("`system` is built in");
    Host {
        started_unix_s: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |duration| duration.as_secs()),
        arenabench: env!("CARGO_PKG_VERSION").to_owned(),
        profile: settings.profile.to_owned(),
        seed: settings.seed,
        baseline: settings.baseline.to_owned(),
        cpu_model: cpu_model(),
        cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32),
        cpus_allowed: status("Cpus_allowed_list:"),
        l2_bytes: cache_bytes("index2"),
        llc_bytes: last_level(),
        cpu_id: cpu_id(),
        virtual_machine: cpu_line("flags")
            .map(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor")),
        memory_bytes: memory_bytes().unwrap_or(0),
        kernel: format!("Linux {release}"),
        libc: system.version(),
        rustc: env!("ARENABENCH_RUSTC").to_owned(),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        transparent_hugepages: read("/sys/kernel/mm/transparent_hugepage/enabled")
            .and_then(|modes| Some(modes.split_once('[')?.1.split_once(']')?.0.to_owned())),
        address_randomisation: read("/proc/sys/kernel/randomize_va_space")
            .is_some_and(|level| level != "0"),
        load_1m: read("/proc/loadavg")
            .and_then(|text| text.split(' ').next()?.parse().ok())
            .unwrap_or(0.0),
        valgrind: valgrind_version(),
        cc: first_line(c_compiler(), &["--version"]),
    }
}

/// A line of what the kernel says of this process.
fn status(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

/// Main memory, in bytes.
fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib(line.trim().trim_end_matches(" kB"))
}

/// Most memory a child may take, in bytes: half of what there is.
pub(crate) fn memory_limit() -> u64 {
    memory_bytes().map_or(u64::MAX, |bytes| bytes / 2)
}

/// Valgrind's version, when it is installed.
pub(crate) fn valgrind_version() -> Option<String> {
    first_line("valgrind", &["--version"])
        .map(|line| line.strip_prefix("valgrind-").unwrap_or(&line).to_owned())
}

/// The C compiler: `$CC` where that names one, else `cc`.
pub(crate) fn c_compiler() -> OsString {
    let named = std::env::var_os("CC").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "cc".into())
}

/// First line that a program prints, when it can be run and succeeds.
pub(crate) fn first_line(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next()?.to_owned())
}

/// Where the kernel describes the caches of processor 0.
const CACHES: &str = "/sys/devices/system/cpu/cpu0/cache";

fn cache_bytes(index: &str) -> Option<u64> {
    kib(read(&format!("{CACHES}/{index}/size"))?.trim_end_matches('K'))
}

/// The cache of the highest level.
fn last_level() -> Option<u64> {
    let names =
        fs::read_dir(CACHES).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let level = |name: &String| read(&format!("{CACHES}/{name}/level"))?.parse::<u32>().ok();
    let (_, last) = names.filter_map(|name| Some((level(&name)?, name))).max()?;
    cache_bytes(&last)
}

/// What the kernel says of the first processor under this name.
fn cpu_line(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn cpu_model() -> String {
    cpu_line("model name").unwrap_or_else(|| "unknown".to_owned())
}

fn cpu_id() -> Option<String> {
    let [family, model, stepping] = ["cpu family", "model", "stepping"].map(cpu_line);
    Some(format!("family {}, model {}, stepping {}", family?, model?, stepping?))
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn kib(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_of_this_computer_is_filled_in() {
        let host = fingerprint(&Settings { profile: "quick", seed: 7, baseline: "system" });
        assert!(host.memory_bytes > 1 << 20);
        assert!(host.cpus >= 1);
        assert!(
            host.cpus_allowed.is_some_and(|list| list.starts_with(|c: char| c.is_ascii_digit()))
        );
        assert!(host.libc.starts_with("glibc "));
        assert!(host.rustc.starts_with("rustc "), "{}", host.rustc);
        assert!(!host.cpu_model.is_empty());
        assert!(host.llc_bytes >= host.l2_bytes, "{:?} {:?}", host.llc_bytes, host.l2_bytes);
        // What the kernel shows of a processor, the record has.
        let shown = fs::read_to_string("/proc/cpuinfo").unwrap();
        assert_eq!(host.cpu_id.is_some(), shown.contains("stepping"));
        assert_eq!(
            host.virtual_machine,
            shown.contains("flags").then(|| shown.contains(" hypervisor"))
        );
    }

    #[test]
    fn a_missing_program_has_no_first_line() {
        assert_eq!(first_line("no-such-program-anywhere", &[]), None);
        assert_eq!(first_line("false", &[]), None);
    }
}
