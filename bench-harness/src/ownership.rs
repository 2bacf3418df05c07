//! The ownership lab: what the question "is this address ours?" costs, strategy by strategy.
//!
//! ```text
//! strategy   the list: name -> arenas made ready, the test as a closure
//! terrain    where our addresses and foreign ones are; rows of addresses drawn from it
//! loops      throughput, latency and the empty loop over a row
//! child      one process: a strategy, so many arenas, one order of addresses
//! session    rounds of children in random order -> records
//! callgrind  the same in instructions
//! ```
//!
//! * **O1** A row of addresses is made before any clock is read, and the empty loop walks the same row.
//! * **O2** Every answer is checked once before the clock runs, and the number of answers that say
//!   "ours" after every pass: a wrong answer is `mismatch`, and carries no time.
//! * **O3** A strategy that reads the memory asked about is never asked about memory that is not there.

pub(crate) mod callgrind;
pub(crate) mod child;
mod loops;
pub(crate) mod session;
pub(crate) mod strategy;
pub(crate) mod terrain;
