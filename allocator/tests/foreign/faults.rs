//! Questions whose answer may be a fault, asked by forked children.
//!
//! A child asks one address after the other and writes every answer to a pipe. The address at which
//! it dies is the one whose answer is missing; the next child goes on behind it.

use std::io::{self, Read, Write};

use crate::asked::Asked;
use crate::kernel;
use crate::posix::{self, Forked};

/// The answer for each address: `None` where the question ended the process.
///
/// Nobody else changes the heap meanwhile. Any other death than by a fault fails the test.
pub(crate) fn answers(heap: &dyn Asked, addrs: &[usize]) -> Vec<Option<bool>> {
    let mut answers = Vec::with_capacity(addrs.len());
    while answers.len() < addrs.len() {
        let rest = &addrs[answers.len()..];
        let (mut receiver, mut sender) = io::pipe().unwrap();
        match posix::fork() {
            Forked::Child => {
                kernel::die_by_faults();
                for addr in rest {
                    // SAFETY: none. Should the read not be permitted, this process is at risk alone.
                    let owned = unsafe { heap.owns(*addr) };
                    sender.write_all(&[u8::from(owned)]).unwrap();
                }
                posix::end(0);
            }
            Forked::Parent(child) => {
                drop(sender);
                let mut given = Vec::new();
                receiver.read_to_end(&mut given).unwrap();
                let status = child.wait();
                let is_complete = given.len() == rest.len();
                answers.extend(given.into_iter().map(|answer| Some(answer != 0)));
                if is_complete {
                    assert_eq!(status, 0, "a child that answered everything");
                } else {
                    let by_fault = kernel::FAULTS.iter().any(|signal| status == 256 + signal);
                    assert!(by_fault, "a child ended with {status}");
                    answers.push(None);
                }
            }
        }
    }
    answers
}
