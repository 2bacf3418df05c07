//! Which edges an epoch needs: those that no other implies, drawn so that few are left.
//!
//! Every thread has a clock that says, for other threads, up to which word of their rows everything
//! has happened before. A need that the clock covers costs nothing. One that it does not cover
//! becomes an edge, and the clock takes over what the edge's source knew.
//!
//! An edge is drawn as far as is wise and not as far as it must: when the operations that follow
//! within [`LOOK_AHEAD_WORDS`] need later points of the same thread, the edge begins at the latest of
//! those that had already happened in the trace's order, so that a batch of blocks takes one edge
//! and not one for each block. E1 holds for it all the same.
//!
//! Clocks are bounded, and forgetting only costs edges: one knows at most [`MOST_KNOWN`] threads, and
//! a row keeps its last [`MOST_REMEMBERED`] clocks.
//!
//! Source of the idea: vector clocks (Fidge, Mattern, both 1988).

use std::collections::VecDeque;
use std::rc::Rc;

use crate::plan::op::{self, Meeting};

/// How far behind an edge's target further needs are looked for.
const LOOK_AHEAD_WORDS: u64 = 128;
/// Threads that a clock knows of.
const MOST_KNOWN: usize = 64;
/// Clocks that a row remembers.
const MOST_REMEMBERED: usize = 1024;

/// What one operation or one new thread needs to have happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// Thread that needs it, and the first word of its operation; word 0 of a new thread.
    pub(super) thread: u32,
    pub(super) word: u64,
    /// Thread that it is needed of, and the end of that operation.
    pub(super) source: u32,
    pub(super) source_word: u64,
    /// When both happened in the trace.
    pub(super) time: u64,
    pub(super) source_time: u64,
    /// Whether the need is met by itself, because the one thread starts the other there.
    pub(super) is_start: bool,
}

/// What a thread knows of others: (thread, word), the latest news last.
type Clock = Vec<(u32, u64)>;

#[derive(Default)]
struct Knowledge {
    clock: Clock,
    /// The word from which on a clock was known, and that clock.
    history: VecDeque<(u64, Rc<Clock>)>,
}

impl Knowledge {
    fn covers(&self, thread: u32, word: u64) -> bool {
        self.clock.iter().any(|&(known, up_to)| known == thread && up_to >= word)
    }

    fn learn(&mut self, thread: u32, word: u64) {
        let mut news = (thread, word);
        if let Some(at) = self.clock.iter().position(|&(known, _)| known == thread) {
            let (_, known) = self.clock.remove(at);
            news.1 = word.max(known);
        } else if self.clock.len() == MOST_KNOWN {
            self.clock.remove(0);
        }
        self.clock.push(news);
    }

    fn remember(&mut self, word: u64) {
        if self.history.len() == MOST_REMEMBERED {
            self.history.pop_front();
        }
        self.history.push_back((word, Rc::new(self.clock.clone())));
    }

    /// The clock that an operation ending at `word` went by.
    fn at(&self, word: u64) -> Option<Rc<Clock>> {
        let later = self.history.partition_point(|&(from, _)| from < word);
        later.checked_sub(1).map(|at| Rc::clone(&self.history[at].1))
    }
}

/// An edge: the target waits for the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    thread: u32,
    word: u64,
    source: u32,
    source_word: u64,
}

/// The edges for the needs of one epoch, which are in the order of the trace, on `threads` threads.
fn edges(needs: &[Need], threads: usize) -> Vec<Edge> {
    let mut knowledge: Vec<Knowledge> = Vec::new();
    knowledge.resize_with(threads, Knowledge::default);
    let mut of_thread: Vec<Vec<usize>> = vec![Vec::new(); threads];
    for (at, need) in needs.iter().enumerate() {
        of_thread[need.thread as usize].push(at);
    }
    let mut passed = vec![0_usize; threads];
    let mut edges = Vec::new();
    for need in needs {
        let thread = need.thread as usize;
        passed[thread] += 1;
        if knowledge[thread].covers(need.source, need.source_word) {
            continue;
        }
        let mut source_word = need.source_word;
        if !need.is_start {
            let following = of_thread[thread][passed[thread]..].iter().map(|&at| &needs[at]);
            let near = following.take_while(|next| next.word <= need.word + LOOK_AHEAD_WORDS);
            for next in near {
                if next.source == need.source && next.source_time < need.time {
                    source_word = source_word.max(next.source_word);
                }
            }
            let Need { thread, word, source, .. } = *need;
            edges.push(Edge { thread, word, source, source_word });
        }
        let news = knowledge[need.source as usize].at(source_word);
        let learner = &mut knowledge[thread];
        for &(known, word) in news.iter().flat_map(|clock| clock.iter()) {
            if known != need.thread {
                learner.learn(known, word);
            }
        }
        learner.learn(need.source, source_word);
        learner.remember(need.word);
    }
    edges
}

/// Puts the meetings that `needs` take into the rows of one epoch. `progress` is the last value that
/// each thread has published (E3).
pub(super) fn connect(rows: &mut [Vec<u64>], needs: &[Need], progress: &mut [u64]) {
    let edges = edges(needs, rows.len());
    if edges.is_empty() {
        return;
    }
    let mut sources: Vec<Vec<u64>> = vec![Vec::new(); rows.len()];
    for edge in &edges {
        sources[edge.source as usize].push(edge.source_word);
    }
    for words in &mut sources {
        words.sort_unstable();
        words.dedup();
    }
    // Word and meeting; a thread publishes what it has done before it waits for others.
    let mut meetings: Vec<Vec<(u64, u8, [u64; 2])>> = vec![Vec::new(); rows.len()];
    for (thread, words) in sources.iter().enumerate() {
        for (rank, &word) in words.iter().enumerate() {
            let value = progress[thread] + rank as u64 + 1;
            meetings[thread].push((word, 0, op::meeting(Meeting::Publish, thread as u32, value)));
        }
    }
    for edge in &edges {
        let source = edge.source as usize;
        let rank = sources[source].partition_point(|&word| word < edge.source_word);
        let value = progress[source] + rank as u64 + 1;
        let wait = op::meeting(Meeting::Wait, edge.source, value);
        meetings[edge.thread as usize].push((edge.word, 1, wait));
    }
    for (thread, mut meetings) in meetings.into_iter().enumerate() {
        progress[thread] += sources[thread].len() as u64;
        meetings.sort_unstable_by_key(|&(word, kind, _)| (word, kind));
        rows[thread] = interleave(&rows[thread], &meetings);
    }
}

fn interleave(row: &[u64], meetings: &[(u64, u8, [u64; 2])]) -> Vec<u64> {
    let mut words = Vec::with_capacity(row.len() + 2 * meetings.len());
    let mut done = 0;
    for &(word, _, meeting) in meetings {
        words.extend_from_slice(&row[done..word as usize]);
        words.extend(meeting);
        done = word as usize;
    }
    words.extend_from_slice(&row[done..]);
    words
}
