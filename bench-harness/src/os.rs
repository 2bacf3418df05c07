//! Memory straight from the kernel, and what the kernel says of this process.

pub(crate) mod processors;
pub(crate) mod residency;

use std::io;
use std::ptr::{self, NonNull};
use std::time::Duration;

/// Size and alignment of a huge page, in bytes.
const HUGE_BYTES: usize = 2 << 20;

/// An anonymous private mapping, unmapped on drop.
///
/// M1: `[start, start + len)` is mapped readable and writable for as long as the value lives.
/// M2: it lies inside `[base, base + mapped)`, which is what was mapped.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
    base: NonNull<u8>,
    mapped: usize,
}

impl Mapping {
    /// Maps `len` bytes (at least one) and writes to every OS page, so that all of it is resident.
    ///
    /// Asks for huge pages: the harness's own tables shall take as few entries of the address
    /// translation cache as they can from the subject under test.
    pub(crate) fn populated(len: usize) -> io::Result<Self> {
        let mapping = Self::reserved(len)?;
        // Only a hint: kernels without huge pages refuse it, and nothing depends on it.
        // SAFETY: M2: the memory is ours, and the advice does not change its contents.
        unsafe { libc::madvise(mapping.base.as_ptr().cast(), mapping.mapped, libc::MADV_HUGEPAGE) };
        for at in (0..mapping.len).step_by(page_bytes()) {
            // SAFETY: M1; `at < len`.
            unsafe { mapping.start().wrapping_add(at).write_volatile(0) };
        }
        Ok(mapping)
    }

    /// Maps `len` bytes of address space; OS pages become resident when first touched.
    pub(crate) fn reserved(len: usize) -> io::Result<Self> {
        let len = len.max(1);
        let mapped = len.saturating_add(2 * HUGE_BYTES) / HUGE_BYTES * HUGE_BYTES;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                mapped,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base: NonNull<u8> =
            NonNull::new(base.cast()).expect("mmap never maps address zero by itself");
        let padding = base.as_ptr().addr().wrapping_neg() % HUGE_BYTES;
        let start = base.map_addr(|addr| addr.saturating_add(padding));
        Ok(Self { start, len, base, mapped })
    }

    /// First byte.
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Bytes mapped.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The memory as bytes.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: M1, and `&mut self` makes the slice the only way to the memory.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// The memory as whole words.
    pub(crate) fn words(&self) -> &[u64] {
        // SAFETY: M1; mappings are aligned to OS pages, and any bytes are a valid u64.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len / 8) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: M2: the mapping is ours and nothing borrows it any more.
        let result = unsafe { libc::munmap(self.base.as_ptr().cast(), self.mapped) };
        debug_assert_eq!(result, 0);
    }
}

/// Anonymous memory of this process that is resident, in bytes; exact, read from the page tables.
///
/// Reads into a fixed buffer: the process's allocator, which may be the subject, is not called.
pub(crate) fn anonymous_resident_bytes() -> io::Result<u64> {
    let mut buffer = [0; 4096];
    let text = read_file(c"/proc/self/smaps_rollup", &mut buffer)?;
    field_kib(text, b"Anonymous:").map(|kib| kib * 1024).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "smaps_rollup without an Anonymous line")
    })
}

/// Page faults of this process so far, minor and major.
pub(crate) fn page_faults() -> u64 {
    // SAFETY: all bytes zero is a valid rusage, a plain C struct of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live rusage.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    debug_assert_eq!(result, 0);
    (usage.ru_minflt + usage.ru_majflt) as u64
}

/// What the kernel has counted for one thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadUsage {
    /// Minor and major.
    pub(crate) page_faults: u64,
    /// Given away and taken away.
    pub(crate) context_switches: u64,
}

/// Page faults and context switches of the calling thread so far.
pub(crate) fn thread_usage() -> ThreadUsage {
    // SAFETY: all bytes zero is a valid rusage, a plain C struct of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live rusage.
    let result = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    debug_assert_eq!(result, 0);
    ThreadUsage {
        page_faults: (usage.ru_minflt + usage.ru_majflt) as u64,
        context_switches: (usage.ru_nvcsw + usage.ru_nivcsw) as u64,
    }
}

/// Processor time of the calling thread so far.
pub(crate) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Address space of this process, in bytes. Calls nobody's allocator, like
/// [`anonymous_resident_bytes`].
pub(crate) fn mapped_bytes() -> io::Result<i64> {
    let mut buffer = [0; 256];
    let text = read_file(c"/proc/self/statm", &mut buffer)?;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let pages = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Ok(pages * page_bytes() as i64)
}

/// Mappings of this process.
pub(crate) fn mappings() -> io::Result<usize> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().count())
}

/// Whether the kernel gives huge pages to whoever has room for one.
pub(crate) fn are_huge_pages_given_unasked() -> bool {
    std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled")
        .is_ok_and(|text| text.contains("[always]"))
}

/// Whether the kernel gives this process mappings of so many bytes, all of them at once, that it may write to.
pub(crate) fn may_map(bytes: &[usize]) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let map = |&bytes: &usize| {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing.
        let base = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
        (base, bytes)
    };
    let maps: Vec<_> = bytes.iter().map(map).collect();
    let is_refused = |base| base == libc::MAP_FAILED;
    for &(base, bytes) in maps.iter().filter(|(base, _)| !is_refused(*base)) {
        // SAFETY: a mapping just made, which nobody has used.
        unsafe { libc::munmap(base, bytes) };
    }
    maps.iter().all(|(base, _)| !is_refused(*base))
}

/// Leaves this process, for good, no more of a resource of `setrlimit` than this.
///
/// # Errors
/// What the kernel says.
pub(crate) fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let done = |code: i32| if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live struct.
    done(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    limit.rlim_cur = most.min(limit.rlim_cur);
    // SAFETY: reads a live struct.
    done(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// Size of an OS page, in bytes.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

fn read_file<'buffer>(
    path: &std::ffi::CStr,
    buffer: &'buffer mut [u8],
) -> io::Result<&'buffer [u8]> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut len = 0;
    let error = loop {
        let rest = &mut buffer[len..];
        // SAFETY: the pointer and length are of one live slice.
        let read = unsafe { libc::read(fd, rest.as_mut_ptr().cast(), rest.len()) };
        match read {
            0 => break None,
            1.. => len += read as usize,
            _ => break Some(io::Error::last_os_error()),
        }
    };
    // SAFETY: the descriptor was opened above and is closed once.
    unsafe { libc::close(fd) };
    match error {
        Some(error) => Err(error),
        None => Ok(&buffer[..len]),
    }
}

fn field_kib(text: &[u8], name: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').find(|line| line.starts_with(name))?;
    let mut digits = line[name.len()..].iter().filter(|byte| byte.is_ascii_digit()).peekable();
    digits.peek()?;
    Some(digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By how much the resident memory of the process grew while `map` made its mapping of so many bytes,
    /// at the try that comes nearest to `expected`: other tests allocate and free beside this one.
    fn growth(bytes: usize, expected: u64, map: fn(usize) -> io::Result<Mapping>) -> u64 {
        let grown = (0..100).map(|_| {
            let before = anonymous_resident_bytes().unwrap();
            let mapping = map(bytes).unwrap();
            let after = anonymous_resident_bytes().unwrap();
            assert_eq!(mapping.len(), bytes);
            after.saturating_sub(before)
        });
        grown.min_by_key(|grown| grown.abs_diff(expected)).unwrap()
    }

    #[test]
    fn anonymous_memory_grows_by_what_is_touched() {
        let grown = growth(8 << 20, 8 << 20, Mapping::populated);
        assert!(grown.abs_diff(8 << 20) < 1 << 20, "{grown}");
    }

    #[test]
    fn reserved_memory_is_not_resident_until_touched() {
        let grown = growth(64 << 20, 0, Mapping::reserved);
        assert!(grown < 1 << 20, "{grown}");
    }

    #[test]
    fn fields_are_found_by_name_and_absent_ones_are_not_zero() {
        let text = b"Rss:    12 kB\nAnonymous:      340 kB\n";
        assert_eq!(field_kib(text, b"Anonymous:"), Some(340));
        assert_eq!(field_kib(text, b"Locked:"), None);
        assert_eq!(field_kib(b"Locked: kB\n", b"Locked:"), None);
    }
}
