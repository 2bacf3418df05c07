//! What the figures of a chart stand on, in the words that the page puts under every chart.

/// Unit, number of samples and interval of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    /// What a value measures: `nanoseconds per allocation and free`.
    pub(crate) unit: String,
    /// How many values each figure stands on: `5 samples per subject`.
    pub(crate) samples: String,
    /// Which interval is drawn, or that there is none, and why.
    pub(crate) interval: Interval,
    /// Whether the values are samples, which stand in the table of samples as well.
    pub(crate) in_csv: bool,
}

/// The interval of a chart in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Interval {
    /// At 95 %, of what: `the median`.
    Of(&'static str),
    /// Why there is none.
    None(&'static str),
}

impl Basis {
    /// Of samples, with their interval.
    pub(super) fn of_samples(unit: &str, samples: String, of: &'static str) -> Self {
        let (unit, interval) = (unit.to_owned(), Interval::Of(of));
        Self { unit, samples, interval, in_csv: true }
    }

    /// Of other records, with their interval.
    pub(super) fn of_records(unit: &str, samples: String, of: &'static str) -> Self {
        Self { in_csv: false, ..Self::of_samples(unit, samples, of) }
    }

    /// The same, unless there is no interval because every figure stands on a single value.
    pub(super) fn if_any(self, has_interval: bool) -> Self {
        match has_interval {
            true => self,
            false => Self { interval: Interval::None("a single value has no spread"), ..self },
        }
    }

    /// Without an interval, and why.
    pub(super) fn without_interval(unit: &str, samples: String, why: &'static str) -> Self {
        let (unit, interval) = (unit.to_owned(), Interval::None(why));
        Self { unit, samples, interval, in_csv: false }
    }

    /// The interval in words.
    pub(crate) fn interval_words(&self) -> String {
        match self.interval {
            Interval::Of(of) => format!("95\u{a0}% of {of}"),
            Interval::None(why) => format!("none, {why}"),
        }
    }
}
