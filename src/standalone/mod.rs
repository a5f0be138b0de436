//! What the standalone server does beside serving: its log, its place among the processes, its report of a crash.

pub mod crash;
pub mod log;
pub mod process;
pub mod supervise;
