//! Which subjects serve several threads, and what they want to be told of them.

use std::ffi::c_int;

use super::{Backing, Subject};
use crate::replay::team::Hooks;

impl Subject {
    /// Why the subject serves one thread only, where it does.
    pub(crate) fn without_threads(&self) -> Option<&'static str> {
        match self.backing {
            Backing::Preset(_) => {
                Some("a classic heap needs an outside lock: it serves one thread")
            }
            Backing::Bump | Backing::Ideal | Backing::IdealInline => {
                Some("the reference serves one thread")
            }
            _ => None,
        }
    }

    /// What is called where a thread begins and ends.
    pub(crate) fn thread_hooks(&self) -> Hooks {
        match self.backing {
            Backing::Rpmalloc => Hooks { enter: Some(rpmalloc_enter), leave: Some(rpmalloc_leave) },
            _ => Hooks::default(),
        }
    }
}

unsafe extern "C" {
    /// As its source declares it; the crate's declaration lacks the argument.
    fn rpmalloc_thread_finalize(release_caches: c_int);
}

/// Built without its preloading, rpmalloc wants to be told of every thread.
fn rpmalloc_enter() {
    // SAFETY: rpmalloc is initialised, as its table was asked for before the replay.
    unsafe { rpmalloc_sys::rpmalloc_thread_initialize() };
}

fn rpmalloc_leave() {
    // SAFETY: the thread was initialised and makes no further call.
    unsafe { rpmalloc_thread_finalize(1) };
}
