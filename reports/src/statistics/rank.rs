//! Whether two series put the same things in the same order.

/// Spearman's rank correlation of pairs: 1 when both series have one order, -1 when one has the
/// reverse of the other's. Equal values share the mean of their ranks. `None` of fewer than three
/// pairs, which are in order or in reverse by chance half the time, and where a series has but one
/// value and so no order.
///
/// Source: C. Spearman, "The proof and measurement of association between two things", 1904; as the
/// correlation of ranks, which holds with ties.
#[must_use]
pub fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let first = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    // Ranks of n things have the mean (n - 1) / 2, ties or not.
    let middle = (pairs.len() - 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum()
    };
    let spread = (product(&first, &first) * product(&second, &second)).sqrt();
    (spread > 0.0).then(|| product(&first, &second) / spread)
}

/// Place of each value from 0, lowest first; equal values share the mean of their places.
fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |one: f64| values.iter().filter(|value| **value < one).count() as f64;
    let equal = |one: f64| values.iter().filter(|value| **value == one).count() as f64;
    values.iter().map(|&one| below(one) + (equal(one) - 1.0) / 2.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_is_one_and_its_reverse_minus_one() {
        let same = [(1.0, 10.0), (2.0, 11.0), (9.0, 500.0)];
        assert_eq!(rank_correlation(&same), Some(1.0));
        let reverse = same.map(|(first, second)| (first, -second));
        assert_eq!(rank_correlation(&reverse), Some(-1.0));
    }

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 7.0]), [1.5, 0.0, 1.5, 3.0]);
        let half = rank_correlation(&[(1.0, 1.0), (2.0, 1.0), (3.0, 2.0)]).unwrap();
        assert!((half - 0.866).abs() < 1e-3, "{half}");
    }

    #[test]
    fn two_things_and_equal_things_have_no_order_to_agree_on() {
        assert_eq!(rank_correlation(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(rank_correlation(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }
}
