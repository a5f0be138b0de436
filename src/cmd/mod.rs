//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

mod client;
mod connection;
mod expire;
mod keys;
mod lists;
mod pubsub;
mod strings;
mod transactions;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] = &[
    connection::COMMANDS,
    expire::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS[0],
    lists::COMMANDS[1],
    lists::COMMANDS[2],
    pubsub::COMMANDS,
    strings::COMMANDS,
    transactions::COMMANDS,
];
