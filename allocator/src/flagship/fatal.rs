//! The last words of a program that misused the heap: one fixed line on standard error, then abort.

use core::ffi::c_void;

use crate::sys;

/// What the program did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// The address is in no memory of ours.
    Foreign,
    /// The address is in our memory and is no block, or one that is not live.
    Invalid,
    /// The address lies inside a block.
    Interior,
    /// The block was freed before.
    Double,
    /// The size named at the free is not the one that was asked for.
    WrongSize,
    /// The link in a freed block was overwritten.
    SmashedLink,
}

impl Misuse {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Foreign => b"free of foreign pointer ",
            Self::Invalid => b"invalid free of ",
            Self::Interior => b"free of interior pointer ",
            Self::Double => b"double free of ",
            Self::WrongSize => b"free with the wrong size of ",
            Self::SmashedLink => b"smashed free link in ",
        }
    }
}

const PREFIX: &[u8] = b"arenite: fatal: ";

/// Says `arenite: fatal: <misuse> 0x<address>` and aborts the process.
#[cold]
#[inline(never)]
pub(crate) fn die(misuse: Misuse, address: *const u8) -> ! {
    let mut line = [0; 80];
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        line[len..len + bytes.len()].copy_from_slice(bytes);
        len += bytes.len();
    };
    put(PREFIX);
    put(misuse.text());
    put(b"0x");
    let digits = (usize::BITS - address.addr().leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        put(&[b"0123456789abcdef"[address.addr() >> (4 * digit) & 15]]);
    }
    put(b"\n");
    say(&line[..len]);
    // SAFETY: abort has no preconditions.
    unsafe { sys::abort() }
}

/// Writes to standard error, as far as it can be written to.
pub(crate) fn say(line: &[u8]) {
    // SAFETY: `line` is readable.
    let _written = unsafe { sys::write(2, line.as_ptr().cast::<c_void>(), line.len()) };
}
