//! Keys that get another name or place: RENAME, MOVE, COPY.

use crate::{
    command::{CmdError, Ctx, Outcome},
    store::changes::{Class, Event},
    value::Value,
};

const SAME_OBJECT: CmdError = CmdError::new("ERR source and destination objects are the same");

/// <https://valkey.io/commands/rename/>
pub(super) fn rename(ctx: &mut Ctx<'_>) -> Outcome {
    rename_to(ctx, false)?;
    ctx.ok()
}

/// <https://valkey.io/commands/renamenx/>
pub(super) fn renamenx(ctx: &mut Ctx<'_>) -> Outcome {
    let renamed = rename_to(ctx, true)?;
    ctx.int(renamed.into())
}

/// Renames a key, unless `keep` and the new name is taken. Returns whether it did.
fn rename_to(ctx: &mut Ctx<'_>, keep: bool) -> Result<bool, CmdError> {
    let (from, to, db) = (ctx.args.at(1), ctx.args.at(2), ctx.db());
    let store = &mut *ctx.store;
    if store.find(db, from).is_none() {
        return Err(CmdError::NO_SUCH_KEY);
    }
    if from == to || keep && store.find(db, to).is_some() {
        return Ok(false);
    }
    let Some((value, expire_at_ms)) = store.take(db, from) else { return Err(CmdError::NO_SUCH_KEY) };
    store.put(db, to, value, expire_at_ms);
    store.changed(db, from, Event(Class::Generic, "rename_from"));
    store.changed(db, to, Event(Class::Generic, "rename_to"));
    Ok(true)
}

/// <https://valkey.io/commands/move/>
pub(super) fn move_(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.cluster.is_some() {
        return Err(CmdError::new("ERR MOVE is not allowed in cluster mode"));
    }
    let (key, from) = (ctx.args.at(1), ctx.db());
    let to = ctx.database_arg(2)?;
    if from == to {
        return Err(SAME_OBJECT);
    }
    let store = &mut *ctx.store;
    if store.find(from, key).is_none() || store.find(to, key).is_some() {
        return ctx.int(0);
    }
    if let Some((value, expire_at_ms)) = store.take(from, key) {
        store.insert(to, key, value, expire_at_ms);
        store.changed(from, key, Event(Class::Generic, "move_from"));
        store.changed(to, key, Event(Class::Generic, "move_to"));
    }
    ctx.int(1)
}

/// <https://valkey.io/commands/copy/>
pub(super) fn copy(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let (from, to) = (args.at(1), args.at(2));
    let (mut to_db, mut replace) = (db, false);
    let mut i = 3;
    while i < args.len() {
        if ctx.is_word(i, "replace") {
            replace = true;
        } else if ctx.is_word(i, "db") && i + 1 < args.len() {
            i += 1;
            to_db = ctx.database_arg(i)?;
        } else {
            return Err(CmdError::SYNTAX);
        }
        i += 1;
    }
    if to_db == db && from == to {
        return Err(SAME_OBJECT);
    }
    let store = &mut *ctx.store;
    let Some(pos) = store.read(db, from) else { return ctx.int(0) };
    let (mut value, expire_at_ms) = {
        let entry = store.entry(db, pos);
        (entry.clone_value(), entry.expire_at_ms())
    };
    // Fields that have expired are not copied.
    if let Value::Hash(hash) = &mut value {
        hash.drop_expired(store.fields_now_ms());
    }
    if !replace && store.find(to_db, to).is_some() {
        return ctx.int(0);
    }
    store.put(to_db, to, value, expire_at_ms);
    store.changed(to_db, to, Event(Class::Generic, "copy_to"));
    ctx.int(1)
}
