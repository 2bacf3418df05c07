//! The flagship heap for `driver.c`, without the standard library, so that every access is seen by
//! the race detector.
#![no_std]

use arenite::Arenite;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn abort() -> !;
    }
    // SAFETY: no preconditions.
    unsafe { abort() }
}

#[unsafe(no_mangle)]
extern "C" fn heap_malloc(size: usize) -> *mut u8 {
    Arenite::malloc(size)
}

#[unsafe(no_mangle)]
extern "C" fn heap_calloc(size: usize) -> *mut u8 {
    Arenite::calloc(1, size)
}

/// # Safety
/// As for [`Arenite::realloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn heap_realloc(block: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's obligation.
    unsafe { Arenite::realloc(block, size) }
}

/// # Safety
/// As for [`Arenite::free`].
#[unsafe(no_mangle)]
unsafe extern "C" fn heap_free(block: *mut u8) {
    // SAFETY: the caller's obligation.
    unsafe { Arenite::free(block) };
}

#[unsafe(no_mangle)]
extern "C" fn heap_purge() {
    Arenite::purge();
}

/// For when no other thread works: 0 when every invariant holds and nothing is live.
#[unsafe(no_mangle)]
extern "C" fn heap_check() -> i32 {
    match Arenite::validate() {
        Ok(()) if Arenite::stats().live_blocks() == 0 => 0,
        Ok(()) => 1,
        Err(_) => 2,
    }
}
