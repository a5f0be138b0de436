//! DUMP and RESTORE: values as bytes that other servers read.

use crate::command::CommandSpec;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[];
