//! What is compared of a cell, and the words a comparison can end with.

use serde::Serialize;

use crate::quantity;
use crate::statistics::Estimate;

/// One figure of a cell. Of each, less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Nanoseconds per pair of operations.
    NsPerPair,
    /// The same over the baseline's in the same round.
    NsPerPairOverBaseline,
    /// Wall time of a program, in nanoseconds.
    WallNs,
    /// The same over the baseline's in the same round.
    WallOverBaseline,
    /// Peak resident memory, in bytes.
    RssPeakBytes,
    /// Page faults.
    PageFaults,
    /// Errors under Valgrind's memcheck.
    Errors,
}

/// How B stands to A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// B has less of it: better.
    Less,
    /// B has more of it: worse.
    More,
    /// The files cannot tell.
    Undecided,
    /// The values are the same, one by one.
    Equal,
}

impl Measure {
    /// Every measure, times first.
    pub const ALL: [Self; 7] = [
        Self::NsPerPair,
        Self::NsPerPairOverBaseline,
        Self::WallNs,
        Self::WallOverBaseline,
        Self::RssPeakBytes,
        Self::PageFaults,
        Self::Errors,
    ];

    /// The measure as a key, unit included.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::NsPerPair => "ns_per_pair",
            Self::NsPerPairOverBaseline => "ns_per_pair_over_baseline",
            Self::WallNs => "wall_ns",
            Self::WallOverBaseline => "wall_over_baseline",
            Self::RssPeakBytes => "rss_peak_bytes",
            Self::PageFaults => "page_faults",
            Self::Errors => "errors",
        }
    }

    /// The measure as a reader should see it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::NsPerPair => "ns/pair",
            Self::NsPerPairOverBaseline => "time over baseline",
            Self::WallNs => "wall time",
            Self::WallOverBaseline => "wall time over baseline",
            Self::RssPeakBytes => "peak RSS",
            Self::PageFaults => "page faults",
            Self::Errors => "memcheck errors",
        }
    }

    /// A value of the measure as text.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Self::NsPerPair | Self::NsPerPairOverBaseline | Self::WallOverBaseline => {
                quantity::figure(value)
            }
            Self::WallNs => quantity::duration(value),
            Self::RssPeakBytes => quantity::bytes(value),
            Self::PageFaults | Self::Errors => quantity::count(value as u64),
        }
    }

    /// The word for a move of this measure.
    #[must_use]
    pub fn word(self, moved: Move) -> &'static str {
        match (moved, self) {
            (Move::Undecided, _) => "undecided",
            (Move::Equal, _) => "equal",
            (Move::Less, Self::RssPeakBytes) => "smaller",
            (Move::More, Self::RssPeakBytes) => "bigger",
            (Move::Less, Self::PageFaults | Self::Errors) => "fewer",
            (Move::More, Self::PageFaults | Self::Errors) => "more",
            (Move::Less, _) => "faster",
            (Move::More, _) => "slower",
        }
    }

    /// Whether it is a time that only one and the same computer can repeat (C3).
    pub(super) fn is_absolute_time(self) -> bool {
        matches!(self, Self::NsPerPair | Self::WallNs)
    }

    /// The measure over the baseline's that goes with an absolute time.
    pub(super) fn over_baseline(self) -> Option<Self> {
        match self {
            Self::NsPerPair => Some(Self::NsPerPairOverBaseline),
            Self::WallNs => Some(Self::WallOverBaseline),
            _ => None,
        }
    }

    /// The measure whose A/A floor holds for this one.
    pub(super) fn floor_measure(self) -> Self {
        match self {
            Self::NsPerPairOverBaseline => Self::NsPerPair,
            Self::WallOverBaseline => Self::WallNs,
            other => other,
        }
    }
}

impl Move {
    /// Verdict on a ratio (C4). `reach` is the floor's distance from 1 as a logarithm.
    pub(super) fn of(ratio: &Estimate, reach: Option<f64>) -> Self {
        let undecided = ratio.interval.is_none_or(|interval| interval.holds(1.0))
            || reach.is_some_and(|reach| ratio.value.ln().abs() <= reach);
        match undecided {
            true => Self::Undecided,
            false if ratio.value < 1.0 => Self::Less,
            false => Self::More,
        }
    }
}
