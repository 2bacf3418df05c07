//! A sample in which memory is read over the whole life of the workload.

use super::{Measured, Sampler};
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};
use crate::replay::survey::Surveyed;
use crate::replay::touch::{self, Touch};

/// One pass on a cold heap under the touch policy of the job.
pub(super) fn life<A: Allocator>(
    sampler: Sampler<'_>,
    allocator: A,
    waits: bool,
) -> Result<Measured, Stop> {
    let Sampler { job, windows, pointers, .. } = sampler;
    let surveyed = Surveyed::new(allocator, job.shape.slots)?;
    let mut player = Player::new(&job.shape, windows, pointers, surveyed);
    let life = match job.touch {
        Touch::None => player.life_pass::<{ touch::NONE }>(waits),
        Touch::Header => player.life_pass::<{ touch::HEADER }>(waits),
        Touch::Page => player.life_pass::<{ touch::PAGE }>(waits),
        Touch::All => player.life_pass::<{ touch::ALL }>(waits),
    }?;
    Ok(Measured { calls: player.region_calls, life: Some(life), ..Measured::default() })
}
