//! Which live block is the newest, of all and of each 16-byte class.
//!
//! A stack of births per class and one over all. A dead block, or one that has left the class,
//! stays in its stack until it comes to the top or the stack is swept.
//!
//! * N1: every live block is in the stack over all, and in the stack of its class at the place at
//!   which it last came into it.
//! * N2: a stack has at most twice as many entries as it has live ones, and a few; a stack without
//!   live ones is gone. So the memory is bounded by the live set.

use crate::live_blocks::LiveBlocks;

/// Bytes of a class.
const CLASS_BYTES: u64 = 16;

/// Entries a stack may hold however few are live.
const SLACK: usize = 32;

/// Blocks by the order in which they came.
#[derive(Default)]
struct Stack {
    /// Block, and the number of its coming.
    entries: Vec<(u64, u64)>,
    live: usize,
}

impl Stack {
    fn push(&mut self, block: u64, coming: u64, is_live: impl Fn(u64, u64) -> bool) {
        self.entries.push((block, coming));
        self.live += 1;
        // N2.
        if self.entries.len() > 2 * self.live + SLACK {
            self.entries.retain(|&(block, coming)| is_live(block, coming));
        }
    }

    /// The newest live block, once dead ones above it are dropped.
    fn newest(&mut self, is_live: impl Fn(u64, u64) -> bool) -> Option<u64> {
        while let Some(&(block, coming)) = self.entries.last() {
            if is_live(block, coming) {
                return Some(block);
            }
            self.entries.pop();
        }
        None
    }
}

/// Order of the live blocks, of all and of each class.
#[derive(Default)]
pub(super) struct Recency {
    comings: u64,
    /// Of each live block: the number of its birth, and of its coming into its class.
    live: LiveBlocks<(u64, u64)>,
    all: Stack,
    classes: LiveBlocks<Stack>,
}

impl Recency {
    pub(super) fn born(&mut self, block: u64, size: u64) {
        self.comings += 1;
        let coming = self.comings;
        self.live.insert(block, (coming, coming));
        let live = &self.live;
        self.all.push(block, coming, |block, coming| is_born(live, block, coming));
        let class = self.classes.entry(class_of(size)).or_default();
        class.push(block, coming, |block, coming| is_member(live, block, coming));
    }

    /// Moves a block to the class of its new size, as its newest; within a class it stays.
    pub(super) fn resized(&mut self, block: u64, old_size: u64, size: u64) {
        if class_of(old_size) == class_of(size) {
            return;
        }
        self.comings += 1;
        let coming = self.comings;
        if let Some((_, came)) = self.live.get_mut(&block) {
            *came = coming;
        }
        self.leave_class(old_size);
        let live = &self.live;
        let class = self.classes.entry(class_of(size)).or_default();
        class.push(block, coming, |block, coming| is_member(live, block, coming));
    }

    /// Removes a block; says whether it was the newest of all, and of its class.
    pub(super) fn died(&mut self, block: u64, size: u64) -> (bool, bool) {
        let live = &self.live;
        let newest = self.all.newest(|block, coming| is_born(live, block, coming));
        let newest_of_class = self
            .classes
            .get_mut(&class_of(size))
            .and_then(|class| class.newest(|block, coming| is_member(live, block, coming)));
        self.live.remove(&block);
        self.all.live = self.all.live.saturating_sub(1);
        self.leave_class(size);
        (newest == Some(block), newest_of_class == Some(block))
    }

    fn leave_class(&mut self, size: u64) {
        if let Some(class) = self.classes.get_mut(&class_of(size)) {
            class.live = class.live.saturating_sub(1);
            if class.live == 0 {
                self.classes.remove(&class_of(size));
            }
        }
    }
}

fn is_born(live: &LiveBlocks<(u64, u64)>, block: u64, coming: u64) -> bool {
    live.get(&block).is_some_and(|&(birth, _)| birth == coming)
}

fn is_member(live: &LiveBlocks<(u64, u64)>, block: u64, coming: u64) -> bool {
    live.get(&block).is_some_and(|&(_, came)| came == coming)
}

fn class_of(size: u64) -> u64 {
    size.div_ceil(CLASS_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_block_is_found_behind_dead_ones() {
        let mut recency = Recency::default();
        for (block, size) in [(0, 10), (1, 100), (2, 12), (3, 100)] {
            recency.born(block, size);
        }
        assert_eq!(recency.died(2, 12), (false, true));
        assert_eq!(recency.died(3, 100), (true, true));
        assert_eq!(recency.died(0, 10), (false, true));
        assert_eq!(recency.died(1, 100), (true, true));
    }

    #[test]
    fn a_resized_block_is_the_newest_of_its_class_but_keeps_its_age() {
        let mut recency = Recency::default();
        for (block, size) in [(0, 10), (1, 100), (2, 100)] {
            recency.born(block, size);
        }
        recency.resized(0, 10, 100);
        assert_eq!(recency.died(2, 100), (true, false));
        assert_eq!(recency.died(0, 100), (false, true));
    }

    #[test]
    fn n2_stacks_stay_within_the_live_set() {
        let mut recency = Recency::default();
        // The newest block always lives on, so dead ones never come to the top.
        recency.born(0, 16);
        for block in 1..100_000 {
            recency.born(block, 16 * (1 + block % 3));
            recency.died(block - 1, 16 * (1 + (block - 1) % 3));
        }
        let entries: usize = recency.classes.values().map(|class| class.entries.len()).sum();
        assert!(recency.all.entries.len() <= 2 + SLACK + 1, "{}", recency.all.entries.len());
        assert!(entries <= 3 * (SLACK + 2), "{entries}");
    }
}
