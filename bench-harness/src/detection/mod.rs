//! The detection matrix: which seeded bugs are caught, by whom and in which words.
//!
//! Every cell is one small C program ([`bug`]) under one mode ([`mode`]): an allocator, and who
//! watches it. The programs are compiled when the matrix is run ([`build`]), so that a reader can
//! bring some of his own. What a cell leaves behind is read ([`errors`] from memcheck's report,
//! [`words`] from standard error) and judged ([`judge`]).
//!
//! * D1: a program runs in a process of its own that is ended at its deadline.
//! * D2: programs without a bug run in every mode as well: a mode that reports those proves nothing by
//!   reporting the others.
//! * D3: records come out in the order of programs, then modes, whatever the order cells end in, and
//!   each as soon as all before it are there: a run that is killed has lost no more than the cells
//!   that ran side by side. A cell that was interrupted leaves no record.

mod bug;
mod build;
mod errors;
mod judge;
mod mode;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reports::record::{Detection, Status};

pub(crate) use bug::Bug;
pub(crate) use mode::Mode;

use build::Workshop;
use judge::Judgement;
use mode::{Build, Library};

use crate::child::spawn::{self, Limits};
use crate::exit::Failure;
use crate::host;
use crate::interrupt::Interrupt;
use crate::measure;
use crate::preload::Preload;
use crate::side_by_side::side_by_side;
use crate::talk::Voice;
use crate::valgrind;

/// Arguments of memcheck: a preloaded malloc stays in place, and blocks that are lost through others
/// are listed as well. Programs are small and many, so what takes time to load and is not asked for
/// is left out: frames of inlined functions, and the door for a debugger.
const MEMCHECK: [&str; 10] = [
    // No user's settings: a suppression would hide a bug.
    "--command-line-only=yes",
    "--tool=memcheck",
    "--xml=yes",
    "--error-limit=no",
    "--num-callers=12",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--soname-synonyms=somalloc=nouserintercepts",
    "--read-inline-info=no",
    "--vgdb=no",
];

/// How cells are run.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// Bounds on one program; Valgrind's get [`valgrind::TIMES`] the time.
    pub(crate) limits: Limits,
    /// Cells side by side.
    pub(crate) jobs: usize,
    /// Whether Valgrind is installed.
    pub(crate) valgrind: bool,
    pub(crate) voice: &'a Voice,
    pub(crate) interrupt: &'a Interrupt,
}

/// Time that a program of a few milliseconds is given.
const TIMEOUT: Duration = Duration::from_secs(20);

impl<'a> Terms<'a> {
    /// Terms on this computer.
    pub(crate) fn of(jobs: usize, voice: &'a Voice, interrupt: &'a Interrupt) -> Self {
        let limits = Limits { timeout: TIMEOUT, memory_bytes: host::memory_limit() };
        let valgrind = host::valgrind_version().is_some();
        Self { limits, jobs, valgrind, voice, interrupt }
    }
}

/// An executable of every program and build, or why there is none.
type Built = BTreeMap<(usize, Build), Result<PathBuf, (Status, String)>>;

/// Runs every program in every mode but the cells that are `taken`, and hands `each` record on (D3).
/// After an interrupt cells are left out.
///
/// # Errors
/// When a process cannot be started or a file cannot be written, and what `each` answers.
pub(crate) fn matrix(
    bugs: &[Bug],
    modes: &[Mode],
    terms: Terms<'_>,
    taken: &[Detection],
    each: &mut dyn FnMut(Detection) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let is_taken = |bug: usize, mode: &Mode| {
        taken.iter().any(|one| one.bug == bugs[bug].name && one.mode == mode.name)
    };
    let all = (0..bugs.len()).flat_map(|bug| modes.iter().map(move |mode| (bug, mode)));
    let cells: Vec<(usize, &Mode)> = all.filter(|(bug, mode)| !is_taken(*bug, mode)).collect();
    if cells.is_empty() {
        return Ok(());
    }
    let workshop = Workshop::open(bugs).map_err(cannot_run)?;
    let built = build_all(&workshop, bugs, modes, terms)?;
    let work = |index: usize, (bug, mode): &(usize, &Mode)| {
        let judged = match (mode.missing(terms.valgrind), built.get(&(*bug, mode.build))) {
            (Some(why), _) => (Judgement::without(Status::Missing, why), None),
            (None, Some(Ok(program))) => {
                let report = workshop.path().join(format!("{index}.xml"));
                run(&bugs[*bug], mode, program, &report, terms)?
            }
            (None, Some(Err((status, why)))) => (Judgement::without(*status, why.as_str()), None),
            (None, None) => (Judgement::without(Status::Interrupted, "not compiled"), None),
        };
        Ok(record(&bugs[*bug], mode, judged))
    };
    in_order("Running seeded bugs", &cells, terms, work, &mut |record: Detection| {
        if record.status == Status::Interrupted { Ok(()) } else { each(record) }
    })
}

fn cannot_run(error: io::Error) -> Failure {
    Failure::io("cannot run seeded bugs", error)
}

/// Compiles what the modes that can be had run.
fn build_all(
    workshop: &Workshop,
    bugs: &[Bug],
    modes: &[Mode],
    terms: Terms<'_>,
) -> Result<Built, Failure> {
    let present = modes.iter().filter(|mode| mode.missing(terms.valgrind).is_none());
    let builds: std::collections::BTreeSet<Build> = present.map(|mode| mode.build).collect();
    let wanted: Vec<(usize, Build)> =
        (0..bugs.len()).flat_map(|bug| builds.iter().map(move |build| (bug, *build))).collect();
    if let Some(why) = workshop.missing() {
        return Ok(wanted
            .into_iter()
            .map(|key| (key, Err((Status::Missing, why.clone()))))
            .collect());
    }
    // A compiler takes longer than the programs it makes.
    let limits = Limits { timeout: terms.limits.timeout * valgrind::TIMES, ..terms.limits };
    let mut built = Built::new();
    let work = |_, key: &(usize, Build)| {
        let made = workshop.compile(&bugs[key.0], key.1, limits, terms.interrupt)?;
        Ok((*key, made.map_err(|why| (Status::Exit, why))))
    };
    in_order("Compiling seeded bugs", &wanted, terms, work, &mut |(key, made)| {
        built.insert(key, made);
        Ok(())
    })?;
    Ok(built)
}

/// Runs one cell; the second result counts the allocator's own reports.
fn run(
    bug: &Bug,
    mode: &Mode,
    program: &Path,
    report: &Path,
    terms: Terms<'_>,
) -> io::Result<(Judgement, Option<u64>)> {
    let mut limits = terms.limits;
    let mut command = if mode.tool.is_memcheck() {
        limits.timeout *= valgrind::TIMES;
        let mut command = Command::new("valgrind");
        command.args(MEMCHECK).arg(format!("--xml-file={}", report.display())).arg(program);
        command
    } else {
        Command::new(program)
    };
    measure::variables(&mut command);
    command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=99:allocator_may_return_null=1");
    command.envs(mode.variables.iter().map(|(name, value)| (name, value)));
    let library = mode.library.as_ref().filter(|_| mode.build == Build::Plain).map(Library::path);
    let preload = library.as_deref().map(Preload::of).transpose()?;
    if let Some(preload) = &preload {
        command.env("LD_PRELOAD", preload.path());
    }
    let finished = match spawn::run(command, limits, terms.interrupt) {
        // A folder of temporary files that no program may be run from.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why = format!("{}: {error}", program.display());
            return Ok((Judgement::without(Status::Missing, why), None));
        }
        finished => finished?,
    };
    let errors = if mode.tool.is_memcheck() {
        let xml = std::fs::read(report).unwrap_or_default();
        // The report of one cell is of no use to another.
        let _ = std::fs::remove_file(report);
        let library = preload.as_ref().map(|preload| preload.path().to_string_lossy());
        let (xml, program) = (String::from_utf8_lossy(&xml), program.to_string_lossy());
        Some(errors::read(&xml, &program, library.as_deref()))
    } else {
        None
    };
    let judged = judge::judge(bug, &finished, errors.as_ref());
    Ok((judged, errors.map(|errors| errors.own)))
}

fn record(bug: &Bug, mode: &Mode, (judged, own): (Judgement, Option<u64>)) -> Detection {
    Detection {
        bug: bug.name.clone(),
        title: bug.title.clone(),
        mode: mode.name.clone(),
        subject: mode.subject.clone(),
        strategy: mode.strategy.map(str::to_owned),
        tool: mode.tool.word().to_owned(),
        status: judged.status,
        message: judged.message,
        verdict: judged.verdict,
        words: judged.words,
        own_reports: own.filter(|_| judged.status == Status::Ok),
    }
}

/// Does `work` on every item, as many at once as there are jobs, and hands the results to `each` in
/// the order of items (D3). The first error, or an interrupt, ends it early.
fn in_order<T: Sync, R: Send>(
    name: &str,
    items: &[T],
    terms: Terms<'_>,
    work: impl Fn(usize, &T) -> io::Result<R> + Sync,
    each: &mut dyn FnMut(R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    terms.voice.phase(name, items.len() as u64);
    let mut row = Row { waiting: BTreeMap::new(), next: 0, each };
    let work = |at, item: &T| work(at, item).map_err(cannot_run);
    let outcome = side_by_side(items, terms.jobs, terms.interrupt, work, |at, result| {
        terms.voice.step(name.to_owned());
        row.put(at, result)
    });
    terms.voice.end_phase();
    outcome
}

/// Results on their way out: those that wait for one before them.
struct Row<'a, R> {
    waiting: BTreeMap<usize, R>,
    /// Index of the result that goes out next.
    next: usize,
    each: &'a mut dyn FnMut(R) -> Result<(), Failure>,
}

impl<R> Row<'_, R> {
    fn put(&mut self, index: usize, result: R) -> Result<(), Failure> {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            self.next += 1;
            (self.each)(result)?;
        }
        Ok(())
    }
}
