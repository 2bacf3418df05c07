//! What a row of the contract table is: a call, what is promised of it, and who says so.

use std::{fmt, io};

/// A block to begin with, and how it was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No block: a null pointer.
    Null,
    /// `malloc(size)`.
    Malloc(usize),
    /// `calloc(1, size)`.
    Calloc(usize),
    /// `realloc(malloc(from), to)`.
    Realloc { from: usize, to: usize },
    /// `posix_memalign` to this alignment.
    Aligned { align: usize, size: usize },
}

/// What a process may have little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Memory that is mapped, reservations among it.
    AddressSpace,
    /// Memory that may be written to.
    Data,
}

impl Limit {
    /// Leaves this process, for good, so many bytes.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn set(self, bytes: u64) -> io::Result<()> {
        let resource = match self {
            Self::AddressSpace => libc::RLIMIT_AS,
            Self::Data => libc::RLIMIT_DATA,
        };
        let done = |code: i32| if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a live struct.
        done(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
        limit.rlim_cur = bytes.min(limit.rlim_cur);
        // SAFETY: reads a live struct.
        done(unsafe { libc::setrlimit(resource, &raw const limit) })
    }
}

/// What a heap holds besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// So many blocks of this size and up to four times as much.
    Blocks { count: usize, size: usize },
    /// A block of each of so many threads.
    Threads { count: usize },
}

/// The call under test, with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Malloc {
        size: usize,
    },
    Calloc {
        count: usize,
        size: usize,
    },
    Realloc {
        old: Origin,
        size: usize,
    },
    Reallocarray {
        old: Origin,
        count: usize,
        size: usize,
    },
    AlignedAlloc {
        align: usize,
        size: usize,
    },
    PosixMemalign {
        align: usize,
        size: usize,
    },
    Memalign {
        align: usize,
        size: usize,
    },
    Valloc {
        size: usize,
    },
    Pvalloc {
        size: usize,
    },
    UsableSize {
        old: Origin,
    },
    Free {
        old: Origin,
    },
    FreeSized {
        old: Origin,
    },
    FreeAlignedSized {
        old: Origin,
    },
    /// `malloc(size)` in the child of a fork while other threads call it.
    Fork {
        size: usize,
    },
    /// The whole family in random order, on threads that come one after the other.
    Mixed,
    /// So many blocks at once, with sizes up to four times this one's, given back; so many times over.
    Cycled {
        new: Origin,
        count: usize,
        times: usize,
    },
    /// A program that starts with so many bytes of this.
    Starts {
        bytes: u64,
        limit: Limit,
    },
    /// A program that starts as it does without the subject, but for its allocator.
    Alike,
    /// Programs that start in odd environments.
    Odd,
    /// Blocks of every kind, which the child of a fork reads and writes to.
    Apart,
    /// So many blocks, of each of which one byte is written.
    Sparse {
        new: Origin,
        count: usize,
    },
    /// So many blocks of `size` bytes, each of which may be a mapping.
    Mapped {
        size: usize,
        count: usize,
    },
    /// A block whose length takes more than 32 bits.
    Vast,
    /// Blocks of every kind in children of forks and in their children, while threads come and go and write
    /// to streams.
    Generations,
    /// `malloc(size)` in destructors of so many threads that have ended.
    Late {
        threads: usize,
        size: usize,
    },
    /// `malloc(size)` on so many threads that are alive at once.
    Threads {
        count: usize,
        size: usize,
    },
    /// `malloc(size)` and up to four times as much, again and again on so many threads at once.
    Busy {
        threads: usize,
        size: usize,
    },
    /// `malloc(size)` on threads that come and go while others do: each frees what the one before it
    /// has allocated.
    Relay {
        threads: usize,
        size: usize,
    },
    /// `calloc(1, size)` after blocks were freed whose memory was locked.
    Locked {
        size: usize,
    },
    /// A block, which is not written to.
    Untouched {
        new: Origin,
    },
    /// `free(malloc(size))`, with every byte written between.
    Freed {
        size: usize,
    },
    /// `malloc(100)` on so many threads that come one after the other and leave a message of the C library's
    /// behind, which is freed last.
    Ended {
        threads: usize,
    },
    /// `realloc(malloc(from), to)`, with every byte written between, so many times.
    Shrunk {
        from: usize,
        to: usize,
        count: usize,
    },
    /// Whether addresses of every kind are the allocator's own, beside so many large blocks.
    Owned {
        mappings: usize,
    },
    /// What blocks by `new` cost beside others.
    Costs {
        new: Origin,
        beside: Beside,
    },
    /// How large blocks of all sizes will be.
    GoodSizes,
    /// Giving back what so many threads do not need any more, `bytes` of each and of this one.
    Purged {
        threads: usize,
        bytes: usize,
    },
    /// Giving back what nobody needs, so many times over, while others are in `malloc(size)`.
    Swept {
        size: usize,
        times: usize,
    },
    /// So many blocks of `size` bytes, freed and asked for again in the child of a fork.
    Inherited {
        count: usize,
        size: usize,
    },
}

/// What a call is to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// A block with this alignment and at least so many bytes to write to, which can be freed.
    Block { align: usize, usable: usize },
    /// Null with this `errno`; a block handed in is as it was, and the next request is served.
    Null { errno: i32 },
    /// Null, whatever `errno` is, or a block of any alignment: what C allows for a request of no
    /// bytes.
    Anything,
    /// Null without an error, and the block handed in is freed.
    Freed,
    /// `posix_memalign` gives this code and leaves the pointer alone; `errno` may be anything.
    Code { code: i32 },
    /// At least so many bytes, every one of which can be written to.
    AtLeast(usize),
    /// Exactly this number.
    Exactly(usize),
    /// The process occupies no more than so many bytes more than before, besides what it has written to.
    AtMost(usize),
    /// The process takes no more than so many bytes of address space more than before.
    Spans(usize),
    /// The process has no more than so many mappings more than before.
    Maps(usize),
    /// The call comes back, and `errno` is as it was.
    Returns,
    /// Every thread and process has its blocks, and they keep what is written.
    Served,
    /// What the allocator tells of an address or of a size is so.
    Told,
    /// It takes about as long as on a small heap.
    Constant,
}

/// Who makes a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The C standard.
    C,
    /// POSIX.
    Posix,
    /// glibc's manual and what glibc does.
    Glibc,
    /// Arenite, in its documentation.
    Arenite,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ask: Ask,
    pub(crate) promise: Promise,
    pub(crate) by: Authority,
    /// What the standards allow besides, and glibc does not do.
    pub(crate) allowed: Option<Promise>,
    /// Whether the process may have little more address space than it has, once the block handed in is
    /// there.
    pub(crate) confined: bool,
}

impl Row {
    pub(crate) const fn new(ask: Ask, promise: Promise, by: Authority) -> Self {
        Self { ask, promise, by, allowed: None, confined: false }
    }

    pub(crate) const fn confined(self) -> Self {
        Self { confined: true, ..self }
    }

    pub(crate) const fn or(self, allowed: Promise) -> Self {
        Self { allowed: Some(allowed), ..self }
    }

    /// Name, unique in the table: the call as C writes it.
    pub(crate) fn name(&self) -> String {
        let place = if self.confined { ", 64 MiB of address space left" } else { "" };
        format!("{}{place}", self.ask)
    }
}

impl Ask {
    /// C's name of the function.
    pub(crate) fn function(&self) -> &'static str {
        match self {
            Self::Malloc { .. }
            | Self::Ended { .. }
            | Self::Mixed
            | Self::Fork { .. }
            | Self::Starts { .. }
            | Self::Alike
            | Self::Odd
            | Self::Apart
            | Self::Mapped { .. }
            | Self::Vast
            | Self::Sparse { new: Origin::Null | Origin::Malloc(_), .. }
            | Self::Generations
            | Self::Late { .. }
            | Self::Threads { .. }
            | Self::Busy { .. }
            | Self::Relay { .. }
            | Self::Untouched { new: Origin::Null | Origin::Malloc(_) } => "malloc",
            Self::Calloc { .. }
            | Self::Locked { .. }
            | Self::Sparse { new: Origin::Calloc(_), .. }
            | Self::Untouched { new: Origin::Calloc(_) } => "calloc",
            Self::Realloc { .. }
            | Self::Shrunk { .. }
            | Self::Sparse { new: Origin::Realloc { .. }, .. }
            | Self::Untouched { new: Origin::Realloc { .. } } => "realloc",
            Self::Reallocarray { .. } => "reallocarray",
            Self::AlignedAlloc { .. } => "aligned_alloc",
            Self::Cycled { .. } | Self::Costs { .. } => "free",
            Self::PosixMemalign { .. }
            | Self::Sparse { new: Origin::Aligned { .. }, .. }
            | Self::Untouched { new: Origin::Aligned { .. } } => "posix_memalign",
            Self::Memalign { .. } => "memalign",
            Self::Valloc { .. } => "valloc",
            Self::Pvalloc { .. } => "pvalloc",
            Self::UsableSize { .. } => "malloc_usable_size",
            Self::Free { .. } | Self::Freed { .. } | Self::Inherited { .. } => "free",
            Self::FreeSized { .. } => "free_sized",
            Self::FreeAlignedSized { .. } => "free_aligned_sized",
            Self::Owned { .. } => "arenite_owns",
            Self::GoodSizes => "arenite_malloc_good_size",
            Self::Purged { .. } | Self::Swept { .. } => "arenite_purge",
        }
    }

    /// Whether more than one thread makes it.
    pub(crate) fn takes_threads(&self) -> bool {
        matches!(
            self,
            Self::Fork { .. }
                | Self::Ended { .. }
                | Self::Mixed
                | Self::Generations
                | Self::Late { .. }
                | Self::Threads { .. }
                | Self::Busy { .. }
                | Self::Relay { .. }
                | Self::Owned { .. }
                | Self::Costs { beside: Beside::Threads { .. }, .. }
                | Self::Purged { .. }
                | Self::Swept { .. }
        )
    }

    /// Whether resident memory is what is looked at.
    pub(crate) fn reads_memory(&self) -> bool {
        matches!(
            self,
            Self::Untouched { .. }
                | Self::Ended { .. }
                | Self::Freed { .. }
                | Self::Shrunk { .. }
                | Self::Sparse { .. }
                | Self::Inherited { .. }
                | Self::Purged { .. }
        )
    }

    /// The block handed in.
    pub(crate) fn old(&self) -> Origin {
        match *self {
            Self::Realloc { old, .. }
            | Self::Reallocarray { old, .. }
            | Self::UsableSize { old }
            | Self::Free { old }
            | Self::FreeSized { old }
            | Self::FreeAlignedSized { old } => old,
            _ => Origin::Null,
        }
    }
}

impl Origin {
    /// Bytes asked for.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Malloc(size)
            | Self::Calloc(size)
            | Self::Realloc { to: size, .. }
            | Self::Aligned { size, .. } => size,
        }
    }

    /// The same with another size.
    pub(crate) fn of(self, size: usize) -> Self {
        match self {
            Self::Null => self,
            Self::Malloc(_) => Self::Malloc(size),
            Self::Calloc(_) => Self::Calloc(size),
            Self::Realloc { from, .. } => Self::Realloc { from, to: size },
            Self::Aligned { align, .. } => Self::Aligned { align, size },
        }
    }

    /// Alignment asked for.
    pub(crate) fn align(self) -> usize {
        match self {
            Self::Aligned { align, .. } => align,
            _ => 1,
        }
    }
}

/// A number as a reader of C would write it.
struct Number(usize);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NEAR: usize = 1 << 16;
        const LARGEST_DIFFERENCE: usize = isize::MAX as usize;
        let number = self.0;
        if number == usize::MAX {
            write!(out, "SIZE_MAX")
        } else if number > usize::MAX - NEAR {
            write!(out, "SIZE_MAX - {}", usize::MAX - number)
        } else if number == LARGEST_DIFFERENCE {
            write!(out, "PTRDIFF_MAX")
        } else if number > LARGEST_DIFFERENCE && number - LARGEST_DIFFERENCE < NEAR {
            write!(out, "PTRDIFF_MAX + {}", number - LARGEST_DIFFERENCE)
        } else if number.is_power_of_two() && number > NEAR {
            write!(out, "1 << {}", number.trailing_zeros())
        } else {
            write!(out, "{number}")
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Null => write!(out, "NULL"),
            Self::Malloc(size) => write!(out, "malloc({})", Number(size)),
            Self::Calloc(size) => write!(out, "calloc(1, {})", Number(size)),
            Self::Realloc { from, to } => {
                write!(out, "realloc(malloc({}), {})", Number(from), Number(to))
            }
            Self::Aligned { align, size } => {
                write!(out, "posix_memalign({}, {})", Number(align), Number(size))
            }
        }
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Blocks { count, size } => {
                write!(out, "{count} blocks of {} bytes and more", Number(size))
            }
            Self::Threads { count } => write!(out, "{count} threads"),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Untouched { new } = self {
            return write!(out, "{new}, never written to");
        }
        if let Self::Sparse { new, count } = self {
            return write!(out, "{new}, {count} times, a byte written in each");
        }
        write!(out, "{}(", self.function())?;
        match *self {
            Self::Untouched { .. }
            | Self::Sparse { .. }
            | Self::Vast
            | Self::Purged { .. }
            | Self::Swept { .. } => {}
            Self::Owned { .. } => write!(out, "any address")?,
            Self::Starts { .. }
            | Self::Alike
            | Self::Odd
            | Self::Apart
            | Self::Generations
            | Self::Mixed
            | Self::GoodSizes => {
                write!(out, "any size")?;
            }
            Self::Cycled { new, .. } | Self::Costs { new, .. } => write!(out, "{new}")?,
            Self::Ended { .. } => write!(out, "100")?,
            Self::Freed { size } => write!(out, "{}", Origin::Malloc(size))?,
            Self::Shrunk { from, to, .. } => {
                write!(out, "{}, {}", Origin::Malloc(from), Number(to))?;
            }
            Self::Inherited { size, .. } => write!(out, "{}", Origin::Malloc(size))?,
            Self::Malloc { size }
            | Self::Valloc { size }
            | Self::Pvalloc { size }
            | Self::Fork { size }
            | Self::Mapped { size, .. }
            | Self::Threads { size, .. }
            | Self::Late { size, .. }
            | Self::Busy { size, .. }
            | Self::Relay { size, .. } => write!(out, "{}", Number(size))?,
            Self::Locked { size } => write!(out, "1, {}", Number(size))?,
            Self::Calloc { count, size } => write!(out, "{}, {}", Number(count), Number(size))?,
            Self::Realloc { old, size } => write!(out, "{old}, {}", Number(size))?,
            Self::Reallocarray { old, count, size } => {
                write!(out, "{old}, {}, {}", Number(count), Number(size))?;
            }
            Self::AlignedAlloc { align, size }
            | Self::PosixMemalign { align, size }
            | Self::Memalign { align, size } => {
                write!(out, "{}, {}", Number(align), Number(size))?;
            }
            Self::UsableSize { old } | Self::Free { old } => write!(out, "{old}")?,
            Self::FreeSized { old } => write!(out, "{old}, {}", Number(old.size()))?,
            Self::FreeAlignedSized { old } => {
                write!(out, "{old}, {}, {}", Number(old.align()), Number(old.size()))?;
            }
        }
        match self {
            Self::Fork { .. } => write!(out, ") in a child of fork, others in malloc"),
            Self::Ended { threads } => write!(
                out,
                ") on {threads} threads one after another, each of which fails to find a function"
            ),
            Self::Mixed => {
                write!(
                    out,
                    ") and the rest of the family in random order, on one thread after another"
                )
            }
            Self::Cycled { count, times, .. } => {
                write!(out, ") and up to four times as much, {count} at once, {times} times")
            }
            Self::Starts { bytes, limit } => {
                let what = match limit {
                    Limit::AddressSpace => "address space",
                    Limit::Data => "data",
                };
                write!(out, ") of a program in {} MiB of {what}", bytes >> 20)
            }
            Self::Alike => {
                write!(out, ") of a program, its files, variables, memory and messages looked at")
            }
            Self::Odd => write!(out, ") of programs with odd environment variables"),
            Self::Apart => write!(out, ") before a fork, read and written to by the child"),
            Self::Mapped { count, .. } => write!(out, ") {count} times, mappings counted"),
            Self::Vast => write!(out, "4 GiB and more), made larger and smaller and given back"),
            Self::Generations => write!(
                out,
                ") in children of forks and theirs, threads coming and going and writing to streams"
            ),
            Self::Late { threads, .. } => {
                write!(out, ") in destructors of {threads} threads that have ended")
            }
            Self::Threads { count, .. } => write!(out, ") on {count} threads at once"),
            Self::Busy { threads, .. } => write!(out, ") again and again on {threads} threads"),
            Self::Relay { threads, .. } => {
                write!(out, ") on {threads} threads, each of which frees another's blocks")
            }
            Self::Locked { .. } => write!(out, ") after locked blocks were freed"),
            Self::Freed { .. } | Self::Shrunk { count: 1, .. } => {
                write!(out, ") of a block written to")
            }
            Self::Shrunk { count, .. } => write!(out, ") of {count} blocks written to"),
            Self::Costs { beside, .. } => write!(out, ") again and again beside {beside}"),
            Self::Owned { mappings } => {
                write!(out, ") beside {mappings} large blocks and other threads")
            }
            Self::Purged { threads, bytes } => {
                write!(out, ") after {threads} threads freed {} MiB each", bytes >> 20)
            }
            Self::Swept { size, times } => {
                write!(out, ") {times} times, others in {}", Origin::Malloc(*size))
            }
            Self::Inherited { count, .. } => {
                write!(out, ") in a child of fork, {count} times, and all of it again")
            }
            _ => write!(out, ")"),
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Block { align, usable } => {
                write!(out, "a block aligned to {}, {} bytes usable", Number(align), Number(usable))
            }
            Self::Null { errno } => write!(out, "null, {}", errno_name(errno)),
            Self::Anything => write!(out, "null or any block"),
            Self::Freed => write!(out, "null, the block is freed"),
            Self::Code { code } => write!(out, "{}, the pointer untouched", errno_name(code)),
            Self::AtLeast(bytes) => write!(out, "at least {}", Number(bytes)),
            Self::Exactly(bytes) => write!(out, "{}", Number(bytes)),
            Self::AtMost(bytes) => {
                write!(out, "at most {} bytes resident beside it", Number(bytes))
            }
            Self::Spans(bytes) => {
                write!(out, "at most {} bytes more of address space", Number(bytes))
            }
            Self::Maps(count) => write!(out, "at most {count} mappings more"),
            Self::Returns => write!(out, "returns, errno kept"),
            Self::Served => write!(out, "all are served"),
            Self::Told => write!(out, "what is so"),
            Self::Constant => write!(out, "takes about as long as on a small heap"),
        }
    }
}

impl Authority {
    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Posix => "POSIX",
            Self::Glibc => "glibc",
            Self::Arenite => "Arenite",
        }
    }
}

/// An error number by the name that C gives it.
pub(crate) fn errno_name(errno: i32) -> String {
    match errno {
        0 => "errno 0".to_owned(),
        libc::ENOMEM => "ENOMEM".to_owned(),
        libc::EINVAL => "EINVAL".to_owned(),
        other => format!("errno {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_read_as_c_writes_them() {
        let old = Origin::Aligned { align: 1 << 20, size: 100 };
        for (ask, text) in [
            (Ask::Malloc { size: usize::MAX - 4 }, "malloc(SIZE_MAX - 4)"),
            (Ask::Malloc { size: isize::MAX as usize + 1 }, "malloc(PTRDIFF_MAX + 1)"),
            (Ask::Calloc { count: 3, size: 7 }, "calloc(3, 7)"),
            (Ask::Realloc { old: Origin::Null, size: 0 }, "realloc(NULL, 0)"),
            (
                Ask::FreeAlignedSized { old },
                "free_aligned_sized(posix_memalign(1 << 20, 100), 1 << 20, 100)",
            ),
        ] {
            assert_eq!(ask.to_string(), text);
        }
    }
}
