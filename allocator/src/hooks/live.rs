//! The list of live blocks, oldest first (H4): its links, what it tells, and its validator.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use crate::hooks::block::Block;
use crate::hooks::era::Era;
use crate::hooks::report::Damage;
use crate::hooks::{DebugHooks, Domain};
use crate::next::NextAllocator;

impl<A: NextAllocator, E: Era, const LIST: bool> DebugHooks<A, E, LIST> {
    /// Puts a block at the end of the list.
    pub(super) fn link(&mut self, block: Block<E, LIST>) {
        if !LIST {
            return;
        }
        block.set_link(0, self.newest);
        block.set_link(1, ptr::null_mut());
        self.splice(self.newest, block.data());
        self.newest = block.data();
    }

    /// Takes a block out of the list.
    pub(super) fn unlink(&mut self, block: Block<E, LIST>) {
        if !LIST {
            return;
        }
        let [older, newer] = block.links();
        self.splice(older, newer);
        if newer.is_null() {
            self.newest = older;
        } else {
            // SAFETY: in the list, hence live (H4).
            unsafe { Block::<E, LIST>::new(newer) }.set_link(0, older);
        }
    }

    /// Makes `newer` follow `older`, or the first if there is none.
    fn splice(&mut self, older: *mut u8, newer: *mut u8) {
        if older.is_null() {
            self.oldest = newer;
        } else {
            // SAFETY: in the list, hence live (H4).
            unsafe { Block::<E, LIST>::new(older) }.set_link(1, newer);
        }
    }
}

impl<A: NextAllocator, E: Era> DebugHooks<A, E, true> {
    /// The live blocks, oldest first.
    pub fn live_blocks(&self) -> LiveBlocks<'_, E> {
        LiveBlocks { at: self.oldest, hooks: PhantomData }
    }

    /// Checks H4, and every live block as a free would. Linear in the live blocks; reads what the
    /// links lead to.
    ///
    /// Returns how many blocks are live.
    ///
    /// # Errors
    /// The address of the oldest block with something wrong, and what it is.
    pub fn validate(&self) -> Result<usize, (usize, Damage)> {
        let (mut count, mut older, mut at) = (0, ptr::null_mut(), self.oldest);
        while !at.is_null() {
            // SAFETY: in the list, hence live (H4).
            let block = unsafe { Block::<E, true>::new(at) };
            let [before, next] = block.links();
            if before != older {
                return Err((at.addr(), Damage::Links));
            }
            // SAFETY: as above.
            let damage = unsafe { self.check(Domain::of_tag(block.tag()), at) };
            if let Some(damage) = damage {
                return Err((at.addr(), damage));
            }
            (count, older, at) = (count + 1, at, next);
        }
        if older == self.newest { Ok(count) } else { Err((older.addr(), Damage::Links)) }
    }
}

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
