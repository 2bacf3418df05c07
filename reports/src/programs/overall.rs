//! Each subject over all programs.

use super::{Figure, Grid};
use crate::statistics::{Estimate, Floor, Rounds, Verdict, geometric_mean};

/// One subject over all programs that the baseline finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Overall {
    /// Subject.
    pub subject: String,
    /// Whether it is the baseline itself, whose ratios are 1 by definition.
    pub baseline: bool,
    /// Programs that the ratios go over.
    pub programs: usize,
    /// Programs without a ratio, though the baseline finished them. A subject with any has no
    /// verdict: its mean goes over fewer programs than the others'.
    pub missing: Vec<String>,
    /// Geometric mean of the ratios of wall times.
    pub wall_ratio: Option<Estimate>,
    /// Geometric mean of the ratios of processor times.
    pub cpu_ratio: Option<Estimate>,
    /// Geometric mean of the ratios of peak resident memory.
    pub rss_ratio: Option<Estimate>,
    /// Word on the ratio of wall times, by the floor of the same mean.
    pub verdict: Option<Verdict>,
}

impl Overall {
    /// One word on the subject: the verdict, or why there is none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Some(verdict) => verdict.word(),
            None if self.baseline => "baseline",
            None => "incomplete",
        }
    }
}

/// Every subject: the baseline, then whole ones from fastest to slowest, then incomplete ones.
pub(super) fn all(grid: &Grid<'_>, floor: Option<Floor>) -> Vec<Overall> {
    let mut all: Vec<Overall> =
        (0..grid.subjects.len()).map(|subject| one(grid, subject, floor)).collect();
    let value = |one: &Overall| one.wall_ratio.map_or(f64::INFINITY, |ratio| ratio.value);
    all.sort_by(|a, b| {
        let group = |one: &Overall| (!one.baseline, !one.missing.is_empty());
        group(a).cmp(&group(b)).then(value(a).total_cmp(&value(b)))
    });
    all
}

/// The A/A floor of the geometric mean, from each program's twin ratios.
pub(super) fn floor(twins: &[Rounds]) -> Option<Floor> {
    Floor::from_estimate(geometric_mean(&twins.iter().collect::<Vec<_>>(), None)?)
}

fn one(grid: &Grid<'_>, subject: usize, floor: Option<Floor>) -> Overall {
    let baseline = grid.subjects[subject] == grid.baseline;
    let finished = |program: &usize| {
        grid.base(*program)
            .is_some_and(|cell| cell.failure.is_none() && !cell.rounds(Figure::Wall).is_empty())
    };
    let comparable: Vec<usize> = (0..grid.names.len()).filter(finished).collect();
    let mean = |figure| {
        let series: Vec<Rounds> = comparable
            .iter()
            .map(|&program| grid.ratios(program, subject, figure))
            .filter(|ratios| !ratios.is_empty())
            .collect();
        geometric_mean(&series.iter().collect::<Vec<_>>(), None)
    };
    let missing: Vec<String> = comparable
        .iter()
        .filter(|&&program| grid.ratios(program, subject, Figure::Wall).is_empty() && !baseline)
        .map(|&program| grid.names[program].clone())
        .collect();
    let wall_ratio = mean(Figure::Wall);
    Overall {
        subject: grid.subjects[subject].clone(),
        baseline,
        programs: comparable.len() - missing.len(),
        verdict: wall_ratio
            .as_ref()
            .filter(|_| missing.is_empty())
            .map(|ratio| Verdict::of(ratio, floor)),
        missing,
        wall_ratio,
        cpu_ratio: mean(Figure::Cpu),
        rss_ratio: mean(Figure::Rss),
    }
}
