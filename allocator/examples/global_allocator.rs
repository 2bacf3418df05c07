//! A program whose memory comes from Arenite: one line.
//!
//! It counts the words of a text in a map, on four threads, and hands the counts to the main thread,
//! which frees what the others made. At the end it prints where the bytes are.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::HashMap;
use std::thread;

use arenite::Arenite;

#[global_allocator]
static GLOBAL: Arenite = Arenite::new();

/// Words of `text` and how often they occur.
fn count(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

pub(crate) fn main() {
    let text = include_str!("../src/flagship/heap.rs");
    let quarter = text.lines().count() / 4 + 1;
    let lines: Vec<&str> = text.lines().collect();
    let counts = thread::scope(|scope| {
        let parts: Vec<_> = lines.chunks(quarter).map(|part| part.join("\n")).collect();
        let threads = parts.into_iter().map(|part| scope.spawn(move || count(&part)));
        let threads: Vec<_> = threads.collect();
        let mut all = HashMap::new();
        for thread in threads {
            for (word, times) in thread.join().expect("counting does not panic") {
                *all.entry(word).or_insert(0) += times;
            }
        }
        all
    });
    let mut common: Vec<_> = counts.iter().collect();
    common.sort_by_key(|&(word, times)| (usize::MAX - times, word));
    for (word, times) in common.into_iter().take(3) {
        println!("{times:5} {word}");
    }
    let first = counts.keys().next().expect("the text has words");
    println!("the words lie in Arenite's memory: {}", Arenite::owns(first.as_ptr()));
    println!();
    println!("{}", Arenite::stats());
}
