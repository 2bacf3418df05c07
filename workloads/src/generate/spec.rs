//! Names of generated workloads: `int-churn`, `dict-resize@3.9`, `frame-push-pop@2.7:100k`,
//! `larson:4`, `producer-consumer:2:1k`, `calloc-churn:1k`, `thread-churn:200`.
//!
//! ```text
//! spec     = cpython [ "@" era ] [ ":" size ]  |  threaded [ ":" threads ] [ ":" size ]
//!          | calls [ ":" size ]
//! cpython  = "int-churn" | "dict-resize" | "frame-push-pop"
//! threaded = "larson" | "producer-consumer" | "thread-churn"
//! calls    = "calloc-churn" | "realloc-churn" | "aligned-churn" | "large-churn" | "growth-churn"
//!          | "phase-churn"
//! era      = "2.3" | "2.7" | "3.6" ... "3.14"         default 3.11
//! threads  = digits                                   default 2; to 64, even for the second; of
//!                                                     thread-churn 80, from 2 to 1000
//! size     = digits [ "k" | "m" ]                     default 10k, of threaded ones 5k, of
//!                                                     large-churn and growth-churn 100, in KiB
//!                                                     of phase-churn 2048, of thread-churn 512;
//!                                                     from 100 to 100m
//! ```
//! A name leaves out what is default, so that one workload has one name.

use std::fmt;
use std::str::FromStr;

use super::era::Era;

/// What a generated workload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Integers replaced at random places of a live set.
    IntChurn,
    /// Dicts that grow from empty through the table of sizes.
    DictResize,
    /// Recursion to varying depth.
    FramePushPop,
    /// Threads that replace blocks in tables and hand the tables on to new threads.
    Larson,
    /// Threads that allocate and threads that free.
    ProducerConsumer,
    /// Zeroed blocks replaced at random places of a live set.
    CallocChurn,
    /// Blocks of a live set that grow and shrink.
    ReallocChurn,
    /// Aligned blocks replaced at random places of a live set.
    AlignedChurn,
    /// Blocks of 32 KiB and more replaced at random places of a live set.
    LargeChurn,
    /// Buffers of a live set that grow by an eighth at a time, up to 4 MiB.
    GrowthChurn,
    /// Blocks of one size after another, all freed before the next, and large blocks that shrink.
    PhaseChurn,
    /// Threads that come, do one piece of work and leave their blocks to the first thread.
    ThreadChurn,
}

impl Workload {
    /// Every workload, in the order a listing prints them.
    pub const ALL: [Workload; 12] = [
        Workload::IntChurn,
        Workload::DictResize,
        Workload::FramePushPop,
        Workload::Larson,
        Workload::ProducerConsumer,
        Workload::CallocChurn,
        Workload::ReallocChurn,
        Workload::AlignedChurn,
        Workload::LargeChurn,
        Workload::GrowthChurn,
        Workload::PhaseChurn,
        Workload::ThreadChurn,
    ];

    /// Name in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Workload::IntChurn => "int-churn",
            Workload::DictResize => "dict-resize",
            Workload::FramePushPop => "frame-push-pop",
            Workload::Larson => "larson",
            Workload::ProducerConsumer => "producer-consumer",
            Workload::CallocChurn => "calloc-churn",
            Workload::ReallocChurn => "realloc-churn",
            Workload::AlignedChurn => "aligned-churn",
            Workload::LargeChurn => "large-churn",
            Workload::GrowthChurn => "growth-churn",
            Workload::PhaseChurn => "phase-churn",
            Workload::ThreadChurn => "thread-churn",
        }
    }

    /// Whether it imitates CPython, so that an era is part of the spec.
    #[must_use]
    pub const fn has_eras(self) -> bool {
        matches!(self, Workload::IntChurn | Workload::DictResize | Workload::FramePushPop)
    }

    /// Whether several threads do the work; their number is then part of the spec.
    #[must_use]
    pub const fn is_threaded(self) -> bool {
        matches!(self, Workload::Larson | Workload::ProducerConsumer | Workload::ThreadChurn)
    }

    /// Size of a spec that names none.
    #[must_use]
    pub const fn default_live(self) -> u64 {
        match self {
            Workload::Larson | Workload::ProducerConsumer => DEFAULT_THREADED_LIVE,
            Workload::LargeChurn | Workload::GrowthChurn => DEFAULT_LARGE_LIVE,
            Workload::PhaseChurn => DEFAULT_PHASE_LIVE,
            Workload::ThreadChurn => DEFAULT_FILL,
            _ => DEFAULT_LIVE,
        }
    }

    /// Threads that do the work when a spec names none.
    #[must_use]
    pub const fn default_threads(self) -> u32 {
        match self {
            Workload::Larson | Workload::ProducerConsumer => 2,
            Workload::ThreadChurn => DEFAULT_CHURN_THREADS,
            _ => 1,
        }
    }

    /// Whether so many threads can do the work.
    fn takes_threads(self, threads: u32) -> bool {
        match self {
            Workload::Larson => (1..=MAX_THREADS).contains(&threads),
            Workload::ProducerConsumer => {
                (2..=MAX_THREADS).contains(&threads) && threads.is_multiple_of(2)
            }
            Workload::ThreadChurn => (2..=MAX_CHURN_THREADS).contains(&threads),
            _ => threads == 1,
        }
    }
}

/// Default size of the live set of a workload on one thread.
pub const DEFAULT_LIVE: u64 = 10_000;

/// Default size of `larson` and `producer-consumer`.
pub const DEFAULT_THREADED_LIVE: u64 = 5_000;

/// Default size of the live set of `large-churn` and `growth-churn`.
pub const DEFAULT_LARGE_LIVE: u64 = 100;

/// Default size of `phase-churn`: KiB of one phase.
pub const DEFAULT_PHASE_LIVE: u64 = 2_048;

/// Default size of `thread-churn`: KiB that each of the filling threads allocates.
pub const DEFAULT_FILL: u64 = 512;

/// Threads of a `thread-churn` that names none.
pub const DEFAULT_CHURN_THREADS: u32 = 80;

/// Most threads that a spec may ask for, but for `thread-churn`, whose threads come and go.
pub const MAX_THREADS: u32 = 64;

/// Most threads that `thread-churn` may be asked for.
pub const MAX_CHURN_THREADS: u32 = 1_000;

/// Smallest size a spec may ask for.
pub const MIN_LIVE: u64 = 100;

/// Largest size a spec may ask for.
pub const MAX_LIVE: u64 = 100_000_000;

/// A generated workload: what, as which CPython, how large.
///
/// ```
/// use workloads::generate::Spec;
///
/// let spec: Spec = "dict-resize@3.9:100k".parse()?;
/// assert_eq!(spec.to_string(), "dict-resize@3.9:100k");
/// assert_eq!("int-churn@3.11:10000".parse::<Spec>()?.to_string(), "int-churn");
/// # Ok::<(), workloads::generate::SpecError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// What the workload does.
    pub workload: Workload,
    /// The CPython it imitates.
    pub era: Era,
    /// Live set in the workload's own unit: ints (`int-churn`), entries over all dicts
    /// (`dict-resize`), calls nested at the deepest point (`frame-push-pop`), blocks of one table
    /// (`larson`), blocks of a full queue (`producer-consumer`), KiB of one phase (`phase-churn`),
    /// KiB of one filling thread (`thread-churn`), blocks (the others).
    pub live: u64,
    /// Threads that do the work at any time, the first thread, which prepares it, left out; all
    /// threads but the first that ever come (`thread-churn`); 1 for the workloads whose work the
    /// first thread does itself.
    pub threads: u32,
}

/// The specs of [`super::all`].
pub(super) const DEFAULTS: [Spec; 12] = [
    Spec::of(Workload::IntChurn),
    Spec::of(Workload::DictResize),
    Spec::of(Workload::FramePushPop),
    Spec::of(Workload::Larson),
    Spec::of(Workload::ProducerConsumer),
    Spec::of(Workload::CallocChurn),
    Spec::of(Workload::ReallocChurn),
    Spec::of(Workload::AlignedChurn),
    Spec::of(Workload::LargeChurn),
    Spec::of(Workload::GrowthChurn),
    Spec::of(Workload::PhaseChurn),
    Spec::of(Workload::ThreadChurn),
];

impl Spec {
    /// A workload at its default era and size.
    #[must_use]
    pub const fn of(workload: Workload) -> Self {
        Spec {
            workload,
            era: Era::DEFAULT,
            live: workload.default_live(),
            threads: workload.default_threads(),
        }
    }

    /// One sentence for a listing: what is live and what is done to it.
    #[must_use]
    pub fn description(&self) -> String {
        let live = Size(self.live);
        let era = self.era;
        match self.workload {
            Workload::IntChurn => format!(
                "{live} live integers replaced at random by a counting loop, as CPython {era} does it"
            ),
            Workload::DictResize => format!(
                "dicts with {live} live entries in all, dropped and grown again from empty, \
                 as CPython {era} does it"
            ),
            Workload::FramePushPop => format!(
                "recursion to varying depth, at most {live} calls deep, as CPython {era} does it"
            ),
            Workload::Larson => format!(
                "{} at a time replacing blocks at random in tables of {live}, each table handed on \
                 to a new thread again and again",
                Threads(self.threads)
            ),
            Workload::ProducerConsumer => format!(
                "{}, half of them allocating and half freeing, with at most {live} blocks under way",
                Threads(self.threads)
            ),
            Workload::CallocChurn => {
                format!("{live} live blocks of calloc, 16 bytes to 4 KiB, replaced at random")
            }
            Workload::ReallocChurn => format!(
                "{live} live blocks, 16 bytes to 4 KiB, reallocated at random, larger and smaller"
            ),
            Workload::AlignedChurn => format!(
                "{live} live blocks of aligned_alloc, aligned to 16 bytes to 4 KiB, replaced at random"
            ),
            Workload::LargeChurn => {
                format!("{live} live blocks, 32 KiB to 4 MiB, replaced at random")
            }
            Workload::GrowthChurn => format!(
                "{live} live buffers that grow by an eighth at a time, as lists do, to 16 KiB to 4 MiB"
            ),
            Workload::PhaseChurn => format!(
                "{live} KiB of blocks of one size, all freed before the next size, 128 bytes to \
                 40 kB, and blocks of 1 MiB that shrink"
            ),
            Workload::ThreadChurn => format!(
                "{} that come once, free what the first thread allocated and leave it theirs to \
                 free; an eighth of them together, {live} KiB each",
                Threads(self.threads)
            ),
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.workload.name())?;
        if self.era != Era::DEFAULT {
            write!(f, "@{}", self.era)?;
        }
        let has_size = self.live != self.workload.default_live();
        if self.threads != self.workload.default_threads()
            || self.workload.is_threaded() && has_size
        {
            write!(f, ":{}", self.threads)?;
        }
        if has_size {
            write!(f, ":{}", Size(self.live))?;
        }
        Ok(())
    }
}

/// A number of threads in words.
struct Threads(u32);

impl fmt::Display for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} thread{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// A size as a spec writes it: `10k`, `1m`, `12345`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n % 1_000_000 == 0 => write!(f, "{}m", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{}k", n / 1_000),
            n => write!(f, "{n}"),
        }
    }
}

/// Why a text is no [`Spec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The part before `@` and `:` names no workload.
    #[error("unknown workload `{name}`; there are {}", listed(Workload::ALL.map(Workload::name)))]
    UnknownWorkload {
        /// What stood there.
        name: String,
    },
    /// The part after `@` names no era.
    #[error(
        "unknown era `{era}` in workload `{spec}`; there are {}",
        listed(Era::ALL.map(Era::name))
    )]
    UnknownEra {
        /// The whole text.
        spec: String,
        /// What stood there.
        era: String,
    },
    /// An era for a workload that has none.
    #[error("era `{era}` in workload `{spec}`, of which there are no eras")]
    NoEras {
        /// The whole text.
        spec: String,
        /// What stood there.
        era: String,
    },
    /// The first part after `:` is no number of threads.
    #[error("bad number of threads `{threads}` in workload `{spec}`; there are {range}")]
    BadThreads {
        /// The whole text.
        spec: String,
        /// What stood there.
        threads: String,
        /// Numbers that the workload takes.
        range: &'static str,
    },
    /// The part after `:` is no size.
    #[error(
        "bad size `{size}` in workload `{spec}`; a size is a number from {MIN_LIVE} to \
         {MAX_LIVE}, such as 12345, 10k or 1m"
    )]
    BadSize {
        /// The whole text.
        spec: String,
        /// What stood there.
        size: String,
    },
}

fn listed<const N: usize>(names: [&'static str; N]) -> String {
    names.join(", ")
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (rest, suffix) = match text.split_once(':') {
            Some((rest, suffix)) => (rest, Some(suffix)),
            None => (text, None),
        };
        let (name, era) = match rest.split_once('@') {
            Some((name, era)) => (name, Some(era)),
            None => (rest, None),
        };
        let workload = Workload::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| SpecError::UnknownWorkload { name: name.to_owned() })?;
        let mut spec = Spec::of(workload);
        if let Some(era) = era {
            let (text, era) = (text.to_owned(), era.to_owned());
            if !workload.has_eras() {
                return Err(SpecError::NoEras { spec: text, era });
            }
            spec.era = Era::named(&era).ok_or(SpecError::UnknownEra { spec: text, era })?;
        }
        let mut size = suffix;
        if workload.is_threaded() {
            let threads;
            (threads, size) = match suffix.and_then(|suffix| suffix.split_once(':')) {
                Some((threads, size)) => (Some(threads), Some(size)),
                None => (suffix, None),
            };
            if let Some(threads) = threads {
                spec.threads = parse_threads(workload, threads, text)?;
            }
        }
        if let Some(size) = size {
            spec.live = parse_size(size).ok_or_else(|| SpecError::BadSize {
                spec: text.to_owned(),
                size: size.to_owned(),
            })?;
        }
        Ok(spec)
    }
}

fn parse_threads(workload: Workload, threads: &str, spec: &str) -> Result<u32, SpecError> {
    let number = digits(threads).and_then(|threads| u32::try_from(threads).ok());
    number.filter(|&number| workload.takes_threads(number)).ok_or_else(|| SpecError::BadThreads {
        spec: spec.to_owned(),
        threads: threads.to_owned(),
        range: match workload {
            Workload::ProducerConsumer => "even numbers from 2 to 64",
            Workload::ThreadChurn => "2 to 1000",
            _ => "1 to 64",
        },
    })
}

/// A number of digits alone: `u64::from_str` takes a leading plus sign.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = match text.as_bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1_000),
        b'm' => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let size = digits(number)?.checked_mul(unit)?;
    (MIN_LIVE..=MAX_LIVE).contains(&size).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_the_spec_it_names() {
        for workload in Workload::ALL {
            for era in Era::ALL {
                for live in [100, 1_000, 10_000, 12_345, 100_000, 1_000_000, MAX_LIVE] {
                    let spec = Spec { era, live, ..Spec::of(workload) };
                    if workload.has_eras() || era == Era::DEFAULT {
                        assert_eq!(spec.to_string().parse(), Ok(spec));
                    }
                }
            }
        }
        for workload in [Workload::Larson, Workload::ProducerConsumer, Workload::ThreadChurn] {
            for threads in [2, 4, 64] {
                for live in [100, 1_000, 5_000, 10_000] {
                    let spec = Spec { live, threads, ..Spec::of(workload) };
                    assert_eq!(spec.to_string().parse(), Ok(spec));
                }
            }
        }
    }

    #[test]
    fn a_name_leaves_out_what_is_default() {
        let name = |text: &str| text.parse::<Spec>().map(|spec| spec.to_string());
        assert_eq!(name("int-churn@3.11:10k").as_deref(), Ok("int-churn"));
        assert_eq!(name("int-churn:10000").as_deref(), Ok("int-churn"));
        assert_eq!(name("dict-resize@3.9:1000k").as_deref(), Ok("dict-resize@3.9:1m"));
        assert_eq!(name("larson:2").as_deref(), Ok("larson"));
        assert_eq!(name("larson:2:5k").as_deref(), Ok("larson"));
        assert_eq!(name("larson:02:1k").as_deref(), Ok("larson:2:1k"));
        assert_eq!(name("producer-consumer:4").as_deref(), Ok("producer-consumer:4"));
        assert_eq!(name("thread-churn:80:512").as_deref(), Ok("thread-churn"));
        assert_eq!(name("thread-churn:80:1k").as_deref(), Ok("thread-churn:80:1k"));
        assert_eq!(name("phase-churn:2048").as_deref(), Ok("phase-churn"));
    }

    #[test]
    fn threads_belong_to_threaded_workloads_alone_and_eras_to_the_others() {
        let message = |text: &str| text.parse::<Spec>().unwrap_err().to_string();
        for threads in ["0", "65", "1k", "", "+2", "two", "99999999999999999999"] {
            let bad = message(&format!("larson:{threads}"));
            assert!(bad.contains(&format!("`{threads}`")) && bad.contains("1 to 64"), "{bad}");
        }
        for threads in ["0", "1", "3", "66"] {
            let bad = message(&format!("producer-consumer:{threads}:1k"));
            assert!(bad.contains("even numbers"), "{bad}");
        }
        for threads in ["0", "1", "1001"] {
            let bad = message(&format!("thread-churn:{threads}"));
            assert!(bad.contains("there are 2 to 1000"), "{bad}");
        }
        for name in ["larson@3.9", "calloc-churn@3.9"] {
            assert!(message(name).contains("no eras"), "{}", message(name));
        }
        assert!(message("larson:2:9").contains("bad size `9`"));
        assert!(message("int-churn:2:1k").contains("bad size `2:1k`"));
        assert_eq!("thread-churn:1000".parse::<Spec>().map(|spec| spec.threads), Ok(1_000));
        assert_eq!("larson:1".parse::<Spec>().map(|spec| spec.threads), Ok(1));
    }

    #[test]
    fn errors_name_the_bad_part_and_list_what_exists() {
        let message = |text: &str| text.parse::<Spec>().unwrap_err().to_string();
        let unknown = message("intchurn@3.9");
        assert!(unknown.contains("`intchurn`") && unknown.contains("frame-push-pop"), "{unknown}");
        let era = message("int-churn@3.5:1k");
        assert!(era.contains("`3.5`") && era.contains("2.3, 2.7, 3.6"), "{era}");
        for size in ["", "0", "99", "k", "+1k", "1g", "10 k", "100000001", "99999999999999999999k"]
        {
            let text = format!("int-churn:{size}");
            let bad = message(&text);
            assert!(bad.contains(&format!("`{size}`")) && bad.contains("10k"), "{bad}");
        }
        assert!(message("").contains("unknown workload ``"));
        assert!(message("int-churn@").contains("unknown era ``"));
    }
}
