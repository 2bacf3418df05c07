//! Dicts with their keys, values, tables and free lists, as each era allocates them.

use std::collections::VecDeque;

use super::dice::Dice;
use super::dict_table::Table;
use super::emitter::Emitter;
use super::era::Era;
use super::free_list::FreeList;
use super::int_objects::{Int, IntObjects};
use crate::event::BlockId;

/// Dead dict objects, and dead tables of the least size, that each list keeps.
const KEPT: usize = 80;

/// The key of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// A string of its own.
    Str(BlockId),
    /// An int of its own.
    Int(Int),
    /// A string that is not the dict's to free, such as the name of a keyword argument.
    Interned,
    /// The same int as the value.
    Value,
}

/// A dict and all it owns.
pub(super) struct Dict {
    object: BlockId,
    table: Table,
    /// Block of the table, once there is one.
    block: Option<BlockId>,
    /// Entries in order of insertion.
    entries: VecDeque<(Key, Int)>,
}

/// Allocator of dicts of one interpreter.
pub(super) struct DictObjects {
    era: Era,
    objects: FreeList<BlockId>,
    tables: FreeList<BlockId>,
}

impl DictObjects {
    pub(super) fn new(era: Era) -> Self {
        DictObjects {
            era,
            objects: FreeList::new(if era == Era::V2_3 { 0 } else { KEPT }),
            tables: FreeList::new(if era <= Era::V2_7 { 0 } else { KEPT }),
        }
    }

    /// `{}`: the object alone.
    pub(super) fn empty(&mut self, heap: &mut Emitter<'_>) -> Dict {
        let object = self.objects.take().unwrap_or_else(|| heap.malloc(self.object_bytes()));
        Dict { object, table: Table::new(self.era), block: None, entries: VecDeque::new() }
    }

    /// `str(i)` of a one-digit int with that many decimal digits.
    pub(super) fn decimal(
        &mut self,
        digits: u64,
        ints: &mut IntObjects,
        heap: &mut Emitter<'_>,
    ) -> BlockId {
        // The conversion of 3.x works in a long of its own; it asks for one digit more than `i` has.
        let scratch = (self.era >= Era::V3_6).then(|| ints.long(2, heap));
        let text = heap.malloc(self.era.ascii_str(digits));
        if let Some(scratch) = scratch {
            ints.release(scratch, heap);
        }
        text
    }

    /// Inserts a key that is not in the dict.
    pub(super) fn insert(&mut self, dict: &mut Dict, key: Key, value: Int, heap: &mut Emitter<'_>) {
        let was_kept_kind = dict.table.is_kept_when_dead();
        let had_block = dict.block;
        if let Some(bytes) = dict.table.insert(matches!(key, Key::Str(_) | Key::Interned)) {
            let recycled = if dict.table.is_kept_when_dead() { self.tables.take() } else { None };
            dict.block = Some(recycled.unwrap_or_else(|| heap.malloc(bytes)));
            if let Some(old) = had_block {
                // 3.6 keeps the table of a dict that dies, but not one that is replaced.
                let is_kept = was_kept_kind && self.era >= Era::V3_7;
                self.release_table(old, is_kept, heap);
            }
        }
        dict.entries.push_back((key, value));
    }

    /// Deletes the key that was inserted first.
    pub(super) fn delete_oldest(
        &mut self,
        dict: &mut Dict,
        ints: &mut IntObjects,
        heap: &mut Emitter<'_>,
    ) {
        if let Some(entry) = dict.entries.pop_front() {
            dict.table.delete();
            release_entry(entry, ints, heap);
        }
    }

    /// Drops the last reference to a dict.
    pub(super) fn release(
        &mut self,
        mut dict: Dict,
        ints: &mut IntObjects,
        heap: &mut Emitter<'_>,
        dice: &mut Dice,
    ) {
        if self.era <= Era::V2_7 {
            shuffle_str_keys(dict.entries.make_contiguous(), dice);
        }
        for entry in dict.entries {
            release_entry(entry, ints, heap);
        }
        if let Some(block) = dict.block {
            self.release_table(block, dict.table.is_kept_when_dead(), heap);
        }
        if let Some(object) = self.objects.give(dict.object) {
            heap.free(object);
        }
    }

    fn release_table(&mut self, block: BlockId, is_kept_kind: bool, heap: &mut Emitter<'_>) {
        let dead = if is_kept_kind { self.tables.give(block) } else { Some(block) };
        if let Some(block) = dead {
            heap.free(block);
        }
    }

    fn object_bytes(&self) -> u64 {
        match self.era {
            Era::V2_3 => 272,
            Era::V2_7 => 280,
            _ => self.era.gc_header() + 48,
        }
    }
}

fn release_entry((key, value): (Key, Int), ints: &mut IntObjects, heap: &mut Emitter<'_>) {
    match key {
        Key::Str(block) => heap.free(block),
        Key::Int(int) => ints.release(int, heap),
        Key::Interned | Key::Value => {}
    }
    ints.release(value, heap);
}

/// A dict of 2.x is walked in order of its slots: strings lie anywhere, ints in a row.
fn shuffle_str_keys(entries: &mut [(Key, Int)], dice: &mut Dice) {
    if entries.iter().any(|(key, _)| matches!(key, Key::Str(_) | Key::Interned)) {
        for last in (1..entries.len()).rev() {
            entries.swap(last, dice.below(last as u64 + 1) as usize);
        }
    }
}
