//! The prefixed functions of [`Arenite`](arenite::Arenite) for Rust programs that want C functions
//! without C symbols, a benchmark of function tables for one.

crate::functions! {
    arenite::Arenite, #[inline(never)],
    arenite_malloc arenite_calloc arenite_free arenite_realloc arenite_reallocarray
    arenite_aligned_alloc arenite_posix_memalign arenite_memalign arenite_valloc arenite_pvalloc
    arenite_malloc_usable_size arenite_free_sized arenite_free_aligned_sized
}

crate::extras! {
    arenite::Arenite, #[inline(never)],
    arenite_malloc_good_size arenite_owns arenite_purge
}
