//! DEBUG POPULATE: many keys at once.

use crate::{
    command::{CmdError, Ctx, Outcome, ctx::int},
    store::Expiry,
};

/// Most keys for one call.
const MAX_KEYS: usize = u32::MAX as usize;

/// Who waits for keys or listens to their events learns of new ones alone, as in Valkey.
pub(super) fn populate(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let count = size_arg(args.at(2))?;
    if count > MAX_KEYS {
        return Err(CmdError::new("ERR OOM in dictTryExpand"));
    }
    let prefix = args.get(3).unwrap_or(b"key");
    // A size of 0 is none.
    let size = args.get(4).map(size_arg).transpose()?.filter(|&size| size > 0);
    if size.is_some_and(|size| size > ctx.state.config.string_max_bytes()) {
        return Err(CmdError::TOO_LONG);
    }
    for number in 0..count {
        let key = [prefix, format!(":{number}").as_bytes()].concat();
        if ctx.store.find(db, &key).is_some() {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if let Some(size) = size {
            value.resize(size, 0);
        }
        ctx.store.set_string(db, &key, &value, Expiry::Set(None));
        ctx.store.changes.touched(db, &key);
    }
    ctx.ok()
}

fn size_arg(text: &[u8]) -> Result<usize, CmdError> {
    int(text).ok().and_then(|n| usize::try_from(n).ok()).ok_or(CmdError::MUST_BE_POSITIVE)
}
