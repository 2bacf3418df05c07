//! The flagship heap against a model: contents of every live block are known and looked at.

use arenite::Arenite;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// Mostly small, now and then anything up to 3 MiB.
    fn size(&mut self) -> usize {
        let shift = match self.below(100) {
            0..70 => self.below(9),
            70..95 => self.below(14),
            95..99 => self.below(19),
            _ => self.below(22),
        };
        (self.roll() & ((2 << shift) - 1)) as usize
    }
}

struct Block {
    start: *mut u8,
    size: usize,
    byte: u8,
}

// Blocks move between threads.
unsafe impl Send for Block {}

impl Block {
    fn fill(&self, from: usize) {
        unsafe { self.start.add(from).write_bytes(self.byte, self.size - from) };
    }

    fn check(&self, end: usize) {
        let bytes = unsafe { std::slice::from_raw_parts(self.start, end) };
        assert!(bytes.iter().all(|&byte| byte == self.byte), "{:p} of {}", self.start, self.size);
    }
}

/// One call chosen by the dice.
fn step(dice: &mut Dice, blocks: &mut Vec<Block>, live_max: usize) {
    let birth = blocks.len() < live_max && dice.below(2) == 0 || blocks.is_empty();
    let byte = dice.roll() as u8;
    let size = dice.size();
    if birth {
        let (start, zeroed) = match dice.below(8) {
            0 => (Arenite::calloc(1, size), true),
            1 => {
                let align = 1 << dice.below(17);
                let start = Arenite::aligned_alloc(align, size);
                assert_eq!(start.addr() % align, 0);
                (start, false)
            }
            _ => (Arenite::malloc(size), false),
        };
        assert!(!start.is_null() && start.addr() % 16 == 0);
        assert!(unsafe { Arenite::usable_size(start) } >= size);
        assert!(Arenite::owns(start));
        if zeroed {
            Block { start, size, byte: 0 }.check(size);
        }
        let block = Block { start, size, byte };
        block.fill(0);
        blocks.push(block);
        return;
    }
    let at = dice.below(blocks.len() as u64) as usize;
    if dice.below(4) == 0 {
        let block = &mut blocks[at];
        block.start = unsafe { Arenite::realloc(block.start, size) };
        block.check(size.min(block.size));
        let old = std::mem::replace(&mut block.size, size);
        if size > old {
            block.fill(old);
        }
    } else {
        let block = blocks.swap_remove(at);
        block.check(block.size);
        unsafe { Arenite::free(block.start) };
    }
}

fn drain(blocks: Vec<Block>) {
    for block in blocks {
        block.check(block.size);
        unsafe { Arenite::free(block.start) };
    }
}

#[test]
fn contents_survive_random_calls() {
    let mut dice = Dice(1);
    let mut blocks = Vec::new();
    for _ in 0..1_000_000 {
        step(&mut dice, &mut blocks, 2000);
    }
    drain(blocks);
}

#[test]
fn contents_survive_moves_between_threads_that_come_and_go() {
    let slots: Vec<_> = (0..64).map(|_| std::sync::Mutex::new(Vec::new())).collect();
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let slots = &slots;
            scope.spawn(move || {
                for generation in 0..8_u64 {
                    std::thread::scope(|inner| {
                        inner.spawn(move || {
                            let mut dice = Dice(lane * 100 + generation);
                            let mut blocks = Vec::new();
                            for turn in 0..20_000 {
                                step(&mut dice, &mut blocks, 500);
                                if turn % 64 == 0 {
                                    let slot = &slots[dice.below(64) as usize];
                                    std::mem::swap(&mut *slot.lock().unwrap(), &mut blocks);
                                }
                            }
                            // The thread ends with its blocks alive.
                            slots[lane as usize].lock().unwrap().append(&mut blocks);
                        });
                    });
                }
            });
        }
    });
    for slot in slots {
        drain(slot.into_inner().unwrap());
    }
}
