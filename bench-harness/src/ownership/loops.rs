//! The loops that are timed, and the empty one beside them.
//!
//! Three loops over one row of addresses, none inlined into its caller. An address and the running
//! count go through [`opaque`], which costs no instruction, so that the compiler can neither ask
//! about several addresses with one vector instruction, nor gather answers in one to count them, nor
//! compute an answer once.
//!
//! * *throughput*: queries are independent; the processor overlaps them.
//! * *latency*: the place of the next address is `place + 1 + (answer & zero)`, where only the
//!   compiler does not know that `zero` is 0: the next load waits for the answer. An answer that
//!   comes out of a branch does not make it wait; such a test is charged what it costs when the branch
//!   is predicted, as in a program.
//! * *floor*: the same loops with a test that reads nothing: none for throughput, the lowest bit of
//!   the address for latency, so that the loads of addresses still wait for each other.

use std::arch::asm;
use std::hint::black_box;

/// The number, of which the compiler knows nothing from here on.
#[inline(always)]
fn opaque(mut number: usize) -> usize {
    // SAFETY: no instruction at all; the register keeps its value.
    unsafe { asm!("/* {0} */", inout(reg) number, options(nomem, nostack, preserves_flags)) };
    number
}

/// As many as before, and one more if the address is ours.
#[inline(always)]
fn count(ours: usize, owns: &impl Fn(*mut u8) -> bool, address: *mut u8) -> usize {
    opaque(ours + usize::from(owns(address.map_addr(opaque))))
}

/// Queries per turn of the throughput loop, so that the loop itself weighs little.
const UNROLLED: usize = 8;

/// Asks about every address; how many are ours.
#[inline(never)]
pub(super) fn throughput(owns: &impl Fn(*mut u8) -> bool, addresses: &[*mut u8]) -> usize {
    let mut ours = 0;
    let (chunks, rest) = addresses.as_chunks::<UNROLLED>();
    for chunk in chunks {
        for &address in chunk {
            ours = count(ours, owns, address);
        }
    }
    for &address in rest {
        ours = count(ours, owns, address);
    }
    ours
}

/// Asks about every address, the next one after the answer to the last; how many are ours.
#[inline(never)]
pub(super) fn latency(owns: &impl Fn(*mut u8) -> bool, addresses: &[*mut u8]) -> usize {
    let zero = black_box(0_usize);
    let (mut ours, mut place) = (0, 0);
    while let Some(&address) = addresses.get(place) {
        let answer = usize::from(owns(address.map_addr(opaque)));
        ours += answer;
        place += 1 + (answer & zero);
    }
    ours
}

/// The test of the empty throughput loop.
pub(super) fn nothing(_address: *mut u8) -> bool {
    false
}

/// The test of the empty latency loop.
pub(super) fn lowest_bit(address: *mut u8) -> bool {
    address.addr() & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_ask_about_every_address_once_and_count_the_answers() {
        let addresses: Vec<*mut u8> = (1..=1000).map(std::ptr::without_provenance_mut).collect();
        let odd = |address: *mut u8| address.addr() % 2 == 1;
        assert_eq!(throughput(&odd, &addresses), 500);
        assert_eq!(latency(&odd, &addresses), 500);
        assert_eq!(throughput(&nothing, &addresses), 0);
        assert_eq!(latency(&lowest_bit, &addresses), 500);
        assert_eq!(throughput(&odd, &[]), 0);
    }
}
