//! Proof of which library a function belongs to, read back from the running process.

use std::ffi::{CStr, c_void};
use std::path::PathBuf;

/// Path of the file that the code at `function` was mapped from, as the loader names it.
pub(super) fn library_of(function: *const c_void) -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr looks an address up and writes the result into `info`.
    let found = unsafe { libc::dladdr(function, info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: all bytes of a Dl_info may be zero, and dladdr has filled it in.
    let info = unsafe { info.assume_init() };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr succeeded, so the name is a C string of the loader's.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(name.to_str().ok()?);
    Some(path.canonicalize().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malloc_of_an_ordinary_process_belongs_to_the_c_library() {
        let library = library_of(libc::malloc as *const c_void).unwrap();
        let name = library.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("libc"), "{name}");
    }

    #[test]
    fn an_address_in_no_library_has_none() {
        let local = 0_u8;
        assert_eq!(library_of((&raw const local).cast()), None);
    }
}
