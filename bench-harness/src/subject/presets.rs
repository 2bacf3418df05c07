//! The presets of `arenite` as subjects: one heap each for this process, behind C functions.
//!
//! A classic heap runs under an outside lock. Here the lock is the replay itself: presets serve the
//! one thread of a serial replay. Each preset's functions are out of line and of their own, so that
//! an error under Valgrind names the operation and the preset it came from.

use std::cell::UnsafeCell;
use std::ffi::c_void;

use arenite::{Preset as _, Pymalloc23, Pymalloc39, Pymalloc311, SystemMalloc};

use super::single_thread::SingleThread;
use crate::replay::allocator::FunctionTable;

/// A preset, by era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    Python23,
    Python39,
    Python311,
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
            pub(super) const ALL: [Self; 3] = [$(Self::$variant),*];

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
    Python39, python_3_9, Pymalloc39<SystemMalloc>;
    Python311, python_3_11, Pymalloc311<SystemMalloc>;
}
