//! What the processor and the kernel count while this thread runs: instructions, cycles, misses.
//!
//! A processor has few counters, and the kernel lets events take turns when there are more of them:
//! figures are guesses then. So one event is counted at a time, and a figure that was not counted all
//! the time is none.
//!
//! * K1: only what runs in user mode counts: filling a window of the plan, or anything else that the
//!   kernel does, is no part of a figure.
//! * K2: an event that cannot be had is left out with the reason, and never zero.
//!
//! Called by the child (`child::sample`), by `doctor` and by the counting part of `run`.

use std::io;

use perf_event::events::{self, CacheId, CacheOp, CacheResult, Hardware, Software};
use perf_event::{Builder, Counter as Opened, ReadFormat};
use serde::{Deserialize, Serialize};

/// What can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Instructions that came to their end.
    Instructions,
    /// Cycles of the processor, whatever its clock rate.
    Cycles,
    /// Reads that missed the last cache before memory.
    LlcMisses,
    /// Reads whose address was not in the first table of translations.
    DtlbMisses,
    /// Branches that went another way than predicted.
    BranchMisses,
    /// Page faults, counted by the kernel: there on every computer.
    PageFaults,
}

impl Event {
    /// All events, those of the processor first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Instructions,
        Self::Cycles,
        Self::LlcMisses,
        Self::DtlbMisses,
        Self::BranchMisses,
        Self::PageFaults,
    ];

    /// Whether the processor counts it.
    pub(crate) fn is_hardware(self) -> bool {
        self != Self::PageFaults
    }

    /// The event in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Cycles => "cycles",
            Self::LlcMisses => "LLC misses",
            Self::DtlbMisses => "dTLB misses",
            Self::BranchMisses => "branch misses",
            Self::PageFaults => "page faults",
        }
    }

    fn builder(self) -> Builder<'static> {
        let read_misses =
            |which| events::Cache { which, operation: CacheOp::READ, result: CacheResult::MISS };
        match self {
            Self::Instructions => Builder::new(Hardware::INSTRUCTIONS),
            Self::Cycles => Builder::new(Hardware::CPU_CYCLES),
            Self::LlcMisses => Builder::new(read_misses(CacheId::LL)),
            Self::DtlbMisses => Builder::new(read_misses(CacheId::DTLB)),
            Self::BranchMisses => Builder::new(Hardware::BRANCH_MISSES),
            Self::PageFaults => Builder::new(Software::PAGE_FAULTS),
        }
    }
}

/// One event of the calling thread, counted between [`begin`](Self::begin) and [`end`](Self::end).
pub(crate) struct Counter(Opened);

impl Counter {
    /// Makes the counter ready, at zero and standing still.
    ///
    /// # Errors
    /// When the processor or the kernel does not have the event, or does not show it to this process.
    pub(crate) fn open(event: Event) -> io::Result<Self> {
        let format = ReadFormat::TOTAL_TIME_ENABLED | ReadFormat::TOTAL_TIME_RUNNING;
        let mut builder = event.builder();
        builder.exclude_kernel(true).exclude_hv(true).read_format(format);
        builder.build().map(Self)
    }

    /// Starts to count.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.0.enable()
    }

    /// Stops, and tells the count; `None` when the event was not counted all the time.
    pub(crate) fn end(&mut self) -> io::Result<Option<u64>> {
        self.0.disable()?;
        let found = self.0.read_full()?;
        let whole = found.time_running() == found.time_enabled();
        // An event that never ran has no time at all.
        let ran = found.time_running().is_some_and(|time| !time.is_zero());
        Ok((whole && ran).then(|| found.count()))
    }
}

/// Why no event of the processor can be counted here, with what helps; `None` when one can.
pub(crate) fn unavailable() -> Option<(String, String)> {
    let hardware = Event::ALL.into_iter().filter(|event| event.is_hardware());
    let opened: Vec<_> = hardware.map(Counter::open).collect();
    if opened.iter().any(Result::is_ok) {
        return None;
    }
    let error = opened.into_iter().find_map(Result::err)?;
    Some(explain(&error))
}

/// What an error of the kernel's means, and what helps.
fn explain(error: &io::Error) -> (String, String) {
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => (
            "the kernel does not show hardware counters to this user".to_owned(),
            "set kernel.perf_event_paranoid to 2 or less; in a container, allow perf_event_open"
                .to_owned(),
        ),
        Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP) => (
            "the processor shows no hardware counters, as in most virtual machines".to_owned(),
            "run on the hardware itself, or give the virtual machine a virtual PMU".to_owned(),
        ),
        _ => (
            format!("hardware counters cannot be opened: {error}"),
            "use a kernel with perf events".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{Mapping, page_bytes};

    /// Page faults of touching `pages` fresh OS pages, as the counter tells them.
    fn faults_of(pages: usize) -> Option<u64> {
        let mut counter = Counter::open(Event::PageFaults).unwrap();
        let mapping = Mapping::reserved(pages * page_bytes()).unwrap();
        counter.begin().unwrap();
        for page in 0..pages {
            let at = mapping.start().wrapping_add(page * page_bytes());
            // SAFETY: within the mapping, which nobody else uses.
            unsafe { at.write_volatile(1) };
        }
        counter.end().unwrap()
    }

    #[test]
    fn an_event_of_the_kernel_is_counted_to_the_number() {
        match Counter::open(Event::PageFaults) {
            Err(error) => eprintln!("SKIPPED: no perf events here: {error}"),
            Ok(_) => {
                let (none, many) = (faults_of(0).unwrap_or(0), faults_of(64).unwrap());
                // Huge pages would take one fault for all; 64 small ones are less than one of them.
                assert!((64..96).contains(&many), "{many}");
                assert!(none < 16, "{none}");
            }
        }
    }

    #[test]
    fn what_happens_outside_is_not_counted() {
        let Ok(mut counter) = Counter::open(Event::PageFaults) else { return };
        counter.begin().unwrap();
        let inside = counter.end().unwrap().unwrap_or(0);
        let mapping = Mapping::populated(256 * page_bytes()).unwrap();
        let again = counter.0.read_full().unwrap().count();
        drop(mapping);
        assert_eq!(inside, again);
    }

    #[test]
    fn an_event_that_is_not_there_is_an_error_and_no_zero() {
        for event in Event::ALL {
            if let Ok(mut counter) = Counter::open(event) {
                counter.begin().unwrap();
                let sum: u64 = std::hint::black_box((0..100_000u64).map(|n| n ^ 7).sum());
                let count = counter.end().unwrap();
                assert!(sum > 0);
                if event == Event::Instructions {
                    assert!(count.is_none_or(|count| count > 1000), "{count:?}");
                }
            }
        }
    }

    #[test]
    fn every_reason_comes_with_what_helps() {
        for code in [libc::EACCES, libc::ENOENT, libc::ENOSYS] {
            let (reason, remedy) = explain(&io::Error::from_raw_os_error(code));
            assert!(!reason.is_empty() && !remedy.is_empty());
        }
        let (reason, _) = explain(&io::Error::from_raw_os_error(libc::ENOENT));
        assert!(reason.contains("virtual machines"));
    }
}
