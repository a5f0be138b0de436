//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

mod client;
mod command;
mod config;
mod connection;
mod debug;
mod expire;
mod keys;
mod lists;
mod pubsub;
mod server;
mod strings;
mod transactions;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] = &[
    client::COMMANDS,
    command::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
    expire::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS[0],
    lists::COMMANDS[1],
    lists::COMMANDS[2],
    pubsub::COMMANDS,
    server::COMMANDS,
    strings::COMMANDS,
    transactions::COMMANDS,
];
