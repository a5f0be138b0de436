//! Changing a part of a string.

use super::text;
use crate::{
    base::num::MAX_INT_LEN,
    command::{CmdError, Ctx, Outcome, ctx::int},
    store::{
        Expiry,
        changes::{Class, Event},
    },
    value::Value,
};

/// Refuses a string that would be longer than `proto-max-bulk-len`.
fn check_len(ctx: &Ctx<'_>, len: usize, more: usize) -> Result<(), CmdError> {
    let max = ctx.state.config.string_max_bytes();
    match len.checked_add(more) {
        Some(total) if total <= max => Ok(()),
        _ => Err(CmdError::TOO_LONG),
    }
}

/// <https://valkey.io/commands/append/>
pub(super) fn append(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, more, db) = (ctx.args.at(1), ctx.args.at(2), ctx.db());
    let len = match ctx.store.write(db, key) {
        Some(pos) => {
            let len = text(ctx.store.entry(db, pos).value(), &mut [0; MAX_INT_LEN])?.len();
            check_len(ctx, len, more.len())?;
            ctx.store.edit(db, pos).edit_string().extend_from_slice(more);
            len + more.len()
        }
        None => {
            ctx.store.set_string(db, key, more, Expiry::Set(None));
            more.len()
        }
    };
    ctx.store.changed(db, key, Event(Class::String, "append"));
    ctx.count(len)
}

/// <https://valkey.io/commands/setrange/>
pub(super) fn setrange(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, part, db) = (ctx.args.at(1), ctx.args.at(3), ctx.db());
    let offset = usize::try_from(int(ctx.args.at(2))?);
    let offset = offset.map_err(|_| CmdError::new("ERR offset is out of range"))?;
    let found = ctx.store.write(db, key);
    let len = match found {
        Some(pos) => text(ctx.store.entry(db, pos).value(), &mut [0; MAX_INT_LEN])?.len(),
        None => 0,
    };
    if part.is_empty() {
        return ctx.count(len);
    }
    check_len(ctx, offset, part.len())?;
    let end = offset + part.len();
    match found {
        Some(pos) => {
            let mut edit = ctx.store.edit(db, pos);
            let bytes = edit.edit_string();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[offset..end].copy_from_slice(part);
        }
        None => {
            let mut bytes = vec![0; end];
            bytes[offset..].copy_from_slice(part);
            ctx.store.insert(db, key, Value::Raw(bytes), None);
        }
    }
    ctx.store.changed(db, key, Event(Class::String, "setrange"));
    ctx.count(len.max(end))
}
