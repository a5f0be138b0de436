//! Strings as numbers.

use super::text;
use crate::{
    base::{
        ldouble::{IncrError, incr_by_float},
        num::{MAX_INT_LEN, parse_i64},
    },
    command::{CmdError, Ctx, Flow, Outcome, ctx::int},
    store::changes::{Class, Event},
    value::{Value, ValueRef},
};

/// <https://valkey.io/commands/incr/>
pub(super) fn incr(ctx: &mut Ctx<'_>) -> Outcome {
    add(ctx, 1)
}

/// <https://valkey.io/commands/decr/>
pub(super) fn decr(ctx: &mut Ctx<'_>) -> Outcome {
    add(ctx, -1)
}

/// <https://valkey.io/commands/incrby/>
pub(super) fn incrby(ctx: &mut Ctx<'_>) -> Outcome {
    add(ctx, int(ctx.args.at(2))?)
}

/// <https://valkey.io/commands/decrby/>
pub(super) fn decrby(ctx: &mut Ctx<'_>) -> Outcome {
    let decrement = int(ctx.args.at(2))?;
    let increment = decrement.checked_neg().ok_or(CmdError::new("ERR decrement would overflow"))?;
    add(ctx, increment)
}

fn add(ctx: &mut Ctx<'_>, increment: i64) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.session.db);
    let store = &mut *ctx.store;
    let found = store.write(db, key);
    let number = match found {
        Some(pos) => match store.entry(db, pos).value() {
            ValueRef::Int(number) => number,
            ValueRef::Str(bytes) => parse_i64(bytes).ok_or(CmdError::NOT_AN_INTEGER)?,
            _ => return Err(CmdError::WRONG_TYPE),
        },
        None => 0,
    };
    let sum = number.checked_add(increment);
    let sum = sum.ok_or(CmdError::new("ERR increment or decrement would overflow"))?;
    match found {
        Some(pos) => store.edit(db, pos).set_int(sum),
        None => store.insert(db, key, Value::Int(sum), None),
    }
    store.changed(db, key, Event(Class::String, "incrby"));
    ctx.int(sum)
}

/// <https://valkey.io/commands/incrbyfloat/>
pub(super) fn incrbyfloat(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, increment, db) = (ctx.args.at(1), ctx.args.at(2), ctx.db());
    let store = &mut *ctx.store;
    let found = store.write(db, key);
    let sum = match found {
        Some(pos) => {
            let entry = store.entry(db, pos);
            incr_by_float(text(entry.value(), &mut [0; MAX_INT_LEN])?, increment)
        }
        None => incr_by_float(b"0", increment),
    };
    let sum = sum.map_err(|error| match error {
        IncrError::NotAFloat => CmdError::NOT_A_FLOAT,
        IncrError::NaNOrInfinity => CmdError::new("ERR increment would produce NaN or Infinity"),
    })?;
    ctx.session.out.bulk(&sum);
    // Whole numbers too stay text here: their encoding is `embstr`.
    let value = Value::Str(sum.into_boxed_slice());
    match found {
        Some(pos) => store.edit(db, pos).set_value(value),
        None => store.insert(db, key, value, None),
    }
    store.changed(db, key, Event(Class::String, "incrbyfloat"));
    Ok(Flow::Done)
}
