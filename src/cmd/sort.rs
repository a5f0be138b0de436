//! SORT: the elements of a collection in an order of the client's choice.

use crate::command::CommandSpec;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[];
