//! Starts a child process in a group of its own and brings it to an end, whatever it does.
//!
//! * C1: when [`run`] returns, the child is reaped and every process left in its group was killed.
//! * C2: what a child writes is read to bounded buffers; a child that floods a pipe loses the middle,
//!   not our memory.
//! * C3: a child never outlives its deadline by more than [`GRACE`] and the time a kill takes.

use std::io::{self, PipeReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::child::job::ANSWER_FD;
use crate::child::process::{check, die_with, pidfd_open, resident_bytes};
use crate::child::stream::Stream;
use crate::interrupt::Interrupt;

/// Time between a polite and a forced kill.
const GRACE: Duration = Duration::from_secs(2);
/// Longest wait before interrupts, the deadline and memory are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Most bytes kept of an answer.
const ANSWER_BYTES: usize = 1 << 20;
/// Most bytes kept of standard error: the last ones.
const STREAM_BYTES: usize = 64 << 10;

/// Bounds on a child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Wall time.
    pub(crate) timeout: Duration,
    /// Resident memory, in bytes.
    pub(crate) memory_bytes: u64,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With this exit code.
    Exit(i32),
    /// By a signal of its own making.
    Signal(i32),
    /// Killed at its deadline.
    Timeout,
    /// Killed for taking more memory than its limit.
    Oom,
    /// Killed because the run was interrupted.
    Interrupted,
}

/// A child that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    /// What it wrote to [`ANSWER_FD`].
    pub(crate) answer: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub(crate) stderr: Vec<u8>,
}

/// Runs `command` to its end.
///
/// Standard input is empty and standard output is dropped; standard error and the answer are read.
/// The child dies with its parent.
///
/// # Errors
/// When the child cannot be started.
pub(crate) fn run(
    mut command: Command,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Finished> {
    let (answer_reader, answer_writer) = io::pipe()?;
    let writer_fd = answer_writer.as_raw_fd();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let parent = std::process::id() as libc::pid_t;
    // SAFETY: the closure makes system calls only, which are allowed between fork and exec.
    unsafe { command.pre_exec(move || prepare(writer_fd, parent)) };
    let begin = Instant::now();
    let mut child = command.spawn()?;
    drop(answer_writer);
    let watching = Watched::new(&mut child, answer_reader).and_then(|mut watched| {
        let ending = watched.watch(begin, limits, interrupt)?;
        Ok((watched, ending))
    });
    let (mut watched, ending) = match watching {
        Ok(watching) => watching,
        Err(error) => {
            // C1 holds for a child that could not be watched as well.
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
    };
    watched.kill_group(libc::SIGKILL);
    let status = child.wait()?;
    watched.drain();
    let ending = ending.unwrap_or_else(|| match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exit(code),
        (None, Some(signal)) => Ending::Signal(signal),
        (None, None) => Ending::Exit(-1),
    });
    let Watched { answer, stderr, .. } = watched;
    Ok(Finished { ending, answer: answer.into_kept(), stderr: stderr.into_kept() })
}

/// Between fork and exec: the answer's descriptor in its place, no core file, death with the parent.
fn prepare(writer_fd: i32, parent: libc::pid_t) -> io::Result<()> {
    if writer_fd == ANSWER_FD {
        // SAFETY: plain system call on a descriptor this process owns.
        check(unsafe { libc::fcntl(writer_fd, libc::F_SETFD, 0) })?;
    } else {
        // SAFETY: as above; the copy has no close-on-exec flag.
        check(unsafe { libc::dup2(writer_fd, ANSWER_FD) })?;
    }
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) })?;
    die_with(parent)
}

/// A running child and its streams.
struct Watched {
    pid: libc::pid_t,
    pidfd: OwnedFd,
    answer: Stream,
    stderr: Stream,
}

impl Watched {
    fn new(child: &mut Child, answer: PipeReader) -> io::Result<Self> {
        let pid = child.id() as libc::pid_t;
        let stderr = child.stderr.take().expect("standard error was piped");
        Ok(Self {
            pid,
            pidfd: pidfd_open(pid)?,
            answer: Stream::new(answer.into(), ANSWER_BYTES)?,
            stderr: Stream::new(stderr.into(), STREAM_BYTES)?,
        })
    }

    /// Waits for the child's end; tells the ending when it was of our making.
    fn watch(
        &mut self,
        begin: Instant,
        limits: Limits,
        interrupt: &Interrupt,
    ) -> io::Result<Option<Ending>> {
        let mut killed: Option<(Ending, Instant)> = None;
        loop {
            if self.poll()? {
                return Ok(killed.map(|(ending, _)| ending));
            }
            if let Some((_, since)) = killed {
                if since.elapsed() >= GRACE {
                    self.kill_group(libc::SIGKILL);
                }
                continue;
            }
            let ending = if interrupt.requested() {
                Ending::Interrupted
            } else if begin.elapsed() >= limits.timeout {
                Ending::Timeout
            } else if resident_bytes(self.pid) > limits.memory_bytes {
                Ending::Oom
            } else {
                continue;
            };
            let polite = ending != Ending::Oom;
            self.kill_group(if polite { libc::SIGTERM } else { libc::SIGKILL });
            killed = Some((ending, Instant::now()));
        }
    }

    /// Waits up to a tick, reads what the streams hold, and tells whether the child has ended.
    fn poll(&mut self) -> io::Result<bool> {
        let fds = [self.pidfd.as_raw_fd(), self.answer.fd(), self.stderr.fd()];
        let mut polled = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        let timeout = TICK.as_millis() as i32;
        // SAFETY: pointer and length are of one live array; negative descriptors are skipped.
        let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as u64, timeout) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) };
        }
        self.drain();
        Ok(polled[0].revents != 0)
    }

    fn drain(&mut self) {
        for stream in [&mut self.answer, &mut self.stderr] {
            stream.read();
        }
    }

    fn kill_group(&self, signal: i32) {
        // SAFETY: kill touches no memory. The group's number stays taken until the child is reaped,
        // which only `run` does, after its last call of this function.
        unsafe { libc::kill(-self.pid, signal) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn run_shell(script: &str, timeout_ms: u64) -> Finished {
        let limits = Limits { timeout: Duration::from_millis(timeout_ms), memory_bytes: 256 << 20 };
        run(shell(script), limits, &Interrupt::never()).unwrap()
    }

    #[test]
    fn exit_code_signal_streams_and_answer_are_told_apart() {
        let finished = run_shell("echo dropped; echo err >&2; echo answer >&3; exit 3", 10_000);
        assert_eq!(finished.ending, Ending::Exit(3));
        assert_eq!(finished.stderr, b"err\n");
        assert_eq!(finished.answer, b"answer\n");
        assert_eq!(run_shell("kill -SEGV $$", 10_000).ending, Ending::Signal(libc::SIGSEGV));
    }

    #[test]
    fn a_child_that_ignores_the_polite_kill_still_ends() {
        let begin = Instant::now();
        let finished = run_shell("trap '' TERM; while :; do sleep 0.05; done", 300);
        assert_eq!(finished.ending, Ending::Timeout);
        assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_grandchild_that_holds_the_streams_neither_delays_nor_survives() {
        let begin = Instant::now();
        let finished = run_shell("sleep 30 & echo $! >&3", 20_000);
        assert_eq!(finished.ending, Ending::Exit(0));
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        let pid: i32 = String::from_utf8(finished.answer).unwrap().trim().parse().unwrap();
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ")
        };
        while !is_gone() {
            assert!(begin.elapsed() < Duration::from_secs(25), "{pid} is left behind");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_flood_of_output_is_bounded_and_its_end_kept() {
        let finished = run_shell("yes flood | head -c 20000000 >&2; echo last >&2", 20_000);
        assert_eq!(finished.ending, Ending::Exit(0));
        assert!(finished.stderr.len() <= STREAM_BYTES);
        assert!(finished.stderr.ends_with(b"last\n"));
    }

    #[test]
    fn a_child_beyond_its_memory_limit_is_killed_as_out_of_memory() {
        let script = "x=$(head -c 400000000 /dev/zero | tr '\\0' a); sleep 10; echo ${#x}";
        assert_eq!(run_shell(script, 120_000).ending, Ending::Oom);
    }

    #[test]
    fn an_interrupt_ends_the_child() {
        let interrupt = Interrupt::never();
        interrupt.request();
        let limits = Limits { timeout: Duration::from_secs(30), memory_bytes: u64::MAX };
        let finished = run(shell("sleep 20"), limits, &interrupt).unwrap();
        assert_eq!(finished.ending, Ending::Interrupted);
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        let limits = Limits { timeout: Duration::from_secs(1), memory_bytes: u64::MAX };
        let command = Command::new("no-such-program-anywhere");
        assert!(run(command, limits, &Interrupt::never()).is_err());
    }
}
