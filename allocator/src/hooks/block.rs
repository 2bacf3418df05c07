//! A block with its header and trailer, read and written byte by byte.

use core::marker::PhantomData;
use core::ptr;

use crate::hooks::era::Era;
use crate::hooks::{Domain, Layout};

/// Handle of a block by the address of its data.
pub(super) struct Block<E, const LIST: bool> {
    data: *mut u8,
    era: PhantomData<E>,
}

impl<E, const LIST: bool> Clone for Block<E, LIST> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, const LIST: bool> Copy for Block<E, LIST> {}

impl<E: Era, const LIST: bool> Block<E, LIST> {
    /// # Safety
    /// `data` is the data of a block whose header, and trailer where it is touched, are mapped.
    pub(super) const unsafe fn new(data: *mut u8) -> Self {
        Self { data, era: PhantomData }
    }

    pub(super) const fn data(self) -> *mut u8 {
        self.data
    }

    pub(super) fn byte(self, offset: isize) -> u8 {
        // SAFETY: within header, data or trailer (constructor).
        unsafe { self.data.wrapping_offset(offset).read() }
    }

    pub(super) fn fill(self, offset: isize, byte: u8, count: usize) {
        // SAFETY: within header, data or trailer (constructor).
        unsafe { self.data.wrapping_offset(offset).write_bytes(byte, count) };
    }

    /// A number of `FIELD` bytes, big-endian.
    fn number(self, offset: isize) -> u64 {
        (0..E::FIELD as isize)
            .fold(0, |number, place| number << 8 | u64::from(self.byte(offset + place)))
    }

    fn set_number(self, offset: isize, number: u64) {
        for place in 0..E::FIELD {
            let byte = (number >> (8 * (E::FIELD - 1 - place))) as u8;
            self.fill(offset + place as isize, byte, 1);
        }
    }

    pub(super) fn size(self) -> usize {
        self.number(-Layout::<E, LIST>::HEADER) as usize
    }

    /// The byte behind the size: the domain, or the first guard byte; marked if the block is wide.
    pub(super) fn tag(self) -> u8 {
        self.byte(-Layout::<E, LIST>::HEADER + E::FIELD as isize)
    }

    pub(super) fn serial(self, size: usize) -> Option<u64> {
        E::SERIAL.then(|| self.number((size + E::FIELD) as isize))
    }

    /// Writes header and trailer.
    pub(super) fn dress(self, size: usize, domain: Domain, wide: bool, serial: u64) {
        self.set_number(-Layout::<E, LIST>::HEADER, size as u64);
        self.fill(-(E::FIELD as isize), E::GUARD, E::FIELD);
        let mark = if wide { Layout::<E, LIST>::WIDE } else { 0 };
        let tag = Layout::<E, LIST>::tag(domain) ^ mark;
        self.fill(-Layout::<E, LIST>::HEADER + E::FIELD as isize, tag, 1);
        self.fill(size as isize, E::GUARD, E::FIELD);
        if E::SERIAL {
            self.set_number((size + E::FIELD) as isize, serial);
        }
    }

    /// Bytes from the inner block to the data of a wide block, as noted in front of the header.
    pub(super) fn wide_lead(self) -> usize {
        let at = self.data.wrapping_sub(Layout::<E, LIST>::LEAD + 8);
        // SAFETY: the block is marked wide, hence has the word (H3).
        unsafe { at.cast::<usize>().read_unaligned() }
    }

    pub(super) fn set_wide_lead(self, lead: usize) {
        let at = self.data.wrapping_sub(Layout::<E, LIST>::LEAD + 8);
        // SAFETY: a wide block has room for the word (H3).
        unsafe { at.cast::<usize>().write_unaligned(lead) };
    }

    fn link(self, place: usize) -> *mut *mut u8 {
        self.data.wrapping_sub(Layout::<E, LIST>::LEAD).cast::<*mut u8>().wrapping_add(place)
    }

    /// The blocks before and after this one in the list.
    pub(super) fn links(self) -> [*mut u8; 2] {
        // SAFETY: only blocks of a layer with a list are asked (H4).
        [0, 1].map(|place| unsafe { self.link(place).read_unaligned() })
    }

    pub(super) fn set_link(self, place: usize, to: *mut u8) {
        // SAFETY: as for `links`.
        unsafe { self.link(place).write_unaligned(to) };
    }

    /// Copies data out.
    pub(super) fn save(self, offset: usize, to: &mut [u8]) {
        let from = self.data.wrapping_add(offset);
        // SAFETY: within the data (constructor); `to` is not part of it.
        unsafe { ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
    }

    /// Copies data in.
    pub(super) fn restore(self, offset: usize, from: &[u8]) {
        let to = self.data.wrapping_add(offset);
        // SAFETY: within the data (constructor); `from` is not part of it.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to, from.len()) };
    }
}
