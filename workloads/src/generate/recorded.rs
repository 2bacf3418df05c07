//! Reads lists of allocator calls recorded on CPython, and writes a generator's in the same form.
//!
//! ```text
//! head words: +size -n -old28 ~old>new ...     malloc; free of the n-th malloc from 0; free of a
//!                                              block from before; realloc
//! ```
//! A list may run over several lines; lines that begin with `#` are comments.

use std::collections::HashMap;

use crate::event::{Event, Op};

/// The lists of a file: the words of the head, and the calls.
pub(super) fn lists(text: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let mut lists: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let calls = match line.split_once(':') {
            Some((head, calls)) => {
                lists.push((head.split_whitespace().collect(), Vec::new()));
                calls
            }
            None => line,
        };
        let (_, all) = lists.last_mut().expect("a list begins with its head");
        all.extend(calls.split_whitespace());
    }
    lists
}

/// The calls from `start` on, in the form of the file.
pub(super) fn calls_from(events: &[Event], start: usize) -> Vec<String> {
    let (mut sizes, mut births) = (HashMap::new(), HashMap::new());
    let mut calls = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let call = match event.op {
            Op::Malloc { block, size } => {
                sizes.insert(block, size);
                if at >= start {
                    births.insert(block, births.len());
                }
                format!("+{size}")
            }
            Op::Realloc { block, size } => {
                format!("~{}>{size}", sizes.insert(block, size).expect("a live block"))
            }
            Op::Free { block, .. } => match births.get(&block) {
                Some(birth) => format!("-{birth}"),
                None => format!("-old{}", sizes[&block]),
            },
            other => panic!("{other:?} is none of a generator's calls"),
        };
        if at >= start {
            calls.push(call);
        }
    }
    calls
}

/// Compares call by call; `head` names the list in the message.
pub(super) fn assert_equal(head: &[&str], recorded: &[&str], generated: &[String]) {
    let differs = recorded.iter().zip(generated).position(|(one, other)| one != other);
    let at = differs.unwrap_or(recorded.len().min(generated.len()));
    let recorded_there = &recorded[at.saturating_sub(5)..(at + 10).min(recorded.len())];
    let generated_there = &generated[at.saturating_sub(5)..(at + 10).min(generated.len())];
    assert!(
        recorded.len() == generated.len() && differs.is_none(),
        "{head:?} from call {at} of {}\nrecorded  {recorded_there:?}\ngenerated {generated_there:?}",
        recorded.len(),
    );
}
