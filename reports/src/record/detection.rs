//! The record of one seeded bug under one way of looking for it.

use serde::{Deserialize, Serialize};

use super::Status;

/// What became of a program that does one thing wrong, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Somebody said what is wrong.
    Caught,
    /// The program ended as if nothing were wrong.
    Missed,
    /// The program died or hung, and nobody said why.
    Crashed,
    /// A program without a bug was reported.
    FalseAlarm,
    /// A program without a bug ended in silence, as it must.
    Clean,
}

impl Finding {
    /// Every finding, in the order of the variants.
    pub const ALL: [Self; 5] =
        [Self::Caught, Self::Missed, Self::Crashed, Self::FalseAlarm, Self::Clean];

    /// The finding as records name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Missed => "missed",
            Self::Crashed => "crashed",
            Self::FalseAlarm => "false-alarm",
            Self::Clean => "clean",
        }
    }

    /// A sign for narrow tables, never without a legend.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Caught => "✓",
            Self::Missed => "·",
            Self::Crashed => "✗",
            Self::FalseAlarm => "!",
            Self::Clean => "–",
        }
    }
}

/// One small program in one mode: an allocator, and who watches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Name of the program.
    pub bug: String,
    /// What is wrong with it, in one sentence.
    pub title: String,
    /// Name of the mode, unique in the file.
    pub mode: String,
    /// Allocator that serves the program.
    pub subject: String,
    /// Ownership strategy of the allocator, where it is the project's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Who watches: `none`, `debug-hooks`, `memcheck`, `memcheck-unaided` (the allocator tells it
    /// nothing) or `address-sanitizer`.
    pub tool: String,
    /// How the cell ended; a bug that is missed, or kills its program, is a result.
    pub status: Status,
    /// Why there is no verdict, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What became of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Finding>,
    /// The report's own words, addresses left out; for a crash what ended the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Reports on reads of the allocator itself, which say nothing of the program; memcheck only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_reports: Option<u64>,
}
