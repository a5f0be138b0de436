//! The server as a whole: its state, its time, its end.

mod info;

use crate::{
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::session::Closing,
};
use info::info;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("info", -1, Group::Server, info)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::DANGEROUS])
        .doc("1.0.0", "Reports on the server, section by section.", "O(1)")
        .history(&[("7.0.0", "Several sections.")])
        .args(&[Arg::new("section", ArgKind::String).optional().multiple()])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    CommandSpec::new("time", 1, Group::Server, time)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .doc("2.6.0", "Answers the time of the server.", "O(1)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("shutdown", -1, Group::Server, shutdown)
        .flags(&[
            Flags::ADMIN,
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::NO_MULTI,
            Flags::ALLOW_BUSY,
        ])
        .doc("1.0.0", "Stops the server.", "O(N)")
        .history(&[("7.0.0", "NOW, FORCE and ABORT.")])
        .args(&[Arg::new(
            "abort-selector",
            ArgKind::OneOf(&[
                Arg::new(
                    "save-selector-block",
                    ArgKind::Block(&[
                        Arg::new(
                            "save-selector",
                            ArgKind::OneOf(&[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")]),
                        )
                        .optional(),
                        Arg::word("now", "NOW").since("7.0.0").optional(),
                        Arg::word("force", "FORCE").since("7.0.0").optional(),
                    ]),
                ),
                Arg::word("abort", "ABORT").since("7.0.0"),
            ]),
        )
        .optional()]),
];

/// <https://valkey.io/commands/time/>
fn time(ctx: &mut Ctx<'_>) -> Outcome {
    // Time stands still for a script.
    let running = ctx.state.scripts.running.as_ref().filter(|_| ctx.session.in_script.is_some());
    let now_us = running.map_or_else(|| ctx.state.clock.now_us(), |running| running.began_us);
    let out = ctx.out();
    out.array(2);
    out.bulk_int(now_us / 1_000_000);
    out.bulk_int(now_us % 1_000_000);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/shutdown/>
fn shutdown(ctx: &mut Ctx<'_>) -> Outcome {
    let (mut save, mut nosave, mut abort, mut force) = (false, false, false, false);
    for i in 1..ctx.args.len() {
        if ctx.is_word(i, "nosave") {
            nosave = true;
        } else if ctx.is_word(i, "save") {
            save = true;
        } else if ctx.is_word(i, "abort") {
            abort = true;
        } else if ctx.is_word(i, "force") {
            force = true;
        } else if !ctx.is_word(i, "now") {
            return Err(CmdError::SYNTAX);
        }
    }
    if (abort && ctx.args.len() > 2) || (save && nosave) {
        return Err(CmdError::SYNTAX);
    }
    if abort {
        if !std::mem::take(&mut ctx.state.shutdown_asked) {
            return Err(CmdError::new("ERR No shutdown in progress."));
        }
        ctx.state.journal.notice(format_args!("Shutdown manually aborted."));
        return ctx.ok();
    }
    if let Some(running) = ctx.state.scripts.running.as_ref().filter(|_| !nosave) {
        return Err(running.busy());
    }
    if save && !force {
        return Err(CmdError::new("ERR persistence is not built yet, so SHUTDOWN SAVE would lose the data"));
    }
    // Nobody is answered: the end of the connection tells.
    ctx.state.stopping = true;
    ctx.session.close(Closing::Now);
    Ok(Flow::Done)
}
