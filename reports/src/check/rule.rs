//! What is watched, from which change on, and why a change counts.

/// One thing that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every block checked.
    Verification,
    /// Instructions per pair of calls.
    Instructions,
    /// Misses of simulated caches: blocks that are used together lie together.
    CacheMisses,
    /// Calls of the kernel.
    SystemCalls,
    /// Resident memory at its peak.
    PeakMemory,
    /// Resident memory once everything was freed.
    RetainedMemory,
    /// Resident memory that passes add, each with everything freed in the end.
    GrowingMemory,
    /// Page faults of these passes: memory that went back to the kernel and is asked for again.
    PageFaults,
    /// Errors that memcheck reports.
    ValgrindErrors,
    /// What C's malloc family promises, call by call.
    Contract,
    /// Seeded bugs: which are caught, and that programs without one are left in peace.
    Detection,
    /// Paired time.
    Time,
    /// Times of single calls.
    Tails,
}

/// Change of instructions from which it counts, as a share.
pub(super) const INSTRUCTIONS: f64 = 0.005;
/// Misses of a simulated cache from which they count, beyond those of before; and as a share of these. Where
/// the stack lies moves them by a thousandth.
pub(super) const MISSES: f64 = 512.0;
pub(super) const MISSES_SHARE: f64 = 0.03;
/// Calls of the kernel from which they count, beyond those of before; and as a share of these.
pub(super) const CALLS: f64 = 8.0;
pub(super) const CALLS_SHARE: f64 = 0.05;
/// Change of memory from which it counts, as a share; one OS page more is never enough.
pub(super) const MEMORY: f64 = 0.01;
/// Growth over all passes from which it counts, beyond that of before; and as a share of that.
pub(super) const GROWTH_BYTES: f64 = 4.0 * PAGE_BYTES;
pub(super) const GROWTH: f64 = 0.05;
/// Page faults over all passes from which they count, beyond those of before; and as a share of these.
pub(super) const FAULTS: f64 = 64.0;
pub(super) const FAULTS_SHARE: f64 = 0.02;
/// Size of an OS page.
pub(super) const PAGE_BYTES: f64 = 4096.0;
/// Change of time from which it counts while the working set fits the second-level cache and one
/// thread runs.
pub(super) const TIME_WITHIN_L2: f64 = 0.05;
/// The same of a larger working set, or of several threads.
pub(super) const TIME_BEYOND_L2: f64 = 0.15;

impl Rule {
    /// Name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Instructions => "instructions",
            Self::CacheMisses => "cache-misses",
            Self::SystemCalls => "system-calls",
            Self::PeakMemory => "peak-memory",
            Self::RetainedMemory => "retained-memory",
            Self::GrowingMemory => "growing-memory",
            Self::PageFaults => "page-faults",
            Self::ValgrindErrors => "valgrind-errors",
            Self::Contract => "contract",
            Self::Detection => "detection",
            Self::Time => "time",
            Self::Tails => "tails",
        }
    }

    /// Why a change beyond the threshold is taken for a change of the allocator.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Verification => "a block that is not what it should be is wrong at any speed",
            Self::Instructions => "counts repeat to one in ten thousand",
            Self::CacheMisses => {
                "the same calls in caches of the same shape, wherever the program runs"
            }
            Self::SystemCalls => "the same calls ask the kernel as often",
            Self::PeakMemory | Self::RetainedMemory => {
                "memory repeats to the page without address randomisation and huge pages"
            }
            Self::GrowingMemory => {
                "the same calls once more, everything freed in between, need no more memory"
            }
            Self::PageFaults => "the same calls touch the same pages, and only new ones fault",
            Self::ValgrindErrors => "the same replay reports the same errors",
            Self::Contract => "the same call under the same conditions did what is promised",
            Self::Detection => "the same program with the same bug was found out",
            Self::Time => "paired by round, interval widened for the number of workloads",
            Self::Tails => "every round is worse than the usual one before, in two measurements",
        }
    }
}
