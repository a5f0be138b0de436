//! CLIENT PAUSE and UNPAUSE.

use crate::{
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, Outcome},
    state::pause::PauseMode,
    store::Overdue,
};

pub(super) const PAUSE: CommandSpec = CommandSpec::new("pause", -3, Group::Connection, client_pause)
    .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
    .acl(&[Categories::CONNECTION])
    .doc("3.0.0", "Holds the commands of clients back.", "O(1)")
    .args(&[
        Arg::new("timeout", ArgKind::Integer),
        Arg::new("mode", ArgKind::OneOf(&[Arg::word("write", "WRITE"), Arg::word("all", "ALL")]))
            .since("6.2.0")
            .optional(),
    ])
    .history(&[("6.2.0", "WRITE.")]);

pub(super) const UNPAUSE: CommandSpec = CommandSpec::new("unpause", 2, Group::Connection, client_unpause)
    .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
    .acl(&[Categories::CONNECTION])
    .doc("6.2.0", "Lets the commands of clients run again.", "O(N)");

/// <https://valkey.io/commands/client-pause/>
fn client_pause(ctx: &mut Ctx<'_>) -> Outcome {
    // Valkey takes words behind the mode for nothing.
    let mode = match ctx.args.len() {
        4 if ctx.is_word(3, "write") => PauseMode::Write,
        4 if !ctx.is_word(3, "all") => {
            return Err(CmdError::new("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
        _ => PauseMode::All,
    };
    // 0 is a moment that is over: it can only make a pause stronger.
    let until_ms = ctx.deadline_ms_arg(2)?.unwrap_or(0);
    ctx.state.pause.start(mode, until_ms, ctx.store.now_ms);
    if ctx.state.pause.is_on() && ctx.store.overdue == Overdue::Deleted {
        // For what else its transaction does.
        ctx.store.overdue = Overdue::Hidden;
    }
    ctx.ok()
}

/// <https://valkey.io/commands/client-unpause/>
fn client_unpause(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.pause.is_on() {
        ctx.effects.unpaused = true;
    }
    ctx.ok()
}
