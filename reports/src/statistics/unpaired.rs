//! Ratios between two runs, whose rounds have nothing to do with each other.
//!
//! Beside [`super::geometric_mean`], which pairs by round within one run. Nothing can be paired here:
//! round 3 of one run and round 3 of another share no weather. Each side is therefore resampled by
//! itself, rounds whole, and the difference of the medians' logarithms is looked at.
//!
//! * **Six rounds and more on both sides**: a bootstrap of that difference, its tails cut as far out
//!   as the smaller side alone would need, which errs on the wide side.
//! * **Fewer**: Welch's t on the logarithms, which lets the two sides differ in spread, its degrees of
//!   freedom by Satterthwaite's formula, rounded down.
//!
//! Source: Welch, "The generalization of Student's problem when several different population
//! variances are involved", Biometrika 34, 1947.

use super::columns::{Columns, DrawnColumns, Error};
use super::estimate::{MIN_BOOTSTRAP_ROUNDS, RESAMPLES, cut, draw, random};
use super::geomean::widened;
use super::{Estimate, Rounds};

/// Geometric mean over workloads of `median of B / median of A`, with its interval at 95 %. One pair
/// `(A, B)` per workload; a single pair gives that workload's ratio.
///
/// The value is taken from all rounds, so that a reader can check it against a table. The interval
/// comes from the rounds that more than half of the workloads of a side have; it is `None` with fewer than
/// two such rounds on either side, and where a workload has a single one, unless the factor is known by which its
/// `lone` figure may be off. `count` is the smaller side's number of them. `None`
/// when there is no pair, or one with an empty side.
///
/// Cost: [`RESAMPLES`] medians per workload and side.
#[must_use]
pub fn unpaired_ratio(pairs: &[(&Rounds, &Rounds)], lone: Option<f64>) -> Option<Estimate> {
    let a = Columns::of(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let b = Columns::of(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
    let few = a.rounds().min(b.rounds());
    let difference = b.mean_of_medians() - a.mean_of_medians();
    let alone: Option<Error> = [&a, &b].into_iter().map(|side| side.alone(lone)).sum();
    let interval = match few {
        0 | 1 => None,
        2..MIN_BOOTSTRAP_ROUNDS => welch(&a, &b),
        _ => {
            let (mut a, mut b) = (Side::new(&a), Side::new(&b));
            let mut random = random();
            let drawn = (0..RESAMPLES).map(|_| {
                draw(&mut random, &mut a.indices);
                draw(&mut random, &mut b.indices);
                b.mean() - a.mean()
            });
            cut(drawn.collect(), few)
        }
    };
    let interval =
        interval.zip(alone).map(|(ends, alone)| widened(ends, difference, alone.half_width()));
    Some(Estimate::around(difference.exp(), few, interval))
}

/// One side's columns, and the rounds drawn of it.
struct Side {
    columns: DrawnColumns,
    indices: Vec<u32>,
}

impl Side {
    fn new(columns: &Columns) -> Self {
        Self { columns: columns.drawn(), indices: vec![0; columns.rounds()] }
    }

    fn mean(&mut self) -> f64 {
        self.columns.mean(&self.indices)
    }
}

/// Welch's t interval of the difference of means `b - a`; each side has at least two rounds.
fn welch(a: &Columns, b: &Columns) -> Option<(f64, f64)> {
    let mean = |columns: &Columns| {
        let means = columns.means();
        means.iter().sum::<f64>() / means.len() as f64
    };
    let difference = mean(b) - mean(a);
    let error: Option<Error> = [a, b].into_iter().map(Columns::together).sum();
    error.map(Error::half_width).map(|half| (difference - half, difference + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[f64]) -> Rounds {
        (0..).zip(values.iter().copied()).collect()
    }

    #[test]
    fn welch_matches_a_case_worked_by_hand() {
        // Means 2 and 5, squared errors 1/3 and 4/3, degrees of freedom 2.94: rounded down to 2.
        let [a, b] = [[1.0, 2.0, 3.0], [3.0, 5.0, 7.0]].map(|logs| rounds(&logs.map(f64::exp)));
        let [a, b] = [a, b].map(|one| Columns::of(&[&one]).unwrap());
        let (low, high) = welch(&a, &b).unwrap();
        let half = 4.303 * (5.0_f64 / 3.0).sqrt();
        assert!((low - (3.0 - half)).abs() < 1e-9, "{low}");
        assert!((high - (3.0 + half)).abs() < 1e-9, "{high}");
    }

    #[test]
    fn values_without_spread_have_an_interval_without_width() {
        for count in [2, 3, 6, 9] {
            let ratio =
                unpaired_ratio(&[(&rounds(&vec![4.0; count]), &rounds(&vec![5.0; count]))], None);
            let ratio = ratio.unwrap();
            let ends = ratio.interval.unwrap();
            assert!((ratio.value - 1.25).abs() < 1e-12);
            assert!((ends.high / ends.low - 1.0).abs() < 1e-12, "{ends:?}");
        }
    }

    #[test]
    fn one_round_has_a_ratio_and_no_interval() {
        let ratio = unpaired_ratio(&[(&rounds(&[2.0]), &rounds(&[3.0, 3.0, 3.0]))], None).unwrap();
        assert!((ratio.value - 1.5).abs() < 1e-12);
        assert_eq!((ratio.count, ratio.interval), (1, None));
        assert_eq!(unpaired_ratio(&[], None), None);
        assert_eq!(unpaired_ratio(&[(&rounds(&[]), &rounds(&[1.0]))], None), None);
    }

    #[test]
    fn the_order_of_rounds_does_not_matter_to_one_workload() {
        let a = [1.0, 1.2, 0.9, 1.1, 1.05, 0.97, 1.3];
        let b = [1.1, 1.3, 1.0, 1.2, 1.15, 1.07, 1.4];
        let mut turned = b;
        turned.reverse();
        assert_eq!(
            unpaired_ratio(&[(&rounds(&a), &rounds(&b))], None),
            unpaired_ratio(&[(&rounds(&a), &rounds(&turned))], None)
        );
    }
}
