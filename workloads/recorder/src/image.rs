//! One process image: its two files, its slots and what is known of them.
//!
//! An image begins with the first allocator call after exec, or after fork in the child, and ends
//! with the process or the next exec. All of it is kept in one [`State`], memory that the kernel
//! wipes in a forked child, while the mapped slots are absent there. A child therefore finds an
//! unborn image, an open lock and no writer, whatever the parent's other threads were doing, and
//! starts afresh at its first call. No fork handler has to put anything in order, so a bare `clone`
//! is no different. A vfork child shares its parent's memory, its heap and so, rightly, its log.
//!
//! Invariants:
//! * G1: slot i of the tail file belongs to writer i and is mapped once `i < slots`; mappings are
//!   never removed.
//! * G2: a writer is on the free list, the hold of one living thread, or the stand-in for late
//!   calls.
//! * G3: once `stopped` is set in the header, by this process or by the reader of the logs, nothing
//!   is appended to the log.
//! * G4: bytes of the log file = `log_bytes`, but for a process that died within an append.

use crate::file::File;
use crate::folder::{Folder, Path, complain};
use crate::kernel;
use crate::lock::{Guard, Lock};
use crate::raw_log::{HEADER_BYTES, MAGIC, TAIL_BYTES, op};
use crate::writer::{Call, Chunk, LiveHeader, Writer};
use core::ffi::{CStr, c_int};
use core::mem::size_of;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicPtr};

/// Threads that can be recorded at the same time.
const MAX_THREADS: usize = 16 * 1024;

/// All that fork wipes.
#[repr(C)]
pub(crate) struct State {
    header: AtomicPtr<LiveHeader>,
    image: Lock<Image>,
    writers: [Writer; MAX_THREADS],
}

/// Where the image stands in its life.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Not begun. The zero that wiped memory reads as.
    Unborn = 0,
    Recording,
    /// Not to be recorded, or not any more.
    Off,
}

/// What the lock guards.
#[repr(C)]
pub(crate) struct Image {
    phase: Phase,
    process: u32,
    number: u32,
    /// Thread indexes handed out.
    threads: u32,
    /// Slots the tail file has.
    slots: u32,
    /// First free writer, as its index plus one.
    free: u32,
    /// The writer for calls of threads whose end was recorded, as its index plus one.
    late: u32,
    /// Bytes in the log file.
    log_bytes: u64,
    path: Path,
}

// Not wiped by fork, and used under the image's lock.
static FOLDER: Folder = Folder::unknown();
static TAIL: File = File::closed();
static LOG: File = File::closed();
const TAIL_FLAGS: c_int = libc::O_RDWR;
const LOG_FLAGS: c_int = libc::O_WRONLY | libc::O_APPEND;

/// Whether an image has begun in this address space: the next one is a forked child's.
static BORN: AtomicBool = AtomicBool::new(false);

impl State {
    /// The state of this process, mapped when first asked for; `None` when there is no memory or
    /// the kernel cannot wipe it (Linux before 4.14).
    pub(crate) fn get() -> Option<&'static Self> {
        static STATE: AtomicPtr<State> = AtomicPtr::new(null_mut());
        // Acquire pairs with the release of the thread that mapped it.
        let mut state = STATE.load(Acquire);
        if state.is_null() {
            let mapped = kernel::map_wiped(size_of::<Self>()).ok()?.cast::<Self>();
            state = match STATE.compare_exchange(null_mut(), mapped, AcqRel, Acquire) {
                Ok(_) => mapped,
                Err(winner) => {
                    // SAFETY: mapped above and seen by nobody.
                    unsafe { kernel::unmap(mapped.cast(), size_of::<Self>()) };
                    winner
                }
            };
        }
        // SAFETY: never unmapped; zeroes are a valid value of every field, and what changes is
        // atomic or behind the lock.
        unsafe { state.as_ref() }
    }

    /// Page of counters of the image, if it is being recorded.
    pub(crate) fn header(&self) -> Option<&'static LiveHeader> {
        // SAFETY: null, or the mapping made by `Image::create`, which stays.
        unsafe { self.header.load(Acquire).as_ref() }
    }

    /// The image, locked, once it has begun; `None` when it is not recorded.
    pub(crate) fn image(&self) -> Option<Guard<'_, Image>> {
        let mut image = self.image.lock();
        if image.phase == Phase::Unborn {
            image.phase = match image.begin() {
                Some(header) => {
                    // Pairs with the acquire in `header`.
                    self.header.store(core::ptr::from_ref(header).cast_mut(), Release);
                    Phase::Recording
                }
                None => Phase::Off,
            };
        }
        if image.phase == Phase::Recording && self.header().is_some_and(LiveHeader::is_stopped) {
            // Whoever reads the logs has cut this one off.
            image.phase = Phase::Off;
            LOG.close();
        }
        (image.phase == Phase::Recording).then_some(image)
    }

    /// A writer for a thread that has none, its start recorded; `None` stops the recording.
    pub(crate) fn claim(&self, image: &mut Image) -> Option<&Writer> {
        let header = self.header()?;
        let index = if image.free == 0 { image.slots } else { image.free - 1 };
        let writer = self.writers.get(index as usize)?;
        let slot = match writer.chunk() {
            Some(slot) => {
                image.free = writer.next_free.load(Relaxed);
                slot
            }
            None => image.add_slot().ok()?,
        };
        writer.attach(slot, header, image.threads);
        image.threads += 1;
        writer.room()?.push_mark(Call { op: op::THREAD_START, result: 0, size: 0, aux: 0 });
        Some(writer)
    }

    /// Gives back the writer of a thread that has ended, its slot appended and empty.
    pub(crate) fn release(&self, image: &mut Image, writer: &Writer) {
        writer.detach();
        writer.next_free.store(image.free, Relaxed);
        image.free = self.index(writer) + 1;
    }

    /// The writer for late calls, with room.
    pub(crate) fn late(&self, image: &mut Image) -> Option<&Writer> {
        if image.late == 0 {
            let writer = self.claim(image)?;
            image.late = self.index(writer) + 1;
        }
        let writer = &self.writers[image.late as usize - 1];
        (writer.room().is_some() || image.append_full(writer).is_ok()).then_some(writer)
    }

    /// Stops the recording for good: the log is truncated here.
    pub(crate) fn stop(&self, image: &mut Image) {
        image.phase = Phase::Off;
        if let Some(header) = self.header() {
            header.stopped.store(1, Relaxed);
        }
    }

    fn index(&self, writer: &Writer) -> u32 {
        let offset = core::ptr::from_ref(writer).addr() - self.writers.as_ptr().addr();
        (offset / size_of::<Writer>()) as u32
    }
}

impl Image {
    /// Creates the files; says why when it cannot, unless a parent said so before.
    fn begin(&mut self) -> Option<&'static LiveHeader> {
        let forked = BORN.swap(true, Relaxed);
        // A forked child still has the descriptors of its parent's files.
        LOG.close();
        TAIL.close();
        match FOLDER.path() {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(reason) => {
                if !forked {
                    complain(reason, 0);
                }
                return None;
            }
        }
        match self.create(forked) {
            Ok(header) => Some(header),
            Err(error) => {
                if !forked {
                    complain("the folder cannot be written to", error);
                }
                None
            }
        }
    }

    /// Creates the first pair of files that is not taken yet.
    fn create(&mut self, forked: bool) -> Result<&'static LiveHeader, c_int> {
        self.process = kernel::process_id();
        self.number = 0;
        let tail = loop {
            match TAIL.create(self.path("tail")?, TAIL_FLAGS) {
                Err(libc::EEXIST) => self.number += 1,
                answer => break answer?,
            }
        };
        let header = self.create_rest(forked, tail);
        if header.is_err() {
            // Half an image would only puzzle the reader.
            kernel::unlink(self.path("log")?);
            kernel::unlink(self.path("tail")?);
            LOG.close();
            TAIL.close();
        }
        header
    }

    fn create_rest(&mut self, forked: bool, tail: c_int) -> Result<&'static LiveHeader, c_int> {
        LOG.create(self.path("log")?, LOG_FLAGS)?;
        within_file_limit(HEADER_BYTES as u64)?;
        kernel::allocate(tail, 0, HEADER_BYTES)?;
        let page = kernel::map_file(tail, 0, HEADER_BYTES)?.cast::<LiveHeader>();
        // SAFETY: mapped just now and for good, zeroed, and atomic in every field.
        let header = unsafe { &*page };
        header.pid.store(self.process, Relaxed);
        header.image.store(self.number, Relaxed);
        header.parent.store(kernel::parent_id(), Relaxed);
        header.forked.store(u32::from(forked), Relaxed);
        // Last, so that a header with its magic is a whole one.
        header.magic.store(u64::from_ne_bytes(MAGIC), Release);
        Ok(header)
    }

    fn path(&mut self, ending: &str) -> Result<&CStr, c_int> {
        let folder = FOLDER.path().ok().flatten().ok_or(libc::ENOENT)?;
        self.path.name(folder, self.process, self.number, ending).ok_or(libc::ENAMETOOLONG)
    }

    /// Adds a slot to the tail file and maps it (G1).
    fn add_slot(&mut self) -> Result<&'static Chunk, c_int> {
        let start = HEADER_BYTES + self.slots as usize * TAIL_BYTES;
        within_file_limit((start + TAIL_BYTES) as u64)?;
        let tail = TAIL.descriptor(self.path("tail")?, TAIL_FLAGS)?;
        kernel::allocate(tail, start, TAIL_BYTES)?;
        let slot = kernel::map_file(tail, start, TAIL_BYTES)?.cast::<Chunk>();
        self.slots += 1;
        // SAFETY: mapped just now and for good, zeroed, and atomic in every field.
        Ok(unsafe { &*slot })
    }

    /// [`Image::append`] for a slot without room, in one aligned piece.
    pub(crate) fn append_full(&mut self, writer: &Writer) -> Result<(), c_int> {
        writer.pad();
        self.append(writer)
    }

    /// Appends the writer's slot to the log and empties it.
    ///
    /// # Errors
    /// The log is as it was before, the slot still full.
    pub(crate) fn append(&mut self, writer: &Writer) -> Result<(), c_int> {
        let Some((bytes, len)) = writer.unsaved() else { return Ok(()) };
        within_file_limit(self.log_bytes + len as u64)?;
        let log = LOG.descriptor(self.path("log")?, LOG_FLAGS)?;
        let bytes = bytes.cast::<u8>();
        let mut done = 0;
        while done < len {
            // SAFETY: `done` is at most the `len` bytes of the slot.
            let rest = unsafe { bytes.add(done) };
            // SAFETY: the rest of the slot, which is mapped.
            match unsafe { kernel::write(log, rest, len - done) } {
                Err(libc::EINTR) => {}
                Ok(written @ 1..) => done += written,
                failed => {
                    kernel::truncate(log, self.log_bytes);
                    return Err(failed.err().unwrap_or(libc::EIO));
                }
            }
        }
        self.log_bytes += len as u64;
        writer.empty();
        Ok(())
    }
}

/// Refuses a file size above the process's limit: going there would raise SIGXFSZ.
fn within_file_limit(bytes: u64) -> Result<(), c_int> {
    if bytes > kernel::limit(libc::RLIMIT_FSIZE) { Err(libc::EFBIG) } else { Ok(()) }
}
