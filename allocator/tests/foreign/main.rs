//! Foreign addresses by the million, against every ownership test there is.
//!
//! Hypothesis: no foreign address is ever taken for ours and no block of ours for foreign, while
//! arenas come and go; and a strategy faults at no address but those that it says it may fault at.
//!
//! | file | holds |
//! |---|---|
//! | `main.rs` | the strategies, and what each promises |
//! | `questions.rs` | the questions, the thread that makes arenas come and go, the tally |
//! | `kinds.rs` | foreign addresses by kind |
//! | `faults.rs` | questions that may end in a fault, asked by forked children |
//! | `asked.rs`, `recorded.rs` | a heap as the questions see it: Arenite, and a classic one with a log of its arenas |
//! | `kernel.rs` | what can be read, and where the vdso is |
//! | `planted.rs` | wrong strategies, which the same questions find out |
//!
//! Nothing promises that memory found readable is still so when it is read, unless nobody unmaps any:
//! every test runs alone in a child process (`../flagship/child.rs`), with the heap locked. Arenite
//! needs no lock; `../flagship/foreign.rs` asks it without one.
//!
//! `ARENITE_FOREIGN` raises the number of addresses over all strategies, `ARENITE_SEED` sets the seed,
//! which every test prints along with its tally.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of this binary is tests, and files of another one are in it"
)]

mod asked;
#[path = "../flagship/child.rs"]
mod child;
mod faults;
mod kernel;
mod kinds;
mod planted;
#[path = "../flagship/posix.rs"]
mod posix;
mod questions;
#[path = "../all/random.rs"]
mod random;
mod recorded;

use arenite::{
    ClassicArenaIndex, ClassicArenaIndex2, ClassicArenaIndexDebugger, ClassicArenaIndexGuarded,
    ClassicCookie, ClassicPageMap, ClassicRadixTree, ClassicReservedRange, Preset, Pymalloc311,
    Pymalloc315, SystemMalloc,
};

use crate::asked::{Asked, Flagship};
use crate::child::alone;
use crate::kinds::Kind;
use crate::questions::{Tally, ask};
use crate::recorded::{Parts, Reads, Recorded};

/// Foreign addresses over all strategies.
const ADDRESSES: usize = if cfg!(debug_assertions) { 400_000 } else { 10_000_000 };
/// Heaps below.
const HEAPS: usize = 11;

/// Addresses for one heap.
fn questions() -> usize {
    let count = std::env::var("ARENITE_FOREIGN").ok();
    let count = count.map_or(0, |count| count.parse().expect("ARENITE_FOREIGN: a number"));
    // With fewer, arenas would not have the time to come and go.
    let count = ADDRESSES.max(count);
    // A campaign may take longer than the child's alarm permits.
    posix::alarm(120 + (count / 20_000) as u32);
    count.div_ceil(HEAPS)
}

/// Asks, shows the tally, and holds the strategy to its promise.
fn hold_to_promise(name: &'static str, heap: Box<dyn Asked>, reads: Reads) {
    let tally: Tally = ask(name, heap, questions());
    println!("{tally}");
    assert_eq!(tally.sum(|kind| kind.wrong), 0, "{name}: foreign addresses taken for ours");
    assert_eq!(tally.lost, 0, "{name}: live blocks taken for foreign");
    assert!(tally.came > 1, "{name}: arenas came");
    assert!(tally.went > 0 || name == ClassicArenaIndex2::<SystemMalloc>::NAME, "and went");
    assert_eq!(tally.sum(|kind| kind.surprises), 0, "{name}: faults at unreadable memory alone");
    let faults = |kind| tally.of(kind).faults;
    match reads {
        Reads::Nothing => assert_eq!(tally.sum(|kind| kind.tried + kind.unreadable), 0),
        Reads::OwnPage => assert!(faults(Kind::NullPage) > 0 && faults(Kind::NonCanonical) > 0),
        // Addresses outside of all arenas there ever were are refused without a read.
        Reads::ArenaStart => {
            assert_eq!(faults(Kind::NullPage) + faults(Kind::NonCanonical), 0);
            assert!(tally.of(Kind::Forged).reading > 0, "{name}: copies lie between arenas");
        }
    }
    for kind in [Kind::Heap, Kind::Forged, Kind::Stack, Kind::Text, Kind::Statics] {
        assert!(reads != Reads::OwnPage || faults(kind) == 0, "{name}: {kind:?} is mapped");
    }
}

fn hold_preset_to_promise<P>(reads: Reads)
where
    P: Preset + Parts + 'static,
    P::Ownership: Send,
    P::Source: Send,
{
    hold_to_promise(P::NAME, Box::new(Recorded::<P>::new(reads)), reads);
}

#[test]
fn arena_index_2_takes_no_foreign_address_for_ours() {
    alone(|| hold_preset_to_promise::<ClassicArenaIndex2<SystemMalloc>>(Reads::OwnPage));
}

#[test]
fn arena_index_takes_no_foreign_address_for_ours() {
    alone(|| hold_preset_to_promise::<ClassicArenaIndex<SystemMalloc>>(Reads::OwnPage));
}

#[test]
fn arena_index_debugger_takes_no_foreign_address_for_ours() {
    alone(|| hold_preset_to_promise::<ClassicArenaIndexDebugger<SystemMalloc>>(Reads::OwnPage));
}

#[test]
fn arena_index_guarded_takes_no_foreign_address_for_ours() {
    alone(|| hold_preset_to_promise::<ClassicArenaIndexGuarded<SystemMalloc>>(Reads::OwnPage));
}

#[test]
fn radix_tree_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_preset_to_promise::<ClassicRadixTree<SystemMalloc>>(Reads::Nothing));
}

#[test]
fn page_map_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_preset_to_promise::<ClassicPageMap<SystemMalloc>>(Reads::Nothing));
}

#[test]
fn reserved_range_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_preset_to_promise::<ClassicReservedRange<SystemMalloc>>(Reads::Nothing));
}

#[test]
fn cookie_takes_no_foreign_address_for_ours() {
    alone(|| hold_preset_to_promise::<ClassicCookie<SystemMalloc>>(Reads::ArenaStart));
}

#[test]
fn pymalloc_3_11_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_preset_to_promise::<Pymalloc311<SystemMalloc>>(Reads::Nothing));
}

#[test]
fn pymalloc_3_15_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_preset_to_promise::<Pymalloc315<SystemMalloc>>(Reads::Nothing));
}

#[test]
fn arenite_takes_no_foreign_address_for_ours_and_never_faults() {
    alone(|| hold_to_promise("arenite", Box::new(Flagship::default()), Reads::Nothing));
}
