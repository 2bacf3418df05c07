//! A sample in turns: what repeats, on the threads of the trace.

use super::{Measured, Sampler};
use crate::child::job::Task;
use crate::child::process;
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};
use crate::replay::touch::{self, Touch};
use crate::replay::turns::InTurns;

/// Counts the region, or reads memory over the pass.
pub(super) fn taken<A: Allocator>(sampler: Sampler<'_>, allocator: A) -> Result<Measured, Stop> {
    process::stay_on_one_processor();
    let Sampler { job, subject, windows, pointers } = sampler;
    let in_turns = InTurns::new(allocator, subject.thread_hooks());
    let mut player = Player::new(&job.shape, windows, pointers, in_turns);
    match job.touch {
        Touch::None => sample::<_, { touch::NONE }>(&mut player, job.task),
        Touch::Header => sample::<_, { touch::HEADER }>(&mut player, job.task),
        Touch::Page => sample::<_, { touch::PAGE }>(&mut player, job.task),
        Touch::All => sample::<_, { touch::ALL }>(&mut player, job.task),
    }
}

fn sample<A: Allocator, const TOUCH: u8>(
    player: &mut Player<'_, A>,
    task: Task,
) -> Result<Measured, Stop> {
    if task == Task::Count {
        let page_faults = Some(player.counted_pass::<TOUCH>()?);
        return Ok(Measured { calls: player.region_calls, page_faults, ..Measured::default() });
    }
    let memory = player.memory_pass::<TOUCH>()?;
    Ok(Measured {
        calls: player.region_calls,
        rss_peak_bytes: Some(memory.rss_peak_bytes),
        rss_retained_bytes: Some(memory.rss_retained_bytes),
        page_faults: Some(memory.page_faults),
        ..Measured::default()
    })
}
