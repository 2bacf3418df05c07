//! A sample in which events of the processor are counted: one after another, each in a pass of its
//! own on a warm heap, so that no two of them share a counter.

use std::collections::BTreeMap;
use std::io;

use super::{Measured, Sampler};
use crate::counters::{Counter, Event};
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};
use crate::replay::touch::{self, Touch};

/// Counts every event that can be had.
pub(super) fn counted<A: Allocator>(sampler: Sampler<'_>, allocator: A) -> Result<Measured, Stop> {
    let Sampler { job, windows, pointers, .. } = sampler;
    let mut player = Player::new(&job.shape, windows, pointers, allocator);
    match job.touch {
        Touch::None => every_event::<A, { touch::NONE }>(&mut player),
        Touch::Header => every_event::<A, { touch::HEADER }>(&mut player),
        Touch::Page => every_event::<A, { touch::PAGE }>(&mut player),
        Touch::All => every_event::<A, { touch::ALL }>(&mut player),
    }
}

fn every_event<A: Allocator, const TOUCH: u8>(
    player: &mut Player<'_, A>,
) -> Result<Measured, Stop> {
    player.pass::<TOUCH>()?;
    let mut events = BTreeMap::new();
    for event in Event::ALL {
        // K2: what cannot be opened is left out.
        let Ok(mut counter) = Counter::open(event) else { continue };
        if let Some(count) = one_event::<A, TOUCH>(player, &mut counter)? {
            events.insert(event, count);
        }
    }
    Ok(Measured { calls: player.region_calls, events, ..Measured::default() })
}

/// One pass, its region counted.
fn one_event<A: Allocator, const TOUCH: u8>(
    player: &mut Player<'_, A>,
    counter: &mut Counter,
) -> Result<Option<u64>, Stop> {
    let mut begun = Ok(());
    let mut count: io::Result<Option<u64>> = Ok(None);
    player.framed_pass::<TOUCH>(|is_inside| {
        if is_inside {
            begun = counter.begin();
        } else {
            count = counter.end();
        }
    })?;
    begun?;
    Ok(count?)
}
