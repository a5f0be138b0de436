//! SLOWLOG and COMMANDLOG: the calls that took long, or whose request or reply was large.

use crate::{
    command::{Arg, ArgKind, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::commandlog::Reason,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::container("slowlog", Group::Server, SLOWLOG_SUBCOMMANDS)
        .doc("2.2.12", "Holds the commands about the log of slow calls.", "")
        .deprecated("8.1.0", "`COMMANDLOG`"),
    CommandSpec::container("commandlog", Group::Server, COMMANDLOG_SUBCOMMANDS).doc(
        "8.1.0",
        "Holds the commands about the logs of calls.",
        "",
    ),
];

const ADMIN: &[Flags] = &[Flags::ADMIN, Flags::LOADING, Flags::STALE];
const GET_TIPS: &[&str] = &["request_policy:all_nodes", "nondeterministic_output"];
const LEN_TIPS: &[&str] = &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"];
const RESET_TIPS: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

const SLOWLOG_SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("get", -2, Group::Server, slowlog_get)
        .flags(ADMIN)
        .doc("2.2.12", "Answers the slow calls, newest first.", "O(N)")
        .args(&[Arg::new("count", ArgKind::Integer).optional()])
        .history(&[("4.0.0", "Entries have the address and name of the client.")])
        .tips(GET_TIPS)
        .deprecated("8.1.0", "`COMMANDLOG GET <count> SLOW`"),
    CommandSpec::new("help", 2, Group::Server, slowlog_help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("6.2.0", "Explains the subcommands.", "O(1)")
        .deprecated("8.1.0", "`COMMANDLOG HELP`"),
    CommandSpec::new("len", 2, Group::Server, slowlog_len)
        .flags(ADMIN)
        .doc("2.2.12", "Answers how many slow calls are kept.", "O(1)")
        .tips(LEN_TIPS)
        .deprecated("8.1.0", "`COMMANDLOG LEN SLOW`"),
    CommandSpec::new("reset", 2, Group::Server, slowlog_reset)
        .flags(ADMIN)
        .doc("2.2.12", "Forgets the slow calls.", "O(N)")
        .tips(RESET_TIPS)
        .deprecated("8.1.0", "`COMMANDLOG RESET SLOW`"),
];

const TYPE: Arg = Arg::new(
    "type",
    ArgKind::OneOf(&[
        Arg::new("slow", ArgKind::String),
        Arg::new("large-request", ArgKind::String),
        Arg::new("large-reply", ArgKind::String),
    ]),
);

const COMMANDLOG_SUBCOMMANDS: &[CommandSpec] =
    &[
        CommandSpec::new("get", 4, Group::Server, commandlog_get)
            .flags(ADMIN)
            .doc("8.1.0", "Answers the calls of a log, newest first.", "O(N)")
            .args(&[Arg::new("count", ArgKind::Integer), TYPE])
            .tips(GET_TIPS),
        CommandSpec::new("help", 2, Group::Server, commandlog_help)
            .flags(&[Flags::LOADING, Flags::STALE])
            .doc("8.1.0", "Explains the subcommands.", "O(1)"),
        CommandSpec::new("len", 3, Group::Server, commandlog_len)
            .flags(ADMIN)
            .doc("8.1.0", "Answers how many calls a log keeps.", "O(1)")
            .args(&[TYPE])
            .tips(LEN_TIPS),
        CommandSpec::new("reset", 3, Group::Server, commandlog_reset)
            .flags(ADMIN)
            .doc("8.1.0", "Forgets the calls of a log.", "O(N)")
            .args(&[TYPE])
            .tips(RESET_TIPS),
    ];

/// Entries that SLOWLOG GET answers where nobody says.
const GET_DEFAULT: usize = 10;

/// <https://valkey.io/commands/slowlog-get/>
fn slowlog_get(ctx: &mut Ctx<'_>) -> Outcome {
    match ctx.args.len() {
        2 => reply_entries(ctx, Reason::Slow, GET_DEFAULT),
        3 => {
            let count = count_arg(ctx)?;
            reply_entries(ctx, Reason::Slow, count)
        }
        _ => Err(ctx.wrong_subcommand()),
    }
}

/// <https://valkey.io/commands/slowlog-len/>
fn slowlog_len(ctx: &mut Ctx<'_>) -> Outcome {
    reply_len(ctx, Reason::Slow)
}

/// <https://valkey.io/commands/slowlog-reset/>
fn slowlog_reset(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.commandlog[Reason::Slow as usize].entries.clear();
    ctx.ok()
}

/// <https://valkey.io/commands/commandlog-get/>
fn commandlog_get(ctx: &mut Ctx<'_>) -> Outcome {
    let count = count_arg(ctx)?;
    let reason = reason_arg(ctx, 3)?;
    reply_entries(ctx, reason, count)
}

/// <https://valkey.io/commands/commandlog-len/>
fn commandlog_len(ctx: &mut Ctx<'_>) -> Outcome {
    let reason = reason_arg(ctx, 2)?;
    reply_len(ctx, reason)
}

/// <https://valkey.io/commands/commandlog-reset/>
fn commandlog_reset(ctx: &mut Ctx<'_>) -> Outcome {
    let reason = reason_arg(ctx, 2)?;
    ctx.state.commandlog[reason as usize].entries.clear();
    ctx.ok()
}

/// How many entries are wanted; -1: all.
fn count_arg(ctx: &Ctx<'_>) -> Result<usize, CmdError> {
    let wrong = || CmdError::new("ERR count should be greater than or equal to -1");
    let count = ctx.int_arg(2).map_err(|_| wrong())?;
    if count == -1 { Ok(usize::MAX) } else { usize::try_from(count).map_err(|_| wrong()) }
}

fn reason_arg(ctx: &Ctx<'_>, i: usize) -> Result<Reason, CmdError> {
    let found = Reason::ALL.into_iter().find(|reason| ctx.is_word(i, reason.name()));
    found.ok_or(CmdError::new("ERR type should be one of the following: slow, large-request, large-reply"))
}

fn reply_len(ctx: &mut Ctx<'_>, reason: Reason) -> Outcome {
    let limit = ctx.state.config.commandlog[reason as usize];
    let log = &mut ctx.state.commandlog[reason as usize];
    log.shorten(limit);
    let len = log.entries.len();
    ctx.count(len)
}

fn reply_entries(ctx: &mut Ctx<'_>, reason: Reason, count: usize) -> Outcome {
    let limit = ctx.state.config.commandlog[reason as usize];
    let log = &mut ctx.state.commandlog[reason as usize];
    log.shorten(limit);
    let out = &mut ctx.session.out;
    out.array(count.min(log.entries.len()));
    for entry in log.entries.iter().take(count) {
        out.array(6);
        out.int(entry.id as i64);
        out.int(entry.at_s);
        out.int(entry.value as i64);
        out.array(entry.args.len());
        entry.args.iter().for_each(|arg| out.bulk(arg));
        out.bulk(entry.addr.as_bytes());
        out.bulk(&entry.name);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/slowlog-help/>
fn slowlog_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "SLOWLOG",
        &[
            "GET [<count>]",
            "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
            "    Entries are made of:",
            "    id, timestamp, time in microseconds, arguments array, client IP and port,",
            "    client name",
            "LEN",
            "    Return the length of the slowlog.",
            "RESET",
            "    Reset the slowlog.",
        ],
    )
}

/// <https://valkey.io/commands/commandlog-help/>
fn commandlog_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "COMMANDLOG",
        &[
            "GET <count> <type>",
            "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
            "    Entries are made of:",
            "    id, timestamp,",
            "        time in microseconds for type of slow,",
            "        or size in bytes for type of large-request,",
            "        or size in bytes for type of large-reply",
            "    arguments array, client IP and port,",
            "    client name",
            "LEN <type>",
            "    Return the length of the specified type of commandlog.",
            "RESET <type>",
            "    Reset the specified type of commandlog.",
        ],
    )
}
