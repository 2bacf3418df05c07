//! Waits for a program and hands on the signals that ask it to end.
//!
//! While [`Signals`] lives, the signals are held back from this process and read from a descriptor:
//! the program gets them, this process lives on and keeps what was recorded. A signal of the
//! terminal went to the whole foreground group and so to the program already; handing it on would
//! make two of one.

use std::fs::File;
use std::io::{self, Read};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use crate::child::process::{check, pidfd_open};

/// The signals that are handed on.
const SIGNALS: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// The signals, held back; let through again when this is dropped. Those that `Interrupt` listens
/// for reach it then.
pub(super) struct Signals {
    /// One `signalfd_siginfo` per signal.
    file: File,
    before: libc::sigset_t,
    /// The first that came and is for this process too.
    caught: Option<i32>,
}

impl Signals {
    /// Holds the signals back in the calling thread, the only one of this process.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn hold() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` has room for a set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: sigemptyset has filled it in.
        let mut set = unsafe { set.assume_init() };
        for signal in SIGNALS {
            // SAFETY: a live set and a valid signal number.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        // SAFETY: reads the live set; the number -1 asks for a new descriptor.
        let fd =
            unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        check(fd)?;
        // SAFETY: the descriptor is new and owned by nobody else.
        let file = unsafe { File::from_raw_fd(fd) };
        let mut before = set;
        // SAFETY: both sets are live.
        let error =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(Self { file, before, caught: None })
    }

    /// Lets the signals through to a program that is to be started: it would inherit the hold.
    pub(super) fn let_through(&self, command: &mut Command) {
        let before = self.before;
        let restore = move || {
            // SAFETY: the set is the one that pthread_sigmask returned; no other is asked for.
            unsafe {
                libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut())
            };
            Ok(())
        };
        // SAFETY: the closure makes a system call only, which is allowed between fork and exec.
        unsafe { command.pre_exec(restore) };
    }

    /// Waits for the program's end and hands it every signal until then.
    ///
    /// # Errors
    /// When the program cannot be waited for.
    pub(super) fn wait(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let end = pidfd_open(child.id() as libc::pid_t)?;
        loop {
            let ended = self.poll(end.as_raw_fd(), None)?;
            while let Some((signal, from_terminal)) = self.next()? {
                if !from_terminal {
                    // SAFETY: touches no memory; the number is the child's until it is reaped.
                    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
                }
            }
            if ended {
                return child.wait();
            }
        }
    }

    /// Waits for a while; tells whether a signal came.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    pub(super) fn pause(&mut self, time: Duration) -> io::Result<bool> {
        self.poll(-1, Some(time))?;
        Ok(self.next()?.is_some())
    }

    /// Waits for a signal, the other descriptor or the time; tells whether the other is ready.
    fn poll(&self, other: i32, time: Option<Duration>) -> io::Result<bool> {
        let fds = [self.file.as_raw_fd(), other];
        let mut polled = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        let time = time.map_or(-1, |time| time.as_millis() as i32);
        // SAFETY: pointer and length are of one live array; negative descriptors are skipped.
        let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as u64, time) };
        if ready < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Err(io::Error::last_os_error());
        }
        Ok(polled[1].revents != 0)
    }

    /// The next signal that came, and whether the terminal sent it.
    fn next(&mut self) -> io::Result<Option<(i32, bool)>> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        match self.file.read(&mut bytes) {
            Ok(len) if len == bytes.len() => {
                let word = |at: usize| {
                    i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
                };
                let signal = word(std::mem::offset_of!(libc::signalfd_siginfo, ssi_signo));
                let code = word(std::mem::offset_of!(libc::signalfd_siginfo, ssi_code));
                if matches!(signal, libc::SIGINT | libc::SIGTERM) {
                    self.caught.get_or_insert(signal);
                }
                Ok(Some((signal, code == libc::SI_KERNEL)))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // SAFETY: the set is the one that pthread_sigmask returned; no other is asked for.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut())
        };
        if let Some(signal) = self.caught {
            // SAFETY: touches no memory; `Interrupt` has a handler for the two that are kept.
            unsafe { libc::raise(signal) };
        }
    }
}
