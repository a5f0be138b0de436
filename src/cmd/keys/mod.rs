//! Keys, whatever they hold: deleting, finding, renaming, looking into them, and whole databases.

mod databases;
mod migrate;
mod object;
mod relocate;
mod scan;

use crate::{
    command::{Arg, ArgKind, Categories, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome},
    store::changes::{Class, Event},
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("del", -2, Group::Generic, del)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RM.or(KeyFlags::DELETE), 1, -1, 1)])
        .doc("1.0.0", "Deletes keys.", "O(N)")
        .args(&[Arg::key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    CommandSpec::new("unlink", -2, Group::Generic, unlink)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RM.or(KeyFlags::DELETE), 1, -1, 1)])
        .doc("4.0.0", "Deletes keys, freeing their memory later.", "O(1)")
        .args(&[Arg::key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    CommandSpec::new("exists", -2, Group::Generic, exists)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, -1, 1)])
        .doc("1.0.0", "Counts which of the keys exist.", "O(N)")
        .history(&[("3.0.3", "Several keys.")])
        .args(&[Arg::key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    CommandSpec::new("type", 2, Group::Generic, type_)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("1.0.0", "Answers what kind of value a key holds.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("touch", -2, Group::Generic, touch)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, -1, 1)])
        .doc("3.2.1", "Marks keys as used just now.", "O(N)")
        .args(&[Arg::key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    CommandSpec::new("keys", 2, Group::Generic, scan::keys)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .doc("1.0.0", "Lists the keys that match a pattern.", "O(N)")
        .args(&[Arg::new("pattern", ArgKind::Pattern)])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    CommandSpec::new("scan", -2, Group::Generic, scan::scan)
        .flags(&[Flags::READONLY, Flags::TOUCHES_ARBITRARY_KEYS])
        .acl(&[Categories::KEYSPACE])
        .doc("2.8.0", "Walks over the keys of the database, some at each call.", "O(1)")
        .args(&[
            Arg::new("cursor", ArgKind::Integer),
            Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            Arg::new("type", ArgKind::String).token("TYPE").since("6.0.0").optional(),
        ])
        .history(&[("6.0.0", "TYPE.")])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    CommandSpec::new("randomkey", 1, Group::Generic, scan::randomkey)
        .flags(&[Flags::READONLY, Flags::TOUCHES_ARBITRARY_KEYS])
        .acl(&[Categories::KEYSPACE])
        .doc("1.0.0", "Picks a key at random.", "O(1)")
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    CommandSpec::new("rename", 3, Group::Generic, relocate::rename)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::KEYSPACE])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 2, 2, 1),
        ])
        .doc("1.0.0", "Gives a key another name, overwriting what stood there.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::key("newkey", 1)]),
    CommandSpec::new("renamenx", 3, Group::Generic, relocate::renamenx)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::OW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc("1.0.0", "Gives a key another name if that is free.", "O(1)")
        .history(&[("3.2.0", "Twice the same name is no error.")])
        .args(&[Arg::key("key", 0), Arg::key("newkey", 1)]),
    CommandSpec::new("copy", -3, Group::Generic, relocate::copy)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::KEYSPACE])
        .keys(&[
            KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1),
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 2, 2, 1),
        ])
        .doc("6.2.0", "Copies the value of a key to another key.", "O(N)")
        .args(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::new("destination-db", ArgKind::Integer).token("DB").optional(),
            Arg::word("replace", "REPLACE").optional(),
        ]),
    CommandSpec::new("move", 3, Group::Generic, relocate::move_)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Moves a key to another database.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("db", ArgKind::Integer)]),
    migrate::MIGRATE,
    CommandSpec::container("object", Group::Generic, OBJECT_SUBCOMMANDS).doc(
        "2.2.3",
        "Holds the commands that look into how a value is kept.",
        "",
    ),
    CommandSpec::new("dbsize", 1, Group::Server, databases::dbsize)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .doc("1.0.0", "Counts the keys of the database.", "O(1)")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    CommandSpec::new("flushdb", -1, Group::Server, databases::flushdb)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .doc("1.0.0", "Deletes all keys of the database.", "O(N)")
        .args(&[Arg::new(
            "flush-type",
            ArgKind::OneOf(&[
                Arg::word("async", "ASYNC").since("4.0.0"),
                Arg::word("sync", "SYNC").since("6.2.0"),
            ]),
        )
        .optional()])
        .history(&[("4.0.0", "ASYNC."), ("6.2.0", "SYNC.")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new("flushall", -1, Group::Server, databases::flushall)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .doc("1.0.0", "Deletes all keys of all databases.", "O(N)")
        .args(&[Arg::new(
            "flush-type",
            ArgKind::OneOf(&[
                Arg::word("async", "ASYNC").since("4.0.0"),
                Arg::word("sync", "SYNC").since("6.2.0"),
            ]),
        )
        .optional()])
        .history(&[("4.0.0", "ASYNC."), ("6.2.0", "SYNC.")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new("swapdb", 3, Group::Server, databases::swapdb)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .doc("4.0.0", "Exchanges two databases.", "O(N)")
        .args(&[Arg::new("index1", ArgKind::Integer), Arg::new("index2", ArgKind::Integer)]),
];

const OBJECT_SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("encoding", 3, Group::Generic, object::encoding)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 2, 2, 1)])
        .doc("2.2.3", "Answers how a value is encoded.", "O(1)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("freq", 3, Group::Generic, object::freq)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 2, 2, 1)])
        .doc("4.0.0", "Answers how often a key is used, on a logarithmic scale.", "O(1)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("help", 2, Group::Generic, object::help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::KEYSPACE])
        .doc("6.2.0", "Explains the subcommands.", "O(1)"),
    CommandSpec::new("idletime", 3, Group::Generic, object::idletime)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 2, 2, 1)])
        .doc("2.2.3", "Answers for how many seconds a key was not used.", "O(1)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("refcount", 3, Group::Generic, object::refcount)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO, 2, 2, 1)])
        .doc("2.2.3", "Answers how many references a value has.", "O(1)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
];

/// <https://valkey.io/commands/del/>
fn del(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let mut deleted = 0;
    ctx.store.each_key(db, args.from(1), |store, _, key| {
        if let Some(pos) = store.find_hashed(db, key) {
            store.remove_at(db, pos);
            store.changed(db, key.key, Event(Class::Generic, "del"));
            deleted += 1;
        }
    });
    ctx.count(deleted)
}

/// <https://valkey.io/commands/unlink/>. The memory of large values is never freed on the spot, by DEL neither.
fn unlink(ctx: &mut Ctx<'_>) -> Outcome {
    del(ctx)
}

/// <https://valkey.io/commands/exists/>
fn exists(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let mut found = 0;
    ctx.store.each_key(db, args.from(1), |store, _, key| {
        found += usize::from(store.peek_hashed(db, key).is_some());
    });
    ctx.count(found)
}

/// <https://valkey.io/commands/touch/>. It marks keys even for a client that said CLIENT NO-TOUCH.
fn touch(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    ctx.store.lru.frozen = false;
    let mut found = 0;
    ctx.store.each_key(db, args.from(1), |store, _, key| {
        found += usize::from(store.read_hashed(db, key).is_some());
    });
    ctx.store.lru.frozen = ctx.session.no_touch;
    ctx.count(found)
}

/// <https://valkey.io/commands/type/>
fn type_(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let name = match ctx.store.peek(db, key) {
        Some(pos) => ctx.store.entry(db, pos).kind().name(),
        None => "none",
    };
    ctx.out().simple(name);
    Ok(Flow::Done)
}
