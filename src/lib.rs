//! Staywire: a Redis-compatible server that keeps its connections.

pub mod base;
pub mod ds;
pub mod resp;
pub mod value;
