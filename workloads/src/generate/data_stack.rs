//! Frames from 3.11 on: bumped on a per-thread data stack of chunks.
//!
//! ```text
//! chunk   16 KiB = 2048 words: 3 words of header, then frames bottom up
//! frame   9 words of bookkeeping + locals + stack
//! ```
//! * C1: a frame that does not fit the rest of the newest chunk opens a new one; chunks are all
//!   16 KiB and do not double with depth (a frame above some 1048 words would get a larger chunk).
//! * C2: a chunk goes when its first frame is popped; the first chunk stays for good and loses its
//!   first word.
//!
//! Chunks come from the arena hook, which maps and unmaps memory itself. They are no malloc
//! traffic, and the generators make no events of them; they are counted, because a leaf called at
//! a chunk boundary maps and unmaps 16 KiB at every call.
//!
//! Source: `pystate.c:push_chunk, _PyThreadState_PopFrame`, `pycore_frame.h:FRAME_SPECIALS_SIZE`.

/// Words of a chunk, of its header, and of a frame's bookkeeping.
const CHUNK_WORDS: u64 = 2048;
const HEADER_WORDS: u64 = 3;
const SPECIALS_WORDS: u64 = 9;

/// The frames of one thread.
pub(super) struct DataStack {
    /// Words in use of each chunk, header included; the first is never popped (C2).
    chunks: Vec<u64>,
    mapped: u64,
}

/// Words a frame took, to be handed back when it is popped.
#[derive(Debug)]
#[must_use]
pub(super) struct Pushed(u64);

impl DataStack {
    /// A stack on which frames with these extras stand for good.
    pub(super) fn holding(extras: &[u64]) -> Self {
        let mut stack = DataStack { chunks: vec![HEADER_WORDS + 1], mapped: 0 };
        for &extras in extras {
            let _for_good = stack.push(extras);
        }
        stack
    }

    pub(super) fn push(&mut self, extras: u64) -> Pushed {
        let words = SPECIALS_WORDS + extras;
        match self.chunks.last_mut() {
            Some(used) if *used + words <= CHUNK_WORDS => *used += words,
            _ => {
                self.chunks.push(HEADER_WORDS + words);
                self.mapped += 1;
            }
        }
        Pushed(words)
    }

    /// Pops the frame pushed last.
    pub(super) fn pop(&mut self, Pushed(words): Pushed) {
        if let Some(used) = self.chunks.last_mut() {
            *used -= words;
            if *used == HEADER_WORDS {
                self.chunks.pop();
            }
        }
    }

    /// Chunks mapped so far, the first of the thread left out.
    pub(super) fn mapped(&self) -> u64 {
        self.mapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_called_at_a_boundary_maps_a_chunk_each_time_once_per_85_frames() {
        // Frames of 24 words: 85 to a chunk, as in the program in which this was measured.
        let mapped_by_100_leaves = |depth: u64| {
            let mut stack = DataStack::holding(&[]);
            let frames: Vec<_> = (0..depth).map(|_| stack.push(15)).collect();
            let before = stack.mapped();
            for _ in 0..100 {
                let leaf = stack.push(15);
                stack.pop(leaf);
            }
            let mapped = stack.mapped() - before;
            frames.into_iter().rev().for_each(|frame| stack.pop(frame));
            assert_eq!(stack.chunks.len(), 1);
            mapped
        };
        let boundaries: Vec<_> =
            (0..300).filter(|&depth| mapped_by_100_leaves(depth) > 0).collect();
        assert_eq!(boundaries, [85, 170, 255]);
        assert!(boundaries.iter().all(|&depth| mapped_by_100_leaves(depth) == 100));
    }
}
