//! Do the intervals hold what they promise? By simulation with seeded noise, and beside a method that
//! is known not to.

use std::ops::Range;

use crate::synthetic::Noise;
use reports::statistics::{
    Estimate, Floor, Interval, MIN_BOOTSTRAP_ROUNDS, Rounds, Verdict, geometric_mean, median,
    ratios, unpaired_ratio,
};

const SEED: u64 = 4;
/// By what factor a figure that stands alone may be off.
const LONE: Option<f64> = Some(1.4);

/// Times of one subject over rounds: the weather of the round, the subject's own noise, and one in
/// twenty disturbed.
fn times(noise: &mut Noise, weather: &[f64], ns: f64) -> Rounds {
    let rounds = weather.iter().enumerate();
    rounds.map(|(round, weather)| (round as u32, ns * weather * noise.factor(0.02))).collect()
}

/// How often, in percent, `interval` of the ratio of two subjects that differ by `ratio` holds it.
fn coverage(
    rounds: usize,
    ratio: f64,
    runs: usize,
    interval: impl Fn(&[f64]) -> Option<Interval>,
) -> f64 {
    let mut noise = Noise::new(SEED + rounds as u64);
    let mut held = 0;
    for _ in 0..runs {
        let weather: Vec<f64> = (0..rounds).map(|_| noise.factor(0.1)).collect();
        let baseline = times(&mut noise, &weather, 10.0);
        let subject = times(&mut noise, &weather, 10.0 * ratio);
        let paired: Vec<f64> = ratios(&subject, &baseline).into_values().collect();
        held += usize::from(interval(&paired).is_some_and(|ends| ends.holds(ratio)));
    }
    100.0 * held as f64 / runs as f64
}

fn ours(values: &[f64]) -> Option<Interval> {
    Estimate::of(values)?.interval
}

/// 17 of 20 is what a run of 20 must reach; a method that holds in 93 % of runs fails that in 1 of 20.
/// The bound allows for the noise of the simulation itself (1.3 % with 300 runs).
const HONEST_PERCENT: f64 = 93.0;

#[test]
fn intervals_hold_one_when_a_subject_is_compared_with_itself() {
    // The bootstrap is dear in a build without optimisation; Student's t is not.
    for (rounds, runs) in
        [(2, 3000), (3, 3000), (4, 3000), (5, 3000), (6, 300), (7, 300), (10, 300)]
    {
        let found = coverage(rounds, 1.0, runs, ours);
        println!("{rounds} rounds: {found:.1} %");
        assert!(found >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds: {found} %");
    }
}

#[test]
fn intervals_hold_the_true_ratio_of_different_subjects() {
    for (rounds, ratio, runs) in [(3, 2.4, 3000), (5, 0.62, 3000), (6, 2.4, 300), (9, 0.9, 300)] {
        let found = coverage(rounds, ratio, runs, ours);
        assert!(found >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds, {ratio}: {found} %");
    }
}

#[test]
fn the_coverage_check_catches_intervals_that_are_too_narrow() {
    let range_of_middle = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Interval { low: sorted[1], high: sorted[sorted.len() - 2] })
    };
    let one_error = |values: &[f64]| {
        let middle = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
        let error = squares.sqrt() / values.len() as f64;
        Some(Interval { low: middle - error, high: middle + error })
    };
    assert!(coverage(5, 1.0, 300, range_of_middle) < HONEST_PERCENT);
    assert!(coverage(5, 1.0, 300, one_error) < HONEST_PERCENT);
}

#[test]
fn twenty_honest_comparisons_with_itself_hold_one_at_least_seventeen_times() {
    // At 96 % and more, fewer than 17 of 20 come about once in 200 sets.
    for (rounds, sets, allowed) in [(5, 200, 3), (10, 15, 1)] {
        let mut noise = Noise::new(SEED + rounds);
        let mut short = 0;
        for _ in 0..sets {
            let mut held = 0;
            for _ in 0..20 {
                let weather: Vec<f64> = (0..rounds).map(|_| noise.factor(0.1)).collect();
                let baseline = times(&mut noise, &weather, 10.0);
                let again = times(&mut noise, &weather, 10.0);
                let floor = Floor::of(&ratios(&again, &baseline)).expect("rounds with both");
                held += usize::from(floor.interval.holds(1.0));
            }
            short += usize::from(held < 17);
        }
        assert!(
            short <= allowed,
            "seed {SEED}, {rounds} rounds: {short} of {sets} sets fall short"
        );
    }
}

#[test]
fn a_real_difference_is_found_and_a_slow_control_is_slower() {
    let mut noise = Noise::new(SEED);
    let mut found = [0; 3];
    for _ in 0..100 {
        for (index, (rounds, ratio)) in [(3, 2.4), (5, 0.8), (9, 1.1)].into_iter().enumerate() {
            let weather: Vec<f64> = (0..rounds).map(|_| noise.factor(0.1)).collect();
            let baseline = times(&mut noise, &weather, 10.0);
            let again = times(&mut noise, &weather, 10.0);
            let subject = times(&mut noise, &weather, 10.0 * ratio);
            let paired: Vec<f64> = ratios(&subject, &baseline).into_values().collect();
            let verdict =
                Verdict::of(&Estimate::of(&paired).unwrap(), Floor::of(&ratios(&again, &baseline)));
            let expected = if ratio < 1.0 { Verdict::Faster } else { Verdict::Slower };
            found[index] += usize::from(verdict == expected);
        }
    }
    println!("seed {SEED}, found in 100: {found:?}");
    assert!(found[0] >= 90 && found[1] >= 60 && found[2] >= 70, "{found:?}");
}

#[test]
fn the_same_values_give_the_same_estimate_whatever_their_order() {
    let mut noise = Noise::new(SEED);
    let values: Vec<f64> = (0..9).map(|_| noise.factor(0.1)).collect();
    let first = Estimate::of(&values).unwrap();
    let turned: Vec<f64> = values.iter().rev().copied().collect();
    assert_eq!(Estimate::of(&turned), Some(first));
    assert_eq!(Estimate::of(&[1.2, 1.0, 1.1]), Estimate::of(&[1.1, 1.2, 1.0]));
    assert_eq!(median(&values), Some(first.value));
    let ends = first.interval.unwrap();
    assert!(ends.low <= first.value && first.value <= ends.high);
}

#[test]
fn estimates_of_no_one_and_equal_values() {
    assert_eq!(Estimate::of(&[]), None);
    let one = Estimate::of(&[3.0]).unwrap();
    assert_eq!((one.value, one.count, one.interval), (3.0, 1, None));
    for count in [2, 5, 6, 20] {
        let same = Estimate::of(&vec![3.0; count]).unwrap();
        let ends = same.interval.unwrap();
        assert!((ends.low - 3.0).abs() < 1e-9 && (ends.high - 3.0).abs() < 1e-9, "{ends:?}");
    }
}

#[test]
fn one_disturbed_round_in_ten_hardly_moves_the_interval() {
    let mut values: Vec<f64> = (0..10).map(|index| 1.0 + 0.002 * f64::from(index)).collect();
    values[3] = 3.0;
    let ends = Estimate::of(&values).unwrap().interval.unwrap();
    assert!(ends.high < 1.05, "{ends:?}");
}

#[test]
fn verdicts_need_an_interval_without_one_and_more_than_the_floor() {
    let ratio =
        |value, low, high| Estimate { value, count: 5, interval: Some(Interval { low, high }) };
    let floor = Floor { ratio: 1.0, interval: Interval { low: 0.97, high: 1.01 }, count: 5 };
    assert_eq!(Verdict::of(&ratio(0.9, 0.85, 0.95), None), Verdict::Faster);
    assert_eq!(Verdict::of(&ratio(1.2, 1.1, 1.3), None), Verdict::Slower);
    assert_eq!(Verdict::of(&ratio(0.9, 0.8, 1.01), None), Verdict::Undecided);
    assert_eq!(Verdict::of(&ratio(0.98, 0.975, 0.985), Some(floor)), Verdict::Undecided);
    assert_eq!(Verdict::of(&ratio(1.02, 1.01, 1.03), Some(floor)), Verdict::Undecided);
    assert_eq!(Verdict::of(&ratio(0.9, 0.89, 0.91), Some(floor)), Verdict::Faster);
    let alone = Estimate { value: 0.1, count: 1, interval: None };
    assert_eq!(Verdict::of(&alone, None), Verdict::Undecided);
}

#[test]
fn a_floor_reaches_to_the_farther_end_of_its_interval() {
    let floor = Floor { ratio: 1.02, interval: Interval { low: 1.0, high: 1.05 }, count: 5 };
    assert!((floor.half_width_percent() - 5.0).abs() < 1e-9);
    assert!(floor.holds(1.049) && floor.holds(1.0 / 1.049) && !floor.holds(1.051));
    assert!(!floor.holds(0.95));
    let rounds = Rounds::from([(0, 1.0)]);
    assert_eq!(Floor::of(&ratios(&rounds, &rounds)), None);
}

#[test]
fn a_geometric_mean_is_that_of_the_medians_and_rests_on_shared_rounds() {
    let half: Rounds = (0..8).map(|round| (round, 0.5 + 0.001 * f64::from(round))).collect();
    let double: Rounds = (2..9).map(|round| (round, 2.0 + 0.001 * f64::from(round))).collect();
    let mean = geometric_mean(&[&half, &double], LONE).unwrap();
    let expected = (median(&half.values().copied().collect::<Vec<_>>()).unwrap()
        * median(&double.values().copied().collect::<Vec<_>>()).unwrap())
    .sqrt();
    assert!((mean.value - expected).abs() < 1e-12);
    assert_eq!(mean.count, 6);
    assert!(mean.interval.unwrap().holds(mean.value));
    assert_eq!(geometric_mean(&[], LONE), None);
    assert_eq!(geometric_mean(&[&half, &Rounds::new()], LONE), None);
    let apart = Rounds::from([(90, 1.0)]);
    assert_eq!(geometric_mean(&[&half, &apart], LONE).unwrap().interval, None);
}

/// The mean of the rounds lies beside the mean of medians; an interval around the one, stretched to the
/// other, would end at its own value.
#[test]
fn of_few_rounds_the_interval_of_a_geometric_mean_lies_around_its_value() {
    let skewed = Rounds::from([(0, 0.80), (1, 0.81), (2, 1.60)]);
    let mean = geometric_mean(&[&skewed, &skewed], LONE).unwrap();
    let ends = mean.interval.unwrap();
    assert_eq!(mean.value, 0.81);
    assert!((ends.high / mean.value - mean.value / ends.low).abs() < 1e-9, "{mean:?}");
}

/// Ratios of `loads` workloads over rounds, each with its own weather, of which a share of `gaps` is
/// lacking: which ones hangs on no time.
fn series(noise: &mut Noise, loads: usize, rounds: usize, gaps: f64) -> Vec<Rounds> {
    (0..loads)
        .map(|_| {
            let weather: Vec<f64> = (0..rounds).map(|_| noise.factor(0.1)).collect();
            let baseline = times(noise, &weather, 10.0);
            let mut all = ratios(&times(noise, &weather, 8.0), &baseline);
            let lacked: Vec<u32> = all.keys().copied().filter(|_| noise.even() < gaps).collect();
            // What has no two calm rounds is made of all rounds.
            if lacked.len() + 2 <= all.len() {
                all.retain(|round, _| !lacked.contains(round));
            }
            all
        })
        .collect()
}

/// How often, in percent, the interval of a geometric mean holds the truth.
fn held(loads: usize, rounds: usize, gaps: f64) -> f64 {
    let mut noise = Noise::new(SEED);
    let runs: usize = if rounds < MIN_BOOTSTRAP_ROUNDS { 3000 } else { 200 };
    let means = (0..runs).map(|_| {
        let series = series(&mut noise, loads, rounds, gaps);
        geometric_mean(&series.iter().collect::<Vec<_>>(), LONE).unwrap()
    });
    let intervals: Vec<Interval> = means.filter_map(|mean| mean.interval).collect();
    let (known, held) = (intervals.len(), intervals.iter().filter(|one| one.holds(0.8)).count());
    println!("{rounds} rounds of {loads} workloads, {gaps} lacking: {held} of {known} of {runs}");
    assert!(10 * known >= 9 * runs, "{known} of {runs} have an interval");
    100.0 * held as f64 / known as f64
}

#[test]
fn geometric_means_hold_the_truth_too() {
    for rounds in [3, 4, 5, 8] {
        let held = held(4, rounds, 0.0);
        assert!(held >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds: {held} %");
    }
}

#[test]
fn geometric_means_hold_the_truth_where_rounds_lack_workloads() {
    for (rounds, gaps) in [(3, 0.15), (4, 0.25), (5, 0.25), (8, 0.25)] {
        let held = held(8, rounds, gaps);
        assert!(held >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds, {gaps}: {held} %");
    }
}

/// Would catch an interval that is made of the other workloads alone: one of eight has two rounds, which
/// the others have or lack, and is ten times as noisy as they are.
#[test]
fn a_noisy_workload_that_most_rounds_lack_widens_a_geometric_mean() {
    for (rounds, runs, from) in [(4, 2000, 0), (5, 2000, 5), (5, 2000, 4), (8, 200, 0), (8, 200, 8)]
    {
        let mut noise = Noise::new(SEED);
        let held = (0..runs).filter(|_| {
            let mut ratios = |rounds: Range<u32>, deviation: f64| -> Rounds {
                rounds.map(|at| (at, 0.8 * (deviation * noise.normal()).exp())).collect()
            };
            let mut series: Vec<Rounds> = (0..7).map(|_| ratios(0..rounds, 0.02)).collect();
            series.push(ratios(from..from + 2, 0.2));
            let mean = geometric_mean(&series.iter().collect::<Vec<_>>(), LONE).unwrap();
            mean.interval.is_some_and(|ends| ends.holds(0.8))
        });
        let held = 100.0 * held.count() as f64 / f64::from(runs);
        println!("{rounds} rounds, two of one workload from {from}: {held} %");
        assert!(held >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds, {from}: {held} %");
    }
}

/// In a storm one of many workloads has a single figure. A mean without an interval would tell nothing of
/// the others; one as if that figure were sure would be believed.
#[test]
fn a_workload_of_a_single_round_counts_as_far_off_as_a_disturbance_can_be() {
    let common: Rounds = (2..8).map(|round| (round, 1.0)).collect();
    let reach = 1.4_f64.powf(1.96 / 2.0 / 3.0);
    for elsewhere in [Rounds::from([(0, 1.0)]), Rounds::from([(2, 1.0)])] {
        let mean = geometric_mean(&[&elsewhere, &common, &common], LONE).unwrap();
        assert_eq!(geometric_mean(&[&elsewhere, &common, &common], None).unwrap().interval, None);
        let pairs = [(&elsewhere, &common), (&common, &common), (&common, &common)];
        assert_eq!(unpaired_ratio(&pairs, None).unwrap().interval, None);
        for estimate in [mean, unpaired_ratio(&pairs, LONE).unwrap()] {
            let ends = estimate.interval.unwrap();
            assert!((ends.high / reach - 1.0).abs() < 1e-3, "{ends:?}, not {reach}");
            assert!((ends.low * reach - 1.0).abs() < 1e-3, "{ends:?}, not {reach}");
        }
    }
}

/// Would catch a mean that takes two rounds for none because the other workloads have others.
#[test]
fn a_workload_is_as_sure_as_its_own_rounds_whether_the_others_have_them_or_not() {
    let common: Rounds = (2..8).map(|round| (round, 1.0)).collect();
    let elsewhere = Rounds::from([(0, 0.99), (1, 1.01), (9, 0.99), (10, 1.01)]);
    for lone in [None, LONE] {
        let mean = geometric_mean(&[&elsewhere, &common, &common], lone).unwrap();
        let ends = mean.interval.unwrap();
        let own = Estimate::of(&elsewhere.values().copied().collect::<Vec<_>>()).unwrap();
        let third = own.interval.unwrap().half_width_percent() / 3.0;
        assert!((ends.half_width_percent() / third - 1.0).abs() < 0.02, "{ends:?}, not {third} %");
    }
}

#[test]
fn geometric_means_hold_the_truth_where_one_workload_was_disturbed_in_every_round() {
    for (rounds, runs) in [(3, 2000), (5, 2000), (8, 200)] {
        let mut noise = Noise::new(SEED);
        let held = (0..runs).filter(|_| {
            let mut series = series(&mut noise, 7, rounds, 0.0);
            let disturbed = 0.8 * 1.4_f64.powf(2.0 * noise.even() - 1.0);
            series.push(Rounds::from([(0, disturbed)]));
            let mean = geometric_mean(&series.iter().collect::<Vec<_>>(), LONE).unwrap();
            mean.interval.is_some_and(|ends| ends.holds(0.8))
        });
        let held = 100.0 * held.count() as f64 / f64::from(runs);
        println!("{rounds} rounds, one disturbed: {held} %");
        assert!(held >= HONEST_PERCENT, "seed {SEED}, {rounds} rounds: {held} %");
    }
}

/// What all workloads do together shows in a mean by the share alone that is there.
#[test]
fn gaps_do_not_narrow_what_rounds_do_to_all_workloads() {
    let whole = Rounds::from([(0, 0.5), (1, 1.0), (2, 1.5), (3, 1.0)]);
    let mut gap = whole.clone();
    gap.remove(&2);
    let width = |one: Estimate| one.interval.unwrap().half_width_percent();
    let of = |series: &[&Rounds]| width(geometric_mean(series, LONE).unwrap());
    assert!(of(&[&whole, &whole, &gap]) > of(&[&whole, &whole, &whole]));
    let of = |series: &[(&Rounds, &Rounds)]| width(unpaired_ratio(series, LONE).unwrap());
    let pairs = [(&gap, &gap), (&whole, &whole), (&whole, &whole)];
    assert!(of(&pairs) > of(&[(&whole, &whole); 3]));
}

/// Would catch a mean that is made of the rounds alone that all workloads have: there is none.
#[test]
fn a_geometric_mean_has_an_interval_though_no_round_has_all_workloads() {
    let noise = &mut Noise::new(SEED);
    let whole = series(noise, 4, 4, 0.0);
    let mut gaps = whole.clone();
    for (round, one) in gaps.iter_mut().enumerate() {
        one.remove(&(round as u32));
    }
    let [whole, gaps] =
        [&whole, &gaps].map(|one| geometric_mean(&one.iter().collect::<Vec<_>>(), LONE).unwrap());
    assert_eq!((whole.count, gaps.count), (4, 4));
    let width = |one: Estimate| one.interval.unwrap().half_width_percent();
    assert!(width(gaps) > width(whole), "{whole:?} and {gaps:?}");
}
