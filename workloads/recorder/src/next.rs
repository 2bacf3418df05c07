//! The allocator behind: whose malloc would serve the program without the recorder.
//!
//! Found by `dlsym(RTLD_NEXT)`, and not by glibc's `__libc_malloc` names, so that a program linked
//! with an allocator of its own keeps it: had its malloc been taken over by glibc and its
//! `malloc_usable_size` or `operator delete` not, it would crash. For the same reason the recorder
//! exports no `malloc_usable_size`: the program finds the right one by itself. What such a program
//! asks for under other names (`sdallocx`, an `operator new` that does not call malloc) is not
//! recorded.
//!
//! Every function is found by the constructor at the latest, and malloc and free mostly before, at
//! their first call. `dlsym` allocates nothing when it finds the name (glibc before 2.34: a few
//! bytes in a second thread). Should it allocate all the same, glibc's own functions serve the
//! call.

use core::ffi::{CStr, c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Release};
use core::sync::atomic::{AtomicBool, AtomicPtr};

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
}

/// The address of one function, null until it is known.
struct Function {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Function {
    const fn named(name: &'static CStr) -> Self {
        Self { name, address: AtomicPtr::new(null_mut()) }
    }

    /// The address, or null while names are being resolved.
    #[inline(always)]
    fn address(&self) -> *mut c_void {
        // Acquire pairs with the release in `resolve`: what the loader set up is visible.
        let address = self.address.load(Acquire);
        if address.is_null() { self.resolve() } else { address }
    }

    #[cold]
    #[inline(never)]
    fn resolve(&self) -> *mut c_void {
        static RESOLVING: AtomicBool = AtomicBool::new(false);
        if RESOLVING.swap(true, Acquire) {
            return null_mut();
        }
        // SAFETY: a string and a handle that is always valid.
        let address = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.address.store(address, Release);
        RESOLVING.store(false, Release);
        address
    }
}

/// Defines, for each name, a function that calls its namesake of the allocator behind.
macro_rules! next {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty, else $fallback:expr;)*) => {
        /// One [`Function`] per name.
        struct Next {
            $($name: Function,)*
        }

        static NEXT: Next = Next {
            $($name: Function::named(terminated(concat!(stringify!($name), "\0"))),)*
        };

        /// Finds every function, while the process has one thread.
        pub(crate) fn find_all() {
            $(NEXT.$name.address();)*
        }

        $(
            #[doc = concat!("`", stringify!($name), "` of the allocator behind.")]
            ///
            /// # Safety
            /// As for the C function.
            #[inline(always)]
            pub(crate) unsafe fn $name($($argument: $type),*) -> $result {
                type Signature = unsafe extern "C" fn($($type),*) -> $result;
                let address = NEXT.$name.address();
                if address.is_null() {
                    return ($fallback)($($argument),*);
                }
                // SAFETY: the function of this name in C has this signature.
                let function = unsafe { transmute::<*mut c_void, Signature>(address) };
                // SAFETY: the caller's promise.
                unsafe { function($($argument),*) }
            }
        )*
    };
}

/// `text`, which ends with its only zero byte, as a C string.
const fn terminated(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("one zero byte, at the end"),
    }
}

next! {
    malloc(size: usize) -> *mut c_void, else |size| {
        // SAFETY: has no obligations.
        unsafe { __libc_malloc(size) }
    };
    calloc(count: usize, size: usize) -> *mut c_void, else |count, size| {
        // SAFETY: has no obligations.
        unsafe { __libc_calloc(count, size) }
    };
    realloc(block: *mut c_void, size: usize) -> *mut c_void, else |block, size| {
        // SAFETY: the caller's promise.
        unsafe { __libc_realloc(block, size) }
    };
    free(block: *mut c_void) -> (), else |block| {
        // SAFETY: the caller's promise.
        unsafe { __libc_free(block) }
    };
    memalign(align: usize, size: usize) -> *mut c_void, else |align, size| {
        // SAFETY: has no obligations.
        unsafe { __libc_memalign(align, size) }
    };
    aligned_alloc(align: usize, size: usize) -> *mut c_void, else |align, size| {
        // SAFETY: has no obligations.
        unsafe { __libc_memalign(align, size) }
    };
    posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int,
        else |_, _, _| libc::ENOMEM;
    valloc(size: usize) -> *mut c_void, else |_| null_mut();
    pvalloc(size: usize) -> *mut c_void, else |_| null_mut();
}
