//! Which OS pages of this process are resident, by their numbers (address over the size of a page).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::page_bytes;

/// Mappings larger than this are not looked through: the harness has none, and an allocator's
/// reservation of address space may be many times larger than memory.
const LARGEST_PAGES: u64 = 1 << 18;

/// Entries of the page map that are read at once.
const CHUNK: usize = 512;

/// In an entry of `/proc/self/pagemap`: the page is present, or is in swap.
const PRESENT: u64 = 0b11 << 62;

/// Reads the page map of this process.
pub(crate) struct PageMap(File);

impl PageMap {
    /// # Errors
    /// When the kernel keeps it closed.
    pub(crate) fn open() -> io::Result<Self> {
        File::open("/proc/self/pagemap").map(Self)
    }

    /// Tells of every page of `[first, first + count)` whether it is resident, in order. Pages that
    /// are not mapped are not resident.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub(crate) fn each(
        &self,
        first: u64,
        count: u64,
        mut take: impl FnMut(u64, bool),
    ) -> io::Result<()> {
        let mut buffer = [0; CHUNK * 8];
        let mut at = first;
        while at < first + count {
            let pages = (first + count - at).min(CHUNK as u64);
            let bytes = &mut buffer[..pages as usize * 8];
            self.0.read_exact_at(bytes, at * 8)?;
            for entry in bytes.chunks_exact(8) {
                let entry = u64::from_ne_bytes(entry.try_into().expect("chunks of eight bytes"));
                take(at, entry & PRESENT != 0);
                at += 1;
            }
        }
        Ok(())
    }
}

/// Resident pages at some time, as `[first, end)` in rising order.
pub(crate) struct Resident(Vec<(u64, u64)>);

impl Resident {
    /// What is resident now, in mappings of at most [`LARGEST_PAGES`].
    ///
    /// # Errors
    /// When the kernel keeps its maps closed.
    pub(crate) fn now() -> io::Result<Self> {
        let map = PageMap::open()?;
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for line in std::fs::read_to_string("/proc/self/maps")?.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let page = |text| u64::from_str_radix(text, 16).ok().map(|at| at / page_bytes() as u64);
            let Some((first, end)) = range.and_then(|(from, to)| Some((page(from)?, page(to)?)))
            else {
                continue;
            };
            // The kernel's own pages at the upper end of the address space have no entries.
            if end - first > LARGEST_PAGES || first >= 1 << 36 {
                continue;
            }
            map.each(first, end - first, |page, resident| {
                if !resident {
                    return;
                }
                match runs.last_mut() {
                    Some(last) if last.1 == page => last.1 += 1,
                    _ => runs.push((page, page + 1)),
                }
            })?;
        }
        Ok(Self(runs))
    }

    /// Whether the page was resident.
    pub(crate) fn holds(&self, page: u64) -> bool {
        let behind = self.0.partition_point(|run| run.0 <= page);
        behind > 0 && page < self.0[behind - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mapping;
    use super::*;

    #[test]
    fn touched_pages_are_resident_and_untouched_ones_are_not() {
        let mapping = Mapping::reserved(8 << 12).unwrap();
        // SAFETY: inside the mapping.
        unsafe { mapping.start().wrapping_add(3 << 12).write_volatile(1) };
        let first = mapping.start().addr() as u64 / page_bytes() as u64;
        let mut found = Vec::new();
        PageMap::open().unwrap().each(first, 8, |_, resident| found.push(resident)).unwrap();
        // A huge page may have been given: then all are.
        assert!(found[3], "{found:?}");
        let resident = Resident::now().unwrap();
        for (page, is) in (first..).zip(found) {
            assert_eq!(resident.holds(page), is, "{page}");
        }
    }
}
