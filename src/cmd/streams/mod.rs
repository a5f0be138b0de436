//! Streams: logs of entries, read by clients and by groups of consumers.

use crate::command::CommandSpec;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[];
