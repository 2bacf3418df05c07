//! The report on a damaged block: a fixed form on standard error, then abort.
//!
//! ```text
//! arenite: fatal: guard behind block damaged at 0x5581c02a
//!   domain o, called through o
//!   size 24
//!   guard before: fd fd fd fd fd fd fd
//!   guard behind: 58* fd fd fd fd fd fd fd        a star marks each byte that is not as written
//!   serial 17                                     where the era has them
//!   data: 01 02 03 04 05 06 07 08 .. cd cd cd cd cd cd cd cd
//! ```
//!
//! Where the size is not to be trusted, its line says so and is followed by the guard before only.

use core::ffi::c_void;
use core::fmt::{self, Write};

use crate::hooks::block::Block;
use crate::hooks::era::Era;
use crate::hooks::{Domain, Layout};
use crate::sys;

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its header holds the byte that fills freed blocks.
    DoubleFree,
    /// It belongs to another domain.
    WrongDomain,
    /// The guard before the data was overwritten.
    GuardBefore,
    /// Its size is more than the memory it lies in.
    Size,
    /// The guard behind the data was overwritten.
    GuardBehind,
    /// The list of live blocks does not lead back to the block it came from.
    Links,
}

impl Damage {
    const fn text(self) -> &'static str {
        match self {
            Self::DoubleFree => "double free of hooked block",
            Self::WrongDomain => "wrong domain for block",
            Self::GuardBefore => "guard before block damaged",
            Self::Size => "size of block damaged",
            Self::GuardBehind => "guard behind block damaged",
            Self::Links => "links of block damaged",
        }
    }
}

/// Text on the stack; what does not fit is dropped.
struct Text {
    bytes: [u8; 768],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Says what is wrong with `block` and aborts. `fits`: its size may be trusted.
#[cold]
#[inline(never)]
pub(super) fn die<E: Era, const LIST: bool>(
    damage: Damage,
    block: Block<E, LIST>,
    domain: Domain,
    fits: bool,
) -> ! {
    let mut text = Text { bytes: [0; 768], len: 0 };
    // A report that is cut short is still a report.
    let _cut = describe(&mut text, damage, block, domain, fits);
    // SAFETY: the text is readable.
    let _written = unsafe { sys::write(2, text.bytes.as_ptr().cast::<c_void>(), text.len) };
    // SAFETY: abort has no preconditions.
    unsafe { sys::abort() }
}

fn describe<E: Era, const LIST: bool>(
    text: &mut Text,
    damage: Damage,
    block: Block<E, LIST>,
    domain: Domain,
    fits: bool,
) -> fmt::Result {
    let size = block.size();
    writeln!(text, "arenite: fatal: {} at {:#x}", damage.text(), block.data().addr())?;
    if E::NAMES_DOMAIN {
        let tag = block.tag();
        let lower = tag | 0x20;
        if matches!(lower, b'r' | b'm' | b'o') {
            writeln!(text, "  domain {}, called through {}", char::from(lower), domain.letter())?;
        } else {
            writeln!(text, "  domain {tag:#04x}, called through {}", domain.letter())?;
        }
    }
    writeln!(text, "  size {size}{}", if fits { "" } else { ", not to be trusted" })?;
    text.write_str("  guard before:")?;
    for offset in Layout::<E, LIST>::guard_before() {
        guard::<E>(text, block.byte(offset))?;
    }
    text.write_str("\n")?;
    if !fits {
        return Ok(());
    }
    text.write_str("  guard behind:")?;
    for offset in size..size + E::FIELD {
        guard::<E>(text, block.byte(offset as isize))?;
    }
    text.write_str("\n")?;
    if let Some(serial) = block.serial(size) {
        writeln!(text, "  serial {serial}")?;
    }
    text.write_str("  data:")?;
    for offset in 0..size {
        if size <= 16 || !(8..size - 8).contains(&offset) {
            write!(text, " {:02x}", block.byte(offset as isize))?;
        } else if offset == 8 {
            text.write_str(" ..")?;
        }
    }
    text.write_str("\n")
}

/// A guard byte, marked if it is not as written.
fn guard<E: Era>(text: &mut Text, byte: u8) -> fmt::Result {
    write!(text, " {byte:02x}{}", if byte == E::GUARD { "" } else { "*" })
}
