//! Calls after a thread's last: in destructors of its thread-specific data, which the C library runs when
//! the thread has returned, and again where they ask for it, after the allocator may have taken the
//! thread's heap back.

use std::ffi::c_void;
use std::{ptr, thread};

use super::crowd::{Flaw, HELD, LANES, begin, churn, join};
use crate::replay::team::Hooks;
use crate::subject::Family;

/// Times that the destructors of a thread run: as often as POSIX promises, whatever others do in theirs.
const TIMES: u32 = 4;
/// Calls that a thread makes, and each run of its destructors.
const CALLS: u64 = 300;

/// What a destructor works with. Whoever started the thread owns it, and reads it when the thread is gone.
struct Estate<'a> {
    family: &'a Family,
    size: usize,
    seed: u64,
    key: libc::pthread_key_t,
    /// Blocks of the thread's life, which its destructors look at and free.
    blocks: [*mut u8; HELD],
    times: u32,
    outcome: Result<(), Flaw>,
}

// SAFETY: the thread works with it until it has ended, and whoever joins it afterwards.
unsafe impl Send for Estate<'_> {}

/// Allocates on `count` threads, of which [`LANES`] live at once, and goes on in their destructors.
///
/// # Errors
/// What went wrong on the first thread that was not served.
pub(super) fn destructors(
    family: &Family,
    hooks: Hooks,
    count: usize,
    size: usize,
) -> Result<(), String> {
    let mut key = 0;
    // SAFETY: `key` is a place for the result, and the destructor is called with what is set under it.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) } != 0 {
        return Err("no key of thread-specific data is left".to_owned());
    }
    let one = |at: usize| -> Result<(), String> {
        let mut estate = Estate {
            family,
            size,
            seed: at as u64,
            key,
            blocks: [ptr::null_mut(); HELD],
            times: 0,
            outcome: Ok(()),
        };
        let own = &mut estate;
        let lived = thread::scope(|scope| {
            let thread = begin(scope, hooks, move || own.live());
            thread.map_or(Ok(()), |thread| join(thread, &format!("thread {at}")))
        });
        lived.and(estate.outcome.map_err(|flaw| format!("{flaw} in a destructor of thread {at}")))
    };
    let lane = |first: usize| (first..count).step_by(LANES).try_for_each(one);
    let outcome = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|first| scope.spawn(move || lane(first))).collect();
        let ended =
            lanes.into_iter().map(|lane| lane.join().map_err(|_| "a lane died".to_owned())?);
        ended.fold(Ok(()), Result::and)
    });
    // SAFETY: the key made above, which no thread has a value under any more.
    unsafe { libc::pthread_key_delete(key) };
    outcome
}

impl Estate<'_> {
    /// What the thread does while it lives.
    fn live(&mut self) -> Result<(), Flaw> {
        let value: *const Self = self;
        // SAFETY: the key is the trial's, and the value lives until the thread is gone.
        unsafe { libc::pthread_setspecific(self.key, value.cast()) };
        self.allocate();
        churn(self.family, self.size, self.seed, |calls| calls < CALLS)
    }

    fn allocate(&mut self) {
        for block in &mut self.blocks {
            // SAFETY: malloc takes any size.
            *block = unsafe { (self.family.malloc)(self.size) }.cast();
            for end in ends(*block, self.size) {
                // SAFETY: the first or the last byte of a live block.
                unsafe { end.write_volatile(self.seed as u8) };
            }
        }
    }

    /// Looks at the blocks and frees them.
    fn release(&mut self) -> Result<(), Flaw> {
        let mut outcome = Ok(());
        for block in std::mem::replace(&mut self.blocks, [ptr::null_mut(); HELD]) {
            // SAFETY: as in `allocate`.
            let is_kept = |end: *mut u8| unsafe { end.read_volatile() } == self.seed as u8;
            outcome = outcome.and(match block.is_null() {
                true => Err(Flaw::Null),
                false if ends(block, self.size).all(is_kept) => Ok(()),
                false => Err(Flaw::Lost),
            });
            // SAFETY: null, or a live block that is not used again.
            unsafe { (self.family.free)(block.cast()) };
        }
        outcome
    }

    /// What a run of the destructor does.
    fn wind_up(&mut self) -> Result<(), Flaw> {
        self.release()?;
        self.allocate();
        churn(self.family, self.size, self.seed, |calls| calls < CALLS)
    }
}

/// First and last byte of a block; none of no block.
fn ends(block: *mut u8, size: usize) -> impl Iterator<Item = *mut u8> {
    let both = [block, block.wrapping_add(size - 1)];
    both.into_iter().filter(move |_| !block.is_null())
}

unsafe extern "C" fn destructor(value: *mut c_void) {
    // SAFETY: the estate of this thread, set in `live`, which nobody else works with before the thread is
    // gone.
    let estate = unsafe { &mut *value.cast::<Estate<'_>>() };
    estate.times += 1;
    let outcome = estate.wind_up();
    estate.outcome = estate.outcome.and(outcome);
    if estate.times < TIMES {
        // SAFETY: as in `live`; asks for another run.
        unsafe { libc::pthread_setspecific(estate.key, value) };
    } else {
        let outcome = estate.release();
        estate.outcome = estate.outcome.and(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const SIZE: usize = 100;

    thread_local! {
        static CALLS_HERE: Cell<u64> = const { Cell::new(0) };
    }

    /// Serves a thread while it lives, as far as can be told by its calls.
    unsafe extern "C" fn malloc_of_the_living(size: usize) -> *mut c_void {
        let calls = CALLS_HERE.replace(CALLS_HERE.get() + 1);
        if calls < CALLS + HELD as u64 {
            // SAFETY: malloc takes any size.
            unsafe { libc::malloc(size) }
        } else {
            ptr::null_mut()
        }
    }

    #[test]
    fn a_thread_that_is_not_served_after_its_end_is_found() {
        if !is_alone() {
            return;
        }
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let hooks = Hooks::default();
        destructors(&system, hooks, 12, SIZE).unwrap();
        let planted = Family { malloc: malloc_of_the_living, ..system };
        let why = destructors(&planted, hooks, 12, SIZE).unwrap_err();
        assert_eq!(why, "null in a destructor of thread 0");
    }
}
