//! When the turns of a round are taken again.
//!
//! Whoever else uses the processors does so for seconds at a time. So a turn whose sample was not calm
//! waits for the end of the round, when the disturbance may be over:
//!
//! ```text
//! round   A  B  C* D  E*      *: not calm, ended at once
//! again         C     E*
//! again               E       E's last sample is played to its end whatever the weather
//! ```
//! * R1: every turn ends with one record, of its calmest sample, unless the run is interrupted: then what
//!   was not calm is left to the run that goes on.
//! * R2: which sample is kept hangs on the gauge (`replay::calm`, `replay::distance`) and on no time.
//! * R3: once more than half of the time has gone into samples taken again, each turn gets one sample
//!   more and no other.

use reports::record::{Sample, Status};

use crate::exit::Failure;
use crate::replay::calm::CALM_SHARE;

/// Times that a turn is taken again at most. All samples but the last may end at once where they meet a
/// disturbance.
const MOST_RETAKES: usize = 12;

/// What takes samples and keeps them.
pub(super) trait Taking {
    type Turn;

    /// Whether the run was asked to end.
    fn is_interrupted(&self) -> bool;

    /// Whether a turn still needs a sample: it has none, and its cell has not failed.
    fn is_open(&self, turn: &Self::Turn) -> bool;

    /// R3: whether there is time for more than one sample of a turn.
    fn is_patient(&self) -> bool;

    /// Takes a sample, in the place of others or as the first one of its turn.
    ///
    /// # Errors
    /// When no child can be started.
    fn sample(
        &mut self,
        turn: &Self::Turn,
        breaks_off: bool,
        is_again: bool,
    ) -> Result<Sample, Failure>;

    /// Keeps a sample for good.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&mut self, sample: Sample) -> Result<(), Failure>;
}

/// Takes a sample of each of `turns`, and more of those that are not calm.
///
/// # Errors
/// Those of [`Taking`].
pub(super) fn until_calm<T: Taking>(taking: &mut T, turns: Vec<T::Turn>) -> Result<(), Failure> {
    let mut turns: Vec<(T::Turn, Vec<Sample>)> =
        turns.into_iter().map(|turn| (turn, Vec::new())).collect();
    for retake in 0..=MOST_RETAKES {
        let mut restless = Vec::new();
        for (turn, mut tried) in turns {
            if taking.is_interrupted() {
                continue;
            }
            if !taking.is_open(&turn) {
                keep_calmest(taking, tried)?;
                continue;
            }
            let is_last = retake == MOST_RETAKES || !taking.is_patient();
            let sample = taking.sample(&turn, !is_last, !tried.is_empty())?;
            match sample.calm_share {
                // One that was broken off in place of another says nothing.
                None if sample.status == Status::Interrupted && !tried.is_empty() => {}
                // One that went wrong is a result beside the others; where nothing tells calm, one is
                // enough.
                None => {
                    keep_calmest(taking, tried)?;
                    taking.keep(sample)?;
                }
                Some(share) => {
                    tried.push(sample);
                    if share >= CALM_SHARE || is_last {
                        keep_calmest(taking, tried)?;
                    } else {
                        restless.push((turn, tried));
                    }
                }
            }
        }
        turns = restless;
    }
    Ok(())
}

fn keep_calmest<T: Taking>(taking: &mut T, tried: Vec<Sample>) -> Result<(), Failure> {
    calmest(tried).map_or(Ok(()), |sample| taking.keep(sample))
}

/// The calmest of samples that were taken in one another's place, with the shares of the others; of
/// equal ones the last, which was not broken off.
fn calmest(mut tried: Vec<Sample>) -> Option<Sample> {
    let share = |sample: &Sample| sample.calm_share.unwrap_or(0.0);
    let (at, _) =
        tried.iter().enumerate().max_by(|one, other| share(one.1).total_cmp(&share(other.1)))?;
    let mut sample = tried.remove(at);
    sample.retaken_calm_shares = tried.iter().map(share).collect();
    Some(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seq: u64, share: Option<f64>, status: &str) -> Sample {
        let share = share.map(|share| format!(r#","calm_share":{share}"#)).unwrap_or_default();
        let text = format!(
            r#"{{"subject":"s","workload":"w","seq":{seq},"round":0,"mode":"serial","call":"c",
                "touch":"header","status":"{status}"{share}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    /// A computer on which somebody else is at work during the first `disturbed` samples.
    #[derive(Default)]
    struct Weather {
        disturbed: usize,
        patient_for: usize,
        interrupted_after: usize,
        failing: Option<usize>,
        /// Turns in the order in which they were sampled, and whether each might be broken off.
        sampled: Vec<(char, bool)>,
        kept: Vec<Sample>,
    }

    impl Weather {
        fn of(disturbed: usize) -> Self {
            let (patient_for, interrupted_after) = (usize::MAX, usize::MAX);
            Self { disturbed, patient_for, interrupted_after, ..Self::default() }
        }

        fn order(&self) -> String {
            self.sampled.iter().map(|(turn, _)| turn).collect()
        }
    }

    impl Taking for Weather {
        type Turn = char;

        fn is_interrupted(&self) -> bool {
            self.sampled.len() >= self.interrupted_after
        }

        fn is_open(&self, _turn: &char) -> bool {
            true
        }

        fn is_patient(&self) -> bool {
            self.sampled.len() < self.patient_for
        }

        fn sample(&mut self, turn: &char, breaks_off: bool, _: bool) -> Result<Sample, Failure> {
            let seq = self.sampled.len();
            self.sampled.push((*turn, breaks_off));
            let (share, status) = match () {
                () if self.failing == Some(seq) => (None, "signal"),
                () if self.is_interrupted() => (None, "interrupted"),
                () if seq < self.disturbed => (Some(0.0), "ok"),
                () => (Some(1.0), "ok"),
            };
            Ok(sample(seq as u64, share, status))
        }

        fn keep(&mut self, sample: Sample) -> Result<(), Failure> {
            self.kept.push(sample);
            Ok(())
        }
    }

    fn taken(mut weather: Weather, turns: &str) -> Weather {
        until_calm(&mut weather, turns.chars().collect()).unwrap();
        weather
    }

    #[test]
    fn a_turn_that_was_not_calm_is_taken_again_behind_all_others() {
        let weather = taken(Weather::of(2), "abcd");
        assert_eq!(weather.order(), "abcdab");
        let shares: Vec<_> = weather.kept.iter().map(|kept| kept.calm_share).collect();
        assert_eq!(shares, [Some(1.0); 4]);
        assert_eq!(weather.kept[2].retaken_calm_shares, [0.0], "the second sample of a");
    }

    #[test]
    fn where_calm_never_comes_every_turn_ends_with_a_sample_that_was_not_broken_off() {
        let weather = taken(Weather::of(usize::MAX), "ab");
        assert_eq!(weather.sampled.len(), 2 * (MOST_RETAKES + 1));
        assert_eq!(weather.kept.len(), 2);
        for kept in &weather.kept {
            assert!(!weather.sampled[kept.seq as usize].1, "{kept:?}");
        }
    }

    #[test]
    fn without_patience_every_turn_gets_one_sample_more() {
        let mut impatient = Weather::of(usize::MAX);
        impatient.patient_for = 3;
        let weather = taken(impatient, "abcd");
        // The fourth is the first one without patience, and is enough.
        assert_eq!(weather.order(), "abcdabc");
        assert_eq!(weather.kept.len(), 4);
        assert!(weather.sampled[3..].iter().all(|(_, breaks_off)| !breaks_off));
    }

    #[test]
    fn an_interrupted_round_keeps_what_was_calm_and_leaves_the_rest_to_be_taken_again() {
        let mut interrupted = Weather::of(2);
        interrupted.interrupted_after = 4;
        // The fourth sample, in the place of the first, is the one that the interrupt meets.
        let weather = taken(interrupted, "abc");
        assert_eq!(weather.order(), "abca");
        let kept: Vec<u64> = weather.kept.iter().map(|kept| kept.seq).collect();
        assert_eq!(kept, [2], "the first samples of a and b were broken off");
    }

    #[test]
    fn a_sample_that_went_wrong_is_kept_beside_the_one_it_was_to_replace() {
        let mut failing = Weather::of(1);
        failing.failing = Some(2);
        let weather = taken(failing, "ab");
        let kept: Vec<_> = weather.kept.iter().map(|kept| (kept.seq, kept.status)).collect();
        assert_eq!(kept, [(1, Status::Ok), (0, Status::Ok), (2, Status::Signal)]);
    }

    #[test]
    fn the_calmest_is_kept_with_the_share_of_every_other_equal_ones_too() {
        let of = |shares: &[f64]| {
            let tried = (0..).zip(shares).map(|(seq, share)| sample(seq, Some(*share), "ok"));
            calmest(tried.collect()).map(|kept| (kept.seq, kept.retaken_calm_shares))
        };
        assert_eq!(of(&[0.9, 0.2]), Some((0, vec![0.2])));
        assert_eq!(of(&[0.2, 0.9]), Some((1, vec![0.2])));
        assert_eq!(of(&[0.0, 0.0]), Some((1, vec![0.0])));
        assert_eq!(of(&[1.0]), Some((0, vec![])));
        assert_eq!(of(&[]), None);
    }
}
