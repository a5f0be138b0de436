//! All integration tests, in one binary: the commands without sockets, and the server as its users run it.

mod acl;
mod bitmaps;
mod blocking;
mod client;
mod cluster;
mod cluster_slots;
mod command;
mod config;
mod debug;
mod dump;
mod embed;
mod eviction;
mod expire;
mod field_expiry;
#[cfg(feature = "scripting")]
mod functions;
mod geo;
mod hashes;
mod hyperloglog;
mod idle;
mod info;
mod keys;
mod lists;
mod net;
mod notifications;
mod pause;
mod pipeline;
mod primary;
mod pubsub;
#[cfg(feature = "scripting")]
mod scripting;
mod sets;
mod sort;
mod stream_groups;
mod streams;
mod strings;
mod support;
mod torture;
mod tracking;
mod transactions;
mod watching;
mod zsets;
