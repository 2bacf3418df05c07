//! One figure over several workloads.

use super::estimate::{MIN_BOOTSTRAP_ROUNDS, bootstrap, student_half_width};
use super::quantile::{Drawn, median};
use super::{Estimate, Rounds};

/// Geometric mean over workloads of each workload's median ratio, with its interval at 95 %.
///
/// `workloads` holds one series of ratios by round per workload. The value is the geometric mean of
/// the medians, so that a reader can check it against the table. The interval comes from the rounds
/// that all workloads have, resampled whole; of rounds too few for that it lies around the value, as
/// wide as their geometric means differ. It is `None` with fewer than two such rounds. `count` is the
/// number of those rounds. `None` when there is no workload, or one without any ratio.
///
/// Cost: [`super::RESAMPLES`] medians per workload.
#[must_use]
pub fn geometric_mean(workloads: &[&Rounds]) -> Option<Estimate> {
    let mut log_sum = 0.0;
    for rounds in workloads {
        let values: Vec<f64> = rounds.values().copied().collect();
        log_sum += median(&values)?.ln();
    }
    let (first, rest) = workloads.split_first()?;
    let shared: Vec<u32> = first
        .keys()
        .copied()
        .filter(|key| rest.iter().all(|other| other.contains_key(key)))
        .collect();
    let count = workloads.len() as f64;
    // Logarithms of the shared rounds, one column per workload.
    let columns: Vec<Vec<f64>> = workloads
        .iter()
        .map(|rounds| {
            shared.iter().filter_map(|round| rounds.get(round)).map(|value| value.ln()).collect()
        })
        .collect();
    let interval = match shared.len() {
        0 | 1 => None,
        few if few < MIN_BOOTSTRAP_ROUNDS => {
            let mean =
                |index: usize| columns.iter().map(|column| column[index]).sum::<f64>() / count;
            let means: Vec<f64> = (0..few).map(mean).collect();
            let half = student_half_width(&means);
            half.map(|half| (log_sum / count - half, log_sum / count + half))
        }
        many => {
            let mut drawn: Vec<Drawn> = columns.iter().map(|column| Drawn::new(column)).collect();
            bootstrap(many, |indices| {
                drawn.iter_mut().map(|column| column.median(indices)).sum::<f64>() / count
            })
        }
    };
    Some(Estimate::around((log_sum / count).exp(), shared.len(), interval))
}
