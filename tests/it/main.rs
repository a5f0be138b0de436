//! All integration tests, in one binary: the commands without sockets, and the server as its users run it.

mod blocking;
mod client;
mod command;
mod config;
mod debug;
mod dump;
mod embed;
mod expire;
mod field_expiry;
mod hashes;
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
mod streams;
mod strings;
mod support;
mod torture;
mod transactions;
mod watching;
