//! MIGRATE: no other server can be reached yet.

use crate::command::{
    Arg, ArgKind, Args, BeginSearch, Categories, CmdError, CommandSpec, Ctx, FindKeys, Flags, Flow, Group,
    KeyFlags, KeySpec, Outcome, keys::Keys,
};
use std::ops::Range;

/// <https://valkey.io/commands/migrate/>
pub(super) const MIGRATE: CommandSpec = CommandSpec::new("migrate", -6, Group::Generic, migrate)
    .flags(&[Flags::WRITE])
    .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
    .doc("2.6.0", "Moves keys to another server.", "O(N)")
    .args(&[
        Arg::new("host", ArgKind::String),
        Arg::new("port", ArgKind::Integer),
        Arg::new("key-selector", ArgKind::OneOf(&[Arg::key("key", 0), Arg::word("empty-string", "")])),
        Arg::new("destination-db", ArgKind::Integer),
        Arg::new("timeout", ArgKind::Integer),
        Arg::word("copy", "COPY").since("3.0.0").optional(),
        Arg::word("replace", "REPLACE").since("3.0.0").optional(),
        Arg::new(
            "authentication",
            ArgKind::OneOf(&[
                Arg::new("auth", ArgKind::String).token("AUTH").since("4.0.7").display("password"),
                Arg::new(
                    "auth2",
                    ArgKind::Block(&[
                        Arg::new("username", ArgKind::String),
                        Arg::new("password", ArgKind::String),
                    ]),
                )
                .token("AUTH2")
                .since("6.0.0"),
            ]),
        )
        .optional(),
        Arg::key("keys", 1).token("KEYS").since("3.0.6").display("key").optional().multiple(),
    ])
    .history(&[
        ("3.0.0", "`COPY` and `REPLACE`."),
        ("3.0.6", "`KEYS`."),
        ("4.0.7", "`AUTH`."),
        ("6.0.0", "Added the `AUTH2` option."),
    ])
    .tips(&["nondeterministic_output"])
    .keys(&[
        KeySpec::range(RM_AFTER_READ, 3, 3, 1),
        KeySpec {
            flags: RM_AFTER_READ.or(KeyFlags::INCOMPLETE),
            begin: BeginSearch::Keyword("KEYS", -2),
            find: FindKeys::Range { last: -1, step: 1, limit: 0 },
            notes: "",
        },
    ])
    .find_keys(migrate_keys)
    .secrets(migrate_secrets);

const RM_AFTER_READ: KeyFlags = KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE);

/// Looks at the options behind the timeout, each with the values that belong to it; returns where KEYS stands.
fn walk(args: Args<'_>, mut f: impl FnMut(Range<usize>)) -> Option<usize> {
    let mut i = 6;
    while i < args.len() {
        let is = |word: &[u8]| args.at(i).eq_ignore_ascii_case(word);
        let values = match () {
            () if is(b"keys") => return Some(i),
            () if is(b"auth") => 1,
            () if is(b"auth2") => 2,
            () => 0,
        };
        i += 1;
        f(i..args.len().min(i + values));
        i += values;
    }
    None
}

/// One key, or those behind KEYS, where the one is empty.
fn migrate_keys(args: Args<'_>) -> Option<Keys> {
    match walk(args, |_| {}) {
        None => Some(Keys::one(3, RM_AFTER_READ)),
        Some(_) if args.get(3) != Some(b"") => None,
        Some(at) => Some(Keys::default().and(at + 1, args.len() - 1, RM_AFTER_READ)),
    }
}

/// The names and passwords for the other server: no other option has values.
fn migrate_secrets(args: Args<'_>) -> Vec<usize> {
    let mut secrets = Vec::new();
    walk(args, |values| secrets.extend(values));
    secrets
}

/// <https://valkey.io/commands/migrate/>
pub(super) fn migrate(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let mut keys = 3..4;
    let mut i = 6;
    while i < args.len() {
        if ctx.is_word(i, "copy") || ctx.is_word(i, "replace") {
            i += 1;
        } else if ctx.is_word(i, "auth") && i + 1 < args.len() {
            i += 2;
        } else if ctx.is_word(i, "auth2") && i + 2 < args.len() {
            i += 3;
        } else if ctx.is_word(i, "keys") {
            if !args.at(3).is_empty() {
                return Err(CmdError::new(
                    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                ));
            }
            keys = i + 1..args.len();
            break;
        } else {
            return Err(CmdError::SYNTAX);
        }
    }
    ctx.int_arg(5)?;
    ctx.int_arg(4)?;
    let db = ctx.db();
    let found = keys.filter(|&i| ctx.store.read(db, args.at(i)).is_some()).count();
    if found > 0 {
        return Err(CmdError::new("ERR MIGRATE is not built yet: no key was moved"));
    }
    ctx.out().simple("NOKEY");
    Ok(Flow::Done)
}
