//! The presets of `arenite` as subjects: one heap each for this process, behind C functions.
//!
//! A classic heap runs under an outside lock. Here the lock is the replay itself: presets serve the
//! one thread of a serial replay. Each preset's functions are out of line and of their own, so that
//! an error under Valgrind names the operation and the preset it came from.

use std::cell::UnsafeCell;
use std::ffi::c_void;

use arenite::{
    ClassicArenaIndex, ClassicArenaIndex2, ClassicArenaIndexDebugger, ClassicArenaIndexGuarded,
    ClassicCookie, ClassicPageMap, ClassicRadixTree, ClassicReservedRange, Preset as _, Pymalloc23,
    Pymalloc27, Pymalloc39, Pymalloc311, Pymalloc315, SystemMalloc,
};

use super::single_thread::SingleThread;
use crate::replay::allocator::FunctionTable;

/// A preset: by era, or by the ownership strategy that it puts on the one geometry of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    Python23,
    Python27,
    Python39,
    Python311,
    Python315,
    ArenaIndex2,
    ArenaIndex,
    ArenaIndexDebugger,
    ArenaIndexGuarded,
    RadixTree,
    PageMap,
    ReservedRange,
    Cookie,
}

macro_rules! presets {
    ($($variant:ident, $module:ident, $heap:ty;)*) => {
        $(mod $module {
            use super::*;

            static HEAP: SingleThread<$heap> =
                SingleThread(UnsafeCell::new(<$heap>::preset(SystemMalloc)));

            unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
                // SAFETY: presets serve one thread and do not call themselves.
                unsafe { HEAP.get() }.malloc(size).cast()
            }

            unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
                // SAFETY: as in `malloc`.
                unsafe { HEAP.get() }.calloc(count, size).cast()
            }

            unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
                // SAFETY: as in `malloc`.
                let heap = unsafe { HEAP.get() };
                // SAFETY: the caller's obligation: null or a live block of this heap.
                unsafe { heap.realloc(block.cast(), size) }.cast()
            }

            unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
                // SAFETY: as in `malloc`.
                unsafe { HEAP.get() }.aligned_alloc(align, size).cast()
            }

            unsafe extern "C" fn free(block: *mut c_void) {
                // SAFETY: as in `malloc`.
                let heap = unsafe { HEAP.get() };
                // SAFETY: the caller's obligation: null or a live block of this heap.
                unsafe { heap.free(block.cast()) };
            }

            unsafe extern "C" fn usable_size(block: *mut c_void) -> usize {
                // SAFETY: as in `malloc`.
                let heap = unsafe { HEAP.get() };
                // SAFETY: the caller's obligation: a live block of this heap.
                unsafe { heap.usable_size(block.cast()) }
            }

            pub(super) const TABLE: FunctionTable = FunctionTable {
                malloc,
                calloc,
                realloc,
                aligned_alloc,
                free,
                usable_size: Some(usable_size),
            };
        })*

        impl Preset {
            pub(super) const ALL: [Self; 13] = [$(Self::$variant),*];

            /// Name as a subject.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => <$heap as arenite::Preset>::NAME),* }
            }

            /// A sentence on the era.
            pub(super) fn era(self) -> &'static str {
                match self { $(Self::$variant => <$heap>::ERA),* }
            }

            /// Name of the ownership strategy.
            pub(super) fn ownership(self) -> &'static str {
                match self { $(Self::$variant => <$heap>::OWNERSHIP),* }
            }

            /// Alignment of every block, in bytes.
            pub(super) fn alignment(self) -> usize {
                match self { $(Self::$variant => <$heap>::ALIGNMENT),* }
            }

            /// The preset's C functions.
            pub(super) fn table(self) -> FunctionTable {
                match self { $(Self::$variant => $module::TABLE),* }
            }
        }
    };
}

presets! {
    Python23, python_2_3, Pymalloc23<SystemMalloc>;
    Python27, python_2_7, Pymalloc27<SystemMalloc>;
    Python39, python_3_9, Pymalloc39<SystemMalloc>;
    Python311, python_3_11, Pymalloc311<SystemMalloc>;
    Python315, python_3_15, Pymalloc315<SystemMalloc>;
    ArenaIndex2, arena_index_2, ClassicArenaIndex2<SystemMalloc>;
    ArenaIndex, arena_index, ClassicArenaIndex<SystemMalloc>;
    ArenaIndexDebugger, arena_index_debugger, ClassicArenaIndexDebugger<SystemMalloc>;
    ArenaIndexGuarded, arena_index_guarded, ClassicArenaIndexGuarded<SystemMalloc>;
    RadixTree, radix_tree, ClassicRadixTree<SystemMalloc>;
    PageMap, page_map, ClassicPageMap<SystemMalloc>;
    ReservedRange, reserved_range, ClassicReservedRange<SystemMalloc>;
    Cookie, cookie, ClassicCookie<SystemMalloc>;
}

impl Preset {
    /// Whether it stands for an era of CPython, and not for a strategy alone.
    pub(super) fn is_era(self) -> bool {
        matches!(
            self,
            Self::Python23 | Self::Python27 | Self::Python39 | Self::Python311 | Self::Python315
        )
    }
}
