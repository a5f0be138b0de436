//! MONITOR: a look at every command that the server runs.

use crate::command::{CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("monitor", 1, Group::Server, monitor)
    .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
    .doc("1.0.0", "Shows every command that the server runs.", "")];

/// <https://valkey.io/commands/monitor/>
fn monitor(ctx: &mut Ctx<'_>) -> Outcome {
    if !ctx.may_block {
        return Err(CmdError::new("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // Who looks already is not answered.
    if ctx.session.monitor {
        return Ok(Flow::Done);
    }
    ctx.state.monitors.add(ctx.session);
    ctx.state.note_watchers();
    ctx.ok()
}
