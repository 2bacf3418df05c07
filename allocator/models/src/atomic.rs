//! The model checker's atomics and cells, as statics: they can be made by the compiler, and begin
//! anew with every run.
//!
//! The model checker wants them made before threads begin. [`begin`] makes all those anew that any
//! run has used, so that the runs of a model are preceded by one without threads.

use std::cell::{Cell, UnsafeCell as StdUnsafeCell};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use loom::sync::atomic::Ordering;

/// Number of the run.
static RUN: AtomicUsize = AtomicUsize::new(0);

/// A static that was used, and how to make it anew.
type Used = (usize, fn(usize));

static USED: Mutex<Vec<Used>> = Mutex::new(Vec::new());

/// Lets one model run at a time.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static MODEL: Mutex<()> = Mutex::new(());
    MODEL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a run.
pub(crate) fn begin() {
    RUN.fetch_add(1, StdOrdering::Relaxed);
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (place, renew) in used {
        renew(place);
    }
}

/// A value that is made anew in every run. Models run one at a time, and the threads of a model take
/// turns.
struct PerRun<T> {
    run: Cell<usize>,
    value: StdUnsafeCell<MaybeUninit<T>>,
}

impl<T> PerRun<T> {
    const fn new() -> Self {
        Self { run: Cell::new(0), value: StdUnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// The value; `make` makes it.
    fn get(&self, make: impl FnOnce() -> T) -> &T {
        let run = RUN.load(StdOrdering::Relaxed);
        // SAFETY: threads take turns, and nobody keeps a reference from another run.
        let value = unsafe { &mut *self.value.get() };
        if self.run.replace(run) != run {
            // The value of the run before is forgotten: its run is over.
            value.write(make());
        }
        // SAFETY: written in this run.
        unsafe { value.assume_init_ref() }
    }
}

fn register(first: &Cell<bool>, place: usize, renew: fn(usize)) {
    if first.replace(false) {
        USED.lock().unwrap_or_else(PoisonError::into_inner).push((place, renew));
    }
}

macro_rules! atomic {
    ($name:ident $(<$t:ident>)?, $value:ty) => {
        pub(crate) struct $name $(<$t: 'static>)? {
            initial: $value,
            is_static: Cell<bool>,
            atomic: PerRun<loom::sync::atomic::$name $(<$t>)?>,
        }

        // SAFETY: models run one at a time, and the threads of a model take turns.
        unsafe impl $(<$t>)? Sync for $name $(<$t>)? {}

        impl $(<$t>)? $name $(<$t>)? {
            pub(crate) const fn new(initial: $value) -> Self {
                Self { initial, is_static: Cell::new(true), atomic: PerRun::new() }
            }

            /// One that is no static, and belongs to this run.
            pub(crate) fn of_this_run(initial: $value) -> Self {
                let atomic = Self::new(initial);
                atomic.is_static.set(false);
                atomic.get();
                atomic
            }

            fn get(&self) -> &loom::sync::atomic::$name $(<$t>)? {
                register(&self.is_static, std::ptr::from_ref(self).expose_provenance(), |place| {
                    let place = std::ptr::with_exposed_provenance::<Self>(place);
                    // SAFETY: a static.
                    unsafe { &*place }.get();
                });
                self.atomic.get(|| loom::sync::atomic::$name::new(self.initial))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.get().load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.get().store(value, order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.get().swap(value, order)
            }

            pub(crate) fn compare_exchange(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.get().compare_exchange(old, new, success, failure)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.get().compare_exchange_weak(old, new, success, failure)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicBool, bool);
atomic!(AtomicPtr<T>, *mut T);

impl AtomicU32 {
    pub(crate) fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        self.get().fetch_add(value, order)
    }
}

/// Something that one thread at a time may touch: a run fails when two touches are not ordered.
pub(crate) struct Turn(PerRun<loom::cell::UnsafeCell<()>>);

impl Turn {
    pub(crate) const fn new() -> Self {
        Self(PerRun::new())
    }

    pub(crate) fn touch(&self) {
        self.0.get(|| loom::cell::UnsafeCell::new(())).with_mut(|_| ());
    }
}

/// A cell whose every use must be ordered with the others.
pub(crate) struct UnsafeCell<T: 'static> {
    value: StdUnsafeCell<T>,
    /// The bytes of the value before the first run.
    pristine: StdUnsafeCell<Vec<u8>>,
    is_static: Cell<bool>,
    turn: Turn,
    run: Cell<usize>,
}

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value: StdUnsafeCell::new(value),
            pristine: StdUnsafeCell::new(Vec::new()),
            is_static: Cell::new(true),
            turn: Turn::new(),
            run: Cell::new(0),
        }
    }

    pub(crate) fn get(&self) -> *mut T {
        let bytes = self.value.get().cast::<u8>();
        // SAFETY: threads take turns.
        let pristine = unsafe { &mut *self.pristine.get() };
        if self.is_static.get() {
            // SAFETY: the value is that large; the first use is before any change.
            pristine
                .extend_from_slice(unsafe { std::slice::from_raw_parts(bytes, size_of::<T>()) });
        }
        register(&self.is_static, std::ptr::from_ref(self).expose_provenance(), |place| {
            let place = std::ptr::with_exposed_provenance::<Self>(place);
            // SAFETY: a static.
            unsafe { &*place }.get();
        });
        let run = RUN.load(StdOrdering::Relaxed);
        if self.run.replace(run) != run {
            // SAFETY: the value is that large, and nobody keeps a reference from another run.
            unsafe { bytes.copy_from_nonoverlapping(pristine.as_ptr(), size_of::<T>()) };
        }
        self.turn.touch();
        self.value.get()
    }
}
