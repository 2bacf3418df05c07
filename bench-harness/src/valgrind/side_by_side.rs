//! Cells on all processors at once: nothing is timed here but ratios.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use reports::record::Memcheck;

use super::cell::{Cell, Tool};
use crate::exit::Failure;

/// Runs `cells` on `jobs` threads and hands every record to `each`, on the calling thread, in the
/// order in which they finish. After an interrupt, and after the first error, no cell is begun.
///
/// # Errors
/// When a child cannot be started, or what `each` answers.
pub(crate) fn side_by_side(
    cells: &[Cell<'_>],
    tool: &Tool<'_>,
    jobs: usize,
    mut each: impl FnMut(Memcheck) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, cells.len().max(1)) {
            let sender = sender.clone();
            let next = &next;
            scope.spawn(move || {
                while !tool.interrupt.requested() {
                    // Relaxed: the counter only shares out the cells, which nobody changes.
                    let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    // A receiver that is gone has met an error.
                    if sender.send(tool.count(cell)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for record in receiver {
            each(record.map_err(|error| Failure::io("cannot run a child process", error))?)?;
        }
        Ok(())
    })
}
