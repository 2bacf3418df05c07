//! Walks through chains, for the checks of M1 and H2.

use crate::flagship::heap::Heap;
use crate::flagship::heap::check::each_linked;
use crate::flagship::slice;
use crate::flagship::validate::is_carved;

impl Heap {
    /// Shows the blocks of other heaps that were freed here and not sent yet, with the map entry that
    /// they should have.
    pub(crate) fn each_outgoing<E>(
        self,
        mut visit: impl FnMut(*mut u8, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        for outgoing in &self.fields().outgoing {
            if outgoing.entry != 0 {
                // The end of its passengers is not marked before it is sent.
                let taken = (outgoing.first, outgoing.taken);
                each_gathered(outgoing.first, outgoing.entry, Some(taken), &mut visit)?;
            }
        }
        Ok(())
    }
}

/// Shows the blocks of a chain that was sent, carriers before their passengers, and null for a seat that is
/// empty where none may be (M4). A chain that is broken is left where that shows, after it was shown.
pub(crate) fn each_in_chain<E>(
    chain: *mut u8,
    entry: u32,
    visit: &mut impl FnMut(*mut u8, u32) -> Result<(), E>,
) -> Result<(), E> {
    each_gathered(chain, entry, None, visit)
}

/// As [`each_in_chain`], where one carrier may have a known number of passengers.
fn each_gathered<E>(
    chain: *mut u8,
    entry: u32,
    known: Option<(*mut u8, u8)>,
    visit: &mut impl FnMut(*mut u8, u32) -> Result<(), E>,
) -> Result<(), E> {
    each_linked(chain, entry, &mut |carrier, entry| {
        visit(carrier, entry)?;
        if !is_carved(carrier, entry) {
            return Ok(());
        }
        let taken = match known {
            Some((first, taken)) if first == carrier => taken,
            _ => super::seats(super::block_size(entry)),
        };
        for seat in 0..taken.into() {
            // SAFETY: a carrier of the class: a dead block that is ours to read.
            let block = unsafe { slice::passenger(carrier, seat) };
            if block.is_null() && carrier == chain {
                break;
            }
            visit(block, entry)?;
        }
        Ok(())
    })
}
