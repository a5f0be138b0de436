//! Staywire: a Redis-compatible server that keeps its connections.
//!
//! ```
//! let server = staywire::Server::builder().port(0).start()?;
//! println!("{} listens", server.url());
//! server.shutdown()?;
//! # Ok::<(), staywire::Error>(())
//! ```
//!
//! # The map of the house
//!
//! A module imports only from floors below its own.
//!
//! | floor | module | what lives there |
//! |---|---|---|
//! | 9 | `main.rs`, `standalone/`, [`server`] | argv, signals, log and crashes; the builder, and a server inside another program |
//! | 8 | [`net`] | the poll loop, connections, listeners |
//! |   | [`testkit`] | a server without sockets for tests, whose clock the test moves |
//! | 7 | [`engine`] | from bytes to replies: feed, gates, call, settle, cron, room for more; no I/O |
//! | 6 | [`cmd`] | the commands: a file or folder per family, spec beside handler |
//! | 5 | [`command`] | what a command declares, the table of all, what a handler works with |
//! | 4 | [`state`] | sessions, users, pub/sub, waiters, watches, cached keys, parameters, counters: no sockets |
//! |   | [`persist`] | the RDB form of values: no files |
//! | 3 | [`store`] | databases, expiry, eviction, what changed, what is to be freed, snapshots |
//! | 2 | [`value`] | entries, types, encodings |
//! |   | [`script`] | the Lua host |
//! | 1 | [`resp`], [`ds`] | the protocol; table, listpack, quicklist, intset, rank tree, posting, thin pointers, bits |
//! | 0 | [`base`], [`sys`] | clock, randomness, hash, journal, glob, numbers; what is system-specific |
//!
//! # One command's path
//!
//! 1. [`net`] reads until a short read or the turn's budget, into one shared buffer. A connection owns an input buffer
//!    only while half a command waits in it.
//! 2. [`resp::request`] finds the arguments as spans of that buffer.
//! 3. [`engine`]: table lookup, gates, queue or call.
//! 4. The handler ([`cmd`]) writes its reply into the session's output and changes the keyspace through [`store`], which
//!    records what changed. It returns done, blocked on keys, or an error.
//! 5. `engine::settle`: watches and notifications, copies that clients hold, messages, clients to close or wake, those
//!    who wait for keys; again, until nothing is left. A woken client runs its own command again.
//! 6. Before the loop sleeps clients are told of all that changed under their prefixes, and each output that has
//!    something is written once.
//!
//! `unsafe` stands in [`ds`], [`value`], [`script`] and [`sys`] alone, each block with the reason why it holds.

pub mod base;
pub mod cmd;
pub mod command;
pub mod ds;
pub mod engine;
pub mod net;
pub mod persist;
pub mod resp;
#[cfg(feature = "scripting")]
pub mod script;
pub mod server;
pub mod state;
pub mod store;
pub mod sys;
pub mod testkit;
pub mod value;

pub use base::clock::VirtualClock;
pub use engine::Engine;
pub use server::{Builder, Error, Handle, Server};
