//! From raw samples to a statement: how much faster, how sure, or undecided.
//!
//! Samples are measured in rounds: each round measures every subject once, those of a workload right
//! after one another, in random order. What disturbs the computer for longer than a sample (frequency,
//! another tenant, memory layout of the host) therefore disturbs all of them, and cancels in a ratio
//! taken **within** the round. What comes and goes between samples does not; which of them count is
//! told in [`weather`](crate::weather). Hence:
//!
//! 1. A cell's ratio to the baseline is the **median over rounds of the ratio per round**, the
//!    baseline's time in a round being the geometric mean of its two samples there ([`of_both`]), or
//!    that of the calm one.
//! 2. Its interval at 95 % comes from the same rounds ([`Estimate::of`]):
//!    * **two to five rounds**: Student's t on the logarithms. No resampling of so few values can
//!      leave their range, and the range of five holds the true median in 93.8 % of runs, of four in
//!      87.5 %, of three in 75 %: a bootstrap would promise what it cannot keep. Two timings of the
//!      same thing are exchangeable, so the logarithm of their ratio is symmetric about zero, and for
//!      symmetric noise with heavy tails t errs on the wide side.
//!    * **six rounds and more**: a bootstrap of the median over rounds. The tails are cut not at
//!      2.5 % but further out, at `Phi(-sqrt(n / (n - 1)) * t(n - 1))`, which makes up for the
//!      narrowness of a percentile bootstrap of few values (Hesterberg, "What teachers should know
//!      about the bootstrap", 2015). A plain percentile bootstrap of seven values holds the truth in
//!      88 % of runs. One disturbed round in ten hardly moves a median, while it would triple a t interval.
//! 3. The **floor** of a workload is what the same method says when the baseline is measured against
//!    itself under another name ([`Floor`]).
//! 4. A difference is *faster* or *slower* only when its interval leaves 1 out and it is larger than
//!    the floor; otherwise it is *undecided* ([`Verdict::of`]).
//! 5. Over several workloads the geometric mean of the ratios is taken ([`geometric_mean`]). Rounds
//!    are resampled whole, so that what moved all workloads of a round together stays together; a round
//!    that lacks some of them stands as well as it can (`columns`).
//!    The interval speaks of these workloads, not of others that might have been chosen.
//! 6. Two **runs** share no rounds. A ratio between them is that of the medians, each side resampled
//!    by itself ([`unpaired_ratio`]).
//!
//! A run that compares one subject with many makes many statements at 95 %; about one in twenty
//! would be wrong if nothing differed, were it not for the floor. Every random number comes from one
//! fixed seed, so the same records always give the same figures.

mod columns;
mod estimate;
mod floor;
mod geomean;
mod quantile;
mod rank;
mod rounds;
mod unpaired;
mod verdict;

pub use estimate::{Estimate, Interval, MIN_BOOTSTRAP_ROUNDS, RESAMPLES};
pub use floor::Floor;
pub use geomean::geometric_mean;
pub use quantile::median;
pub use rank::rank_correlation;
pub use rounds::{Rounds, by_round, of_both, ratios};
pub use unpaired::unpaired_ratio;
pub use verdict::Verdict;
