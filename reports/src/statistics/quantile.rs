//! Medians of samples and quantiles of the distributions that intervals are built on.

/// Median of `values`: the middle one, or the mean of the two in the middle. `None` of none.
///
/// Values that are not a number sort last. O(n log n).
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (lower, upper) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some(f64::midpoint(sorted[lower], sorted[upper]))
}

/// Values whose median is wanted over many draws with repetition: sorted once, so that a median is
/// found by counting.
pub(super) struct Drawn {
    sorted: Vec<f64>,
    /// Place in `sorted` of the value at each index; behind its end of an index without a value.
    ranks: Vec<u32>,
    /// How often each place was drawn, and how often none.
    counts: Vec<u32>,
}

impl Drawn {
    /// Values by index, of which some may have none.
    pub(super) fn new(values: &[Option<f64>]) -> Self {
        let mut order: Vec<(f64, usize)> = values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| Some(((*value)?, index)))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranks = vec![order.len() as u32; values.len()];
        for (rank, &(_, index)) in order.iter().enumerate() {
            ranks[index] = rank as u32;
        }
        let sorted: Vec<f64> = order.into_iter().map(|(value, _)| value).collect();
        Self { counts: vec![0; sorted.len() + 1], sorted, ranks }
    }

    /// Median of the values at `indices`; `None` where there is none. O(n).
    pub(super) fn median(&mut self, indices: &[u32]) -> Option<f64> {
        self.counts.fill(0);
        for &index in indices {
            self.counts[self.ranks[index as usize] as usize] += 1;
        }
        let drawn = indices.len() - self.counts[self.sorted.len()] as usize;
        let (lower, upper) = (usize::checked_sub(drawn, 1)? / 2, drawn / 2);
        let mut passed = 0;
        let mut drawn = self.sorted.iter().zip(&self.counts);
        let mut next = |below: usize| {
            drawn.find_map(|(value, count)| {
                passed += *count as usize;
                (passed > below).then_some((*value, passed))
            })
        };
        let (low, passed) = next(lower)?;
        let high = if passed > upper { low } else { next(upper)?.0 };
        Some(f64::midpoint(low, high))
    }
}

/// Value below which Student's t with `freedom` degrees of freedom falls in 97.5 % of cases.
/// Exact to three decimals; infinite for no freedom at all.
pub(super) fn student_975(freedom: usize) -> f64 {
    // The series below is good to 0.001 from five degrees on.
    const FEW: [f64; 5] = [f64::INFINITY, 12.706, 4.303, 3.182, 2.776];
    if let Some(&exact) = FEW.get(freedom) {
        return exact;
    }
    student(1.959_964, freedom)
}

/// Value below which Student's t falls as often as a normal distribution falls below `z`: good to
/// 0.001 at 1.96 and to 2 % at 3, from five degrees of freedom on.
pub(super) fn student(z: f64, freedom: usize) -> f64 {
    let v = freedom as f64;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    let fourth = (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5)
        - 1920.0 * z.powi(3)
        - 945.0 * z)
        / 92_160.0;
    z + first / v + second / v.powi(2) + third / v.powi(3) + fourth / v.powi(4)
}

/// Share of a normal distribution that lies above `z`, for `z >= 0`; absolute error below 1e-7.
/// Abramowitz and Stegun, Handbook of Mathematical Functions, formula 26.2.17.
pub(super) fn normal_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let poly = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly
}

/// Value above which a share of `tail` of a normal distribution lies, for `0 < tail <= 0.5`.
pub(super) fn normal_above(tail: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if normal_tail(middle) > tail { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_even_and_no_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn medians_of_draws_are_those_of_the_drawn_values() {
        let values = [5.0, 1.0, 4.0, 2.0];
        let mut drawn = Drawn::new(&values.map(Some));
        let draws: [&[u32]; 4] = [&[0, 1, 2, 3], &[0, 0, 0, 1], &[1, 1, 3, 3], &[2, 1, 0]];
        for indices in draws {
            let picked: Vec<f64> = indices.iter().map(|&index| values[index as usize]).collect();
            assert_eq!(drawn.median(indices), median(&picked), "{indices:?}");
        }
    }

    #[test]
    fn an_index_without_a_value_is_drawn_as_none() {
        let mut drawn = Drawn::new(&[Some(5.0), None, Some(4.0)]);
        assert_eq!(drawn.median(&[1, 0, 1]), Some(5.0));
        assert_eq!(drawn.median(&[1, 0, 2]), Some(4.5));
        assert_eq!(drawn.median(&[1, 1, 1]), None);
    }

    #[test]
    fn student_quantiles_match_the_printed_tables() {
        let table = [(1, 12.706), (4, 2.776), (5, 2.571), (9, 2.262), (29, 2.045), (1000, 1.962)];
        for (freedom, expected) in table {
            let found = student_975(freedom);
            assert!((found - expected).abs() < 0.0015, "t({freedom}) = {found}, not {expected}");
        }
    }

    #[test]
    fn a_normal_tail_leads_back_to_its_value() {
        for (tail, expected) in [(0.025, 1.959_964), (0.005, 2.575_829), (0.5, 0.0)] {
            assert!((normal_above(tail) - expected).abs() < 1e-4, "{tail}");
        }
    }

    #[test]
    fn normal_tails_match_the_printed_tables() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.158_655), (1.959_964, 0.025), (3.0, 0.001_35)] {
            let found = normal_tail(z);
            assert!((found - expected).abs() < 1e-6, "tail({z}) = {found}, not {expected}");
        }
    }
}
