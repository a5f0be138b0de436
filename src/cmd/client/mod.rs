//! CLIENT: what the server knows of its connections.

pub(crate) mod list;
mod pause;
mod select;
mod switches;
mod tracking;

use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome, effects::Wake,
    },
    resp::error::shown,
    state::session::{Closing, ReplyMode},
};
use select::Selection;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] =
    &[CommandSpec::container("client", Group::Connection, CLIENT_SUBCOMMANDS).keeps_caching().doc(
        "2.4.0",
        "Holds the commands about connections.",
        "",
    )];

const CLIENT_SUBCOMMANDS: &[CommandSpec] = &[
    tracking::CACHING,
    switches::CAPA,
    CommandSpec::new("getname", 2, Group::Connection, client_getname)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.6.9", "Answers the name of the connection.", "O(1)"),
    tracking::GETREDIR,
    CommandSpec::new("help", 2, Group::Connection, client_help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("5.0.0", "Explains the subcommands.", "O(1)"),
    CommandSpec::new("id", 2, Group::Connection, client_id)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("5.0.0", "Answers the number of the connection.", "O(1)"),
    switches::IMPORT_SOURCE,
    CommandSpec::new("info", 2, Group::Connection, client_info)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("6.2.0", "Describes the connection.", "O(1)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("kill", -3, Group::Connection, client_kill)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.4.0", "Closes connections.", "O(N)")
        .history(&[
            ("2.8.12", "The form with filters."),
            ("2.8.12", "ID."),
            ("3.2.0", "TYPE master."),
            ("5.0.0", "TYPE replica, for which slave still stands."),
            ("6.2.0", "LADDR."),
            ("8.0.0", "MAXAGE."),
            ("8.0.0", "TYPE primary, for which master still stands."),
            ("8.1.0", "Several ids."),
        ])
        .args(KILL_ARGS),
    CommandSpec::new("list", -2, Group::Connection, client_list)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.4.0", "Describes the connections of the server.", "O(N)")
        .history(&[
            ("2.8.12", "Field `id`."),
            ("5.0.0", "TYPE."),
            ("6.0.0", "Field `user`."),
            ("6.2.0", "Fields `argv-mem`, `tot-mem`, `laddr` and `redir`; ID."),
            ("7.0.0", "Fields `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "Field `ssub`."),
            ("8.0.0", "TYPE primary, for which master still stands."),
            ("8.1.0", "USER, ADDR, LADDR, SKIPME and MAXAGE."),
        ])
        .args(LIST_ARGS)
        .tips(&["nondeterministic_output"]),
    switches::NO_EVICT,
    switches::NO_TOUCH,
    pause::PAUSE,
    CommandSpec::new("reply", 3, Group::Connection, client_reply)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("3.2.0", "Switches replies on or off.", "O(1)")
        .args(&[Arg::new(
            "action",
            ArgKind::OneOf(&[Arg::word("on", "ON"), Arg::word("off", "OFF"), Arg::word("skip", "SKIP")]),
        )]),
    CommandSpec::new("setinfo", 4, Group::Connection, client_setinfo)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("7.2.0", "Tells which library the client is.", "O(1)")
        .args(&[Arg::new(
            "attr",
            ArgKind::OneOf(&[
                Arg::new("libname", ArgKind::String).token("LIB-NAME"),
                Arg::new("libver", ArgKind::String).token("LIB-VER"),
            ]),
        )])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new("setname", 3, Group::Connection, client_setname)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.6.9", "Names the connection.", "O(1)")
        .args(&[Arg::new("connection-name", ArgKind::String)])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    tracking::TRACKING,
    tracking::TRACKINGINFO,
    CommandSpec::new("unblock", -3, Group::Connection, client_unblock)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("5.0.0", "Wakes a connection that waits in a blocking command.", "O(log N)")
        .args(&[
            Arg::new("client-id", ArgKind::Integer),
            Arg::new(
                "unblock-type",
                ArgKind::OneOf(&[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")]),
            )
            .optional(),
        ]),
    pause::UNPAUSE,
];

const SKIP_ME: Arg = Arg::new("skipme", ArgKind::OneOf(&[Arg::word("yes", "YES"), Arg::word("no", "NO")]))
    .token("SKIPME")
    .optional();

const fn text(name: &'static str, token: &'static str) -> Arg {
    Arg::new(name, ArgKind::String).token(token).optional()
}

const KILL_ARGS: &[Arg] = &[Arg::new(
    "filter",
    ArgKind::OneOf(&[
        Arg::new("old-format", ArgKind::String).display("ip:port").deprecated("2.8.12"),
        Arg::new(
            "new-format",
            ArgKind::OneOf(&[
                Arg::new("client-id", ArgKind::Integer).token("ID").since("2.8.12").optional().multiple(),
                Arg::new(
                    "client-type",
                    ArgKind::OneOf(&[
                        Arg::word("normal", "NORMAL"),
                        Arg::word("master", "MASTER").since("3.2.0"),
                        Arg::word("primary", "PRIMARY").since("8.0.0"),
                        Arg::word("slave", "SLAVE"),
                        Arg::word("replica", "REPLICA").since("5.0.0"),
                        Arg::word("pubsub", "PUBSUB"),
                    ]),
                )
                .token("TYPE")
                .since("2.8.12")
                .optional(),
                text("username", "USER"),
                text("addr", "ADDR").display("ip:port"),
                text("laddr", "LADDR").since("6.2.0").display("ip:port"),
                SKIP_ME,
                Arg::new("maxage", ArgKind::Integer).token("MAXAGE").since("8.0.0").optional(),
            ]),
        )
        .multiple(),
    ]),
)];

const LIST_ARGS: &[Arg] = &[
    Arg::new(
        "client-type",
        ArgKind::OneOf(&[
            Arg::word("normal", "NORMAL"),
            Arg::word("master", "MASTER"),
            Arg::word("replica", "REPLICA"),
            Arg::word("pubsub", "PUBSUB"),
        ]),
    )
    .token("TYPE")
    .since("5.0.0")
    .optional(),
    Arg::new("client-id", ArgKind::Integer).token("ID").since("6.2.0").optional().multiple(),
    text("username", "USER").since("8.1.0"),
    text("addr", "ADDR").since("8.1.0").display("ip:port"),
    text("laddr", "LADDR").since("8.1.0").display("ip:port"),
    SKIP_ME.since("8.1.0"),
    Arg::new("maxage", ArgKind::Integer).token("MAXAGE").since("8.1.0").optional(),
];

/// Longest name of a connection or of its library, in bytes: names are kept as long as the connection.
const NAME_MAX_BYTES: usize = 64 * 1024;

/// Whether a name may stand in CLIENT LIST, whose fields are parted by spaces.
fn is_listable(name: &[u8]) -> bool {
    name.iter().all(|b| (b'!'..=b'~').contains(b))
}

/// Refuses a name that a connection cannot have. An empty one takes the name away.
pub(super) fn check_name(name: &[u8]) -> Result<(), CmdError> {
    if !is_listable(name) {
        return Err(CmdError::new("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    if name.len() > NAME_MAX_BYTES {
        return Err(CmdError::new("ERR Client names cannot be longer than 65536 bytes."));
    }
    Ok(())
}

fn kept(name: &[u8]) -> Option<Box<[u8]>> {
    (!name.is_empty()).then(|| name.into())
}

/// <https://valkey.io/commands/client-id/>
fn client_id(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.int(ctx.session.id as i64)
}

/// <https://valkey.io/commands/client-getname/>
fn client_getname(ctx: &mut Ctx<'_>) -> Outcome {
    let session = &mut *ctx.session;
    match &session.name {
        Some(name) => session.out.bulk(name),
        None => session.out.null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/client-setname/>
fn client_setname(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.args.at(2);
    check_name(name)?;
    ctx.session.name = kept(name);
    ctx.ok()
}

/// <https://valkey.io/commands/client-setinfo/>
fn client_setinfo(ctx: &mut Ctx<'_>) -> Outcome {
    let (attribute, value) = (ctx.args.at(2), ctx.args.at(3));
    let shown = String::from_utf8_lossy(shown(attribute));
    let is_name = ctx.is_word(2, "lib-name");
    if !is_name && !ctx.is_word(2, "lib-ver") {
        return Err(CmdError::with(format!("ERR Unrecognized option '{shown}'")));
    }
    if !is_listable(value) {
        return Err(CmdError::with(format!(
            "ERR {shown} cannot contain spaces, newlines or special characters."
        )));
    }
    if value.len() > NAME_MAX_BYTES {
        return Err(CmdError::with(format!("ERR {shown} cannot be longer than {NAME_MAX_BYTES} bytes.")));
    }
    let session = &mut *ctx.session;
    let field = if is_name { &mut session.lib_name } else { &mut session.lib_version };
    *field = kept(value);
    ctx.ok()
}

/// <https://valkey.io/commands/client-info/>
fn client_info(ctx: &mut Ctx<'_>) -> Outcome {
    let mut text = Vec::new();
    list::own_line(ctx, &mut text);
    ctx.out().verbatim("txt", &text);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/client-list/>
fn client_list(ctx: &mut Ctx<'_>) -> Outcome {
    let selection = Selection::parse(ctx, 2, false)?;
    let found = selection.find(ctx);
    let mut text = Vec::with_capacity(found.len() * list::USUAL_BYTES);
    for (_, key) in found {
        match ctx.state.sessions.get(key) {
            Some(Some(session)) => list::line(session, ctx, &mut text),
            _ => list::own_line(ctx, &mut text),
        }
    }
    ctx.out().verbatim("txt", &text);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/client-kill/>
fn client_kill(ctx: &mut Ctx<'_>) -> Outcome {
    // `CLIENT KILL addr` is the form before the filters.
    let old_form = ctx.args.len() == 3;
    let selection =
        if old_form { Selection::of_address(ctx.args.at(2)) } else { Selection::parse(ctx, 2, true)? };
    let found = selection.find(ctx);
    for &(_, key) in &found {
        if key == ctx.session.key {
            ctx.session.close(Closing::AfterReply);
        } else {
            ctx.effects.closed.push((key, Closing::Now));
        }
    }
    if !old_form {
        return ctx.count(found.len());
    }
    if found.is_empty() { Err(CmdError::new("ERR No such client")) } else { ctx.ok() }
}

/// <https://valkey.io/commands/client-reply/>
fn client_reply(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.is_word(2, "on") {
        ctx.session.reply = ReplyMode::On;
        return ctx.ok();
    }
    if ctx.is_word(2, "off") {
        ctx.session.reply = ReplyMode::Off;
    } else if ctx.is_word(2, "skip") {
        if ctx.session.reply != ReplyMode::Off {
            ctx.session.reply = ReplyMode::SkipNext;
        }
    } else {
        return Err(CmdError::SYNTAX);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/client-unblock/>
fn client_unblock(ctx: &mut Ctx<'_>) -> Outcome {
    // Valkey takes words behind the reason, and then it too, for nothing.
    let wake = match ctx.args.len() {
        4 if ctx.is_word(3, "error") => Wake::Error,
        4 if !ctx.is_word(3, "timeout") => {
            return Err(CmdError::new("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
        }
        _ => Wake::Timeout,
    };
    let id = ctx.int_arg(2)?;
    let waits =
        |session: &crate::state::session::Session| session.id as i64 == id && session.blocked.is_some();
    let found = ctx.state.sessions.iter().find(|(_, s)| s.as_ref().is_some_and(|s| waits(s)));
    let Some((key, _)) = found else { return ctx.int(0) };
    ctx.effects.woken.push((key, wake));
    ctx.int(1)
}

/// <https://valkey.io/commands/client-help/>
fn client_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "CLIENT",
        &[
            "CACHING (YES|NO)",
            "    Say whether the keys of the next command are tracked, in modes OPTIN and OPTOUT.",
            "CAPA <option> [options...]",
            "    Tell what the client is able to do: REDIRECT.",
            "GETREDIR",
            "    Return the ID of the connection that is told of changed keys.",
            "GETNAME",
            "    Return the name of the current connection.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections, by the options of LIST (SKIPME is YES by default).",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
            "    * USER <username>",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "    * IP <ip>",
            "    * ID <client-id> [<client-id>...]",
            "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>",
            "    * FLAGS <letters>, CAPA <letters>",
            "    * DB <number>",
            "    * SKIPME (YES|NO)",
            "    * MAXAGE <seconds>, IDLE <seconds>",
            "    All but SKIPME, MAXAGE and IDLE may be turned round: NOT-TYPE, NOT-USER ...",
            "UNPAUSE",
            "    Let the commands of clients run again.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Hold all commands of clients back, or those that write, for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETNAME <name>",
            "    Assign the name <name> to the current connection.",
            "SETINFO <option> <value>",
            "    Tell which library the current connection uses.",
            "UNBLOCK <clientid> [TIMEOUT|ERROR]",
            "    Unblock the specified blocked client.",
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Say whether and how the current connection is told of changed keys.",
            "TRACKINGINFO",
            "    Report how the current connection is told of changed keys.",
            "NO-EVICT (ON|OFF)",
            "    Keep the current connection when memory is short.",
            "NO-TOUCH (ON|OFF)",
            "    Keep the current connection from marking keys as used.",
            "IMPORT-SOURCE (ON|OFF)",
            "    Say that the current connection brings data in while import-mode is on.",
        ],
    )
}
