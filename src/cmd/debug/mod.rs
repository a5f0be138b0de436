//! DEBUG: what tests of a server call.

mod crash;
mod digest;
mod object;
mod populate;
mod protocol;
mod reload;
mod replybuffer;
mod structure;

use crate::{
    base::glob,
    command::{CmdError, CommandSpec, Ctx, Flags, Flow, Group, Handler, Outcome},
    state::config::parse_memory,
};
use std::{ops::RangeInclusive, time::Duration};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("debug", -2, Group::Server, debug)
    .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::PROTECTED])
    .system()
    .doc("1.0.0", "Holds what tests of the server call.", "Depends on the subcommand.")];

/// A subcommand. Whether it is known depends on the number of its arguments, too, and COMMAND does not list it.
struct Subcommand {
    /// In lower case.
    name: &'static str,
    /// How many arguments stand behind the name.
    args: RangeInclusive<usize>,
    /// These arguments, and what it does, for HELP.
    syntax: &'static str,
    help: &'static [&'static str],
    run: Handler,
}

const fn subcommand(
    name: &'static str,
    args: RangeInclusive<usize>,
    syntax: &'static str,
    help: &'static [&'static str],
    run: Handler,
) -> Subcommand {
    Subcommand { name, args, syntax, help, run }
}

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("assert", 0..=0, "", &["Ends the server by an assertion that does not hold."], crash::assert),
    subcommand(
        "change-repl-id",
        0..=0,
        "",
        &["Gives the data set a new identity, as if it were another one."],
        change_repl_id,
    ),
    subcommand(
        "config-rewrite-force-all",
        0..=0,
        "",
        &["Like CONFIG REWRITE, and names every parameter."],
        config_rewrite_force_all,
    ),
    subcommand("digest", 0..=0, "", &["A signature of all databases in hexadecimal digits."], digest),
    subcommand(
        "digest-value",
        0..=usize::MAX,
        "<key> [<key> ...]",
        &["A signature of the value of each key."],
        digest_value,
    ),
    subcommand("error", 1..=1, "<string>", &["Answers with this error, for tests of clients."], error),
    subcommand("log", 1..=1, "<message>", &["Writes a message to the log."], log),
    subcommand(
        "htstats",
        1..=usize::MAX,
        "<dbid> [full]",
        &["The state of the table of a database."],
        structure::htstats,
    ),
    subcommand(
        "htstats-key",
        1..=usize::MAX,
        "<key> [full]",
        &["The state of the table that a key's value is."],
        structure::htstats_key,
    ),
    subcommand(
        "object",
        1..=2,
        "<key> [fast]",
        &["How a key and its value are kept; with `fast` without what takes a walk through the value."],
        object::object,
    ),
    subcommand("oom", 0..=0, "", &["Ends the process as when memory runs out."], crash::oom),
    subcommand("panic", 0..=0, "", &["Ends the server as a defect would."], crash::panic),
    subcommand(
        "populate",
        1..=3,
        "<count> [<prefix>] [<size>]",
        &[
            "Adds <count> strings under the names key:<number>, or <prefix>:<number>. Each is the text",
            "value:<number>, with <size> cut or filled with zeros to so many bytes. Keys that are there stay.",
        ],
        populate::populate,
    ),
    subcommand(
        "protocol",
        1..=1,
        "<type>",
        &[
            "A reply of this type, for tests of clients: string, integer, double, bignum, null, array, set, map,",
            "attrib, push, verbatim, true or false.",
        ],
        protocol::protocol,
    ),
    subcommand(
        "reload",
        0..=usize::MAX,
        "[option ...]",
        &[
            "Writes every value in the form of files and reads it again. Options are MERGE, NOFLUSH and NOSAVE.",
        ],
        reload::reload,
    ),
    subcommand("segfault", 0..=0, "", &["Ends the process by the signal SIGSEGV."], crash::segfault),
    subcommand(
        "set-active-expire",
        1..=1,
        "<0|1>",
        &["Whether keys whose time has come are looked for, or only deleted where somebody asks for them."],
        set_active_expire,
    ),
    subcommand(
        "quicklist-packed-threshold",
        1..=1,
        "<size>",
        &["From which size on an element of a list is a node of its own. 0 restores the default."],
        quicklist_packed_threshold,
    ),
    subcommand(
        "set-disable-deny-scripts",
        1..=1,
        "<0|1>",
        &["Whether scripts may call commands that are not made for them."],
        set_disable_deny_scripts,
    ),
    subcommand(
        "set-skip-checksum-validation",
        1..=1,
        "<0|1>",
        &["Whether RESTORE takes a payload whatever its checksum."],
        set_skip_checksum_validation,
    ),
    subcommand(
        "sleep",
        1..=1,
        "<seconds>",
        &["Stops the server for a while, which may have decimals."],
        sleep,
    ),
    subcommand(
        "stringmatch-test",
        0..=0,
        "",
        &["Matches random texts with random patterns, to see whether the server stands it."],
        stringmatch_test,
    ),
    subcommand(
        "listpack",
        1..=1,
        "<key>",
        &["Logs the elements of a value that is one listpack."],
        structure::listpack,
    ),
    subcommand(
        "quicklist",
        1..=2,
        "<key> [<0|1>]",
        &["Logs the nodes of a list that has several, with 1 their elements too."],
        structure::quicklist,
    ),
    subcommand(
        "client-eviction",
        0..=0,
        "",
        &["How much memory clients take, by size, where there is a limit on it (maxmemory-clients)."],
        client_eviction,
    ),
    subcommand(
        "pause-cron",
        1..=1,
        "<0|1>",
        &["Whether what happens by time alone is held back; who waits is still woken in time."],
        pause_cron,
    ),
    subcommand(
        "replybuffer",
        2..=2,
        "PEAK-RESET-TIME <NEVER||RESET|time>",
        &["For how many milliseconds the most that a client was sent at once counts."],
        replybuffer::replybuffer,
    ),
    subcommand(
        "replybuffer",
        2..=2,
        "RESIZING <0|1>",
        &["Whether the room for replies follows what a client is sent."],
        replybuffer::replybuffer,
    ),
    subcommand(
        "dict-resizing",
        1..=1,
        "<0|1>",
        &["Does nothing: tables grow by bounded steps, which nothing needs to hold back."],
        accept,
    ),
    subcommand(
        "client-enforce-reply-list",
        1..=1,
        "<0|1>",
        &["Does nothing: replies are kept in one way alone."],
        accept,
    ),
    subcommand("help", 0..=0, "", &["Print this help."], help),
];

/// <https://valkey.io/commands/debug/>
fn debug(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args.len() - 2;
    match SUBCOMMANDS.iter().find(|sub| ctx.is_word(1, sub.name) && sub.args.contains(&args)) {
        Some(sub) => (sub.run)(ctx),
        None => Err(ctx.wrong_subcommand()),
    }
}

fn help(ctx: &mut Ctx<'_>) -> Outcome {
    let mut lines = vec!["DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:".to_string()];
    for sub in SUBCOMMANDS {
        lines.push(format!("{} {}", sub.name.to_uppercase(), sub.syntax).trim_end().to_string());
        lines.extend(sub.help.iter().map(|line| format!("    {line}")));
    }
    ctx.out().lines(lines.iter().map(String::as_str));
    Ok(Flow::Done)
}

/// What other servers do here has no meaning in this one, and their tests go on.
fn accept(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.ok()
}

fn digest(ctx: &mut Ctx<'_>) -> Outcome {
    let digest = digest::of_all(ctx.store);
    ctx.out().simple(&digest);
    Ok(Flow::Done)
}

fn digest_value(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let db = ctx.db();
    let out = &mut ctx.session.out;
    out.array(args.len() - 2);
    for key in args.from(2) {
        out.simple(&digest::of_value(ctx.store, db, key));
    }
    Ok(Flow::Done)
}

/// The error is a reply like any other: it does not count as one that the server made.
fn error(ctx: &mut Ctx<'_>) -> Outcome {
    let error = CmdError::with(ctx.args.at(2));
    ctx.out().error(&error);
    Ok(Flow::Done)
}

fn log(ctx: &mut Ctx<'_>) -> Outcome {
    let message = String::from_utf8_lossy(ctx.args.at(2));
    ctx.state.journal.warn(format_args!("DEBUG LOG: {message}"));
    ctx.ok()
}

fn config_rewrite_force_all(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.rewrite_config(true)?;
    ctx.ok()
}

/// Letters that mean something in a pattern, and some that do not.
const PATTERN_BYTES: &[u8] = b"*?[]^-\\ab\0\xff";

fn stringmatch_test(ctx: &mut Ctx<'_>) -> Outcome {
    const ROUNDS: usize = 100_000;
    let rng = &mut ctx.state.rng;
    let (mut pattern, mut text) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for bytes in [&mut pattern, &mut text] {
            bytes.clear();
            let len = rng.below(32);
            bytes.extend((0..len).map(|_| PATTERN_BYTES[rng.below(PATTERN_BYTES.len() as u64) as usize]));
        }
        std::hint::black_box(glob::matches(&pattern, &text));
    }
    ctx.out().simple("Apparently the server did not crash: test passed");
    Ok(Flow::Done)
}

fn client_eviction(ctx: &mut Ctx<'_>) -> Outcome {
    /// Powers of two of the first class's end and of the last one's start.
    const LOGS: (u32, u32) = (15, 33);
    if ctx.state.config.clients_max_bytes() == 0 {
        return Err(CmdError::new("ERR maxmemory-clients is disabled."));
    }
    let mut classes = [(0, 0); (LOGS.1 - LOGS.0 + 1) as usize];
    let others = ctx.state.sessions.iter().filter_map(|(_, session)| session.as_deref());
    for session in others.chain([&*ctx.session]).filter(|session| !session.no_evict) {
        let log = session.counted.claimed_bytes().max(1).ilog2().clamp(LOGS.0 - 1, LOGS.1 - 1);
        let (bytes, clients) = &mut classes[(log + 1 - LOGS.0) as usize];
        *bytes += session.counted.claimed_bytes();
        *clients += 1;
    }
    let mut text = String::new();
    for (at, (bytes, clients)) in classes.into_iter().enumerate() {
        let from = if at == 0 { 0 } else { 1_u64 << (LOGS.0 - 1 + at as u32) };
        let to = format!("- {:>10}", 1_u64 << (LOGS.0 + at as u32));
        let to = if at + 1 == classes.len() { "+           " } else { &to };
        text += &format!("bucket {from:>10} {to}: tot-mem: {bytes:>10}, clients: {clients}\n");
    }
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

fn change_repl_id(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.journal.notice(format_args!("Changing the replication ID for DEBUG CHANGE-REPL-ID"));
    ctx.state.identity.repl_id = ctx.state.rng.hex_id();
    ctx.ok()
}

/// A switch as C's `atoi` reads it: on with any number but 0.
fn is_on(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    digits.iter().take_while(|byte| byte.is_ascii_digit()).any(|&byte| byte != b'0')
}

fn set_active_expire(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.config.active_expire = is_on(ctx.args.at(2));
    ctx.ok()
}

fn set_disable_deny_scripts(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.scripts.may_call_all = is_on(ctx.args.at(2));
    ctx.ok()
}

fn set_skip_checksum_validation(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.config.skip_checksum_validation = is_on(ctx.args.at(2));
    ctx.ok()
}

fn pause_cron(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.cron_paused = is_on(ctx.args.at(2));
    ctx.ok()
}

fn quicklist_packed_threshold(ctx: &mut Ctx<'_>) -> Outcome {
    match parse_memory(ctx.args.at(2))
        .and_then(|n| usize::try_from(n).ok())
        .filter(|&n| n <= u32::MAX as usize)
    {
        Some(bytes) => ctx.state.config.quicklist_packed_threshold = bytes,
        None => {
            return Err(CmdError::new(
                "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
            ));
        }
    }
    ctx.ok()
}

/// Whoever drives the engine stands still; what waits for the end of the command finds the time gone by.
fn sleep(ctx: &mut Ctx<'_>) -> Outcome {
    let text = std::str::from_utf8(ctx.args.at(2)).unwrap_or_default();
    let seconds: f64 = text.trim().parse().unwrap_or(0.0);
    // What is no number, negative, or without an end becomes 0.
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    ctx.state.clock.pass(time);
    (ctx.state.stand_still)(time);
    ctx.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_by_atoi() {
        for (text, on) in [("0", false), ("1", true), ("-1", true), ("+2", true), (" 3x", true), ("x", false)]
        {
            assert_eq!(is_on(text.as_bytes()), on, "{text}");
        }
        for (text, on) in [("", false), ("00", false), ("010", true), ("0x1", false), ("-", false)] {
            assert_eq!(is_on(text.as_bytes()), on, "{text}");
        }
    }

    #[test]
    fn every_subcommand_explains_itself() {
        for sub in SUBCOMMANDS {
            assert!(!sub.help.is_empty() && sub.name == sub.name.to_lowercase(), "{}", sub.name);
            assert_eq!(sub.syntax.is_empty(), *sub.args.end() == 0, "{}", sub.name);
            let same = |other: &&Subcommand| (other.name, other.syntax) == (sub.name, sub.syntax);
            assert_eq!(SUBCOMMANDS.iter().filter(same).count(), 1, "{}", sub.name);
        }
    }
}
