//! The launcher: a process of ours between the harness and one run of a program.
//!
//! It exists because of what the kernel counts. The peak of resident memory that a process is told
//! to have had (`ru_maxrss`) begins with that of the process it was forked from, even after exec: a
//! program started by the harness itself would never show less than the harness's own memory. The
//! launcher has hardly any, and knows how much.
//!
//! * L1: the launcher starts one program, reads what it writes, and answers once, on
//!   [`ANSWER_FD`], which the program does not inherit.
//! * L2: the clock starts before the fork and stops when the kernel says that the program has ended;
//!   only then is anything computed.
//! * L3: times, faults and the peak are the kernel's account of the program's process, with those it
//!   waited for. A peak that is not above the launcher's own is left out.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use reports::record::Status;

use super::bindings;
use super::watch::Watch;
use crate::child::job::ANSWER_FD;
use crate::child::outcome::signal_name;
use crate::child::process::{check, die_with, pidfd_open, resident_bytes};
use crate::child::spawn::{Ending, Finished};
use crate::child::stream::Stream;

/// First argument of a launcher; the job is the second, and the program's command line follows.
pub(crate) const ARGUMENT: &str = "__launch";
/// Longest wait before the size of the program's memory is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Wait between two looks for the library, in a verified run.
const LOOK: Duration = Duration::from_micros(200);
/// Most bytes kept of each of the program's streams: the last ones.
const KEPT_BYTES: usize = 4 << 10;

/// How to run the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Library to preload into the program.
    pub(crate) preload: Option<PathBuf>,
    /// Folder for the dynamic linker's notes, when they are wanted.
    pub(crate) notes: Option<PathBuf>,
    /// Most resident memory of the program's process, in bytes.
    pub(crate) memory_bytes: u64,
    /// Whether the program is a sample of ours, whose answer is handed on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sample: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The program was started and has ended.
    Ended(Box<Ended>),
    /// It was killed for taking more memory than its limit.
    Oom,
    /// It could not be started, and why.
    CannotStart(String),
    /// The launcher itself could not go on.
    Failed(String),
}

/// A program that has ended, and what it used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Exit code, when it ended by itself.
    pub(crate) code: Option<i32>,
    /// Signal, when one ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) wall_ns: u64,
    pub(crate) user_ns: u64,
    pub(crate) system_ns: u64,
    /// Left out when it cannot be told from the launcher's own (L3).
    pub(crate) rss_peak_bytes: Option<u64>,
    pub(crate) page_faults: u64,
    pub(crate) stdout: Written,
    pub(crate) stderr: Written,
    /// What the dynamic linker wrote down about `malloc`, when it was asked to.
    pub(crate) notes: Option<String>,
    /// Whether the program was last seen without the library that was to be preloaded.
    pub(crate) missed: bool,
    /// What a sample wrote to its own [`ANSWER_FD`], as far as a pipe holds it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) answer: String,
}

/// What a program wrote to one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// The end of it, as text.
    pub(crate) end: String,
}

/// Runs the program and writes the answer. Returns the exit code of the launcher.
pub(crate) fn main(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let job = arguments.next().unwrap_or_default();
    let command: Vec<OsString> = arguments.collect();
    let answer = match serde_json::from_str::<Job>(&job.to_string_lossy()) {
        Ok(job) => launch(&job, &command).unwrap_or_else(|error| Answer::Failed(error.to_string())),
        Err(error) => Answer::Failed(format!("unreadable job: {error}")),
    };
    let Ok(text) = serde_json::to_string(&answer) else { return 70 };
    // SAFETY: the parent has opened this descriptor for the answer, and nothing else here uses it.
    let mut out = unsafe { File::from_raw_fd(ANSWER_FD) };
    if out.write_all(text.as_bytes()).is_err() { 70 } else { 0 }
}

/// How a launched program came to its end, as the harness sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Launched {
    /// By itself.
    Ended(Box<Ended>),
    /// It was stopped, or took its launcher with it.
    Stopped { status: Status, message: String, signal: Option<i32> },
}

/// Reads what a launcher left.
///
/// # Errors
/// When the program could not be started, or the launcher has not done its work.
pub(crate) fn read(finished: &Finished) -> io::Result<Launched> {
    let stopped = |status, message: &str| {
        Ok(Launched::Stopped { status, message: message.to_owned(), signal: None })
    };
    match finished.ending {
        Ending::Timeout => stopped(Status::Timeout, "killed at its time limit"),
        Ending::Interrupted => stopped(Status::Interrupted, "interrupted"),
        Ending::Oom => stopped(Status::Oom, "killed at its memory limit"),
        // The program may have ended its whole group, the launcher with it.
        Ending::Signal(signal) => Ok(Launched::Stopped {
            status: Status::Signal,
            message: format!("the launcher was killed by {}", signal_name(signal)),
            signal: Some(signal),
        }),
        Ending::Exit(_) => match serde_json::from_slice(&finished.answer) {
            Ok(Answer::Ended(ended)) => Ok(Launched::Ended(ended)),
            Ok(Answer::Oom) => stopped(Status::Oom, "killed at its memory limit"),
            Ok(Answer::CannotStart(what)) => Err(io::Error::other(what)),
            Ok(Answer::Failed(what)) => Err(io::Error::other(format!("launcher: {what}"))),
            Err(error) => Err(io::Error::other(format!("launcher's answer: {error}"))),
        },
    }
}

fn launch(job: &Job, command: &[OsString]) -> io::Result<Answer> {
    // SAFETY: plain system call; a descriptor that is not open is an error like any other (L1).
    check(unsafe { libc::fcntl(ANSWER_FD, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    let Some((program, arguments)) = command.split_first() else {
        return Ok(Answer::CannotStart("no program was named".to_owned()));
    };
    let mut prepared = Command::new(program);
    prepared.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(library) = &job.preload {
        prepared.env("LD_PRELOAD", library);
    }
    if let Some(folder) = &job.notes {
        prepared.envs(bindings::variables(folder));
    }
    let this = std::process::id() as libc::pid_t;
    let (answer, writer) = io::pipe()?;
    let answer_fd = job.sample.then(|| writer.as_raw_fd());
    // SAFETY: the closure makes system calls only, which are allowed between fork and exec.
    unsafe { prepared.pre_exec(move || prepare(answer_fd, this)) };
    let own_peak_bytes = own_peak_bytes();
    let begin = Instant::now();
    let child = match prepared.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Answer::CannotStart(error.to_string())),
    };
    drop(writer);
    // An answer is smaller than a pipe, and is read when the sample has ended.
    let mut answer = Stream::new(answer.into(), KEPT_BYTES)?;
    let mut running = Running::new(child)?;
    let verified = job.notes.is_some();
    let mut watch =
        job.preload.as_ref().filter(|_| verified).and_then(|file| Watch::new(running.pid, file));
    let within_limit = running.wait(job.memory_bytes, watch.as_mut())?;
    let wall = begin.elapsed();
    let (status, usage) = running.reap()?;
    if !within_limit {
        return Ok(Answer::Oom);
    }
    running.drain();
    answer.read();
    let pid = running.pid as u32;
    let peak = usage.ru_maxrss as u64 * 1024;
    Ok(Answer::Ended(Box::new(Ended {
        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
        wall_ns: wall.as_nanos() as u64,
        user_ns: nanoseconds(usage.ru_utime),
        system_ns: nanoseconds(usage.ru_stime),
        rss_peak_bytes: (peak > own_peak_bytes).then_some(peak),
        page_faults: (usage.ru_minflt + usage.ru_majflt) as u64,
        stdout: written(running.stdout),
        stderr: written(running.stderr),
        notes: job.notes.as_ref().map(|folder| bindings::malloc_notes(folder, pid)),
        missed: watch.is_some_and(|watch| watch.missed()),
        answer: String::from_utf8_lossy(&answer.into_kept()).into_owned(),
    })))
}

/// Between fork and exec: the sample's answer in its place, death with the launcher.
fn prepare(answer_fd: Option<i32>, launcher: libc::pid_t) -> io::Result<()> {
    if let Some(fd) = answer_fd {
        // SAFETY: plain system call; the launcher's own descriptor of that number stays as it is in
        // the launcher, and the copy has no close-on-exec flag.
        check(unsafe { libc::dup2(fd, ANSWER_FD) })?;
    }
    die_with(launcher)
}

/// The program, running.
struct Running {
    pid: libc::pid_t,
    pidfd: std::os::fd::OwnedFd,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    fn new(mut child: Child) -> io::Result<Self> {
        let stdout = child.stdout.take().expect("standard output was piped");
        let stderr = child.stderr.take().expect("standard error was piped");
        let pid = child.id() as libc::pid_t;
        Ok(Self {
            pid,
            pidfd: pidfd_open(pid)?,
            stdout: Stream::new(stdout.into(), KEPT_BYTES)?,
            stderr: Stream::new(stderr.into(), KEPT_BYTES)?,
        })
    }

    /// Reads what the program writes until it ends. Returns false when it had to be killed for the
    /// memory it took.
    fn wait(&mut self, memory_bytes: u64, mut watch: Option<&mut Watch>) -> io::Result<bool> {
        let wait = if watch.is_some() { LOOK } else { TICK };
        let wait = libc::timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut looked = Instant::now();
        let mut within_limit = true;
        loop {
            let fds = [self.pidfd.as_raw_fd(), self.stdout.fd(), self.stderr.fd()];
            let mut polled = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
            let (fds, len) = (polled.as_mut_ptr(), polled.len() as u64);
            // SAFETY: pointer and length are of one live array, the wait is a live timespec, and no
            // signal mask is given; negative descriptors are skipped.
            let ready = unsafe { libc::ppoll(fds, len, &raw const wait, std::ptr::null()) };
            if ready < 0 {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
                continue;
            }
            if polled[0].revents != 0 {
                return Ok(within_limit);
            }
            if let Some(watch) = watch.as_deref_mut() {
                watch.look();
            }
            self.stdout.read();
            self.stderr.read();
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                if resident_bytes(self.pid) > memory_bytes {
                    within_limit = false;
                    // SAFETY: kill touches no memory; the process is ours and not yet reaped.
                    unsafe { libc::kill(self.pid, libc::SIGKILL) };
                }
            }
        }
    }

    /// Takes the ended program's status and the kernel's account of it.
    fn reap(&self) -> io::Result<(i32, libc::rusage)> {
        let mut status = 0;
        // SAFETY: all bytes zero is a valid rusage, a plain C struct of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live values of the right types.
        check(unsafe { libc::wait4(self.pid, &raw mut status, 0, &raw mut usage) })?;
        Ok((status, usage))
    }

    /// Reads what the program left in its pipes. A process that it left behind may still write; what
    /// comes later is not waited for.
    fn drain(&mut self) {
        self.stdout.read();
        self.stderr.read();
    }
}

fn written(stream: Stream) -> Written {
    let (bytes, sha256) = (stream.bytes(), stream.sha256());
    Written { bytes, sha256, end: String::from_utf8_lossy(&stream.into_kept()).into_owned() }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000
}

/// Peak of this process's own resident memory, in bytes: what a forked child's peak begins with.
fn own_peak_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().map_or(0, |kib: u64| kib * 1024)
}
