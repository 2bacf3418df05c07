//! How long dirty spans wait before they are decommitted.
//!
//! Memory that goes back and is soon needed again costs a page fault for every OS page, more than all
//! other work on it. Nobody knows beforehand what a program will need. So the delay doubles when
//! [`REGRETTED_SLICES`] of what went back by its age were taken again within a time, and halves after
//! each time in which they were not; a time is [`MEMORY_SLICES`], doubled as often.
//!
//! Everything here happens under the spans lock.

use super::range::ARENA_SLICES;
use super::settings;
use super::usage::{self, Count, MEMORY_SLICES};

/// Slices that are regretted, some 250 page faults; twice as many with every doubling.
const REGRETTED_SLICES: usize = 64;
/// How often the delay doubles at the most.
const MOST_DOUBLINGS: usize = 6;

/// Slices that went back by their age and were not taken again.
static GIVEN_BACK: Count = Count::ZERO;
/// Slices that were, in this time.
static REGRETTED: Count = Count::ZERO;
/// Slices of arenas that no span lay in before, and none does yet.
static FRESH: Count = Count::ZERO;
/// When this time began.
static SINCE: Count = Count::ZERO;

/// Slices that are freed and taken before a dirty span goes back.
pub(super) fn delay(now: u32) -> u32 {
    let once = match settings::purge_delay() {
        0 => return 0,
        delay => delay.max((2 * usage::most_lately()).min(MEMORY_SLICES as usize) as u32),
    };
    pass_time(now);
    // An age beyond half of the clock would be one from the future.
    once.saturating_mul(1 << usage::DOUBLINGS.get()).min(u32::MAX / 4)
}

/// Ends the times that are over. What went back before counts half from then on.
fn pass_time(now: u32) {
    loop {
        let since = SINCE.get() as u32;
        if now.wrapping_sub(since) <= usage::time() {
            return;
        }
        if usage::DOUBLINGS.get() == 0 && GIVEN_BACK.get() == 0 {
            begin_time(now);
            return;
        }
        begin_time(since.wrapping_add(usage::time()));
        usage::DOUBLINGS.set(usage::DOUBLINGS.get().saturating_sub(1));
        GIVEN_BACK.set(GIVEN_BACK.get() / 2);
    }
}

fn begin_time(now: u32) {
    SINCE.set(now as usize);
    REGRETTED.set(0);
}

/// Slices went back because of their age.
pub(super) fn gave_back(slices: usize) {
    GIVEN_BACK.set(GIVEN_BACK.get() + slices);
}

/// Everything went back because the program, which knows what comes, asked for it.
pub(super) fn was_asked() {
    GIVEN_BACK.set(0);
}

/// There is an arena that was never used.
pub(super) fn has_new_arena() {
    FRESH.set(FRESH.get() + ARENA_SLICES);
}

/// Clean slices were taken.
pub(super) fn took_clean(slices: usize, now: u32) {
    let fresh = slices.min(FRESH.get());
    FRESH.set(FRESH.get() - fresh);
    pass_time(now);
    let again = (slices - fresh).min(GIVEN_BACK.get());
    GIVEN_BACK.set(GIVEN_BACK.get() - again);
    REGRETTED.set(REGRETTED.get() + again);
    if REGRETTED.get() >= REGRETTED_SLICES << usage::DOUBLINGS.get() {
        usage::DOUBLINGS.set((usage::DOUBLINGS.get() + 1).min(MOST_DOUBLINGS));
        begin_time(now);
    }
}
