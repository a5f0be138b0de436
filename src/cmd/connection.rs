//! Connections: logging in, choosing protocol and database, answering.

use crate::command::{
    Arg, ArgKind, Args, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome, ctx::c_int,
};
use crate::{
    cmd::acl::refusals,
    resp::{Proto, error::shown},
    state::{
        acl::{DEFAULT_NAME, DEFAULT_USER},
        session::{Closing, ReplyMode},
    },
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("auth", -2, Group::Connection, auth)
        .flags(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ])
        .acl(&[Categories::CONNECTION])
        .doc("1.0.0", "Logs the connection in.", "O(N)")
        .history(&[("6.0.0", "A username before the password.")])
        .args(&[
            Arg::new("username", ArgKind::String).since("6.0.0").optional(),
            Arg::new("password", ArgKind::String),
        ])
        .secrets(auth_secrets),
    CommandSpec::new("hello", -1, Group::Connection, hello)
        .flags(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ])
        .acl(&[Categories::CONNECTION])
        .doc("6.0.0", "Chooses the protocol version, and logs in and names the connection if wanted.", "O(1)")
        .history(&[
            ("8.1.0", "`availability_zone` in the reply, where the parameter of that name is set."),
            ("6.2.0", "All arguments may be left out: it then describes the connection."),
        ])
        .args(&[Arg::new(
            "arguments",
            ArgKind::Block(&[
                Arg::new("protover", ArgKind::Integer),
                Arg::new(
                    "auth",
                    ArgKind::Block(&[
                        Arg::new("username", ArgKind::String),
                        Arg::new("password", ArgKind::String),
                    ]),
                )
                .token("AUTH")
                .optional(),
                Arg::new("clientname", ArgKind::String).token("SETNAME").optional(),
            ]),
        )
        .optional()])
        .secrets(hello_secrets),
    CommandSpec::new("ping", -1, Group::Connection, ping)
        .flags(&[Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("1.0.0", "Answers, to show that the server does.", "O(1)")
        .args(&[Arg::new("message", ArgKind::String).optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .while_subscribed(),
    CommandSpec::new("echo", 2, Group::Connection, echo)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("1.0.0", "Answers with its argument.", "O(1)")
        .args(&[Arg::new("message", ArgKind::String)]),
    CommandSpec::new("quit", -1, Group::Connection, quit)
        .flags(&[
            Flags::ALLOW_BUSY,
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
        ])
        .acl(&[Categories::CONNECTION])
        .doc("1.0.0", "Closes the connection after the replies due.", "O(1)")
        .deprecated("7.2.0", "just closing the connection")
        .in_multi_at_once()
        .while_subscribed(),
    CommandSpec::new("reset", 1, Group::Connection, reset)
        .flags(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ])
        .acl(&[Categories::CONNECTION])
        .doc("6.2.0", "Brings the connection back to the state of a new one.", "O(1)")
        .in_multi_at_once()
        .while_subscribed(),
    CommandSpec::new("select", 2, Group::Connection, select)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("1.0.0", "Chooses the database of the connection.", "O(1)")
        .args(&[Arg::new("index", ArgKind::Integer)]),
];

const WRONG_PASS: CmdError = CmdError::new("WRONGPASS invalid username-password pair or user is disabled.");

/// <https://valkey.io/commands/auth/>
fn auth(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(CmdError::SYNTAX);
    }
    let (user, password) = match ctx.args.get(2) {
        Some(password) => (ctx.args.at(1), password),
        None if ctx.state.acl[DEFAULT_USER].nopass => {
            return Err(CmdError::new(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                 your configuration is correct?",
            ));
        }
        None => (DEFAULT_NAME, ctx.args.at(1)),
    };
    log_in(ctx, user, password)?;
    ctx.ok()
}

/// Both arguments of AUTH, unless there are too many to tell which is the password.
fn auth_secrets(args: Args<'_>) -> Vec<usize> {
    if args.len() > 3 { Vec::new() } else { (1..args.len()).collect() }
}

/// Logs the session in as `user`.
fn log_in(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8]) -> Result<(), CmdError> {
    match ctx.state.acl.find(user).filter(|&user| ctx.state.acl[user].accepts(password)) {
        Some(user) => {
            ctx.session.user = user;
            ctx.session.authenticated = true;
            Ok(())
        }
        None => {
            refusals::note_login(ctx, user);
            Err(WRONG_PASS)
        }
    }
}

/// <https://valkey.io/commands/hello/>
fn hello(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let proto = match args.get(1) {
        None => None,
        Some(version) => match crate::base::num::parse_i64(version) {
            Some(2) => Some(Proto::Resp2),
            Some(3) => Some(Proto::Resp3),
            Some(_) => return Err(CmdError::new("NOPROTO unsupported protocol version")),
            None => return Err(CmdError::new("ERR Protocol version is not an integer or out of range")),
        },
    };
    let (mut login, mut name) = (None, None);
    let mut i = 2;
    while i < args.len() {
        if ctx.is_word(i, "auth") && i + 2 < args.len() {
            login = Some((args.at(i + 1), args.at(i + 2)));
            i += 3;
        } else if ctx.is_word(i, "setname") && i + 1 < args.len() {
            super::client::check_name(args.at(i + 1))?;
            name = Some(args.at(i + 1));
            i += 2;
        } else {
            let option = String::from_utf8_lossy(shown(args.at(i)));
            return Err(CmdError::with(format!("ERR Syntax error in HELLO option '{option}'")));
        }
    }
    if let Some((user, password)) = login {
        log_in(ctx, user, password)?;
    }
    if !ctx.session.authenticated {
        return Err(CmdError::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
             the same time",
        ));
    }
    if let Some(name) = name {
        ctx.session.name = (!name.is_empty()).then(|| name.into());
    }
    if let Some(proto) = proto {
        ctx.session.out.proto = proto;
    }
    let id = ctx.session.id as i64;
    let mode = ctx.state.config.mode();
    let out = ctx.out();
    out.map(7);
    out.bulk(b"server");
    out.bulk(b"redis");
    out.bulk(b"version");
    out.bulk(b"7.2.4");
    out.bulk(b"proto");
    out.int(if out.proto == Proto::Resp3 { 3 } else { 2 });
    out.bulk(b"id");
    out.int(id);
    out.bulk(b"mode");
    out.bulk(mode.as_bytes());
    out.bulk(b"role");
    out.bulk(b"master");
    out.bulk(b"modules");
    out.array(0);
    Ok(Flow::Done)
}

/// Names and passwords, as far as HELLO understands what it is told.
fn hello_secrets(args: Args<'_>) -> Vec<usize> {
    let mut secrets = Vec::new();
    let is_version = args.get(1).is_some_and(|version| version == b"2" || version == b"3");
    let mut i = if is_version { 2 } else { args.len() };
    while i + 1 < args.len() {
        let option = args.at(i);
        if option.eq_ignore_ascii_case(b"auth") && i + 2 < args.len() {
            secrets.extend([i + 1, i + 2]);
            i += 3;
        } else if option.eq_ignore_ascii_case(b"setname") {
            i += 2;
        } else {
            break;
        }
    }
    secrets
}

/// <https://valkey.io/commands/ping/>
fn ping(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 2 {
        return Err(CmdError::wrong_arity("ping"));
    }
    let message = ctx.args.get(1);
    let subscribed = ctx.session.in_subscribed_mode();
    let out = ctx.out();
    match message {
        _ if subscribed => {
            out.array(2);
            out.bulk(b"pong");
            out.bulk(message.unwrap_or_default());
        }
        Some(message) => out.bulk(message),
        None => out.raw(b"+PONG\r\n"),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/echo/>
fn echo(ctx: &mut Ctx<'_>) -> Outcome {
    let message = ctx.args.at(1);
    ctx.out().bulk(message);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/quit/>
fn quit(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.close(Closing::AfterReply);
    ctx.ok()
}

/// <https://valkey.io/commands/reset/>
fn reset(ctx: &mut Ctx<'_>) -> Outcome {
    let session = &mut *ctx.session;
    session.transaction = None;
    ctx.state.watch.unwatch(session);
    ctx.state.tracking.disable(session);
    if let Some(mut subs) = session.subscriptions.take() {
        ctx.state.pubsub.forget(&mut subs, session.key);
    }
    ctx.state.monitors.remove(session);
    ctx.state.note_watchers();
    session.db = 0;
    session.name = None;
    session.no_touch = false;
    session.no_evict = false;
    session.readonly = false;
    if session.reply != ReplyMode::Skipping {
        session.reply = ReplyMode::On;
    }
    ctx.state.log_out(session);
    session.out.proto = Proto::Resp2;
    session.out.simple("RESET");
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/select/>
fn select(ctx: &mut Ctx<'_>) -> Outcome {
    let number = c_int(ctx.args.at(1))?;
    if ctx.state.cluster.is_some() && number != 0 {
        return Err(CmdError::new("ERR SELECT is not allowed in cluster mode"));
    }
    ctx.session.db = ctx.database(number)?;
    ctx.ok()
}
