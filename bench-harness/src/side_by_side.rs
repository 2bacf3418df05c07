//! Work on several cells at once, where nothing is timed.
//!
//! Whoever waits for child processes stands above this: the parts of a `session` that take no times,
//! and the table of seeded bugs. Workers take items one by one from a shared counter; what they make
//! of them goes to the calling thread, in the order in which it is finished, so that a results file
//! has one writer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::exit::Failure;
use crate::interrupt::Interrupt;

/// Logical processors of this computer that this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does `work` on every item, as many at once as `jobs` (at least one), and hands every result with
/// its item's index to `each`, on the calling thread, in the order in which they are finished. After
/// an interrupt, and after the first error, no item is begun.
///
/// # Errors
/// The first one that `work` or `each` answers.
pub(crate) fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    interrupt: &Interrupt,
    work: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
    mut each: impl FnMut(usize, R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while !interrupt.requested() {
                    // Relaxed: the counter only shares out the items, which nobody changes.
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    // A receiver that is gone has met an error.
                    if sender.send((at, work(at, item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        // Returning early drops the receiver, which stops the workers.
        for (at, result) in receiver {
            each(at, result?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn failure() -> Failure {
        Failure::usage("planted")
    }

    #[test]
    fn every_item_is_worked_on_once_and_its_result_has_its_index() {
        let interrupt = Interrupt::never();
        let items: Vec<usize> = (0..100).collect();
        let mut seen = BTreeSet::new();
        side_by_side(
            &items,
            7,
            &interrupt,
            |at, item| Ok((at, *item)),
            |at, (inner, item)| {
                assert_eq!((at, at), (inner, item));
                assert!(seen.insert(at), "{at} came twice");
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen.len(), 100);
    }

    #[test]
    fn an_error_of_the_work_and_one_of_the_writer_end_it_early() {
        let interrupt = Interrupt::never();
        let items = [(); 1000];
        let begun = AtomicU32::new(0);
        let work = |at, (): &()| {
            begun.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_millis(1));
            if at == 3 { Err(failure()) } else { Ok(()) }
        };
        assert!(side_by_side(&items, 2, &interrupt, work, |_, ()| Ok(())).is_err());
        assert!(begun.load(Ordering::Relaxed) < 1000);
        let work = |_, (): &()| Ok(());
        assert!(side_by_side(&items, 2, &interrupt, work, |_, ()| Err(failure())).is_err());
    }

    #[test]
    fn no_items_and_no_jobs_are_no_work_and_one_job() {
        let interrupt = Interrupt::never();
        let mut count = 0;
        side_by_side(&[(); 0], 0, &interrupt, |_, ()| Ok(()), |_, ()| Ok(())).unwrap();
        side_by_side(
            &[(); 3],
            0,
            &interrupt,
            |_, ()| Ok(()),
            |_, ()| {
                count += 1;
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(count, 3);
    }
}
