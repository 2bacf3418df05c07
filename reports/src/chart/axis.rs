//! From a value to a place on the horizontal axis, and which values are written below it.

use std::cmp::Reverse;

use crate::quantity;

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Equal differences take equal space; begins at zero.
    Linear,
    /// Equal ratios take equal space; values above zero only.
    Log,
    /// Zero has a place of its own at the left end, as far from 1 as 1 is from 10; equal ratios
    /// above 1. For counts.
    Count,
}

/// First digits of the labels of a logarithmic axis, from many to few.
const DIGITS: [&[f64]; 5] = [
    &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 2.0, 3.0, 5.0],
    &[1.0, 2.0, 5.0],
    &[1.0],
];

/// First digits of labels that stand about as far apart from each other as ratios, for short axes.
const EVEN_DIGITS: [f64; 9] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0];

/// An axis over `[low, high]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Axis {
    /// From zero to a little above `high`.
    pub(super) fn linear(high: f64) -> Self {
        let high = if high > 0.0 { high * 1.05 } else { 1.0 };
        Self { scale: Scale::Linear, low: 0.0, high }
    }

    /// From a little below `low` to a little above `high`, both above zero, at least a factor of
    /// 1.5 wide.
    pub(super) fn log(low: f64, high: f64) -> Self {
        let middle = (low * high).sqrt();
        let half = (high / low).sqrt().max(1.5_f64.sqrt()) * 1.06;
        Self { scale: Scale::Log, low: middle / half, high: middle * half }
    }

    /// From zero to a little above `high`, for counts.
    pub(super) fn count(high: f64) -> Self {
        Self { scale: Scale::Count, low: 0.0, high: high.max(10.0) * 1.3 }
    }

    /// Place of `value` between 0 (left end) and 1 (right end); beyond for values outside the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
            Scale::Count if value < 1.0 => 0.0,
            Scale::Count => (1.0 + value.log10()) / (1.0 + self.high.log10()),
        }
    }

    /// Values to label on an axis of `length_px`, in rising order, as many as fit when the label of a
    /// value takes `room_px` of it.
    pub(super) fn ticks(&self, length_px: f64, room_px: impl Fn(f64) -> f64) -> Vec<f64> {
        let most = (length_px / room_px(self.high).max(1.0)).floor().max(2.0) as usize;
        let candidates: Vec<Vec<f64>> = match self.scale {
            Scale::Linear => linear_steps(self.low, self.high, most),
            Scale::Log if self.high / self.low < 4.0 => {
                let mut all = linear_steps(self.low, self.high, most);
                // Even steps crowd at the upper end, where a single pair that is too near would leave
                // nothing but a step several times as wide.
                all.push(decades(self.low, self.high, &EVEN_DIGITS));
                all.sort_by_key(|ticks| Reverse(ticks.len()));
                all
            }
            Scale::Log => {
                let powers = decades(self.low, self.high, &[1.0]);
                let sparse = |step: usize| powers.iter().copied().step_by(step).collect();
                let all = DIGITS.iter().map(|digits| decades(self.low, self.high, digits));
                // Over many decades the labels are as wide as their distance.
                all.chain([sparse(2), sparse(3)]).collect()
            }
            Scale::Count => {
                let mut powers = vec![0.0];
                powers.extend(decades(1.0, self.high, &[1.0]));
                let sparse = powers.iter().copied().step_by(2).collect();
                vec![powers, sparse]
            }
        };
        let distance = |pair: &[f64]| (self.place(pair[1]) - self.place(pair[0])) * length_px;
        let room = |pair: &[f64]| f64::midpoint(room_px(pair[0]), room_px(pair[1]));
        let fits =
            |ticks: &&Vec<f64>| ticks.windows(2).all(|pair| distance(pair) >= room(pair) * 0.999);
        let best = candidates.iter().find(fits).or(candidates.last());
        best.cloned().unwrap_or_default()
    }

    /// A tick's label: as short as it can be.
    pub(super) fn label(value: f64) -> String {
        if value >= 1000.0 {
            return quantity::figure(value);
        }
        // Ticks are round numbers: cut the noise of their arithmetic, then the zeros.
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Rising multiples of ever coarser round steps.
fn linear_steps(low: f64, high: f64, most: usize) -> Vec<Vec<f64>> {
    let finest = (high - low) / most as f64;
    let power = 10_f64.powf(finest.log10().floor());
    [1.0, 2.0, 5.0, 10.0, 20.0]
        .iter()
        .map(|digit| {
            let step = digit * power;
            let first = (low / step).ceil() as i64;
            let last = (high / step).floor() as i64;
            (first..=last).map(|multiple| multiple as f64 * step).collect()
        })
        .collect()
}

/// `digits` times powers of ten within `[low, high]`.
fn decades(low: f64, high: f64, digits: &[f64]) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().floor() as i32;
    (first..=last)
        .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
        .filter(|value| (low..=high).contains(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axes_begin_at_zero_and_label_round_numbers() {
        let axis = Axis::linear(28.0);
        assert_eq!(axis.place(0.0), 0.0);
        assert_eq!(axis.ticks(600.0, |_| 100.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
    }

    #[test]
    fn log_axes_put_one_in_the_middle_of_a_half_and_two() {
        let axis = Axis::log(0.5, 2.0);
        assert!((axis.place(1.0) - 0.5).abs() < 1e-9);
        assert!(axis.ticks(300.0, |_| 40.0).contains(&1.0));
        assert!(axis.place(0.5) > 0.0 && axis.place(2.0) < 1.0);
    }

    #[test]
    fn short_log_axes_have_more_labels_than_the_widest_steps_would_leave() {
        let axis = Axis { scale: Scale::Log, low: 0.72, high: 1.8 };
        assert_eq!(axis.ticks(185.0, |_| 27.0), [0.8, 1.0, 1.2, 1.5]);
    }

    #[test]
    fn ticks_keep_their_distance_on_any_axis() {
        for decades in [0.01, 0.3, 1.0, 2.0, 4.0, 9.0] {
            for low in [1e-3, 0.7, 3.0, 250.0] {
                let axis = Axis::log(low, low * 10_f64.powf(decades));
                let ticks = axis.ticks(600.0, |_| 60.0);
                assert!(!ticks.is_empty(), "{axis:?}");
                let near = ticks.windows(2).any(|t| axis.place(t[1]) - axis.place(t[0]) < 0.0999);
                assert!(!near, "{axis:?} {ticks:?}");
            }
        }
    }

    #[test]
    fn wide_labels_over_many_decades_stand_further_apart() {
        let ticks = Axis::log(8.0, 12_000_000.0).ticks(280.0, |value| 7.0 * value.log10() + 20.0);
        assert_eq!(ticks, [10.0, 1_000.0, 100_000.0, 10_000_000.0]);
    }

    #[test]
    fn count_axes_show_zero_apart_from_one() {
        let axis = Axis::count(27_100.0);
        assert_eq!(axis.place(0.0), 0.0);
        assert!(axis.place(1.0) > 0.1);
        assert_eq!(axis.ticks(300.0, |_| 40.0)[..3], [0.0, 1.0, 10.0]);
    }

    #[test]
    fn tick_labels_are_short() {
        assert_eq!(Axis::label(0.1 + 0.2), "0.3");
        assert_eq!(Axis::label(20.0), "20");
        assert_eq!(Axis::label(10_000.0), "10,000");
    }
}
