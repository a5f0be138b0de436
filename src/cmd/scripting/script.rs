//! SCRIPT: the scripts that are known, and the one that runs.

use super::eval::{self, NO_SCRIPT};
use crate::{
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::scripts::Digest,
};

/// The container SCRIPT.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("script", Group::Scripting, SUBCOMMANDS).doc(
    "2.6.0",
    "Holds the commands about scripts.",
    "",
)];

const SUBCOMMANDS: &[CommandSpec] = &[
    sub("debug", 3, script_debug)
        .doc("3.2.0", "Says whether the scripts of this client are debugged.", "O(1)")
        .args(&[Arg::new(
            "mode",
            ArgKind::OneOf(&[Arg::word("yes", "YES"), Arg::word("sync", "SYNC"), Arg::word("no", "NO")]),
        )]),
    sub("exists", -3, script_exists)
        .doc("2.6.0", "Tells which scripts are known.", "O(N) with N being the number of digests.")
        .args(&[Arg::new("sha1", ArgKind::String).multiple()])
        .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    sub("flush", -2, script_flush)
        .doc("2.6.0", "Forgets all scripts.", "O(N) with N being the number of scripts.")
        .history(&[("6.2.0", "ASYNC and SYNC.")])
        .args(&[Arg::new(
            "flush-type",
            ArgKind::OneOf(&[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")]),
        )
        .since("6.2.0")
        .optional()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new("help", 2, Group::Scripting, script_help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::SCRIPTING])
        .doc("5.0.0", "Explains the subcommands.", "O(1)"),
    sub("kill", 2, script_kill)
        .flags(&[Flags::ALLOW_BUSY])
        .doc("2.6.0", "Ends the script that runs.", "O(1)")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    sub("load", 3, script_load)
        .flags(&[Flags::STALE])
        .doc(
            "2.6.0",
            "Keeps a script to be run by its digest.",
            "O(N) with N being the length of the script.",
        )
        .args(&[Arg::new("script", ArgKind::String)])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    sub("show", 3, script_show)
        .doc("8.0.0", "Shows the text of a script.", "O(1)")
        .args(&[Arg::new("sha1", ArgKind::String)]),
];

const fn sub(name: &'static str, arity: i16, handler: crate::command::Handler) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Scripting, handler)
        .flags(&[Flags::NOSCRIPT])
        .acl(&[Categories::SCRIPTING])
}

/// <https://valkey.io/commands/script-load/>
fn script_load(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.args.at(2);
    let digest = Digest::of(body);
    if ctx.state.scripts.cache.get(&digest).is_none() {
        eval::add(ctx, digest, body, true)?;
    }
    ctx.state.scripts.cache.keep(&digest);
    ctx.out().bulk(&digest.digits());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/script-exists/>
fn script_exists(ctx: &mut Ctx<'_>) -> Outcome {
    let digests = ctx.args.from(2);
    ctx.out().array(digests.len());
    for digits in digests {
        let is_known =
            Digest::parse(digits).is_some_and(|digest| ctx.state.scripts.cache.get(&digest).is_some());
        ctx.out().int(is_known.into());
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/script-flush/>
fn script_flush(ctx: &mut Ctx<'_>) -> Outcome {
    let fits =
        ctx.args.len() == 2 || ctx.args.len() == 3 && (ctx.is_word(2, "sync") || ctx.is_word(2, "async"));
    if !fits {
        return Err(CmdError::new("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    ctx.state.scripts.cache.clear();
    ctx.ok()
}

/// <https://valkey.io/commands/script-kill/>
fn script_kill(ctx: &mut Ctx<'_>) -> Outcome {
    kill(ctx, true)
}

/// SCRIPT KILL and FUNCTION KILL: each ends its own kind.
pub(super) fn kill(ctx: &mut Ctx<'_>, is_script: bool) -> Outcome {
    let Some(running) = &mut ctx.state.scripts.running else {
        return Err(CmdError::new("NOTBUSY No scripts in execution right now."));
    };
    if running.has_written {
        return Err(CmdError::new(
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the \
             script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
        ));
    }
    if running.is_script != is_script {
        return Err(running.busy());
    }
    running.is_killed = true;
    ctx.ok()
}

/// <https://valkey.io/commands/script-show/>
fn script_show(ctx: &mut Ctx<'_>) -> Outcome {
    let digest = Digest::parse(ctx.args.at(2)).ok_or(NO_SCRIPT)?;
    let script = ctx.state.scripts.cache.get(&digest).ok_or(NO_SCRIPT)?;
    ctx.session.out.bulk(&script.body);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/script-debug/>. There is no debugger: it can only be left out.
fn script_debug(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.is_word(2, "no") {
        return ctx.ok();
    }
    if ctx.is_word(2, "yes") || ctx.is_word(2, "sync") {
        return Err(CmdError::new("ERR the debugger of scripts is not built"));
    }
    Err(CmdError::new("ERR Use SCRIPT DEBUG YES/SYNC/NO"))
}

/// <https://valkey.io/commands/script-help/>
fn script_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "SCRIPT",
        &[
            "DEBUG (YES|SYNC|NO)",
            "    Say whether scripts are debugged.",
            "EXISTS <sha1> [<sha1> ...]",
            "    Tell for each digest whether its script is known.",
            "FLUSH [ASYNC|SYNC]",
            "    Forget all scripts. Where no mode is given, lazyfree-lazy-user-flush chooses it:",
            "    * ASYNC: free them in the background.",
            "    * SYNC: free them before the reply.",
            "KILL",
            "    End the script that runs.",
            "LOAD <script>",
            "    Keep a script without running it.",
            "SHOW <sha1>",
            "    Show the text of a script.",
        ],
    )
}
