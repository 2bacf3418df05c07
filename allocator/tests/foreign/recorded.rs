//! A classic heap whose arenas are known to the test: the same geometry, strategy and source, with a
//! log between heap and source.
//!
//! ```text
//! preset:  ClassicHeap<G, O, S,              SystemMalloc>
//! here:    ClassicHeap<G, O, LoggedSource<S>, SystemMalloc>     log: where arenas are, and were
//! ```

use std::sync::{Arc, Mutex, MutexGuard};

use arenite::{ArenaSource, ClassicHeap, Geometry, Ownership, SystemMalloc};

use crate::asked::Asked;
use crate::random::Random;

/// Arenas given back whose addresses are remembered.
const REMEMBERED: usize = 64;

/// Where the arenas are and where they were.
#[derive(Default)]
struct Log {
    /// Bases of the arenas there are, in order.
    live: Vec<usize>,
    /// Bases of the last ones that went back, oldest first.
    gone: Vec<usize>,
    /// The lowest base there ever was, 0 before the first.
    low: usize,
    /// The highest end there ever was.
    high: usize,
    came: usize,
    went: usize,
}

/// A source that keeps a log.
struct LoggedSource<S> {
    source: S,
    log: Arc<Mutex<Log>>,
}

// SAFETY: memory and promises are those of the source within.
unsafe impl<S: ArenaSource> ArenaSource for LoggedSource<S> {
    const NAME: &'static str = S::NAME;
    const ARENAS_ALIGNED: bool = S::ARENAS_ALIGNED;
    const ONE_RESERVATION: bool = S::ONE_RESERVATION;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let base = self.source.map(bytes);
        if !base.is_null() {
            let addr = base.addr();
            let mut log = self.log.lock().unwrap();
            let place = log.live.partition_point(|other| *other < addr);
            log.live.insert(place, addr);
            log.low = if log.came == 0 { addr } else { log.low.min(addr) };
            log.high = log.high.max(addr + bytes);
            log.came += 1;
        }
        base
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: forwarded to the caller.
        unsafe { self.source.unmap(base, bytes) };
        let mut log = self.log.lock().unwrap();
        log.live.retain(|other| *other != base.addr());
        if log.gone.len() == REMEMBERED {
            log.gone.remove(0);
        }
        log.gone.push(base.addr());
        log.went += 1;
    }
}

/// The parts of a preset.
pub(crate) trait Parts {
    type Geometry: Geometry;
    type Ownership: Ownership<Self::Geometry>;
    type Source: ArenaSource + Default;
}

impl<G, O, S, N> Parts for ClassicHeap<G, O, S, N>
where
    G: Geometry,
    O: Ownership<G>,
    S: ArenaSource + Default,
{
    type Geometry = G;
    type Ownership = O;
    type Source = S;
}

/// What a strategy reads on behalf of an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Nothing that is not the heap's own.
    Nothing,
    /// The start of the address's own OS page.
    OwnPage,
    /// The start of the arena that would hold the address, if that lies between arenas.
    ArenaStart,
}

/// The heap that `P` names, with a log before its source.
type Logged<P> = ClassicHeap<
    <P as Parts>::Geometry,
    <P as Parts>::Ownership,
    LoggedSource<<P as Parts>::Source>,
    SystemMalloc,
>;

/// A heap with the parts of `P`, and what is known of its arenas.
pub(crate) struct Recorded<P: Parts> {
    heap: Box<Logged<P>>,
    log: Arc<Mutex<Log>>,
    reads: Reads,
}

impl<P: Parts> Recorded<P> {
    pub(crate) fn new(reads: Reads) -> Self {
        let log = Arc::<Mutex<Log>>::default();
        let source = LoggedSource { source: P::Source::default(), log: Arc::clone(&log) };
        Self { heap: Box::new(ClassicHeap::new(source, SystemMalloc)), log, reads }
    }

    const ARENA_BYTES: usize = P::Geometry::ARENA_BYTES;

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

impl<P: Parts> Asked for Recorded<P>
where
    P::Ownership: Send,
    P::Source: Send,
{
    unsafe fn owns(&self, addr: usize) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { self.heap.owns(std::ptr::with_exposed_provenance_mut(addr)) }
    }

    /// An address in an arena that is there; of one reservation, also in one that was.
    fn may_own(&self, addr: usize) -> bool {
        let log = self.log();
        if P::Source::ONE_RESERVATION {
            return (log.low..log.high).contains(&addr);
        }
        let below = log.live.partition_point(|base| *base <= addr);
        below > 0 && addr - log.live[below - 1] < Self::ARENA_BYTES
    }

    fn reads(&self, addr: usize) -> Option<usize> {
        match self.reads {
            Reads::Nothing => None,
            Reads::OwnPage => Some(addr),
            Reads::ArenaStart => {
                let start = addr & !(Self::ARENA_BYTES - 1);
                let log = self.log();
                (log.low..log.high).contains(&start).then_some(start)
            }
        }
    }

    fn request(&self, random: &mut Random) -> usize {
        1 + random.below(P::Geometry::THRESHOLD)
    }

    fn malloc(&mut self, size: usize) -> *mut u8 {
        self.heap.malloc(size)
    }

    unsafe fn free(&mut self, block: *mut u8, _size: usize) {
        // SAFETY: forwarded to the caller.
        unsafe { self.heap.free(block) };
    }

    fn edge(&self, random: &mut Random) -> usize {
        let log = self.log();
        let base = log.live[random.below(log.live.len())];
        let last = base + Self::ARENA_BYTES - 1;
        [base - 1, base, base + 1, last - 1, last, last + 1][random.below(6)]
    }

    fn hole(&self, random: &mut Random) -> Option<usize> {
        let log = self.log();
        let count = log.gone.len();
        (count > 0).then(|| log.gone[random.below(count)] + random.below(Self::ARENA_BYTES))
    }

    fn start(&self, random: &mut Random) -> Option<usize> {
        let log = self.log();
        Some(log.live[random.below(log.live.len())])
    }

    fn came_and_went(&self) -> (usize, usize) {
        let log = self.log();
        (log.came, log.went)
    }

    fn finish(&mut self) {
        if let Err(violation) = self.heap.validate() {
            panic!("{violation}");
        }
        // SAFETY: the caller has freed every block.
        unsafe { self.heap.give_back() };
    }
}
