//! What a row of the contract table is: a call, what is promised of it, and who says so.

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
