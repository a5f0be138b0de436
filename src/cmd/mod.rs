//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

mod client;
mod connection;
mod lists;
mod pubsub;
mod transactions;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] = &[
    connection::COMMANDS,
    lists::COMMANDS[0],
    lists::COMMANDS[1],
    lists::COMMANDS[2],
    pubsub::COMMANDS,
    transactions::COMMANDS,
];
