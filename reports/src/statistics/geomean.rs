//! One figure over several workloads.

use super::columns::Columns;
use super::estimate::{MIN_BOOTSTRAP_ROUNDS, bootstrap};
use super::{Estimate, Rounds};

/// Geometric mean over workloads of each workload's median ratio, with its interval at 95 %.
///
/// `workloads` holds one series of ratios by round per workload. The value is the geometric mean of
/// the medians, so that a reader can check it against the table. The interval comes from the rounds
/// that more than half of the workloads have, resampled whole; of rounds too few for that it lies around
/// the value, as wide as their geometric means differ; in either case wider by what is not known of
/// workloads with gaps. Of a workload with a single round nothing is known but that its figure may be off
/// by the factor `lone`; without that, and with fewer than two such rounds of all, there is no interval. `count` is the number of those rounds. `None` when there is no workload, or one without any
/// ratio.
///
/// Cost: [`super::RESAMPLES`] medians per workload.
#[must_use]
pub fn geometric_mean(workloads: &[&Rounds], lone: Option<f64>) -> Option<Estimate> {
    let columns = Columns::of(workloads)?;
    let mean = columns.mean_of_medians();
    let interval = match columns.rounds() {
        few if few < MIN_BOOTSTRAP_ROUNDS => columns.together().map(|error| {
            let half = error.half_width();
            (mean - half, mean + half)
        }),
        many => {
            let mut drawn = columns.drawn();
            bootstrap(many, |indices| drawn.mean(indices))
        }
    };
    let interval =
        interval.zip(columns.alone(lone)).map(|(ends, own)| widened(ends, mean, own.half_width()));
    Some(Estimate::around(mean.exp(), columns.rounds(), interval))
}

/// An interval around `middle`, whose error has a further part with this half-width.
pub(super) fn widened((low, high): (f64, f64), middle: f64, half: f64) -> (f64, f64) {
    let side = |end: f64| (middle - end).hypot(half);
    if half == 0.0 { (low, high) } else { (middle - side(low), middle + side(high)) }
}
