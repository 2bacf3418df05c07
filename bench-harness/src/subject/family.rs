//! The whole malloc family of a subject, for the contract table.
//!
//! A replay calls six functions through a `FunctionTable`; the contract is about every function that
//! C programs call. In a process that the subject serves by itself (`system`, preloaded libraries)
//! the functions are looked up by name, and one that belongs to another library than malloc does is
//! not the subject's.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::transmute;

use super::{Backing, Subject, identity};
use crate::replay::allocator::FunctionTable;
use crate::replay::team::Hooks;

/// `malloc` and the like: a size in, a block out.
pub(crate) type OfSize = unsafe extern "C" fn(usize) -> *mut c_void;
/// `calloc`, `aligned_alloc` and the like.
pub(crate) type OfTwo = unsafe extern "C" fn(usize, usize) -> *mut c_void;
/// `free`.
pub(crate) type Free = unsafe extern "C" fn(*mut c_void);
/// `realloc`.
pub(crate) type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `reallocarray`.
pub(crate) type Reallocarray = unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void;
/// `posix_memalign`.
pub(crate) type PosixMemalign = unsafe extern "C" fn(*mut *mut c_void, usize, usize) -> c_int;
/// `malloc_usable_size`.
pub(crate) type UsableSize = unsafe extern "C" fn(*mut c_void) -> usize;
/// `free_sized`.
pub(crate) type FreeSized = unsafe extern "C" fn(*mut c_void, usize);
/// `arenite_owns`.
pub(crate) type Owns = unsafe extern "C" fn(*const c_void) -> c_int;
/// `arenite_purge`.
pub(crate) type Purge = unsafe extern "C" fn();
/// `arenite_malloc_good_size`.
pub(crate) type GoodSize = unsafe extern "C" fn(usize) -> usize;
/// `free_aligned_sized`.
pub(crate) type FreeAlignedSized = unsafe extern "C" fn(*mut c_void, usize, usize);

/// The functions of one subject. Only malloc and free are certain.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    pub(crate) malloc: OfSize,
    pub(crate) free: Free,
    pub(crate) calloc: Option<OfTwo>,
    pub(crate) realloc: Option<Realloc>,
    pub(crate) reallocarray: Option<Reallocarray>,
    pub(crate) aligned_alloc: Option<OfTwo>,
    pub(crate) posix_memalign: Option<PosixMemalign>,
    pub(crate) memalign: Option<OfTwo>,
    pub(crate) valloc: Option<OfSize>,
    pub(crate) pvalloc: Option<OfSize>,
    pub(crate) usable_size: Option<UsableSize>,
    pub(crate) free_sized: Option<FreeSized>,
    pub(crate) free_aligned_sized: Option<FreeAlignedSized>,
    pub(crate) owns: Option<Owns>,
    pub(crate) purge: Option<Purge>,
    pub(crate) good_size: Option<GoodSize>,
    /// What a thread calls where it begins and ends, or why there can be one only.
    pub(crate) threads: Result<Hooks, &'static str>,
    /// Whether it serves this process whole, and programs that this one starts.
    pub(crate) serves_process: bool,
}

impl Family {
    /// The family of a subject in a process that it serves; `None` for subjects without C functions.
    ///
    /// # Errors
    /// When the subject cannot be made ready.
    pub(crate) fn of(subject: &Subject) -> io::Result<Option<Self>> {
        let Some(table) = subject.table()? else { return Ok(None) };
        let family = Self::of_table(&table);
        let family = match subject.backing {
            Backing::System | Backing::Preloaded(_) | Backing::Installed(..) | Backing::Own(..) => {
                Self::of_process(&table)
            }
            Backing::Arenite => Self {
                reallocarray: Some(arenite_capi::arenite_reallocarray),
                aligned_alloc: Some(arenite_capi::arenite_aligned_alloc),
                posix_memalign: Some(arenite_capi::arenite_posix_memalign),
                memalign: Some(arenite_capi::arenite_memalign),
                valloc: Some(arenite_capi::arenite_valloc),
                pvalloc: Some(arenite_capi::arenite_pvalloc),
                free_sized: Some(arenite_capi::arenite_free_sized),
                free_aligned_sized: Some(arenite_capi::arenite_free_aligned_sized),
                owns: Some(arenite_capi::arenite_owns),
                purge: Some(arenite_capi::arenite_purge),
                good_size: Some(arenite_capi::arenite_malloc_good_size),
                ..family
            },
            Backing::Mimalloc => Self {
                aligned_alloc: Some(libmimalloc_sys::mi_aligned_alloc),
                posix_memalign: Some(libmimalloc_sys::mi_posix_memalign),
                ..family
            },
            Backing::Jemalloc => Self {
                aligned_alloc: Some(tikv_jemalloc_sys::aligned_alloc),
                posix_memalign: Some(tikv_jemalloc_sys::posix_memalign),
                free_sized: Some(tikv_jemalloc_sys::free_sized),
                free_aligned_sized: Some(tikv_jemalloc_sys::free_aligned_sized),
                ..family
            },
            Backing::Rpmalloc => Self {
                aligned_alloc: Some(rpmalloc_sys::rpaligned_alloc),
                posix_memalign: Some(rpmalloc_sys::rpposix_memalign),
                memalign: Some(rpmalloc_sys::rpmemalign),
                ..family
            },
            _ => family,
        };
        let threads = subject.without_threads().map_or_else(|| Ok(subject.thread_hooks()), Err);
        Ok(Some(Self { threads, ..family }))
    }

    /// What a replay's table holds under C's own meaning. Its aligned allocation is the harness's
    /// own wrapper in some subjects, and left out.
    fn of_table(table: &FunctionTable) -> Self {
        Self {
            malloc: table.malloc,
            free: table.free,
            calloc: Some(table.calloc),
            realloc: Some(table.realloc),
            reallocarray: None,
            aligned_alloc: None,
            posix_memalign: None,
            memalign: None,
            valloc: None,
            pvalloc: None,
            usable_size: table.usable_size,
            free_sized: None,
            free_aligned_sized: None,
            owns: None,
            purge: None,
            good_size: None,
            threads: Ok(Hooks::default()),
            serves_process: false,
        }
    }

    /// The functions that this process finds by name, as far as they lie where malloc does.
    fn of_process(table: &FunctionTable) -> Self {
        let home = identity::library_of(table.malloc as *const c_void);
        let find = |name: &CStr| {
            // SAFETY: a string, and a handle that is always valid.
            let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            let found = !address.is_null() && identity::library_of(address) == home;
            found.then_some(address)
        };
        /// The function at an address that was found under its name.
        macro_rules! function {
            ($name:literal, $signature:ty) => {
                find($name).map(|address| {
                    // SAFETY: functions of this name have this signature.
                    unsafe { transmute::<*mut c_void, $signature>(address) }
                })
            };
        }
        Self {
            malloc: table.malloc,
            free: table.free,
            calloc: function!(c"calloc", OfTwo),
            realloc: function!(c"realloc", Realloc),
            reallocarray: function!(c"reallocarray", Reallocarray),
            aligned_alloc: function!(c"aligned_alloc", OfTwo),
            posix_memalign: function!(c"posix_memalign", PosixMemalign),
            memalign: function!(c"memalign", OfTwo),
            valloc: function!(c"valloc", OfSize),
            pvalloc: function!(c"pvalloc", OfSize),
            usable_size: function!(c"malloc_usable_size", UsableSize),
            free_sized: function!(c"free_sized", FreeSized),
            free_aligned_sized: function!(c"free_aligned_sized", FreeAlignedSized),
            owns: function!(c"arenite_owns", Owns),
            purge: function!(c"arenite_purge", Purge),
            good_size: function!(c"arenite_malloc_good_size", GoodSize),
            threads: Ok(Hooks::default()),
            serves_process: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_has_the_family_that_its_manual_describes() {
        let family = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        assert_eq!(family.malloc as *const c_void, libc::malloc as *const c_void);
        assert!(family.calloc.is_some() && family.reallocarray.is_some());
        assert!(family.pvalloc.is_some() && family.posix_memalign.is_some());
    }

    #[test]
    fn a_subject_that_is_not_called_through_c_has_none() {
        assert!(Family::of(&Subject::parse("null").unwrap()).unwrap().is_none());
    }
}
