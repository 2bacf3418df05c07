//! Rows in words: calls as C writes them, promises in a few words.

use std::fmt;

use super::row::{Ask, Authority, Beside, Limit, Origin, Promise};

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
