//! Prints the statistics of a preset after a small workload.
//!
//! ```text
//! cargo run -p arenite --example statistics -- pymalloc-3.11
//! ```
//!
//! The workload is a table of live blocks in which random ones are replaced, with sizes as Python
//! programs ask for them: mostly 32 to 128 bytes, some larger than any pool serves. Without an
//! argument all presets are shown.

use std::io::{self, Write};
use std::process::ExitCode;

use arenite::{
    ArenaSource, ClassicHeap, Geometry, NextAllocator, Ownership, Preset, Pymalloc23, Pymalloc39,
    Pymalloc311, SystemMalloc,
};

const LIVE_BLOCKS: usize = 20_000;
const REPLACEMENTS: usize = 200_000;

/// Runs the workload, writes the statistics before and after freeing everything.
fn show<G, O, S, N>(heap: &mut ClassicHeap<G, O, S, N>, out: &mut impl Write) -> io::Result<()>
where
    G: Geometry,
    O: Ownership<G>,
    S: ArenaSource,
    N: NextAllocator,
    ClassicHeap<G, O, S, N>: Preset,
{
    writeln!(out, "{}", <ClassicHeap<G, O, S, N> as Preset>::NAME)?;
    writeln!(out, "{}\n", <ClassicHeap<G, O, S, N> as Preset>::ERA)?;

    let mut state = 1_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % bound
    };
    let mut size = || match random(10) {
        0 => 1 + random(1000),
        1..4 => 1 + random(256),
        _ => 32 + random(97),
    };
    let mut blocks: Vec<*mut u8> = (0..LIVE_BLOCKS).map(|_| heap.malloc(size())).collect();
    for turn in 0..REPLACEMENTS {
        let place = turn * 7919 % LIVE_BLOCKS;
        // SAFETY: live, and replaced in the table at once.
        unsafe { heap.free(blocks[place]) };
        blocks[place] = heap.malloc(size());
    }
    writeln!(out, "{LIVE_BLOCKS} blocks live:\n\n{}", heap.stats())?;
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    writeln!(out, "everything freed:\n\n{}", heap.stats())?;
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
    Ok(())
}

fn main() -> io::Result<ExitCode> {
    let wanted = std::env::args().nth(1);
    let mut out = io::stdout().lock();
    let mut shown = 0;
    let mut is_wanted = |name: &str| {
        let wanted = wanted.as_deref().is_none_or(|wanted| wanted == name);
        shown += u32::from(wanted);
        wanted
    };
    if is_wanted(<Pymalloc23<SystemMalloc> as Preset>::NAME) {
        show(&mut *Box::new(Pymalloc23::preset(SystemMalloc)), &mut out)?;
    }
    if is_wanted(<Pymalloc39<SystemMalloc> as Preset>::NAME) {
        show(&mut *Box::new(Pymalloc39::preset(SystemMalloc)), &mut out)?;
    }
    if is_wanted(<Pymalloc311<SystemMalloc> as Preset>::NAME) {
        show(&mut *Box::new(Pymalloc311::preset(SystemMalloc)), &mut out)?;
    }
    if shown == 0 {
        let known = "pymalloc-2.3, pymalloc-3.9 and pymalloc-3.11";
        writeln!(io::stderr(), "no such preset; there are {known}")?;
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}
