//! Address space: blocks that come and go, nobody writing to more than their first byte, take no more of it the
//! longer that goes on. A leak of address space costs no memory until there is no more of it.

use super::row::Origin;
use super::trial::{Returned, made, pattern};
use crate::os;
use crate::subject::Family;

/// Bytes of a vast block.
const VAST: usize = (4 << 30) + 12_345;
/// And once it was made larger.
const VAST_GROWN: usize = VAST / 8 * 9;

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

/// Mappings that so many blocks of this size take, the address space between them among them: a process may
/// have some ten thousands. Null where memory is refused.
pub(super) fn mapped(family: &Family, size: usize, count: usize) -> Option<Returned> {
    let before = os::mappings().ok()?;
    let block = |_| made(Origin::Malloc(size), family);
    let blocks = (0..count).map(block).collect::<Option<Vec<_>>>()?;
    let more = os::mappings().ok()?.saturating_sub(before);
    let is_served = blocks.iter().all(|block| !block.is_null());
    for block in blocks {
        // SAFETY: null, or a live block that is not used again.
        unsafe { (family.free)(block.cast()) };
    }
    Some(if is_served { Returned::Number(more) } else { Returned::Null })
}

/// Whether this computer lets a process have blocks as large as those of [`vast`].
pub(super) fn is_vast_allowed() -> bool {
    os::may_map(&[VAST, VAST_GROWN])
}

/// A block of more bytes than 32 bits can count, made larger and smaller with a byte here and there written,
/// and given back.
///
/// # Errors
/// What became of it. `None` when the subject lacks a function.
pub(super) fn vast(family: &Family) -> Option<Result<(), String>> {
    let realloc = family.realloc?;
    // A subject that copies all of it may need more memory than there is: nobody else is to die of that.
    let _is_refused = std::fs::write("/proc/self/oom_score_adj", "1000");
    let before = os::mapped_bytes().ok()?;
    let places = || (0..VAST - 4096).step_by(VAST / 16 + 4096);
    // SAFETY: malloc takes any size.
    let mut block = unsafe { (family.malloc)(VAST) };
    if block.is_null() {
        return Some(Err(format!("null for {VAST} bytes")));
    }
    for at in places() {
        // SAFETY: inside of a live block.
        unsafe { block.cast::<u8>().wrapping_add(at).write_volatile(pattern(at)) };
    }
    for size in [VAST, VAST_GROWN, VAST - 4096] {
        // SAFETY: a live block, which is not used again where another comes back.
        let moved = unsafe { realloc(block, size) };
        if moved.is_null() {
            return Some(Err(format!("null for {size} bytes")));
        }
        block = moved;
        let is_kept = places().all(|at| {
            // SAFETY: inside of a live block.
            let byte = unsafe { block.cast::<u8>().wrapping_add(at).read_volatile() };
            byte == pattern(at)
        });
        // SAFETY: a live block.
        let usable = family.usable_size.map_or(size, |usable_size| unsafe { usable_size(block) });
        if !is_kept || usable < size {
            return Some(Err(format!("{usable} bytes of {size}, contents lost: {}", !is_kept)));
        }
    }
    // SAFETY: a live block that is not used again.
    unsafe { (family.free)(block) };
    let more = os::mapped_bytes().ok()?.saturating_sub(before).max(0) as usize;
    Some(if more < VAST / 8 { Ok(()) } else { Err(format!("{more} bytes stay mapped")) })
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

    use super::super::child::told_apart;
    use super::super::resident::found;
    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const SIZE: usize = 1 << 20;

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    fn system() -> Family {
        Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap()
    }

    #[test]
    fn address_space_that_does_not_come_back_is_found() {
        if !is_alone() {
            return;
        }
        let more = |family| found(|| cycled(&family, Origin::Malloc(SIZE), 8, 100));
        let planted = 8 * 100 * SIZE;
        assert!(more(system()) < planted / 2);
        assert!(more(Family { free: free_nothing, ..system() }) > planted);
    }

    unsafe extern "C" fn malloc_with_a_hole(size: usize) -> *mut c_void {
        let page = os::page_bytes();
        let bytes = (size + 2 * page) / page * page;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new memory at an address of the kernel's choice.
        let block = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
        // SAFETY: the memory's last page.
        unsafe { libc::munmap(block.wrapping_byte_add(bytes - page), page) };
        block
    }

    #[test]
    fn a_mapping_for_every_block_is_found() {
        if !is_alone() {
            return;
        }
        let more = |family| found(|| mapped(&family, SIZE, 300));
        assert!(more(system()) < 100);
        let planted = Family { malloc: malloc_with_a_hole, free: free_nothing, ..system() };
        assert!(more(planted) > 250);
    }

    unsafe extern "C" fn usable_size_of_32_bits(block: *mut c_void) -> usize {
        // SAFETY: the caller's obligation.
        unsafe { libc::malloc_usable_size(block) as u32 as usize }
    }

    #[test]
    fn a_length_that_does_not_fit_is_found() {
        if !is_alone() {
            return;
        }
        if !is_vast_allowed() {
            return;
        }
        let words =
            |family: Family| told_apart(|| vast(&family).unwrap().err().unwrap_or_default());
        assert_eq!(words(system()), "");
        let short = words(Family { usable_size: Some(usable_size_of_32_bits), ..system() });
        assert!(short.contains(" bytes of "), "{short}");
        let kept = words(Family { free: free_nothing, ..system() });
        assert!(kept.ends_with(" bytes stay mapped"), "{kept}");
    }
}
