//! The list of live blocks, oldest first.

use core::fmt;
use core::marker::PhantomData;

use crate::hooks::block::Block;
use crate::hooks::era::Era;

/// A live block as the list tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveBlock {
    /// Its serial number, in eras that have them.
    pub serial: Option<u64>,
    /// Address of its data.
    pub address: usize,
    /// Bytes that were asked for.
    pub size: usize,
    /// Letter of its domain, in eras that name it.
    pub domain: Option<char>,
}

/// Iterator over the live blocks; as text, a line for each: serial, address, size, domain.
pub struct LiveBlocks<'a, E> {
    pub(super) at: *mut u8,
    pub(super) hooks: PhantomData<(&'a (), E)>,
}

impl<E> Clone for LiveBlocks<'_, E> {
    fn clone(&self) -> Self {
        Self { at: self.at, hooks: PhantomData }
    }
}

impl<E: Era> Iterator for LiveBlocks<'_, E> {
    type Item = LiveBlock;

    fn next(&mut self) -> Option<LiveBlock> {
        if self.at.is_null() {
            return None;
        }
        // SAFETY: blocks in the list are live (H4) and the borrow keeps them so.
        let block = unsafe { Block::<E, true>::new(self.at) };
        self.at = block.links()[1];
        let size = block.size();
        Some(LiveBlock {
            serial: block.serial(size),
            address: block.data().addr(),
            size,
            domain: E::NAMES_DOMAIN.then(|| char::from(block.tag() | 0x20)),
        })
    }
}

impl<E: Era> fmt::Display for LiveBlocks<'_, E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for block in self.clone() {
            match block.serial {
                Some(serial) => write!(out, "{serial}")?,
                None => out.write_str("-")?,
            }
            writeln!(out, " {:#x} {} {}", block.address, block.size, block.domain.unwrap_or('-'))?;
        }
        Ok(())
    }
}
