//! Floor 1: what is system-specific.

pub mod process;
