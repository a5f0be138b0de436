//! Floor 2: what a key can hold, its encodings, and the operations on them.
#![allow(unsafe_code)]

pub mod list;
