//! Series of several workloads side by side, round by round, with gaps: a round may lack a workload.
//!
//! A mean over the workloads of such a round would be that of other workloads than the next one's. So a
//! gap stands for its workload's median. What moves all workloads of a round together moves such a mean
//! by the share `p` alone that was measured, and is divided by that. What a workload with gaps does by
//! itself hardly shows in means; its own error is added ([`Columns::alone`]). Where both are the same
//! noise it counts twice, which errs on the wide side.

use std::collections::BTreeSet;
use std::iter::Sum;

use super::Rounds;
use super::quantile::{Drawn, median, student_975};

/// Logarithms of series by workload. At least one workload, none of them empty.
pub(super) struct Columns {
    /// By workload and round; `None` is a gap.
    columns: Vec<Vec<Option<f64>>>,
    medians: Vec<f64>,
    /// By workload, the squared error of its mean over all of its rounds; `None` of fewer than two.
    errors: Vec<Option<Error>>,
}

impl Columns {
    /// Columns of the rounds that more than half of the workloads have. `None` of no workload, or one
    /// without a value.
    pub(super) fn of(series: &[&Rounds]) -> Option<Self> {
        let all: BTreeSet<u32> = series.iter().flat_map(|rounds| rounds.keys().copied()).collect();
        let has = |round: &u32| series.iter().filter(|one| one.contains_key(round)).count();
        let rounds: Vec<u32> =
            all.into_iter().filter(|round| 2 * has(round) > series.len()).collect();
        let column = |one: &&Rounds| {
            rounds.iter().map(|round| one.get(round).map(|value| value.ln())).collect()
        };
        let medians: Option<Vec<f64>> = series
            .iter()
            .map(|one| Some(median(&one.values().copied().collect::<Vec<_>>())?.ln()))
            .collect();
        let error = |one: &&Rounds| {
            Error::of_mean(&one.values().map(|value| value.ln()).collect::<Vec<_>>())
        };
        let errors = series.iter().map(error).collect();
        let mut columns: Vec<Vec<Option<f64>>> = series.iter().map(column).collect();
        if let [only] = &mut columns[..] {
            // In rising order, the order of measuring cannot tell in the draws.
            only.sort_by(|a, b| a.unwrap_or_default().total_cmp(&b.unwrap_or_default()));
        }
        let medians = medians.filter(|medians| !medians.is_empty())?;
        Some(Self { columns, medians, errors })
    }

    /// Rounds of the columns.
    pub(super) fn rounds(&self) -> usize {
        self.columns[0].len()
    }

    /// Mean over workloads of their medians.
    pub(super) fn mean_of_medians(&self) -> f64 {
        self.medians.iter().sum::<f64>() / self.medians.len() as f64
    }

    /// Mean over workloads, round by round, gaps closed by the workload's median.
    pub(super) fn means(&self) -> Vec<f64> {
        let value = |round: usize| {
            let columns = self.columns.iter().zip(&self.medians);
            columns.map(move |(column, median)| column[round].unwrap_or(*median)).sum::<f64>()
        };
        (0..self.rounds()).map(|round| value(round) / self.columns.len() as f64).collect()
    }

    /// Share of the columns that is no gap; 1 of no round.
    pub(super) fn share(&self) -> f64 {
        let all = self.columns.iter().flatten();
        let there = all.clone().flatten().count();
        match all.count() {
            0 => 1.0,
            all => there as f64 / all as f64,
        }
    }

    /// What the workloads with gaps add to the squared error of a mean, each by itself; one with fewer
    /// than two values as if it could be off by the factor `lone`. `None` without one.
    pub(super) fn alone(&self, lone: Option<f64>) -> Option<Error> {
        let workloads = self.columns.len() as f64;
        let gaps =
            self.columns.iter().zip(&self.errors).filter(|(column, _)| column.contains(&None));
        gaps.map(|(_, error)| Some(error.or(lone.map(Error::of_lone))?.scaled(1.0 / workloads)))
            .sum()
    }

    /// The squared error of the mean over workloads, by how the means of the rounds differ. `None` of fewer
    /// than two rounds.
    pub(super) fn together(&self) -> Option<Error> {
        Some(Error::of_mean(&self.means())?.scaled(1.0 / self.share()))
    }

    /// The columns to draw rounds of; a gap is drawn as none.
    pub(super) fn drawn(&self) -> DrawnColumns {
        let of = |(column, median): (&Vec<Option<f64>>, &f64)| (Drawn::new(column), *median);
        DrawnColumns(self.columns.iter().zip(&self.medians).map(of).collect())
    }
}

/// The squared error of a mean, and how well it is known.
#[derive(Clone, Copy, Default)]
pub(super) struct Error {
    square: f64,
    /// Sum of `square^2 / degrees of freedom` over its parts, by Satterthwaite's formula.
    doubt: f64,
}

impl Error {
    /// Of a figure of which there is no second, and which two standard deviations move by this factor.
    fn of_lone(factor: f64) -> Self {
        Self { square: (factor.ln() / 2.0).powi(2), doubt: 0.0 }
    }

    /// Of the mean of `values`; `None` of fewer than two.
    pub(super) fn of_mean(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let freedom = count - 1.0;
        let square = squares / freedom / count;
        (values.len() >= 2).then_some(Self { square, doubt: square.powi(2) / freedom })
    }

    /// Of so many times the mean.
    fn scaled(self, factor: f64) -> Self {
        Self { square: self.square * factor.powi(2), doubt: self.doubt * factor.powi(4) }
    }

    /// Half of the interval at 95 %: Student's t of the degrees of freedom, rounded down.
    pub(super) fn half_width(self) -> f64 {
        if self.square == 0.0 {
            return 0.0;
        }
        // What is whole but for rounding stays whole.
        let freedom = (self.square.powi(2) / self.doubt + 1e-6).floor().max(1.0) as usize;
        student_975(freedom) * self.square.sqrt()
    }
}

impl Sum for Error {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            square: sum.square + part.square,
            doubt: sum.doubt + part.doubt,
        })
    }
}

/// Columns, and what stands for one of which nothing was drawn.
pub(super) struct DrawnColumns(Vec<(Drawn, f64)>);

impl DrawnColumns {
    /// Mean over workloads of the medians of the drawn rounds.
    pub(super) fn mean(&mut self, indices: &[u32]) -> f64 {
        let count = self.0.len() as f64;
        let columns = self.0.iter_mut();
        columns.map(|(column, median)| column.median(indices).unwrap_or(*median)).sum::<f64>()
            / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[(u32, f64)]) -> Rounds {
        values.iter().copied().collect()
    }

    #[test]
    fn a_round_that_few_workloads_have_is_none_of_the_columns() {
        let [a, b, c] = [
            rounds(&[(0, 1.0), (1, 4.0), (2, 16.0)]),
            rounds(&[(0, 1.0), (1, 1.0)]),
            rounds(&[(0, 1.0), (1, 1.0), (7, 1.0)]),
        ];
        let columns = Columns::of(&[&a, &b, &c]).unwrap();
        assert_eq!((columns.rounds(), columns.share()), (2, 1.0));
        assert_eq!(columns.mean_of_medians(), 4f64.ln() / 3.0, "of all that a workload has");
        assert!(Columns::of(&[&a, &Rounds::new()]).is_none());
        assert!(Columns::of(&[]).is_none());
    }

    #[test]
    fn a_gap_is_closed_by_the_median_and_drawn_as_none() {
        let whole = rounds(&[(0, 1.0), (1, 8.0), (2, 64.0)]);
        let gap = rounds(&[(0, 1.0), (2, 64.0)]);
        let ones = rounds(&[(0, 1.0), (1, 1.0), (2, 1.0)]);
        let close = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (one, other) in found.iter().zip(expected) {
                assert!((one - other.ln()).abs() < 1e-12, "{found:?} and {expected:?}");
            }
        };
        let columns = Columns::of(&[&whole, &ones, &ones]).unwrap();
        close(&columns.means(), &[1.0, 2.0, 4.0]);
        let columns = Columns::of(&[&gap, &ones, &ones]).unwrap();
        let middle = 32.5f64.cbrt();
        close(&columns.means(), &[1.0, middle, 4.0]);
        assert_eq!(columns.share(), 8.0 / 9.0);
        let mut drawn = columns.drawn();
        close(&[drawn.mean(&[0, 1, 1, 1])], &[1.0]);
        close(&[drawn.mean(&[1, 1, 2])], &[4.0]);
        close(&[drawn.mean(&[1, 1, 1])], &[middle]);
    }
}
