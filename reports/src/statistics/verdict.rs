//! The three words that a comparison can end with.

use std::fmt;

use serde::Serialize;

use super::{Estimate, Floor};

/// What may be said about a subject next to the one it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Takes less time; the interval leaves 1 out and the difference exceeds the floor.
    Faster,
    /// Takes more time; the interval leaves 1 out and the difference exceeds the floor.
    Slower,
    /// The run cannot tell.
    Undecided,
}

impl Verdict {
    /// Verdict on a ratio of times. Undecided when there is no interval, when the interval holds 1,
    /// or when the ratio is inside the floor. Without a floor the interval alone decides.
    #[must_use]
    pub fn of(ratio: &Estimate, floor: Option<Floor>) -> Self {
        let undecided = ratio.interval.is_none_or(|interval| interval.holds(1.0))
            || floor.is_some_and(|floor| floor.holds(ratio.value));
        match undecided {
            true => Self::Undecided,
            false if ratio.value < 1.0 => Self::Faster,
            false => Self::Slower,
        }
    }

    /// The verdict as one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}
