//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

mod client;
mod command;
mod config;
mod connection;
mod server;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] =
    &[client::COMMANDS, command::COMMANDS, config::COMMANDS, connection::COMMANDS, server::COMMANDS];
