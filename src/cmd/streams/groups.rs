//! Groups and their consumers: made, set, removed.

use super::{any_id_arg, event, find_to_write, id_arg, no_such_group, stream, stream_mut};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome,
    },
    ds::table::Pos,
    resp::error::shown,
    value::{
        Stream, Value,
        stream::{Group as Consumers, Log},
    },
};

const ID_SELECTOR: Arg =
    Arg::new("id-selector", ArgKind::OneOf(&[Arg::new("id", ArgKind::String), Arg::word("new-id", "$")]));
const ENTRIES_READ: Arg =
    Arg::new("entriesread", ArgKind::Integer).token("ENTRIESREAD").display("entries-read").optional();

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("xgroup", Group::Stream, SUBCOMMANDS).doc(
    "5.0.0",
    "A container for the commands of consumer groups.",
    "Depends on subcommand.",
)];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("create", -5, Group::Stream, create)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1)])
        .doc("5.0.0", "Makes a group of consumers.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", ArgKind::String),
            ID_SELECTOR,
            Arg::word("mkstream", "MKSTREAM").optional(),
            ENTRIES_READ,
        ])
        .history(&[("7.0.0", "`ENTRIESREAD`.")]),
    CommandSpec::new("setid", -5, Group::Stream, setid)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 2, 2, 1)])
        .doc("5.0.0", "Sets the ID behind which a group goes on.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("group", ArgKind::String), ID_SELECTOR, ENTRIES_READ])
        .history(&[("7.0.0", "`ENTRIESREAD`.")]),
    CommandSpec::new("destroy", 4, Group::Stream, destroy)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 2, 2, 1)])
        .doc("5.0.0", "Removes a group.", "O(N) where N is the number of entries pending in the group")
        .args(&[Arg::key("key", 0), Arg::new("group", ArgKind::String)]),
    CommandSpec::new("createconsumer", 5, Group::Stream, createconsumer)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1)])
        .doc("6.2.0", "Adds a consumer to a group.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", ArgKind::String),
            Arg::new("consumer", ArgKind::String),
        ]),
    CommandSpec::new("delconsumer", 5, Group::Stream, delconsumer)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 2, 2, 1)])
        .doc("5.0.0", "Removes a consumer from a group.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", ArgKind::String),
            Arg::new("consumer", ArgKind::String),
        ]),
    CommandSpec::new("help", 2, Group::Stream, help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::STREAM])
        .doc("5.0.0", "Describes the subcommands.", "O(1)"),
];

/// The options of CREATE and SETID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<i64>,
}

impl Options {
    fn parse(ctx: &Ctx<'_>, is_create: bool) -> Result<Options, CmdError> {
        let mut options = Options::default();
        let mut i = 5;
        while i < ctx.args.len() {
            if is_create && ctx.is_word(i, "mkstream") {
                options.make_stream = true;
                i += 1;
            } else if i + 1 < ctx.args.len() && ctx.is_word(i, "entriesread") {
                options.entries_read = match ctx.int_arg(i + 1)? {
                    -1 => None,
                    n @ 0.. => Some(n),
                    _ => return Err(CmdError::new("ERR value for ENTRIESREAD must be positive or -1")),
                };
                i += 2;
            } else {
                return Err(ctx.wrong_subcommand());
            }
        }
        Ok(options)
    }
}

/// The stream that a subcommand is about, which must be there.
fn find_stream(ctx: &mut Ctx<'_>) -> Result<Pos, CmdError> {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    find_to_write(ctx.store, db, key)?.ok_or(CmdError::new(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
         option to create an empty stream automatically.",
    ))
}

/// The same with the group, which must be there, too.
fn find_group(ctx: &mut Ctx<'_>) -> Result<Pos, CmdError> {
    let pos = find_stream(ctx)?;
    let (key, name) = (ctx.args.at(2), ctx.args.at(3));
    match stream(&ctx.store.entry(ctx.db(), pos))?.groups.get(name) {
        Some(_) => Ok(pos),
        None => Err(no_such_group(key, name)),
    }
}

/// <https://valkey.io/commands/xgroup-create/>
fn create(ctx: &mut Ctx<'_>) -> Outcome {
    const LENGTH_MAX: usize = 8;
    let (args, db, key, name) = (ctx.args, ctx.db(), ctx.args.at(2), ctx.args.at(3));
    let options = Options::parse(ctx, true)?;
    let found =
        if options.make_stream { find_to_write(ctx.store, db, key)? } else { Some(find_stream(ctx)?) };
    if args.len() > LENGTH_MAX {
        return Err(ctx.wrong_subcommand());
    }
    let new_group = |log: &Log| -> Result<Consumers, CmdError> {
        let id = if shown(args.at(4)) == b"$" { log.last_id } else { id_arg(ctx, 4)? };
        Ok(Consumers::new(id, options.entries_read))
    };
    let Some(pos) = found else {
        let mut stream = Box::new(Stream::new());
        let group = new_group(&stream.log)?;
        stream.groups.insert(name, group);
        ctx.store.insert(db, key, Value::Stream(stream), None);
        ctx.store.changed(db, key, event("xgroup-create"));
        return ctx.ok();
    };
    let group = new_group(&stream(&ctx.store.entry(db, pos))?.log)?;
    if !stream_mut(&mut ctx.store.edit(db, pos)).groups.insert(name, group) {
        return Err(CmdError::new("BUSYGROUP Consumer Group name already exists"));
    }
    ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-create")));
    ctx.ok()
}

/// <https://valkey.io/commands/xgroup-setid/>
fn setid(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key, name) = (ctx.args, ctx.db(), ctx.args.at(2), ctx.args.at(3));
    let options = Options::parse(ctx, false)?;
    let pos = find_group(ctx)?;
    if args.len() > 7 {
        return Err(ctx.wrong_subcommand());
    }
    let given = if shown(args.at(4)) == b"$" { None } else { Some(any_id_arg(ctx, 4, 0)?) };
    let mut edit = ctx.store.edit(db, pos);
    let Stream { log, groups } = stream_mut(&mut edit);
    if let Some(mut group) = groups.edit(name) {
        group.last_id = given.unwrap_or(log.last_id);
        group.entries_read = options.entries_read;
    }
    drop(edit);
    ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-setid")));
    ctx.ok()
}

/// <https://valkey.io/commands/xgroup-destroy/>
fn destroy(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key, name) = (ctx.db(), ctx.args.at(2), ctx.args.at(3));
    let pos = find_stream(ctx)?;
    let removed = stream_mut(&mut ctx.store.edit(db, pos)).groups.remove(name);
    let Some(group) = removed else { return ctx.int(0) };
    // What is pending is freed bit by bit.
    ctx.store.discard(Value::Stream(Box::new(Stream::of_group(group))));
    ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-destroy")));
    // Who waits as one of the group is to hear of its end.
    ctx.store.changes.ready(db, key);
    ctx.int(1)
}

/// <https://valkey.io/commands/xgroup-createconsumer/>
fn createconsumer(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key, now_ms) = (ctx.args, ctx.db(), ctx.args.at(2), ctx.now_ms());
    let pos = find_group(ctx)?;
    let mut edit = ctx.store.edit(db, pos);
    let mut added = false;
    if let Some(mut group) = stream_mut(&mut edit).groups.edit(args.at(3))
        && group.find_consumer(args.at(4)).is_none()
    {
        group.add_consumer(args.at(4), now_ms, -1);
        added = true;
    }
    drop(edit);
    if added {
        ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-createconsumer")));
    }
    ctx.int(added.into())
}

/// <https://valkey.io/commands/xgroup-delconsumer/>
fn delconsumer(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key) = (ctx.args, ctx.db(), ctx.args.at(2));
    let pos = find_group(ctx)?;
    let mut edit = ctx.store.edit(db, pos);
    let group = stream_mut(&mut edit).groups.edit(args.at(3));
    let removed = group.and_then(|mut group| group.remove_consumer(args.at(4)));
    drop(edit);
    if removed.is_some() {
        ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-delconsumer")));
    }
    ctx.count(removed.unwrap_or(0))
}

/// <https://valkey.io/commands/xgroup-help/>
fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "XGROUP",
        &[
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
    )
}
