//! One figure over several workloads.

use super::columns::Columns;
use super::estimate::{bootstrap, student_half_width};
use super::{Estimate, Rounds};

/// Geometric mean over workloads of each workload's median ratio, with its interval at 95 %.
///
/// `workloads` holds one series of ratios by round per workload. The value is the geometric mean of
/// the medians, so that a reader can check it against the table. The interval comes from the rounds
/// that more than half of the workloads have, resampled whole; of rounds too few for that it lies around
/// the value, as wide as their geometric means differ and by the share of gaps wider. It is `None` with
/// fewer than two such rounds. `count` is the number of those rounds. `None` when there is no workload,
/// or one without any ratio.
///
/// Cost: [`super::RESAMPLES`] medians per workload.
#[must_use]
pub fn geometric_mean(workloads: &[&Rounds]) -> Option<Estimate> {
    let columns = Columns::of(workloads)?;
    let mean = columns.mean_of_medians();
    let interval = match columns.rounds() {
        0 | 1 => None,
        many if columns.is_bootstrapped() => {
            let mut drawn = columns.drawn();
            bootstrap(many, |indices| drawn.mean(indices))
        }
        _ => student_half_width(&columns.means())
            .map(|half| half / columns.share())
            .map(|half| (mean - half, mean + half)),
    };
    Some(Estimate::around(mean.exp(), columns.rounds(), interval))
}
