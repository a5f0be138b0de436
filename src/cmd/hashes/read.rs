//! Reading hashes.

use super::{hash, reply, reply_or_null};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
        scan::{self, ScanOptions, Walked},
    },
    resp::{Proto, output::Output},
    value::{
        Hash,
        hash::{Elem, text},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("hget", 3, Group::Hash, hget)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "Reads a field of a hash.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String)]),
    CommandSpec::new("hmget", -3, Group::Hash, hmget)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "Reads fields of a hash.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String).multiple()]),
    CommandSpec::new("hexists", 3, Group::Hash, hexists)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("2.0.0", "Tells whether a field of a hash exists.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String)]),
    CommandSpec::new("hlen", 2, Group::Hash, hlen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("2.0.0", "Counts the fields of a hash.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("hstrlen", 3, Group::Hash, hstrlen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("3.2.0", "Counts the bytes of a field's value.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String)]),
    CommandSpec::new("hkeys", 2, Group::Hash, hkeys)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "Reads the names of all fields of a hash.", "O(N)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("hvals", 2, Group::Hash, hvals)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "Reads the values of all fields of a hash.", "O(N)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("hgetall", 2, Group::Hash, hgetall)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "Reads all fields of a hash with their values.", "O(N)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("hrandfield", -2, Group::Hash, hrandfield)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.2.0", "Picks fields of a hash at random.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "options",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer),
                    Arg::word("withvalues", "WITHVALUES").optional(),
                ]),
            )
            .optional(),
        ])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("hscan", -3, Group::Hash, hscan)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.8.0", "Walks through the fields of a hash.", "O(1) a call, O(N) for the whole walk")
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", ArgKind::Integer),
            Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            Arg::word("novalues", "NOVALUES").optional(),
        ])
        .tips(&["nondeterministic_output"]),
];

/// Finds the hash at argument 1, to be read, and hands it to `f` with the output; `otherwise` replies where there is
/// none.
#[inline]
fn read(
    ctx: &mut Ctx<'_>,
    otherwise: impl FnOnce(&mut Output),
    f: impl FnOnce(&Hash, &mut Output),
) -> Outcome {
    let db = ctx.db();
    match ctx.store.read(db, ctx.args.at(1)) {
        Some(pos) => f(hash(&ctx.store.entry(db, pos))?, &mut ctx.session.out),
        None => otherwise(&mut ctx.session.out),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/hget/>
fn hget(ctx: &mut Ctx<'_>) -> Outcome {
    let (field, now_ms) = (ctx.args.at(2), ctx.store.fields_now_ms());
    read(ctx, Output::null, |hash, out| reply_or_null(out, hash.get(field, now_ms)))
}

/// <https://valkey.io/commands/hmget/>
fn hmget(ctx: &mut Ctx<'_>) -> Outcome {
    let (fields, now_ms) = (ctx.args.from(2), ctx.store.fields_now_ms());
    let n = fields.len();
    let none = |out: &mut Output| {
        out.array(n);
        (0..n).for_each(|_| out.null());
    };
    read(ctx, none, |hash, out| {
        out.array(n);
        fields.for_each(|field| reply_or_null(out, hash.get(field, now_ms)));
    })
}

/// <https://valkey.io/commands/hexists/>
fn hexists(ctx: &mut Ctx<'_>) -> Outcome {
    let (field, now_ms) = (ctx.args.at(2), ctx.store.fields_now_ms());
    read(ctx, |out| out.int(0), |hash, out| out.int(hash.find_live(field, now_ms).is_some().into()))
}

/// <https://valkey.io/commands/hlen/>. Fields that expired unnoticed count, as in the reference.
fn hlen(ctx: &mut Ctx<'_>) -> Outcome {
    read(ctx, |out| out.int(0), |hash, out| out.count(hash.len()))
}

/// <https://valkey.io/commands/hstrlen/>
fn hstrlen(ctx: &mut Ctx<'_>) -> Outcome {
    let (field, now_ms) = (ctx.args.at(2), ctx.store.fields_now_ms());
    let len = |hash: &Hash| hash.get(field, now_ms).map_or(0, |value| value.text_len());
    read(ctx, |out| out.int(0), |hash, out| out.count(len(hash)))
}

/// <https://valkey.io/commands/hkeys/>
fn hkeys(ctx: &mut Ctx<'_>) -> Outcome {
    let now_ms = ctx.store.fields_now_ms();
    read(
        ctx,
        |out| out.array(0),
        |hash, out| {
            out.array(hash.live_len(now_ms));
            hash.each_live(now_ms, |field, _| reply(out, field));
        },
    )
}

/// <https://valkey.io/commands/hvals/>
fn hvals(ctx: &mut Ctx<'_>) -> Outcome {
    let now_ms = ctx.store.fields_now_ms();
    read(
        ctx,
        |out| out.array(0),
        |hash, out| {
            out.array(hash.live_len(now_ms));
            hash.each_live(now_ms, |_, value| reply(out, value));
        },
    )
}

/// <https://valkey.io/commands/hgetall/>
fn hgetall(ctx: &mut Ctx<'_>) -> Outcome {
    let now_ms = ctx.store.fields_now_ms();
    read(
        ctx,
        |out| out.map(0),
        |hash, out| {
            out.map(hash.live_len(now_ms));
            hash.each_live(now_ms, |field, value| {
                reply(out, field);
                reply(out, value);
            });
        },
    )
}

/// <https://valkey.io/commands/hrandfield/>
fn hrandfield(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let count = match args.get(2) {
        Some(count) => Some(random_count(int(count)?)?),
        None => None,
    };
    let with_values = args.len() > 3;
    if args.len() > 4 || with_values && !ctx.is_word(3, "withvalues") {
        return Err(CmdError::SYNTAX);
    }
    if with_values && count.is_some_and(|(count, _)| count > (i64::MAX / 2) as usize) {
        return Err(CmdError::OUT_OF_RANGE);
    }
    let out = &mut ctx.session.out;
    let Some(pos) = ctx.store.read(db, args.at(1)) else {
        match count {
            Some(_) => out.array(0),
            None => out.null(),
        }
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let (hash, rng) = (hash(&entry)?, &mut ctx.state.rng);
    let Some((count, repeated)) = count else {
        let mut found = false;
        hash.each_random(1, now_ms, rng, |field, _| {
            reply(out, field);
            found = true;
            true
        });
        if !found {
            out.null();
        }
        return Ok(Flow::Done);
    };
    let n = match hash.live_len_up_to(if repeated { 1 } else { count }, now_ms) {
        1 if repeated => count,
        live => live,
    };
    let nested = with_values && out.proto == Proto::Resp3;
    out.array(if with_values && !nested { 2 * n } else { n });
    let began_bytes = out.pending_bytes();
    let mut answer = |field: Elem<'_>, value: Elem<'_>| {
        if nested {
            out.array(2);
        }
        reply(out, field);
        if with_values {
            reply(out, value);
        }
        out.goes_on(began_bytes)
    };
    if repeated || n == 1 {
        hash.each_random(n, now_ms, rng, answer);
    } else {
        hash.each_random_once(n, now_ms, rng, |field, value| {
            answer(field, value);
        });
    }
    Ok(Flow::Done)
}

/// How many fields HRANDFIELD is to pick, and whether the same one may come again.
fn random_count(count: i64) -> Result<(usize, bool), CmdError> {
    if count == i64::MIN {
        return Err(CmdError::new(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    Ok((count.unsigned_abs() as usize, count < 0))
}

/// <https://valkey.io/commands/hscan/>. A step of a table visits a group of some 32 fields, as SCAN does; a pack is
/// answered whole.
fn hscan(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, now_ms) = (ctx.db(), ctx.store.fields_now_ms());
    let mut cursor = scan::cursor(ctx.args.at(2))?;
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else {
        let out = ctx.out();
        out.array(2);
        out.bulk(b"0");
        out.array(0);
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let hash = hash(&entry)?;
    let options = ScanOptions::parse(ctx, 3, Walked::Hash)?;
    let (mut found, mut n, mut looked_at) = (Output::default(), 0, 0);
    for _ in 0..options.max_steps() {
        let (next, met) = hash.scan(cursor, now_ms, |field, value| {
            if options.matches(text(field, &mut [0; crate::base::num::MAX_INT_LEN])) {
                reply(&mut found, field);
                n += 1;
                if !options.names_only {
                    reply(&mut found, value);
                    n += 1;
                }
            }
        });
        cursor = next;
        looked_at += met;
        if cursor == 0 || looked_at >= options.count {
            break;
        }
    }
    let out = &mut ctx.session.out;
    out.array(2);
    out.bulk(cursor.to_string().as_bytes());
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}
