//! What the whole heap must look like, in a process of which the test has the only word.

use arenite::Arenite;

/// Every invariant holds, and every byte is accounted for.
pub(crate) fn assert_sound() {
    if let Err(violation) = Arenite::validate() {
        panic!("{violation}");
    }
    let stats = Arenite::stats();
    assert_eq!(stats.accounted_bytes(), stats.mapped_bytes(), "{stats}");
}

/// No block is live, and after a purge no free memory is kept, though arenas may stay committed.
pub(crate) fn assert_free() {
    assert_sound();
    assert_eq!(Arenite::stats().live_blocks(), 0, "{}", Arenite::stats());
    Arenite::purge();
    assert_sound();
    let stats = Arenite::stats();
    assert_eq!((stats.live_blocks(), stats.huge_bytes), (0, 0), "{stats}");
    assert_eq!(stats.clean_bytes, stats.mapped_bytes(), "no pool is left: {stats}");
}

/// As [`assert_free`], and at most one arena stays.
pub(crate) fn assert_empty() {
    assert_free();
    assert!(Arenite::stats().arenas <= 1, "{}", Arenite::stats());
}
