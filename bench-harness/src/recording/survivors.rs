//! Processes that outlive the program, such as daemons: waited for, then cut off in good order.
//!
//! A process belongs to the recording while it has a log of the folder mapped, or the folder in its
//! environment: one that has just begun has made no call yet. A log that its process is still
//! writing cannot be read whole, so the process is stopped for the moment in which its log is
//! cut off, which is a few milliseconds, and goes on without being recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use workloads::import::raw_log::{self, ImportError, RawImage, RawImages};

use super::live::Signals;
use crate::child::process::pidfd_open;

/// Time between two looks at who is alive.
const TICK: Duration = Duration::from_millis(20);
/// Longest wait for a process to be stopped.
const STOPPING: Duration = Duration::from_millis(500);

/// Waits until no process writes into `folder`, at most for `limit`, and not beyond a signal.
///
/// # Errors
/// When the kernel refuses to wait.
pub(super) fn wait(folder: &Path, limit: Duration, signals: &mut Signals) -> io::Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if processes(folder).is_empty() || signals.pause(TICK)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Cuts off the logs of all processes that still write into `folder`; tells how many processes of
/// the recording still run.
///
/// # Errors
/// When a log cannot be read or written.
pub(super) fn cut(folder: &Path) -> Result<u64, ImportError> {
    let mut running = processes(folder);
    // Again for those that began in the meantime, but not without end.
    for _ in 0..3 {
        let images = RawImages::scan(folder)?;
        let living = living(folder, &images);
        if living.is_empty() {
            break;
        }
        for image in living {
            let _stopped = Stopped::stop(image.pid);
            raw_log::cut(folder, image.pid, image.image)?;
            running.insert(image.pid);
        }
    }
    Ok(running.len() as u64)
}

/// The processes with this folder, an absolute path, in their environment.
fn processes(folder: &Path) -> BTreeSet<u32> {
    let mut variable = format!("{}=", super::FOLDER_VARIABLE).into_bytes();
    variable.extend_from_slice(folder.as_os_str().as_bytes());
    let names = |pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == variable)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| names(pid)).collect()
}

/// The images whose processes have their logs mapped. Only the last image of a process can.
fn living<'a>(folder: &Path, images: &'a RawImages) -> Vec<&'a RawImage> {
    let last: BTreeMap<u32, &RawImage> = images.iter().map(|image| (image.pid, image)).collect();
    last.into_values().filter(|image| has_mapped(folder, image)).collect()
}

fn has_mapped(folder: &Path, image: &RawImage) -> bool {
    let Some(folder) = folder.file_name() else { return false };
    // The loader's spelling of the folder may be another, its own name is not.
    let tail = format!("{}/{}.{}.tail", folder.to_string_lossy(), image.pid, image.image);
    let maps = fs::read(format!("/proc/{}/maps", image.pid)).unwrap_or_default();
    String::from_utf8_lossy(&maps).lines().any(|line| line.ends_with(&tail))
}

/// A process that stands still until this is dropped.
struct Stopped(Option<OwnedFd>);

impl Stopped {
    /// Stops a process. One that cannot be stopped (another user's) runs on, and one that stood
    /// still before stays so: its log is cut all the same, at worst with records missing, which
    /// the importer counts.
    fn stop(pid: u32) -> Self {
        let Ok(process) = pidfd_open(pid as libc::pid_t) else { return Self(None) };
        if stands_still(pid) || !send(&process, libc::SIGSTOP) {
            return Self(None);
        }
        let begin = Instant::now();
        while !stands_still(pid) && begin.elapsed() < STOPPING {
            std::thread::sleep(Duration::from_millis(1));
        }
        Self(Some(process))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Some(process) = &self.0 {
            send(process, libc::SIGCONT);
        }
    }
}

/// Sends a signal to exactly this process; tells whether that went well.
fn send(process: &OwnedFd, signal: i32) -> bool {
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a live descriptor; without details the kernel reads no memory of ours.
    let sent = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, no_info, 0)
    };
    sent == 0
}

/// Whether all threads of a process stand still or it has ended.
fn stands_still(pid: u32) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    tasks.flatten().all(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The name before the state may hold anything, a closing bracket too.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 't', 'Z', 'X']))
    })
}
