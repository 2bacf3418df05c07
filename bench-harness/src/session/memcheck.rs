//! The part of a run that counts Valgrind errors: which cells are still to be run, and their records.

use std::time::Instant;

use reports::record::{Record, Status};

use super::Session;
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::Request;
use crate::side_by_side::side_by_side;
use crate::valgrind::{Cell, Load, Options, Stripped, Symbols, Tool, Variant};

impl<'a> Session<'a> {
    /// Every subject on every workload in every variant.
    pub(crate) fn replays(&self, variants: &[Variant]) -> Vec<Cell<'a>> {
        let mut cells = Vec::new();
        for &workload in &self.workloads {
            for subject in self.subjects {
                let request = Request {
                    subject,
                    workload,
                    touch: self.conditions.touch,
                    task: Task::Once,
                    round: 0,
                    again: false,
                    breaks_off: false,
                };
                let cell = |&variant: &Variant| Cell { load: Load::Replay(request), variant };
                cells.extend(variants.iter().map(cell));
            }
        }
        cells
    }

    /// Runs every cell once under memcheck, `jobs` of them at a time, but those that an earlier run
    /// has left.
    ///
    /// # Errors
    /// When no child can be started or a record cannot be written.
    pub(crate) fn memcheck(
        &mut self,
        cells: &[Cell<'a>],
        options: &Options,
        jobs: usize,
    ) -> Result<(), Failure> {
        let taken = &self.taken.memchecks;
        let is_new = |cell: &&Cell<'a>| {
            let (subject, workload) = cell.names();
            let Variant { symbols, requests } = cell.variant;
            let key = [subject, workload, symbols.name(), requests.name()].map(str::to_owned);
            !taken.contains(&key)
        };
        let cells: Vec<Cell<'a>> = cells.iter().filter(is_new).copied().collect();
        let strips = cells.iter().any(|cell| cell.variant.symbols == Symbols::Stripped);
        let tool = Tool {
            options,
            limits: self.conditions.limits,
            interrupt: self.conditions.interrupt,
            stripped: strips.then(Stripped::make),
        };
        self.conditions.voice.phase("Counting Valgrind errors", cells.len() as u64);
        let begin = Instant::now();
        let work = |_, cell: &Cell<'_>| {
            tool.count(cell).map_err(|error| Failure::io("cannot run a child process", error))
        };
        let interrupt = self.conditions.interrupt;
        let outcome = side_by_side(&cells, jobs, interrupt, work, |_, record| {
            self.conditions.voice.step(format!("{}: {}", record.workload, record.subject));
            let (subject, workload) = (&record.subject, &record.workload);
            if record.status == Status::Interrupted {
                // Nothing was found out: a run that goes on begins the cell anew.
                return Ok(());
            }
            self.judge(subject, workload, record.status, record.message.as_deref());
            self.sink.put(Record::Memcheck(record))
        });
        self.measuring += begin.elapsed();
        self.conditions.voice.end_phase();
        outcome
    }
}
