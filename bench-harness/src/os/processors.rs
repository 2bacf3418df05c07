//! The processors that a thread may run on.

/// Processors that a set has room for.
const MOST: usize = 8 * size_of::<libc::cpu_set_t>();

/// Numbers of the processors that this thread may run on; none where the kernel does not tell.
pub(crate) fn allowed() -> Vec<usize> {
    let mut set = none();
    // SAFETY: the set is a live one of this size.
    let refused = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: the numbers lie within the set.
    let is_in = |number: &usize| refused == 0 && unsafe { libc::CPU_ISSET(*number, &set) };
    (0..MOST).filter(is_in).collect()
}

/// Keeps this thread, and those that it starts, on these processors. Where that is refused, nothing but
/// that is lost.
pub(crate) fn stay_on(processors: &[usize]) {
    let mut set = none();
    for &processor in processors {
        if processor < MOST {
            // SAFETY: the number lies within the set.
            unsafe { libc::CPU_SET(processor, &mut set) };
        }
    }
    // SAFETY: the set is a live one of this size.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

/// Number of the processor that this thread runs on.
pub(crate) fn current() -> Option<usize> {
    // SAFETY: asks where this thread runs.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

fn none() -> libc::cpu_set_t {
    // SAFETY: plain data, for which zeros are a value: no processor.
    unsafe { std::mem::zeroed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_where_it_was_told_to_and_others_are_free() {
        let before = allowed();
        let last = *before.last().unwrap();
        let kept = std::thread::spawn(move || {
            stay_on(&[last]);
            (allowed(), current())
        });
        assert_eq!(kept.join().unwrap(), (vec![last], Some(last)));
        assert_eq!(allowed(), before);
        // Too large for any set, and so ignored: the set that is left is empty, and refused.
        stay_on(&[usize::MAX]);
        assert_eq!(allowed(), before);
    }
}
