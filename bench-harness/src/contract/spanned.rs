//! Address space: blocks that come and go, nobody writing to more than their first byte, take no more of it the
//! longer that goes on. A leak of address space costs no memory until there is no more of it.

use super::row::Origin;
use super::trial::{Returned, made};
use crate::os;
use crate::subject::Family;

/// Bytes of address space that `times` rounds take beyond what as many before them took: each has `count`
/// blocks at once, of the size of `new` and up to four times as much, and gives them back. Null where memory
/// is refused; `None` when the subject lacks a function.
pub(super) fn cycled(family: &Family, new: Origin, count: usize, times: usize) -> Option<Returned> {
    let mut blocks = Vec::with_capacity(count);
    let mut round = |at: usize| -> Option<bool> {
        for block in 0..count {
            let block = made(new.of(one_of(new.size(), at * count + block)), family)?;
            if !block.is_null() {
                // SAFETY: a block of a byte and more.
                unsafe { block.write_volatile(1) };
            }
            blocks.push(block);
        }
        let is_served = blocks.iter().all(|block| !block.is_null());
        for block in blocks.drain(..) {
            // SAFETY: null, or a live block that is not used again.
            unsafe { (family.free)(block.cast()) };
        }
        Some(is_served)
    };
    let mut rounds = || -> Option<bool> {
        (0..times).try_fold(true, |is_served, at| Some(is_served && round(at)?))
    };
    let is_warm = rounds()?;
    let before = os::mapped_bytes().ok()?;
    let is_served = is_warm && rounds()?;
    let more = os::mapped_bytes().ok()?.saturating_sub(before).max(0);
    Some(if is_served { Returned::Number(more as usize) } else { Returned::Null })
}

/// A size from once to four times `size`, all of them unlike those shortly before.
pub(super) fn one_of(size: usize, at: usize) -> usize {
    // Steps by the golden ratio leave no part of the range out for long.
    let step = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
    size + 3 * size / (1 << 10) * (step as usize % (1 << 10))
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;

    use super::*;
    use crate::subject::Subject;

    const SIZE: usize = 1 << 20;

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    /// Other tests map and unmap meanwhile: what is planted is larger than they are.
    #[test]
    fn address_space_that_does_not_come_back_is_found() {
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let more = |family: &Family| match cycled(family, Origin::Malloc(SIZE), 8, 1000) {
            Some(Returned::Number(more)) => more,
            other => panic!("{other:?}"),
        };
        let planted = 8 * 1000 * SIZE;
        assert!(more(&system) < planted);
        assert!(more(&Family { free: free_nothing, ..system }) > planted);
    }
}
