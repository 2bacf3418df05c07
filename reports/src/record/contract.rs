//! The record of one row of the C contract, tried on one subject.

use serde::{Deserialize, Serialize};

use super::Status;

/// What a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As promised.
    Ok,
    /// Not what glibc does, and left open by the standards.
    Allowed,
    /// Not as promised.
    Differs,
    /// The process that made the call died or hung.
    Crashed,
    /// The subject lacks the function.
    Absent,
    /// This computer does not let anyone try it.
    Untried,
}

impl Verdict {
    /// Every verdict, best first.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Allowed, Self::Differs, Self::Crashed, Self::Absent, Self::Untried];

    /// The verdict as records name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Allowed => "allowed",
            Self::Differs => "differs",
            Self::Crashed => "crashed",
            Self::Absent => "absent",
            Self::Untried => "untried",
        }
    }

    /// Whether a promise was broken.
    #[must_use]
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Differs | Self::Crashed)
    }
}

/// One row of the C contract tried on one subject, in a process of its own. A subject whose child
/// left no findings has one record, without a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Subject that served the calls.
    pub subject: String,
    /// How the subject's child ended; broken promises are a result and leave it [`Status::Ok`].
    pub status: Status,
    /// Why there are no rows, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The call as C writes it: the row's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Function under test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What is promised, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise: Option<String>,
    /// Who promises it: `C`, `POSIX` or `glibc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// What the standards allow besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// What the row came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was found, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}
