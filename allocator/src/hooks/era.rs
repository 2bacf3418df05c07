//! What the debug hooks of each CPython wrote around a block.

/// The numbers of an era's debug hooks.
pub trait Era {
    /// Bytes of a number (size, serial) and of the guard behind the data: 4 or 8.
    const FIELD: usize;
    /// Whether the byte behind the size names the domain.
    const NAMES_DOMAIN: bool;
    /// Whether a serial number follows the guard behind the data.
    const SERIAL: bool;
    /// Fills fresh data.
    const CLEAN: u8;
    /// Fills what was freed.
    const DEAD: u8;
    /// Stands before and behind the data.
    const GUARD: u8;
}

/// CPython 2.3 to 2.6: 16 bytes a block, and no domains.
pub struct Python23Hooks;

impl Era for Python23Hooks {
    const FIELD: usize = 4;
    const NAMES_DOMAIN: bool = false;
    const SERIAL: bool = true;
    const CLEAN: u8 = 0xcb;
    const DEAD: u8 = 0xdb;
    const GUARD: u8 = 0xfb;
}

/// CPython 2.7 to 3.7: 32 bytes a block.
pub struct Python27Hooks;

impl Era for Python27Hooks {
    const FIELD: usize = 8;
    const NAMES_DOMAIN: bool = true;
    const SERIAL: bool = true;
    const CLEAN: u8 = 0xcb;
    const DEAD: u8 = 0xdb;
    const GUARD: u8 = 0xfb;
}

/// CPython 3.8 and later: 24 bytes a block, 32 with serial numbers.
pub struct Python38Hooks<const SERIAL: bool = false>;

impl<const SERIAL: bool> Era for Python38Hooks<SERIAL> {
    const FIELD: usize = 8;
    const NAMES_DOMAIN: bool = true;
    const SERIAL: bool = SERIAL;
    const CLEAN: u8 = 0xcd;
    const DEAD: u8 = 0xdd;
    const GUARD: u8 = 0xfd;
}
