//! Floor 0: what is system-specific. `unsafe` is allowed here; each block says why it holds.
#![allow(unsafe_code)]

#[cfg(feature = "bin")]
pub mod allocator;
pub mod daemon;
pub mod fatal;
pub mod file;
pub mod process;
pub mod ticks;
