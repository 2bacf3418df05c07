//! Macros that turn a door into `extern "C"` functions.

/// Exports the functions of a heap as C symbols, from a library or program of its own.
///
/// * `export!(Heap, prefixed)`: `arenite_malloc` and all that `arenite.h` declares.
/// * `export!(Heap, libc)`: those, and malloc and its family under C's own names, which take the
///   place of the C library's in every program that the library is linked to or preloaded into.
#[macro_export]
macro_rules! export {
    ($heap:ty, prefixed) => {
        $crate::functions! {
            $heap, #[unsafe(no_mangle)],
            arenite_malloc arenite_calloc arenite_free arenite_realloc arenite_reallocarray
            arenite_aligned_alloc arenite_posix_memalign arenite_memalign arenite_valloc
            arenite_pvalloc arenite_malloc_usable_size arenite_free_sized
            arenite_free_aligned_sized
        }
        $crate::extras! {
            $heap, #[unsafe(no_mangle)],
            arenite_malloc_good_size arenite_owns arenite_purge
        }
    };
    ($heap:ty, libc) => {
        $crate::functions! {
            $heap, #[unsafe(no_mangle)],
            malloc calloc free realloc reallocarray aligned_alloc posix_memalign memalign valloc
            pvalloc malloc_usable_size free_sized free_aligned_sized
        }
        $crate::export!($heap, prefixed);
    };
}

/// The family of a heap under the names given, in this order.
#[doc(hidden)]
#[macro_export]
macro_rules! functions {
    ($heap:ty, #[$attribute:meta], $malloc:ident $calloc:ident $free:ident $realloc:ident
     $reallocarray:ident $aligned_alloc:ident $posix_memalign:ident $memalign:ident $valloc:ident
     $pvalloc:ident $malloc_usable_size:ident $free_sized:ident $free_aligned_sized:ident) => {
        /// C `malloc`, see [`door::malloc`]($crate::door::malloc).
        #[$attribute]
        pub extern "C" fn $malloc(size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::malloc::<$heap>(size)
        }

        /// C `calloc`, see [`door::calloc`]($crate::door::calloc).
        #[$attribute]
        pub extern "C" fn $calloc(count: usize, size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::calloc::<$heap>(count, size)
        }

        /// C `free`, see [`door::free`]($crate::door::free).
        ///
        /// # Safety
        /// `block` is null or live, and dead afterwards.
        #[$attribute]
        pub unsafe extern "C" fn $free(block: *mut ::core::ffi::c_void) {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::free::<$heap>(block) };
        }

        /// C `realloc`, see [`door::realloc`]($crate::door::realloc).
        ///
        /// # Safety
        /// `block` is null or live, and dead afterwards unless the result is null and the size is
        /// not 0.
        #[$attribute]
        pub unsafe extern "C" fn $realloc(
            block: *mut ::core::ffi::c_void,
            size: usize,
        ) -> *mut ::core::ffi::c_void {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::realloc::<$heap>(block, size) }
        }

        /// BSD `reallocarray`, see [`door::reallocarray`]($crate::door::reallocarray).
        ///
        /// # Safety
        /// As for `realloc`.
        #[$attribute]
        pub unsafe extern "C" fn $reallocarray(
            block: *mut ::core::ffi::c_void,
            count: usize,
            size: usize,
        ) -> *mut ::core::ffi::c_void {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::reallocarray::<$heap>(block, count, size) }
        }

        /// C11 `aligned_alloc`, see [`door::aligned_alloc`]($crate::door::aligned_alloc).
        #[$attribute]
        pub extern "C" fn $aligned_alloc(align: usize, size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::aligned_alloc::<$heap>(align, size)
        }

        /// POSIX `posix_memalign`, see [`door::posix_memalign`]($crate::door::posix_memalign).
        ///
        /// # Safety
        /// `place` is writable.
        #[$attribute]
        pub unsafe extern "C" fn $posix_memalign(
            place: *mut *mut ::core::ffi::c_void,
            align: usize,
            size: usize,
        ) -> ::core::ffi::c_int {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::posix_memalign::<$heap>(place, align, size) }
        }

        /// SunOS `memalign`, see [`door::memalign`]($crate::door::memalign).
        #[$attribute]
        pub extern "C" fn $memalign(align: usize, size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::memalign::<$heap>(align, size)
        }

        /// BSD `valloc`, see [`door::valloc`]($crate::door::valloc).
        #[$attribute]
        pub extern "C" fn $valloc(size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::valloc::<$heap>(size)
        }

        /// SunOS `pvalloc`, see [`door::pvalloc`]($crate::door::pvalloc).
        #[$attribute]
        pub extern "C" fn $pvalloc(size: usize) -> *mut ::core::ffi::c_void {
            $crate::door::pvalloc::<$heap>(size)
        }

        /// `malloc_usable_size`, see
        /// [`door::malloc_usable_size`]($crate::door::malloc_usable_size).
        ///
        /// # Safety
        /// `block` is null or live.
        #[$attribute]
        pub unsafe extern "C" fn $malloc_usable_size(block: *mut ::core::ffi::c_void) -> usize {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::malloc_usable_size::<$heap>(block) }
        }

        /// C23 `free_sized`, see [`door::free_sized`]($crate::door::free_sized).
        ///
        /// # Safety
        /// `block` is null, or live and of that size, and dead afterwards.
        #[$attribute]
        pub unsafe extern "C" fn $free_sized(block: *mut ::core::ffi::c_void, size: usize) {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::free_sized::<$heap>(block, size) };
        }

        /// C23 `free_aligned_sized`, see [`door::free_sized`]($crate::door::free_sized); the
        /// alignment is not looked at.
        ///
        /// # Safety
        /// `block` is null, or live and of that alignment and size, and dead afterwards.
        #[$attribute]
        pub unsafe extern "C" fn $free_aligned_sized(
            block: *mut ::core::ffi::c_void,
            _align: usize,
            size: usize,
        ) {
            // SAFETY: the caller's obligation.
            unsafe { $crate::door::free_sized::<$heap>(block, size) };
        }
    };
}

/// What a heap offers beyond the family, under the names given, in this order.
#[doc(hidden)]
#[macro_export]
macro_rules! extras {
    ($heap:ty, #[$attribute:meta], $malloc_good_size:ident $owns:ident $purge:ident) => {
        /// Usable size of the block that a request of `size` bytes gets.
        #[$attribute]
        pub extern "C" fn $malloc_good_size(size: usize) -> usize {
            $crate::door::malloc_good_size::<$heap>(size)
        }

        /// Whether the address lies in memory of the heap: 1 or 0. Any address may be asked for.
        #[$attribute]
        pub extern "C" fn $owns(address: *const ::core::ffi::c_void) -> ::core::ffi::c_int {
            $crate::door::owns::<$heap>(address)
        }

        /// Gives back to the system what no live block needs.
        #[$attribute]
        pub extern "C" fn $purge() {
            $crate::door::purge::<$heap>();
        }
    };
}

/// What a library without std needs to be one. A build that unwinds has std and its handler.
#[macro_export]
macro_rules! panic_handler {
    () => {
        #[cfg(panic = "abort")]
        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::abort()
        }
    };
}
