//! The strategies under study, one line each.
//!
//! All stand over the same geometry, 4 KiB pools in 256 KiB arenas, which every strategy is safe
//! with; the 2-clause arena index has that of 2.3, whose arenas are never given back. With
//! [`MAPPED_ARENAS`] and fewer the arenas are mapped, from the source that the strategy needs, and
//! their first pools are cut; beyond that they are made up where the strategy asks nothing of its
//! arenas, and cut from the reservation where it does. A strategy that reads the memory asked about
//! is not supported there (O3).
//!
//! Arenite's own test is no part of the classic heap: its "arenas" are blocks of 256 KiB from its
//! reservation. `arenite` is the test, `arenite-entry` the test and the load from the map of slices
//! by which a free learns what the block is; the map grows with the arenas. What lies in a block's
//! first slice of 16 KiB is asked about, since the map names the beginnings of large blocks only.

use arenite::{
    AlignedSource, ArenaIndex, ArenaIndexDebugger, ArenaIndexGuarded, ArenaSource, Arenite,
    AreniteLab, Cookie, Geometry, MadeUpSource, MmapSource, Ownership, OwnershipLab, PageMap,
    Python23, Python39, RadixTree, ReservedRange, ReservedSource,
};

use super::child::{Examination, Refusal};
use super::terrain::POOL_BYTES;

/// Most arenas that are mapped.
pub(crate) const MAPPED_ARENAS: u64 = 10_000;
/// Bytes of an arena of every strategy.
const ARENA_BYTES: usize = 256 << 10;
/// Most pools that are cut over all arenas, beyond [`LEAST_CUT`] in each: as many OS pages.
const CUT_POOLS: usize = 40_000;
/// Pools cut in every arena.
const LEAST_CUT: usize = 4;
/// Where made-up arenas begin: far from what the kernel maps, and not aligned to an arena.
const MADE_UP_START: usize = 0x1000_0000_3000;
/// The same for a strategy whose arenas are aligned to their size.
const MADE_UP_ALIGNED_START: usize = 0x1000_0004_0000;

/// A strategy by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strategy {
    /// Name in records.
    pub(crate) name: &'static str,
    /// Why made-up arenas are not supported.
    pub(crate) without_made_up: Option<&'static str>,
    /// Whether it is measured unless others are named.
    pub(crate) is_default: bool,
    /// Makes so many arenas ready and has the test examined.
    pub(super) examine: fn(Examination<'_, '_>) -> Result<(), Refusal>,
}

const NEEDS_RESERVATION: &str =
    "its arenas lie in one reservation of 16 GiB, which holds 65,536 of them";
const OWN_RESERVATION: &str = "its arenas lie in its own reservation and cannot be made up";
const READS_QUERIED: &str =
    "it reads the memory asked about, and behind made-up addresses there is none";

impl Strategy {
    const fn new(
        name: &'static str,
        without_made_up: Option<&'static str>,
        examine: fn(Examination<'_, '_>) -> Result<(), Refusal>,
    ) -> Self {
        Self { name, without_made_up, is_default: true, examine }
    }
}

/// Every strategy. To add one, add a line.
pub(crate) static ALL: [Strategy; 11] = [
    Strategy::new(
        "arena-index-2",
        Some(READS_QUERIED),
        mapped::<Python23, ArenaIndex<2>, MmapSource>,
    ),
    Strategy::new(
        "arena-index",
        Some(READS_QUERIED),
        mapped::<Python39, ArenaIndex<3>, MmapSource>,
    ),
    Strategy::new(
        "arena-index-debugger",
        Some(READS_QUERIED),
        mapped::<Python39, ArenaIndexDebugger, MmapSource>,
    ),
    Strategy::new(
        "arena-index-guarded",
        Some(READS_QUERIED),
        mapped::<Python39, ArenaIndexGuarded, MmapSource>,
    ),
    Strategy::new("radix-tree", None, radix_tree),
    Strategy::new("page-map", None, page_map),
    Strategy::new(
        "reserved-range",
        Some(NEEDS_RESERVATION),
        mapped::<Python39, ReservedRange, ReservedSource>,
    ),
    Strategy::new("cookie", Some(READS_QUERIED), mapped::<Python39, Cookie, AlignedSource>),
    Strategy::new("arenite", Some(OWN_RESERVATION), |examination| {
        arenite(examination, AreniteLab::owns)
    }),
    Strategy::new("arenite-entry", Some(OWN_RESERVATION), |examination| {
        arenite(examination, AreniteLab::holds_pool_or_block)
    }),
    // Planted: the check of the answers must catch it.
    Strategy { name: "lying", without_made_up: None, is_default: false, examine: lying },
];

/// The strategy of that name.
///
/// # Errors
/// When there is none; says which there are.
pub(crate) fn parse(name: &str) -> Result<Strategy, String> {
    ALL.into_iter().find(|strategy| strategy.name == name).ok_or_else(|| {
        let names = ALL.iter().filter(|one| one.is_default).map(|one| one.name);
        let names: Vec<&str> = names.collect();
        format!("there is no ownership strategy `{name}`; there are {}", names.join(", "))
    })
}

/// Pools to cut in each of so many arenas.
fn cut_pools(arenas: u64) -> usize {
    (CUT_POOLS / (arenas as usize).max(1)).clamp(LEAST_CUT, ARENA_BYTES / POOL_BYTES)
}

/// The first `most` pools of the arena at `base`.
fn pools(base: *mut u8, most: usize) -> impl Iterator<Item = *mut u8> {
    let first = base.map_addr(|addr| addr.next_multiple_of(POOL_BYTES));
    let lost = first.addr() - base.addr();
    let whole = (ARENA_BYTES - lost) / POOL_BYTES;
    (0..most.min(whole)).map(move |pool| first.wrapping_add(pool * POOL_BYTES))
}

fn nail<G: Geometry>() {
    const {
        assert!(G::POOL_BYTES == POOL_BYTES && G::ARENA_BYTES == ARENA_BYTES);
    }
}

/// An arena source of its own for every examination.
trait Fresh: ArenaSource {
    fn fresh() -> Self;
}

impl Fresh for MmapSource {
    fn fresh() -> Self {
        Self
    }
}

impl Fresh for AlignedSource {
    fn fresh() -> Self {
        Self
    }
}

impl Fresh for ReservedSource {
    fn fresh() -> Self {
        Self::new()
    }
}

fn mapped<G: Geometry, O: Ownership<G>, S: Fresh>(
    examination: Examination<'_, '_>,
) -> Result<(), Refusal> {
    nail::<G>();
    let arenas = examination.arenas();
    let mut lab = Box::new(OwnershipLab::<G, O, S>::new(S::fresh()));
    let cut = cut_pools(arenas);
    let mut ours = Vec::new();
    for _ in 0..arenas {
        let base = lab.add_arena(cut).ok_or(Refusal::OutOfMemory)?;
        // The head of an arena that a strategy keeps takes the place of its first pool.
        ours.extend(pools(base.wrapping_add(O::HEAD_BYTES), cut));
    }
    // SAFETY: the examination asks about cut pools and foreign memory that is mapped (O3).
    examination.of(ours, &|address| unsafe { lab.owns(address) })
}

fn radix_tree(examination: Examination<'_, '_>) -> Result<(), Refusal> {
    if examination.arenas() <= MAPPED_ARENAS {
        return mapped::<Python39, RadixTree, MmapSource>(examination);
    }
    // SAFETY: no pool is cut below, and the strategy reads its own tables only.
    let source = unsafe { MadeUpSource::new(MADE_UP_START) };
    made_up::<Python39, RadixTree, _>(source, |owns| owns, examination)
}

fn page_map(examination: Examination<'_, '_>) -> Result<(), Refusal> {
    if examination.arenas() <= MAPPED_ARENAS {
        return mapped::<Python39, PageMap, AlignedSource>(examination);
    }
    // SAFETY: no pool is cut below, and the strategy reads its own tables only.
    let source = AlignedMadeUp(unsafe { MadeUpSource::new(MADE_UP_ALIGNED_START) });
    made_up::<Python39, PageMap, _>(source, |owns| owns, examination)
}

/// Made-up arenas that begin at a multiple of their size.
struct AlignedMadeUp(MadeUpSource);

// SAFETY: as the source within; the first arena is aligned, hence all of them.
unsafe impl ArenaSource for AlignedMadeUp {
    const NAME: &'static str = MadeUpSource::NAME;
    const ARENAS_ALIGNED: bool = true;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        self.0.map(bytes)
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: forwarded to the caller.
        unsafe { self.0.unmap(base, bytes) };
    }
}

const _: () = assert!(MADE_UP_ALIGNED_START.is_multiple_of(ARENA_BYTES));

/// `answer` makes what is answered of what the strategy says.
fn made_up<G: Geometry, O: Ownership<G>, S: ArenaSource>(
    source: S,
    answer: impl Fn(bool) -> bool,
    examination: Examination<'_, '_>,
) -> Result<(), Refusal> {
    nail::<G>();
    let mut lab = Box::new(OwnershipLab::<G, O, _>::new(source));
    let mut ours = Vec::new();
    for _ in 0..examination.arenas() {
        let base = lab.add_arena(0).ok_or(Refusal::OutOfMemory)?;
        ours.extend(pools(base, LEAST_CUT));
    }
    // SAFETY: the strategy reads nothing on behalf of an address.
    examination.of(ours, &|address| answer(unsafe { lab.owns(address) }))
}

fn arenite(
    examination: Examination<'_, '_>,
    owns: impl Fn(&AreniteLab, *const u8) -> bool,
) -> Result<(), Refusal> {
    let arenas = examination.arenas();
    let mut ours = Vec::new();
    for _ in 0..arenas {
        let block = Arenite::malloc(ARENA_BYTES);
        if block.is_null() {
            return Err(Refusal::OutOfMemory);
        }
        ours.extend(pools(block, LEAST_CUT));
    }
    let lab = AreniteLab::attach();
    // The blocks are never freed: the process ends with the examination.
    examination.of(ours, &|address| owns(&lab, address))
}

/// Says of one foreign address in some thousands that it is ours.
fn lying(examination: Examination<'_, '_>) -> Result<(), Refusal> {
    let asked = std::cell::Cell::new(0_u32);
    let answer = |owns| {
        asked.set(asked.get().wrapping_add(1));
        owns || asked.get().is_multiple_of(4001)
    };
    // SAFETY: no pool is cut, and the strategy reads its own tables only.
    let source = unsafe { MadeUpSource::new(MADE_UP_START) };
    made_up::<Python39, RadixTree, _>(source, answer, examination)
}
