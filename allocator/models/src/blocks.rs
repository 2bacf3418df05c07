//! Dead blocks, as far as the protocols see them.

/// A block: two words, the seat of one passenger, its map entry, and how often it came home.
#[repr(align(16))]
struct Block {
    link: loom::cell::UnsafeCell<*mut u8>,
    second: loom::cell::UnsafeCell<*mut u8>,
    passenger: loom::cell::UnsafeCell<*mut u8>,
    came_home: loom::cell::UnsafeCell<u32>,
    entry: u32,
}

/// A block with this map entry, for the rest of the process.
pub(crate) fn make(entry: u32) -> *mut u8 {
    let null = std::ptr::null_mut();
    let block = Block {
        link: loom::cell::UnsafeCell::new(null),
        second: loom::cell::UnsafeCell::new(null),
        passenger: loom::cell::UnsafeCell::new(null),
        came_home: loom::cell::UnsafeCell::new(0),
        entry,
    };
    std::ptr::from_mut(Box::leak(Box::new(block))).cast()
}

fn of<'a>(block: *mut u8) -> &'a Block {
    // SAFETY: blocks stay for the rest of the process.
    unsafe { &*block.cast::<Block>() }
}

fn get<T: Copy>(cell: &loom::cell::UnsafeCell<T>) -> T {
    // SAFETY: the model checker fails the run where another thread may be writing.
    cell.with(|value| unsafe { *value })
}

fn set<T>(cell: &loom::cell::UnsafeCell<T>, new: T) {
    // SAFETY: the model checker fails the run where another thread may be using it.
    cell.with_mut(|value| unsafe { *value = new });
}

/// A block is back in its heap.
pub(crate) fn came_home(block: *mut u8) {
    let times = get(&of(block).came_home) + 1;
    assert_eq!(times, 1, "a block came home twice");
    set(&of(block).came_home, times);
}

/// Whether the block is back in its heap.
pub(crate) fn is_home(block: *mut u8) -> bool {
    get(&of(block).came_home) == 1
}

pub(crate) mod slice {
    use super::{get, of, set};

    pub(crate) unsafe fn link(block: *mut u8) -> *mut u8 {
        get(&of(block).link)
    }

    pub(crate) unsafe fn set_link(block: *mut u8, next: *mut u8) {
        set(&of(block).link, next);
    }

    pub(crate) unsafe fn second(block: *mut u8) -> *mut u8 {
        get(&of(block).second)
    }

    pub(crate) unsafe fn set_second(block: *mut u8, value: *mut u8) {
        set(&of(block).second, value);
    }

    /// Of chains of at most two blocks, the second is the one passenger; the seat behind it is where
    /// the null stands.
    pub(crate) unsafe fn passenger(block: *mut u8, seat: usize) -> *mut u8 {
        if seat == 0 { get(&of(block).passenger) } else { std::ptr::null_mut() }
    }

    pub(crate) unsafe fn set_passenger(block: *mut u8, seat: usize, value: *mut u8) {
        match seat {
            0 => set(&of(block).passenger, value),
            _ => assert!(value.is_null(), "a chain of more than two blocks"),
        }
    }
}

pub(crate) mod range {
    use super::of;

    pub(crate) const OWNER_SHIFT: u32 = 12;
    pub(crate) const LARGE: u32 = (1 << OWNER_SHIFT) - 16;

    pub(crate) struct Range;

    /// Where the range lies, which nobody here asks.
    #[derive(Clone, Copy)]
    pub(crate) struct Extent;

    impl Extent {
        pub(crate) const NONE: Self = Self;
    }

    pub(crate) fn primary() -> Range {
        Range
    }

    /// Every block lies in the one range; its index is its address.
    pub(crate) fn locate(block: *mut u8) -> Option<(Range, usize)> {
        (!block.is_null()).then(|| (Range, block.expose_provenance()))
    }

    impl Range {
        pub(crate) fn extent(&self) -> Extent {
            Extent
        }

        pub(crate) fn entry(&self, index: usize) -> u32 {
            of(std::ptr::with_exposed_provenance_mut(index)).entry
        }
    }
}

pub(crate) mod class {
    pub(crate) const GRAIN: usize = 16;
    pub(crate) const OFFSETS_END: usize = 85 * 16;
    /// Offset of a class whose chains are sent block by block.
    pub(crate) const SINGLE: u32 = 16;
    /// Offset of a class whose chains are sent by two.
    pub(crate) const PAIR: u32 = 32;

    pub(crate) struct Class {
        pub(crate) size: u32,
    }

    pub(crate) fn at(offset: usize) -> Class {
        Class { size: if offset == PAIR as usize { 8 << 10 } else { 16 << 10 } }
    }
}
