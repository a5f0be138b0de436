//! Staywire: a Redis-compatible server that keeps its connections.

pub mod base;
pub mod cmd;
pub mod command;
pub mod ds;
pub mod engine;
pub mod resp;
pub mod state;
pub mod store;
pub mod sys;
pub mod testkit;
pub mod value;
