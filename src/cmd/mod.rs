//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

pub mod acl;
mod bitmaps;
pub(crate) mod client;
mod cluster;
mod command;
mod commandlog;
mod config;
mod connection;
mod debug;
mod dump;
mod expire;
mod geo;
mod hashes;
mod hyperloglog;
mod keys;
mod latency;
mod lists;
mod lolwut;
mod memory;
mod module;
mod monitor;
mod persistence;
pub(crate) mod pubsub;
mod replication;
#[cfg(feature = "scripting")]
mod scripting;
mod server;
mod sets;
mod sort;
mod streams;
mod strings;
mod transactions;
mod zsets;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] = &[
    acl::COMMANDS,
    bitmaps::COMMANDS[0],
    bitmaps::COMMANDS[1],
    bitmaps::COMMANDS[2],
    client::COMMANDS,
    cluster::COMMANDS,
    command::COMMANDS,
    commandlog::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
    dump::COMMANDS,
    expire::COMMANDS,
    geo::COMMANDS[0],
    geo::COMMANDS[1],
    hashes::COMMANDS[0],
    hashes::COMMANDS[1],
    hashes::COMMANDS[2],
    hyperloglog::COMMANDS,
    keys::COMMANDS,
    latency::COMMANDS,
    lists::COMMANDS[0],
    lists::COMMANDS[1],
    lists::COMMANDS[2],
    lolwut::COMMANDS,
    memory::COMMANDS,
    module::COMMANDS,
    monitor::COMMANDS,
    persistence::COMMANDS,
    pubsub::COMMANDS,
    replication::COMMANDS,
    #[cfg(feature = "scripting")]
    scripting::COMMANDS[0],
    #[cfg(feature = "scripting")]
    scripting::COMMANDS[1],
    #[cfg(feature = "scripting")]
    scripting::COMMANDS[2],
    #[cfg(feature = "scripting")]
    scripting::COMMANDS[3],
    server::COMMANDS,
    sets::COMMANDS[0],
    sets::COMMANDS[1],
    sets::COMMANDS[2],
    sort::COMMANDS,
    streams::COMMANDS[0],
    streams::COMMANDS[1],
    streams::COMMANDS[2],
    streams::COMMANDS[3],
    streams::COMMANDS[4],
    streams::COMMANDS[5],
    streams::COMMANDS[6],
    strings::COMMANDS,
    transactions::COMMANDS,
    zsets::COMMANDS[0],
    zsets::COMMANDS[1],
    zsets::COMMANDS[2],
    zsets::COMMANDS[3],
    zsets::COMMANDS[4],
    zsets::COMMANDS[5],
];
