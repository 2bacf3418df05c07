//! One ruling and the figures it rests on.

use serde::Serialize;

use super::rule::Rule;
use crate::quantity;
use crate::statistics::Interval;

/// What a rule says of one subject on one workload, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// No worse than the threshold allows.
    Good,
    /// Better by more than the threshold: the baseline is out of date.
    Better,
    /// Noise, or another tool chain, hides what would count.
    Undecided,
    /// There is no figure to judge.
    Failed,
    /// Worse by more than the threshold.
    Regression,
}

impl Ruling {
    /// Name in tables and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Better => "better",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
            Self::Regression => "REGRESSION",
        }
    }
}

/// One ruling.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What is watched.
    pub rule: Rule,
    /// Workload, as records name it.
    pub workload: String,
    /// Subject after the change.
    pub subject: String,
    /// What of the rule, where it has parts: `malloc p99.9`.
    pub part: Option<String>,
    /// Figure before.
    pub before: Option<f64>,
    /// Figure after.
    pub after: Option<f64>,
    /// Interval of after over before, where it is not exact.
    pub interval: Option<Interval>,
    /// From which change on it counts, in words.
    pub threshold: String,
    /// What comes of it.
    pub ruling: Ruling,
    /// What else a reader should know.
    pub note: Option<String>,
}

impl Row {
    /// A row without figures.
    pub(super) fn without_figures(
        rule: Rule,
        (workload, subject): (&str, &str),
        ruling: Ruling,
        note: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            workload: workload.to_owned(),
            subject: subject.to_owned(),
            part: None,
            before: None,
            after: None,
            interval: None,
            threshold: String::new(),
            ruling,
            note: Some(note.into()),
        }
    }

    /// After over before; of a figure that was zero there is none.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        (before > 0.0).then_some(after / before)
    }

    /// A figure with its unit.
    pub(super) fn figure(&self, value: Option<f64>) -> String {
        let Some(value) = value else { return String::new() };
        match self.rule {
            Rule::PeakMemory | Rule::RetainedMemory | Rule::GrowingMemory => quantity::bytes(value),
            Rule::Instructions => format!("{value:.2}"),
            Rule::Time => format!("{} ns", quantity::figure(value)),
            Rule::Tails if self.part.as_deref().is_some_and(is_share) => quantity::figure(value),
            Rule::Tails => quantity::duration(value),
            Rule::CacheMisses
            | Rule::SystemCalls
            | Rule::PageFaults
            | Rule::ValgrindErrors
            | Rule::Verification
            | Rule::Contract
            | Rule::Detection => format!("{value:.0}"),
        }
    }

    /// The change in percent, signed.
    pub(super) fn change(&self) -> String {
        let interval = |ends: Interval| {
            format!(" [{:+.1}, {:+.1}]", 100.0 * (ends.low - 1.0), 100.0 * (ends.high - 1.0))
        };
        match self.ratio() {
            // Half a per cent counts, and shall not be printed as half a per cent where it does not.
            Some(ratio) if self.rule == Rule::Instructions => {
                format!("{:+.3} %", 100.0 * (ratio - 1.0))
            }
            Some(ratio) => {
                let ends = self.interval.map(interval).unwrap_or_default();
                format!("{:+.2} %{ends}", 100.0 * (ratio - 1.0))
            }
            None => match (self.before, self.after) {
                (Some(before), Some(after)) => format!("{:+}", after - before),
                _ => String::new(),
            },
        }
    }
}

/// Whether a part of the tails is a number of calls and no time.
fn is_share(part: &str) -> bool {
    part.contains("calls over")
}
