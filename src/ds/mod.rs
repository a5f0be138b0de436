//! Floor 1: data structures. `unsafe` is allowed here; each block says why it holds.
#![allow(unsafe_code)]

pub mod bits;
pub mod hash;
pub mod hyperloglog;
pub mod intset;
pub mod listpack;
pub mod posting;
pub mod prefetch;
pub mod quicklist;
pub mod rank_tree;
pub mod size;
pub mod table;
pub mod thin;
