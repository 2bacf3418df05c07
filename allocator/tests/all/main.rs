//! Tests of the heaps through their public interface, in one binary.

mod account;
