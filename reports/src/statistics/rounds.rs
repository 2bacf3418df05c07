//! Pairing: the values of one cell by round, and the ratios of two cells round by round.

use std::collections::BTreeMap;

use super::quantile::median;

/// Values of one cell by round of interleaving. Several values in one round count as their median.
pub type Rounds = BTreeMap<u32, f64>;

/// Collects values into rounds. Values that are not finite and above zero carry no time and are
/// left out.
#[must_use]
pub fn by_round(values: impl IntoIterator<Item = (u32, f64)>) -> Rounds {
    let mut by_round: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (round, value) in values {
        if value.is_finite() && value > 0.0 {
            by_round.entry(round).or_default().push(value);
        }
    }
    by_round
        .into_iter()
        .filter_map(|(round, values)| median(&values).map(|value| (round, value)))
        .collect()
}

/// `subject / baseline` for every round that has both. A round that lacks one of them says nothing
/// about the ratio.
#[must_use]
pub fn ratios(subject: &Rounds, baseline: &Rounds) -> Rounds {
    subject
        .iter()
        .filter_map(|(round, value)| Some((*round, value / baseline.get(round)?)))
        .collect()
}

/// The baseline's time in each round that it was sampled in, where `again` holds its samples under another
/// name: the geometric mean of the two where there are both. What all ratios have in common, the
/// baseline's own noise, is smaller by that.
#[must_use]
pub fn of_both(baseline: &Rounds, again: &Rounds) -> Rounds {
    let both = |(round, value): (&u32, &f64)| {
        (*round, again.get(round).map_or(*value, |other| (value * other).sqrt()))
    };
    baseline.iter().map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_that_was_sampled_twice_in_a_round_counts_as_the_mean() {
        let baseline = Rounds::from([(0, 4.0), (1, 10.0)]);
        let again = Rounds::from([(0, 9.0), (7, 1.0)]);
        assert_eq!(of_both(&baseline, &again), Rounds::from([(0, 6.0), (1, 10.0)]));
    }

    #[test]
    fn ratios_pair_by_round_and_skip_rounds_without_a_partner() {
        let subject = Rounds::from([(0, 10.0), (1, 30.0), (3, 5.0)]);
        let baseline = Rounds::from([(0, 5.0), (1, 10.0), (2, 1.0)]);
        assert_eq!(ratios(&subject, &baseline), Rounds::from([(0, 2.0), (1, 3.0)]));
    }

    #[test]
    fn by_round_takes_the_median_of_a_round_and_leaves_out_what_is_no_time() {
        let rounds =
            by_round([(0, 1.0), (0, 9.0), (0, 2.0), (1, 0.0), (2, f64::NAN), (3, f64::INFINITY)]);
        assert_eq!(rounds, Rounds::from([(0, 2.0)]));
    }
}
