//! Floor 6: the commands, one file or folder per family: what each declares of itself beside its handler.

mod client;
mod connection;
mod expire;
mod keys;
mod strings;

use crate::command::CommandSpec;

/// All families.
pub const FAMILIES: &[&[CommandSpec]] =
    &[connection::COMMANDS, expire::COMMANDS, keys::COMMANDS, strings::COMMANDS];
