//! The printed form of the statistics.

use core::fmt;

use crate::stats::Stats;

/// Width of the number column of the lists under the table.
const NUMBER_WIDTH: usize = 20;
/// Width of the text column of the lists under the table.
const LABEL_WIDTH: usize = 38;

/// A number with a comma between groups of three digits, right-aligned by the width given.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 20 digits and 6 commas are the most a u64 needs; filled from the end.
        let mut text = [0_u8; 26];
        let mut start = text.len();
        let mut rest = self.0;
        for digit in 0.. {
            if digit > 0 && digit % 3 == 0 {
                start -= 1;
                text[start] = b',';
            }
            start -= 1;
            text[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        f.pad_integral(true, "", str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

/// `label = number`, in columns.
pub(crate) fn line(
    f: &mut fmt::Formatter<'_>,
    label: fmt::Arguments<'_>,
    number: u64,
) -> fmt::Result {
    // `Arguments` ignores a width, so the padding is written by hand.
    let mut written = Counted { inner: f, chars: 0 };
    fmt::write(&mut written, label)?;
    let padding = LABEL_WIDTH.saturating_sub(written.chars);
    writeln!(f, "{:padding$} = {:>NUMBER_WIDTH$}", "", Grouped(number))
}

/// Counts the characters that pass through.
struct Counted<'a, 'b> {
    inner: &'a mut fmt::Formatter<'b>,
    chars: usize,
}

impl fmt::Write for Counted<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.chars += text.chars().count();
        self.inner.write_str(text)
    }
}

/// The table of non-empty classes, the arena counts, the byte account with its sum, and the tables
/// of the ownership strategy if it has any.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes().len();
        writeln!(f, "Small block threshold = {}, in {classes} size classes.", self.threshold)?;
        writeln!(f)?;
        writeln!(f, "class   size   num pools   blocks in use  avail blocks")?;
        writeln!(f, "-----   ----   ---------   -------------  ------------")?;
        for (index, class) in self.classes().iter().enumerate() {
            if class.pools > 0 {
                writeln!(
                    f,
                    "{index:5} {:6} {:11} {:15} {:13}",
                    class.block_bytes, class.pools, class.live_blocks, class.free_blocks
                )?;
            }
        }
        writeln!(f)?;

        line(f, format_args!("# arenas allocated total"), self.arenas_ever)?;
        line(f, format_args!("# arenas reclaimed"), self.arenas_reclaimed)?;
        line(f, format_args!("# arenas highwater mark"), self.arenas_high_water as u64)?;
        line(f, format_args!("# arenas allocated current"), self.arenas_current as u64)?;
        let (arenas, arena_bytes) = (self.arenas_current, self.arena_bytes);
        let mapped = self.mapped_bytes() as u64;
        line(f, format_args!("{arenas} arenas * {arena_bytes} bytes/arena"), mapped)?;
        writeln!(f)?;

        line(f, format_args!("# bytes in allocated blocks"), self.live_bytes as u64)?;
        line(f, format_args!("# bytes in available blocks"), self.free_bytes as u64)?;
        let (pools, pool_bytes) = (self.unused_pools, self.pool_bytes);
        let unused = self.unused_pool_bytes() as u64;
        line(f, format_args!("{pools} unused pools * {pool_bytes} bytes"), unused)?;
        line(f, format_args!("# bytes lost to pool headers"), self.header_bytes as u64)?;
        line(f, format_args!("# bytes lost to quantization"), self.quantization_bytes as u64)?;
        line(f, format_args!("# bytes lost to arena alignment"), self.alignment_bytes as u64)?;
        line(f, format_args!("Total"), self.accounted_bytes() as u64)?;

        let tables = &self.ownership;
        if tables.total_bytes() > 0 {
            writeln!(f)?;
            line(f, format_args!("# arena map mid nodes"), tables.mid_nodes as u64)?;
            line(f, format_args!("# arena map bot nodes"), tables.leaf_nodes as u64)?;
            let mid = (tables.mid_nodes * tables.mid_node_bytes) as u64;
            let leaf = (tables.leaf_nodes * tables.leaf_node_bytes) as u64;
            line(f, format_args!("# bytes lost to arena map root"), tables.root_bytes as u64)?;
            line(f, format_args!("# bytes lost to arena map mid"), mid)?;
            line(f, format_args!("# bytes lost to arena map bot"), leaf)?;
            line(f, format_args!("Total"), tables.total_bytes() as u64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Grouped;
    use std::string::ToString;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let cases: [(u64, &str); 6] = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_048_576, "1,048,576"),
            (100_000, "100,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (number, text) in cases {
            assert_eq!(Grouped(number).to_string(), text);
        }
        assert_eq!(std::format!("{:>8}", Grouped(1234)), "   1,234");
    }
}
