//! A heap with the lifetime of one request: everything in it is freed at once.
//!
//! Each request builds a tree of nodes that point at each other and frees none of them. The heap is
//! dropped with the request, in time that depends on its few pools and not on its many nodes.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::alloc::Layout;
use std::marker::PhantomData;

use arenite::{Arenite, Heap};

/// A place for values that live as long as it does.
struct Request {
    heap: Heap,
}

/// A node of a binary tree, in the heap of a request.
struct Node<'a> {
    value: u64,
    children: [Option<&'a Node<'a>>; 2],
    heap: PhantomData<&'a Request>,
}

impl Request {
    fn new() -> Option<Self> {
        Heap::new().map(|heap| Self { heap })
    }

    /// Moves a value into the heap. It is never dropped, so that it must not need to be.
    fn keep<T: Copy>(&self, value: T) -> &T {
        let place = self.heap.alloc(Layout::new::<T>()).cast::<T>();
        assert!(!place.is_null(), "out of memory");
        // SAFETY: a fresh block of that layout.
        unsafe { place.write(value) };
        // SAFETY: written, never changed, and alive as long as the heap, which `self` holds.
        unsafe { &*place }
    }

    /// A tree of `depth` levels.
    fn tree(&self, depth: u32, value: u64) -> &Node<'_> {
        let child = |side| (depth > 1).then(|| self.tree(depth - 1, 2 * value + side));
        self.keep(Node { value, children: [child(0), child(1)], heap: PhantomData })
    }
}

impl Clone for Node<'_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for Node<'_> {}

impl Node<'_> {
    fn sum(&self) -> u64 {
        self.value + self.children.iter().flatten().map(|child| child.sum()).sum::<u64>()
    }
}

pub(crate) fn main() {
    let nodes = (1_u64 << 16) - 1;
    for number in 0..3 {
        let request = Request::new().expect("memory for a heap");
        let sum = request.tree(16, 1).sum();
        assert_eq!(sum, nodes * (nodes + 1) / 2);
        let live = Arenite::stats().live_blocks();
        drop(request);
        let left = Arenite::stats().live_blocks();
        println!("request {number}: sum {sum}, {live} blocks live, {left} after the request");
    }
    Arenite::purge();
    println!("arenas kept for the next request: {}", Arenite::stats().arenas);
}
