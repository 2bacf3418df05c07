//! One of the two files, sorted into cells.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::{Case, Measure};
use crate::record::{Role, Sample, Status};
use crate::results::Results;
use crate::statistics::Rounds;

/// All cells of a file, in its order of cases and subjects.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) results: &'a Results,
    pub(super) cases: Vec<Case>,
    pub(super) subjects: Vec<String>,
    cells: BTreeMap<(usize, usize), Cell<'a>>,
    /// The baseline under another name, by case.
    twins: BTreeMap<usize, Cell<'a>>,
}

impl<'a> Side<'a> {
    pub(super) fn of(results: &'a Results) -> Self {
        let mut side = Self {
            results,
            cases: Vec::new(),
            subjects: results.subjects.iter().map(|one| one.subject.clone()).collect(),
            cells: BTreeMap::new(),
            twins: BTreeMap::new(),
        };
        for sample in &results.samples {
            // A twin that failed is a failure of the baseline itself.
            let twin = sample.again && sample.status == Status::Ok;
            side.cell(replayed(sample), &sample.subject, twin).add_sample(sample);
        }
        for run in &results.programs {
            let case =
                Case { workload: run.program.clone(), mode: "program".to_owned(), touch: None };
            let twin = run.again && run.status == Status::Ok;
            side.cell(case, &run.subject, twin).add_program(run);
        }
        for memcheck in &results.memchecks {
            let case = Case {
                workload: memcheck.workload.clone(),
                mode: "memcheck".to_owned(),
                touch: Some(memcheck.touch.clone()),
            };
            side.cell(case, &memcheck.subject, false).add_memcheck(memcheck);
        }
        side.cells.values_mut().chain(side.twins.values_mut()).for_each(Cell::close);
        side.add_ratios();
        side
    }

    fn cell(&mut self, case: Case, subject: &str, twin: bool) -> &mut Cell<'a> {
        let case = self.cases.iter().position(|known| *known == case).unwrap_or_else(|| {
            self.cases.push(case);
            self.cases.len() - 1
        });
        if twin {
            return self.twins.entry(case).or_default();
        }
        let subject =
            self.subjects.iter().position(|known| known == subject).unwrap_or_else(|| {
                self.subjects.push(subject.to_owned());
                self.subjects.len() - 1
            });
        self.cells.entry((case, subject)).or_default()
    }

    /// Adds times over the baseline's in the same round, for everyone but the baseline.
    fn add_ratios(&mut self) {
        let Some(baseline) = self.subjects.iter().position(|name| name == self.baseline()) else {
            return;
        };
        for case in 0..self.cases.len() {
            let Some(base) = self.cells.get(&(case, baseline)) else { continue };
            let base = self.twins.get(&case).map_or_else(|| base.clone(), |twin| base.and(twin));
            let others = self.cells.iter_mut().filter(|(key, _)| key.0 == case);
            for (_, cell) in others.filter(|(key, _)| key.1 != baseline) {
                for measure in [Measure::NsPerPair, Measure::WallNs] {
                    let is_sound = base.sound(measure).is_some() && cell.sound(measure).is_some();
                    let found = cell.over(&base, measure).filter(|_| is_sound);
                    cell.rounds.extend(measure.over_baseline().zip(found));
                }
            }
        }
    }

    /// Subject that ratios within the file are taken against.
    pub(super) fn baseline(&self) -> &'a str {
        &self.results.host.baseline
    }

    /// What the file says of a cell.
    pub(super) fn find(&self, case: &Case, subject: &str) -> Option<&Cell<'a>> {
        let case = self.cases.iter().position(|known| known == case)?;
        let subject = self.subjects.iter().position(|known| known == subject)?;
        self.cells.get(&(case, subject))
    }

    /// The baseline's values of a measure, if they are sound.
    pub(super) fn baseline_rounds(&self, case: &Case, measure: Measure) -> Option<&Rounds> {
        self.find(case, self.baseline())?.sound(measure)
    }

    /// Ratios of the baseline under another name to the baseline.
    pub(super) fn twin_ratios(&self, case: &Case, measure: Measure) -> Option<Rounds> {
        let index = self.cases.iter().position(|known| known == case)?;
        self.baseline_rounds(case, measure)?;
        self.twins.get(&index)?.over(self.find(case, self.baseline())?, measure)
    }

    /// Whether a subject is a yardstick that nobody would run.
    pub(super) fn is_reference(&self, subject: &str) -> bool {
        let mut records = self.results.subjects.iter();
        records.any(|one| one.subject == subject && one.role == Role::Reference)
    }

    /// Every cell, by case and then subject, in the order of the file.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&Case, &str, &Cell<'a>)> {
        self.cells
            .iter()
            .map(|((case, subject), cell)| (&self.cases[*case], &*self.subjects[*subject], cell))
    }
}

fn replayed(sample: &Sample) -> Case {
    Case {
        workload: sample.workload.clone(),
        mode: sample.mode.clone(),
        touch: Some(sample.touch.clone()),
    }
}
