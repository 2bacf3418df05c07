//! A look at what is being gathered, for the check of M1.

use crate::flagship::heap::Heap;
use crate::flagship::heap::check::each_linked;

impl Heap {
    /// Shows the blocks of other heaps that were freed here and not sent yet, with the map entry that
    /// they should have.
    pub(crate) fn each_outgoing<E>(
        self,
        mut visit: impl FnMut(*mut u8, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        for outgoing in &self.fields().outgoing {
            if outgoing.entry != 0 {
                each_linked(outgoing.first, outgoing.entry, &mut visit)?;
            }
        }
        Ok(())
    }
}
