//! Random operations against a model that knows every live block and its contents.

use crate::random::Random;
use crate::subject::{Subject, all};

/// A live block as the model sees it. Its first `size` bytes hold the pattern of `id`.
struct Shadow {
    ptr: *mut u8,
    size: usize,
    id: u64,
}

impl Shadow {
    fn pattern(id: u64, offset: usize) -> u8 {
        (id.wrapping_mul(0x9e37_79b9).wrapping_add(offset as u64 * 7) >> 3) as u8
    }

    fn fill(&self) {
        for offset in 0..self.size {
            // SAFETY: in bounds of a live block.
            let byte = unsafe { self.ptr.add(offset) };
            // SAFETY: as above.
            unsafe { byte.write(Self::pattern(self.id, offset)) };
        }
    }

    /// Checks the first `len` bytes at `ptr`.
    fn check(&self, ptr: *mut u8, len: usize) {
        for offset in 0..len {
            // SAFETY: in bounds of a live block.
            let byte = unsafe { ptr.add(offset) };
            // SAFETY: as above; the byte was written when the block was handed out.
            let found = unsafe { byte.read() };
            assert_eq!(found, Self::pattern(self.id, offset), "block {} byte {offset}", self.id);
        }
    }
}

struct Model {
    heap: Box<dyn Subject>,
    random: Random,
    live: Vec<Shadow>,
    next_id: u64,
}

impl Model {
    /// Sizes of every kind: small ones most, then the class edges, zero and large.
    fn size(&mut self) -> usize {
        let threshold = self.heap.threshold();
        match self.random.below(20) {
            0 => 0,
            1 => threshold - 1 + self.random.below(4),
            2 => threshold + self.random.below(4000),
            3..6 => self.heap.alignment() * (1 + self.random.below(8)) + self.random.below(2),
            6..12 => 1 + self.random.below(64),
            _ => 1 + self.random.below(threshold),
        }
    }

    fn add(&mut self, ptr: *mut u8, size: usize) {
        assert!(!ptr.is_null());
        let small = self.heap.is_small(size);
        // SAFETY: a live block.
        assert_eq!(unsafe { self.heap.owns(ptr) }, small, "size {size}");
        let align = self.heap.alignment();
        assert!(ptr.addr().is_multiple_of(align), "size {size} at {ptr:?}");
        // SAFETY: a live block.
        let usable = unsafe { self.heap.usable_size(ptr) };
        assert!(usable >= size);
        assert!(!small || usable == self.heap.block_bytes(size));
        let block = Shadow { ptr, size, id: self.next_id };
        self.next_id += 1;
        block.fill();
        self.live.push(block);
    }

    fn allocate(&mut self) {
        let size = self.size();
        if self.random.below(4) > 0 {
            let ptr = self.heap.malloc(size);
            self.add(ptr, size);
        } else {
            let count = 1 + self.random.below(3);
            let ptr = self.heap.calloc(count, size / count);
            let size = count * (size / count);
            for offset in 0..size {
                // SAFETY: in bounds of a live block.
                let byte = unsafe { ptr.add(offset) };
                // SAFETY: as above, and zeroed.
                assert_eq!(unsafe { byte.read() }, 0, "calloc byte {offset} of {size}");
            }
            self.add(ptr, size);
        }
    }

    fn free_one(&mut self) {
        let place = self.random.below(self.live.len());
        let block = self.live.swap_remove(place);
        block.check(block.ptr, block.size);
        // SAFETY: live, and forgotten by the model.
        unsafe { self.heap.free(block.ptr) };
    }

    fn resize_one(&mut self) {
        let place = self.random.below(self.live.len());
        let block = self.live.swap_remove(place);
        let size = self.size();
        // SAFETY: a live block.
        let was_owned = unsafe { self.heap.owns(block.ptr) };
        // SAFETY: live, and forgotten by the model.
        let moved = unsafe { self.heap.realloc(block.ptr, size) };
        assert!(!moved.is_null());
        block.check(moved, block.size.min(size));
        // SAFETY: a live block.
        let is_owned = unsafe { self.heap.owns(moved) };
        let expected = match (was_owned, self.heap.takes_over()) {
            (true, _) => self.heap.is_small(size),
            (false, true) => size <= self.heap.threshold(),
            (false, false) => false,
        };
        assert_eq!(is_owned, expected, "realloc to {size}, owned before: {was_owned}");
        let block = Shadow { ptr: moved, size, id: self.next_id };
        self.next_id += 1;
        block.fill();
        self.live.push(block);
    }

    /// The statistics must be what the model counts.
    fn check_stats(&self) {
        let stats = self.heap.stats();
        assert_eq!(stats.accounted_bytes(), stats.mapped_bytes(), "{stats}");
        assert_eq!(stats.allocated_blocks(), self.live.len() as i64);
        assert_eq!(stats.arenas_ever - stats.arenas_reclaimed, stats.arenas_current as u64);
    }

    /// As `check_stats`, class by class.
    fn check_classes(&self) {
        let stats = self.heap.stats();
        let mut owned = vec![0; stats.classes().len()];
        for block in &self.live {
            // SAFETY: a live block.
            if unsafe { self.heap.owns(block.ptr) } {
                // SAFETY: a live block.
                let usable = unsafe { self.heap.usable_size(block.ptr) };
                owned[usable / self.heap.alignment() - 1] += 1;
            }
        }
        for (class, expected) in stats.classes().iter().zip(owned) {
            assert_eq!(class.live_blocks, expected, "class of {} bytes", class.block_bytes);
            let capacity = self.heap.capacity(class.block_bytes);
            assert_eq!(class.live_blocks + class.free_blocks, class.pools * capacity);
        }
    }

    /// Grows and shrinks in turn, so that arenas come and go.
    fn run(&mut self, operations: usize) {
        const PEAK: usize = 3000;
        let mut growing = true;
        for step in 0..operations {
            if self.live.len() >= PEAK {
                growing = false;
            } else if self.live.is_empty() {
                growing = true;
            }
            match self.random.below(10) {
                0 | 1 if !self.live.is_empty() => self.resize_one(),
                2..=7 if growing => self.allocate(),
                8 | 9 if !growing => self.allocate(),
                _ if !self.live.is_empty() => self.free_one(),
                _ => self.allocate(),
            }
            self.check_stats();
            if step % 500 == 0 {
                self.heap.assert_sound();
                self.check_classes();
            }
        }
        while !self.live.is_empty() {
            self.free_one();
        }
        self.heap.assert_sound();
        self.check_stats();
        self.check_classes();
        // SAFETY: no block is left.
        unsafe { self.heap.give_back() };
        self.heap.assert_sound();
    }
}

#[test]
fn random_operations_keep_contents_invariants_and_account() {
    let operations = std::env::var("ARENITE_MODEL_OPS").ok().and_then(|text| text.parse().ok());
    for (number, (name, heap)) in all().into_iter().enumerate() {
        let random = Random::seeded(name, 0x5eed_0001 + number as u64);
        let mut model = Model { heap, random, live: Vec::new(), next_id: 0 };
        model.run(operations.unwrap_or(100_000));
    }
}
