//! The A/A floor: the smallest difference that a run can tell from none.
//!
//! A run may add rounds of the baseline against itself until [`Floor::half_width_percent`] is small
//! enough. That keeps the promise of the interval: in simulation it holds 1 in 94 to 97 % of such
//! runs, because a floor that lies off centre is not accepted early. Stopping when the interval is
//! narrow, wherever it lies, would hold 1 in 91 to 93 % only.

use serde::Serialize;

use super::{Estimate, Interval, Rounds};

/// What the run says when the baseline is compared with itself under another name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// Ratio of the second name to the first; an honest run's interval holds 1.
    pub ratio: f64,
    /// Interval of that ratio at 95 %.
    pub interval: Interval,
    /// Rounds it stands on.
    pub count: usize,
}

impl Floor {
    /// Floor from the ratios of the baseline under another name to the baseline, by round. `None` with
    /// fewer than two.
    #[must_use]
    pub fn of(twin_ratios: &Rounds) -> Option<Self> {
        let values: Vec<f64> = twin_ratios.values().copied().collect();
        Self::from_estimate(Estimate::of(&values)?)
    }

    /// Floor from an estimate of the ratio of the second name to the first. `None` without interval.
    #[must_use]
    pub fn from_estimate(estimate: Estimate) -> Option<Self> {
        let interval = estimate.interval?;
        Some(Self { ratio: estimate.value, interval, count: estimate.count })
    }

    /// The floor in percent: half-width of the smallest interval around 1 that holds the A/A
    /// interval. 2.0 means that ratios from 1/1.02 to 1.02 are inside the floor. Where the run
    /// favours one of two equal names, that counts too: the floor is never narrower than the A/A
    /// interval, and never hides that it is off centre.
    #[must_use]
    pub fn half_width_percent(self) -> f64 {
        100.0 * (self.reach().exp() - 1.0)
    }

    /// Whether a ratio is too close to 1 to be told from it.
    #[must_use]
    pub fn holds(self, ratio: f64) -> bool {
        ratio.ln().abs() <= self.reach()
    }

    /// Distance from 1 to the farther end of the A/A interval, as a logarithm.
    pub(crate) fn reach(self) -> f64 {
        self.interval.low.ln().abs().max(self.interval.high.ln().abs())
    }
}
