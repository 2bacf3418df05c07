//! The storage of a dict's entries: when it grows and what it then asks for.
//!
//! From 3.6 on the storage is one block beside the dict object:
//! ```text
//! header                    40 bytes, 32 from 3.11
//! index    slots x width    width 1 up to 128 slots, 2 up to 32,768, 4 above
//! entries  usable x entry   usable = floor(2 x slots / 3); entry 24 bytes, or 16 from 3.11 while
//!                           every key is a str
//! ```
//! Before, the table is slots x 24 bytes, and 8 slots lie inside the dict object.
//!
//! * D1: from 3.6 on `usable` counts the inserts of new keys left before the table is full. Full,
//!   it is replaced by the smallest power of two of slots >= growth, where growth is 3 x `used`
//!   from 3.7 and 2 x `used` + `slots` / 2 in 3.6. A deletion gives no insert back.
//! * D2: in 2.x the table is replaced after an insert that leaves `fill` x 3 >= `slots` x 2, by the
//!   smallest power of two of slots > 4 x `used` (2 x `used` above 50,000 keys). `fill` counts
//!   deleted keys too.
//! * D3: a table is replaced, never resized: the new block is allocated, the entries are copied,
//!   the old block is freed.
//! * D4: from 3.11 on the first key that is no str makes a table of 24-byte entries of a table of
//!   16-byte ones, sized as by D1.
//!
//! Source: `dictobject.c:new_keys_object, insertion_resize, dictresize, GROWTH_RATE,
//! USABLE_FRACTION, calculate_log2_keysize` (3.x), `dictresize, PyDict_SetItem` (2.x).

use super::era::Era;

/// Fewest slots of a table, as a power of two.
const LEAST_LOG2: u32 = 3;

/// Keys above which a table of 2.x doubles instead of quadrupling.
const DOUBLING_ABOVE: u64 = 50_000;

/// Geometry and fill of one dict's storage.
#[derive(Clone, Debug)]
pub(super) struct Table {
    era: Era,
    /// Slots as a power of two; `None` until the first insert (3.x) or while the slots are those
    /// inside the dict object (2.x).
    log2: Option<u32>,
    /// Whether entries take 16 bytes (D4).
    is_str_only: bool,
    /// Inserts left (D1); dead in 2.x.
    usable: u64,
    /// Live keys.
    used: u64,
    /// Live and deleted keys (D2); dead in 3.x.
    fill: u64,
}

impl Table {
    /// The storage of an empty dict, which has no block.
    pub(super) fn new(era: Era) -> Self {
        Table { era, log2: None, is_str_only: true, usable: 0, used: 0, fill: 0 }
    }

    /// Inserts a new key; when the table had to be replaced for it, the bytes of the new one.
    pub(super) fn insert(&mut self, is_str: bool) -> Option<u64> {
        if self.era <= Era::V2_7 {
            return self.insert_by_fill();
        }
        let grown = if self.log2.is_none() {
            self.is_str_only = is_str && self.era >= Era::V3_11;
            Some(self.replace(LEAST_LOG2))
        } else if self.is_str_only && !is_str {
            self.is_str_only = false;
            Some(self.replace(self.grown_log2()))
        } else if self.usable == 0 {
            Some(self.replace(self.grown_log2()))
        } else {
            None
        };
        self.usable -= 1;
        self.used += 1;
        grown
    }

    /// Deletes a key.
    pub(super) fn delete(&mut self) {
        self.used -= 1;
    }

    /// Whether the present block is of the kind that a free list keeps when it dies: of the least
    /// size, and from 3.11 on with 16-byte entries.
    pub(super) fn is_kept_when_dead(&self) -> bool {
        self.era >= Era::V3_6
            && self.log2 == Some(LEAST_LOG2)
            && (self.is_str_only || self.era <= Era::V3_10)
    }

    /// D2.
    fn insert_by_fill(&mut self) -> Option<u64> {
        self.used += 1;
        self.fill += 1;
        let slots = 1_u64 << self.log2.unwrap_or(LEAST_LOG2);
        if self.fill * 3 < slots * 2 {
            return None;
        }
        let more_than = self.used * if self.used > DOUBLING_ABOVE { 2 } else { 4 };
        let log2 = (more_than + 1).next_power_of_two().ilog2().max(LEAST_LOG2);
        self.fill = self.used;
        // A table that shrinks to 8 slots moves back into the dict object.
        self.log2 = (log2 > LEAST_LOG2).then_some(log2);
        self.log2.map(|log2| (1 << log2) * 24)
    }

    /// D1: the size that follows.
    fn grown_log2(&self) -> u32 {
        let slots = 1 << self.log2.unwrap_or(0);
        let growth = if self.era == Era::V3_6 { 2 * self.used + slots / 2 } else { 3 * self.used };
        growth.next_power_of_two().ilog2().max(LEAST_LOG2)
    }

    fn replace(&mut self, log2: u32) -> u64 {
        self.log2 = Some(log2);
        self.usable = usable(log2) - self.used;
        block_bytes(self.era, log2, self.is_str_only)
    }
}

/// Entries that fit a table.
fn usable(log2: u32) -> u64 {
    (2 << log2) / 3
}

/// Request in bytes for the block of a table of `1 << log2` slots (3.6 and later).
fn block_bytes(era: Era, log2: u32, is_str_only: bool) -> u64 {
    let header = if era <= Era::V3_10 { 40 } else { 32 };
    let width = match log2 {
        0..8 => 1,
        8..16 => 2,
        _ => 4,
    };
    let entry = if is_str_only { 16 } else { 24 };
    header + (width << log2) + usable(log2) * entry
}

#[cfg(test)]
mod tests {
    use super::*;

    /// log2, bytes in 3.6 to 3.10, general bytes and str-only bytes from 3.11, and the insert that
    /// makes a table grow to this size.
    const GROWTH: [(u32, u64, u64, u64, u64); 18] = [
        (3, 168, 160, 120, 1),
        (4, 296, 288, 208, 6),
        (5, 576, 568, 400, 11),
        (6, 1112, 1104, 768, 22),
        (7, 2208, 2200, 1520, 43),
        (8, 4632, 4624, 3264, 86),
        (9, 9248, 9240, 6512, 171),
        (10, 18456, 18448, 12992, 342),
        (11, 36896, 36888, 25968, 683),
        (12, 73752, 73744, 51904, 1366),
        (13, 147488, 147480, 103792, 2731),
        (14, 294936, 294928, 207552, 5462),
        (15, 589856, 589848, 415088, 10923),
        (16, 1310744, 1310736, 961216, 21846),
        (17, 2621472, 2621464, 1922416, 43691),
        (18, 5242904, 5242896, 3844800, 87382),
        (19, 10485792, 10485784, 7689584, 174763),
        (20, 20971544, 20971536, 15379136, 349526),
    ];

    /// Inserts that made a table grow, with the bytes they made it ask for.
    fn growth(era: Era, is_str: bool, inserts: u64) -> Vec<(u64, u64)> {
        let mut table = Table::new(era);
        (1..=inserts).filter_map(|n| Some((n, table.insert(is_str)?))).collect()
    }

    #[test]
    fn pure_inserts_walk_through_the_whole_table_of_sizes() {
        let (classic, general, str_only): (Vec<_>, Vec<_>, Vec<_>) = GROWTH
            .iter()
            .map(|&(_, classic, general, str_only, at)| {
                ((at, classic), (at, general), (at, str_only))
            })
            .collect();
        for era in [Era::V3_6, Era::V3_7, Era::V3_8, Era::V3_9, Era::V3_10] {
            assert_eq!(growth(era, true, 349_526), classic, "{era} str");
            assert_eq!(growth(era, false, 349_526), classic, "{era} int");
        }
        for era in [Era::V3_11, Era::V3_12, Era::V3_13, Era::V3_14] {
            assert_eq!(growth(era, true, 349_526), str_only, "{era} str");
            assert_eq!(growth(era, false, 349_526), general, "{era} int");
        }
        for (log2, classic, general, str_only, _) in GROWTH {
            assert_eq!(block_bytes(Era::V3_9, log2, false), classic);
            assert_eq!(block_bytes(Era::V3_12, log2, false), general);
            assert_eq!(block_bytes(Era::V3_12, log2, true), str_only);
        }
    }

    #[test]
    fn tables_of_2_x_quadruple_and_later_double() {
        let expected = [
            (6, 768),
            (22, 3072),
            (86, 12288),
            (342, 49152),
            (1366, 196_608),
            (5462, 786_432),
            (21846, 3_145_728),
            (87382, 6_291_456),
            (174_763, 12_582_912),
            (349_526, 25_165_824),
        ];
        for era in [Era::V2_3, Era::V2_7] {
            assert_eq!(growth(era, true, 349_526), expected, "{era}");
        }
    }

    #[test]
    fn a_table_under_deletions_stays_or_shrinks() {
        // Keys come and go, `width` of them live: the table fills up with deleted ones.
        let sizes = |era, width| {
            let mut table = Table::new(era);
            let mut sizes = Vec::new();
            for n in 0..2_000 {
                sizes.extend(table.insert(false));
                if n >= width {
                    table.delete();
                }
            }
            sizes
        };
        // 3 keys live: 8 slots would do for 3 x 3 keys no longer, so it settles at 16.
        let narrow = sizes(Era::V3_11, 3);
        assert!(narrow.len() > 100, "{narrow:?}");
        assert!(narrow[2..].iter().all(|&bytes| bytes == 288), "{narrow:?}");
        // 2 keys live at each replacement: 3 x 3 > 8.
        assert_eq!(sizes(Era::V3_11, 1).last(), Some(&160));
        // 3.6 counts the slots too.
        assert!(sizes(Era::V3_6, 100).windows(2).skip(6).all(|pair| pair[0] == pair[1]));
        assert!(sizes(Era::V2_7, 100).len() > 4);
    }

    #[test]
    fn the_first_key_that_is_no_str_widens_the_entries() {
        let mut table = Table::new(Era::V3_11);
        let sizes: Vec<_> = (1..=4).filter_map(|_| table.insert(true)).collect();
        assert_eq!(sizes, [120]);
        assert!(table.is_kept_when_dead());
        assert_eq!(table.insert(false), Some(288), "3 x 4 keys want 16 slots");
        assert!(!table.is_kept_when_dead());
        assert_eq!(table.insert(true), None);
        let mut table = Table::new(Era::V3_10);
        table.insert(true);
        assert_eq!(table.insert(false), None, "before 3.11 entries have one width");
        assert!(table.is_kept_when_dead());
    }
}
