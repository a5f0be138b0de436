//! Files of data: there are none yet, and the commands about them say so.

use crate::command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, Outcome};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("save", 1, Group::Server, save)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::NO_MULTI])
        .doc("1.0.0", "Writes all data to a file while everyone waits.", "O(N)"),
    CommandSpec::new("bgsave", -1, Group::Server, bgsave)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING])
        .doc("1.0.0", "Writes all data to a file.", "O(1)")
        .args(&[Arg::new(
            "operation",
            ArgKind::OneOf(&[
                Arg::word("schedule", "SCHEDULE").since("3.2.2"),
                Arg::word("cancel", "CANCEL").since("8.1.0"),
            ]),
        )
        .optional()])
        .history(&[("3.2.2", "`SCHEDULE`."), ("8.1.0", "`CANCEL`.")]),
    CommandSpec::new("bgrewriteaof", 1, Group::Server, save)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING])
        .doc("1.0.0", "Writes a shorter log file.", "O(1)"),
    CommandSpec::new("lastsave", 1, Group::Server, lastsave)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::ADMIN, Categories::DANGEROUS])
        .doc("1.0.0", "Answers when all data was last written to a file.", "O(1)")
        .tips(&["nondeterministic_output"]),
];

/// What every attempt to write data to a file answers.
const UNBUILT: CmdError = CmdError::new("ERR persistence is not built yet: the data is in memory alone");

/// <https://valkey.io/commands/save/>, <https://valkey.io/commands/bgrewriteaof/>
fn save(_: &mut Ctx<'_>) -> Outcome {
    Err(UNBUILT)
}

/// <https://valkey.io/commands/bgsave/>
fn bgsave(ctx: &mut Ctx<'_>) -> Outcome {
    match ctx.args.len() {
        1 => Err(UNBUILT),
        2 if ctx.is_word(1, "schedule") => Err(UNBUILT),
        2 if ctx.is_word(1, "cancel") => {
            Err(CmdError::new("ERR Background saving is currently not in progress or scheduled"))
        }
        _ => Err(CmdError::SYNTAX),
    }
}

/// <https://valkey.io/commands/lastsave/>: the start, as long as nothing was saved since.
fn lastsave(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.int(ctx.state.identity.started_ms / 1000)
}
