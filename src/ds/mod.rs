//! Floor 1: data structures. `unsafe` is allowed here; each block says why it holds.
#![allow(unsafe_code)]

pub mod listpack;
pub mod quicklist;
pub mod size;
