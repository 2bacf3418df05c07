//! A sample whose memory is read over one pass, and over more of them: what is lost of each adds up, and what
//! is given back to the kernel has to be had from it again.

use std::time::{Duration, Instant};

use super::Measured;
use crate::os;
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};

/// Passes behind the first whose growth is told.
const GROWING_PASSES: u32 = 18;
/// Time that they may take, as far as the first one tells.
const MOST_GROWING: Duration = Duration::from_secs(5);

/// The first pass, and if there is time for it, what [`GROWING_PASSES`] more add, and their page faults.
pub(super) fn taken<A: Allocator, const TOUCH: u8>(
    player: &mut Player<'_, A>,
) -> Result<Measured, Stop> {
    let begin = Instant::now();
    let memory = player.memory_pass::<TOUCH>()?;
    let calls = player.region_calls;
    let mut rss_growth_bytes = None;
    let mut page_faults = None;
    if begin.elapsed() * GROWING_PASSES <= MOST_GROWING {
        let before = os::anonymous_resident_bytes()?;
        let faults = os::page_faults();
        (0..GROWING_PASSES).try_for_each(|_| player.pass::<TOUCH>().map(drop))?;
        page_faults = Some(os::page_faults() - faults);
        rss_growth_bytes = Some(os::anonymous_resident_bytes()?.saturating_sub(before));
    }
    Ok(Measured {
        calls,
        rss_peak_bytes: Some(memory.rss_peak_bytes),
        rss_retained_bytes: Some(memory.rss_retained_bytes),
        rss_growth_bytes,
        page_faults,
        ..Measured::default()
    })
}
