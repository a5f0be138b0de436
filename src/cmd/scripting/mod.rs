//! Scripts and functions in Lua.
//!
//! Source: <https://valkey.io/topics/eval-intro/>, <https://valkey.io/topics/functions-intro/>.

mod eval;
mod fcall;
mod functions;
mod run;
mod script;
mod shebang;

use crate::command::CommandSpec;

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 4] =
    [eval::COMMANDS, fcall::COMMANDS, functions::COMMANDS, script::COMMANDS];
