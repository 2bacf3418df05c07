//! A program that starts: that it can, in little memory and with odd settings beside its own, and that nothing
//! but its allocator is another one than without the subject. A library sees its process first and its
//! environment, and may leave something behind in both.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};

use super::child::end;
use super::row::Limit;
use crate::os;

/// A program that does nothing but start: it asks malloc for what its reader of commands needs.
const NOTHING: &str = ":";
/// One that tells its open files, its environment but for who serves it, and its memory.
const TELLS: &str =
    "ls /proc/$$/fd; env | grep -v LD_PRELOAD; grep -E '^(RssAnon|VmData):' /proc/$$/status";
/// What a program may have more of for its allocator when it has asked for next to nothing, in KiB: memory that
/// it occupies, and memory that counts against its limit.
const SPARE: [(&str, u64); 2] = [("RssAnon:", 1536), ("VmData:", 65_536)];
/// Variables that no allocator knows, some of which look like settings of Arenite.
const ODD_NAMES: [&str; 3] = ["ARENITE_", "ARENITE_RESERVATION", "MALLOC_ODD_"];
const ODD_VALUES: [&[u8]; 4] = [b"", b"x", b"18446744073709551616", b"=\xfe\t="];
const LONG: usize = 4096;

/// Starts a program that may have so many bytes, served as this process is.
///
/// # Errors
/// How it ended otherwise than by itself and well. `None` when there is no such program here, or it does
/// not start in so little without anybody's malloc.
pub(super) fn in_little(bytes: u64, limit: Limit) -> Option<Result<(), String>> {
    let resource = match limit {
        Limit::AddressSpace => libc::RLIMIT_AS,
        Limit::Data => libc::RLIMIT_DATA,
    };
    let ended = |is_served: bool| {
        let mut command = shell(NOTHING, is_served);
        // SAFETY: two calls of the kernel, which allocate nothing.
        unsafe { command.pre_exec(move || os::limit(resource, bytes)) };
        command.output()
    };
    if !ended(false).is_ok_and(|output| output.status.success()) {
        return None;
    }
    Some(well(ended(true)).map(drop))
}

/// Starts a program with and without the subject.
///
/// # Errors
/// In what they differ. `None` when there is no such program here.
pub(super) fn alike() -> Option<Result<(), String>> {
    let told = |is_served| shell(TELLS, is_served).env("ARENITE_PURGE_DELAY", "100").output();
    let without = well(told(false)).ok()?;
    Some(well(told(true)).and_then(|served| compare(&without, &served)))
}

/// Starts a program in environments with odd variables.
///
/// # Errors
/// As of [`in_little`].
pub(super) fn in_odd_environments() -> Option<Result<(), String>> {
    well(shell(NOTHING, false).output()).ok()?;
    let long = [("ARENITE_".to_owned() + &"X".repeat(LONG), b"1".to_vec())];
    let odd = ODD_NAMES
        .into_iter()
        .flat_map(|name| ODD_VALUES.map(|value| (name.to_owned(), value.to_vec())));
    let mut odd = odd.chain(long).chain([("ARENITE_PURGE_DELAY".to_owned(), b"9".repeat(LONG))]);
    Some(odd.try_for_each(|(name, value)| {
        let ended = well(shell(NOTHING, true).env(&name, OsStr::from_bytes(&value)).output());
        let value = String::from_utf8_lossy(&value);
        ended.map(drop).map_err(|what| format!("{what} with {name:.20}={value:.20}"))
    }))
}

fn shell(commands: &str, is_served: bool) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", commands]).stdin(Stdio::null());
    if !is_served {
        command.env_remove("LD_PRELOAD");
    }
    command
}

fn well(output: io::Result<Output>) -> Result<Output, String> {
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output) } else { Err(end(output.status.into_raw())) }
}

fn compare(without: &Output, served: &Output) -> Result<(), String> {
    if served.stderr != without.stderr {
        let text = String::from_utf8_lossy(&served.stderr);
        return Err(format!(
            "writes to standard error: {}",
            text.lines().next().unwrap_or_default()
        ));
    }
    let [(lines, memory), (others, more)] = [without, served].map(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::to_owned).partition::<Vec<_>, _>(|line| kib(line).is_none())
    });
    if lines != others {
        let other = others.iter().find(|line| !lines.contains(line));
        let other = other.or_else(|| lines.iter().find(|line| !others.contains(line)));
        return Err(format!("other files or variables: {}", other.map_or("", |line| line)));
    }
    let (memory, more) =
        (memory.iter().filter_map(|line| kib(line)), more.iter().filter_map(|line| kib(line)));
    for ((what, before, spare), (_, after, _)) in memory.zip(more) {
        if after > before + spare {
            return Err(format!("{} KiB more of {}", after - before, what.trim_end_matches(':')));
        }
    }
    Ok(())
}

/// A line that tells memory: which, how much of it, and how much more there may be.
fn kib(line: &str) -> Option<(&'static str, u64, u64)> {
    let (what, spare) = SPARE.into_iter().find(|(what, _)| line.starts_with(what))?;
    Some((what, line.split_whitespace().nth(1)?.parse().ok()?, spare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_starts_in_enough_memory_and_nobody_is_blamed_for_too_little() {
        for limit in [Limit::AddressSpace, Limit::Data] {
            assert_eq!(in_little(1 << 28, limit), Some(Ok(())));
            assert_eq!(in_little(1 << 12, limit), None);
        }
        assert_eq!(in_odd_environments(), Some(Ok(())));
        assert_eq!(alike(), Some(Ok(())));
    }

    #[test]
    fn whatever_a_library_leaves_in_a_program_is_found() {
        let output = |stdout: &str, stderr: &str| Output {
            status: std::process::ExitStatus::default(),
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        let told = "0\n1\n2\nHOME=/\nRssAnon:\t 100 kB\n";
        let without = output(told, "hello\n");
        for (other, words) in [
            (output(told, "warning\nhello\n"), "writes to standard error: warning"),
            (
                output("0\n1\n2\n3\nHOME=/\nRssAnon:\t 100 kB\n", "hello\n"),
                "other files or variables: 3",
            ),
            (output("0\n1\n2\nRssAnon:\t 100 kB\n", "hello\n"), "other files or variables: HOME=/"),
            (
                output("0\n1\n2\nHOME=/\nRssAnon:\t 1637 kB\n", "hello\n"),
                "1537 KiB more of RssAnon",
            ),
        ] {
            assert_eq!(compare(&without, &other), Err(words.to_owned()));
        }
        assert_eq!(
            compare(&without, &output("0\n1\n2\nHOME=/\nRssAnon: 1636 kB\n", "hello\n")),
            Ok(())
        );
    }
}
