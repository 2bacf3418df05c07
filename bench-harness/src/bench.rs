//! Replays and ownership tests inside this process, for `cargo bench`: without a child each.
//!
//! Criterion's figures are for an allocator's author at work. What a report says is measured in a
//! fresh child per sample, by `arenabench run`.

use std::fs::File;
use std::io;
use std::time::Duration;

use crate::os::Mapping;
use crate::ownership;
use crate::plan::window::Windows;
use crate::replay::allocator::Allocator;
use crate::replay::player::Player;
use crate::replay::touch;
use crate::subject::{self, Subject, Visitor};
use crate::workload::{self, Extent, Name, Prepared};

/// Names of all subjects that are linked into this process.
#[must_use]
pub fn subjects() -> Vec<String> {
    subject::registry().into_iter().map(|subject| subject.name).collect()
}

/// Names of the ownership strategies.
#[must_use]
pub fn strategies() -> Vec<&'static str> {
    ownership::strategy::ALL.iter().filter(|one| one.is_default).map(|one| one.name).collect()
}

/// Makes `arenas` arenas of a strategy ready and hands `measure` a function that asks about
/// `queries` addresses of ours, in random order, and returns the time.
///
/// # Errors
/// When there is no such strategy, memory is refused or an answer is wrong.
pub fn ask(
    strategy: &str,
    arenas: u64,
    queries: usize,
    measure: &mut Measure<'_>,
) -> Result<(), String> {
    ownership::child::in_process(strategy, arenas, queries, measure)
}

/// Takes a function that makes one pass and returns the time of its measured region.
pub type Measure<'a> = dyn FnMut(&mut dyn FnMut() -> Duration) + 'a;

/// A workload that is ready to be replayed.
#[derive(Debug)]
pub struct Workload(Prepared);

impl Workload {
    /// Prepares the workload called `name` with about `operations` calls from `seed`.
    ///
    /// # Errors
    /// When there is no such workload, or its plan cannot be written.
    pub fn prepare(name: &str, operations: u64, seed: u64) -> Result<Self, String> {
        let name = Name::parse(name)?;
        workload::prepare(&name, Extent { operations, seed })
            .map(Self)
            .map_err(|failure| format!("{:#}", failure.error))
    }

    /// Allocator calls of one pass.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.shape.calls
    }

    /// Makes the subject ready and hands `measure` a function that replays one pass and returns the
    /// time of its measured region.
    ///
    /// # Errors
    /// When there is no such subject or it cannot be made ready.
    ///
    /// # Panics
    /// The function panics when the subject fails in the middle of a pass.
    pub fn replay(&self, subject: &str, measure: &mut Measure<'_>) -> Result<(), String> {
        let subject = Subject::parse(subject)?;
        self.serve(&subject, measure).map_err(|error| error.to_string())
    }

    fn serve(&self, subject: &Subject, measure: &mut Measure<'_>) -> io::Result<()> {
        let shape = &self.0.shape;
        let windows = Windows::open(File::open(self.0.plan_path())?, shape)?;
        let pointers = Mapping::populated(shape.slots as usize * size_of::<*mut u8>())?;
        let sizes = windows.slot_sizes(shape.slots);
        let visit = Visit { workload: self, windows, pointers, measure };
        subject.serve(|| sizes, visit)
    }
}

struct Visit<'a, 'm> {
    workload: &'a Workload,
    windows: Windows,
    pointers: Mapping,
    measure: &'a mut Measure<'m>,
}

impl Visitor for Visit<'_, '_> {
    type Output = ();

    fn visit<A: Allocator>(self, allocator: A) {
        let shape = &self.workload.0.shape;
        let mut player = Player::new(shape, self.windows, self.pointers, allocator);
        (self.measure)(&mut || match player.pass::<{ touch::HEADER }>() {
            Ok(elapsed) => elapsed,
            Err(stop) => panic!("the replay stopped: {stop:?}"),
        });
    }
}
