//! BITOP: whole strings combined bit by bit.

use crate::{
    base::num::MAX_INT_LEN,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome,
    },
    ds::bits::{Operation, combine},
    store::changes::{Class, Event},
    value::Value,
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("bitop", -4, Group::Bitmap, bitop)
    .flags(&[Flags::WRITE, Flags::DENYOOM])
    .acl(&[Categories::BITMAP])
    .keys(&[
        KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 2, 2, 1),
        KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 3, -1, 1),
    ])
    .doc("2.6.0", "Combines strings bit by bit and stores the result.", "O(N)")
    .args(&[
        Arg::new(
            "operation",
            ArgKind::OneOf(&[
                Arg::word("and", "AND"),
                Arg::word("or", "OR"),
                Arg::word("xor", "XOR"),
                Arg::word("not", "NOT"),
            ]),
        ),
        Arg::key("destkey", 0),
        Arg::key("key", 1).multiple(),
    ])];

const OPERATIONS: [(&str, Operation); 8] = [
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

/// <https://valkey.io/commands/bitop/>, and <https://redis.io/docs/latest/commands/bitop/> for the newer operations.
fn bitop(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let named = OPERATIONS.iter().find(|(name, _)| ctx.is_word(1, name));
    let &(name, operation) = named.ok_or(CmdError::SYNTAX)?;
    let keys = 3..args.len();
    match operation {
        Operation::Not if keys.len() > 1 => {
            return Err(CmdError::new("ERR BITOP NOT must be called with a single source key."));
        }
        Operation::Diff | Operation::Diff1 | Operation::AndOr if keys.len() < 2 => {
            let text = format!("ERR BITOP {name} must be called with at least two source keys.");
            return Err(CmdError::with(text));
        }
        _ => {}
    }
    for key in keys.clone() {
        if let Some(pos) = ctx.store.read(db, args.at(key))
            && !ctx.store.entry(db, pos).is_string()
        {
            return Err(CmdError::WRONG_TYPE);
        }
    }
    // What has expired is gone by now, so from here on the places hold.
    let table = ctx.store.table(db);
    let find = |key: &[u8]| table.find(table.hash(key), key).map(|pos| table.get(pos));
    let entries: Vec<_> = keys.map(|key| find(args.at(key))).collect();
    let mut digits = vec![[0; MAX_INT_LEN]; entries.len()];
    let sources = entries.iter().zip(&mut digits).map(|(entry, digits)| {
        entry.as_ref().and_then(|entry| entry.value().text(digits)).unwrap_or_default()
    });
    let sources: Vec<&[u8]> = sources.collect();
    let result = combine(operation, &sources);
    let (target, len) = (args.at(2), result.len());
    if len > 0 {
        ctx.store.set_value(db, target, Value::Raw(result));
        ctx.store.changed(db, target, Event(Class::String, "set"));
    } else if ctx.store.clear(db, target) {
        ctx.store.changed(db, target, Event(Class::Generic, "del"));
    }
    ctx.count(len)
}
