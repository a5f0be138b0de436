//! HyperLogLogs: how many different elements were seen, approximately.

use crate::command::CommandSpec;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[];
