//! DEBUG RELOAD: every value is written in its RDB form and read again, in memory.

use crate::{
    command::{CmdError, Ctx, Outcome},
    persist::rdb,
    store::changes::Seen,
};

pub(super) fn reload(ctx: &mut Ctx<'_>) -> Outcome {
    let (mut keep, mut merge) = (false, false);
    for i in 2..ctx.args.len() {
        if ctx.is_word(i, "merge") {
            merge = true;
        } else if ctx.is_word(i, "noflush") {
            keep = true;
        } else if ctx.is_word(i, "nosave") {
            return Err(CmdError::new("ERR Error trying to load the RDB dump, check server logs."));
        } else {
            return Err(CmdError::new(
                "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
            ));
        }
    }
    if keep && !merge {
        // Each key would be there twice.
        return Err(CmdError::new("ERR Error trying to load the RDB dump, check server logs."));
    }
    let limits = ctx.state.config.limits(ctx.store.seed);
    let store = &mut *ctx.store;
    for db in 0..store.databases() {
        let mut keys = Vec::with_capacity(store.len(db));
        store.each_entry(db, |entry| keys.push(entry.key().to_vec()));
        for key in keys {
            let Some(pos) = store.find(db, &key) else { continue };
            let mut out = rdb::Writer::default();
            out.newest = true;
            rdb::write_value(&mut out, store.entry(db, pos).value());
            let (kind, body) = out.bytes().split_first().expect("a value has a kind");
            let value = rdb::read_value(&mut rdb::Reader::new(body), *kind, &limits)
                .expect("what was written can be read");
            store.edit(db, pos).set_value(value);
            if !keep && store.changes.interest.watch {
                store.changes.watched(db, &key, Seen::Changed);
            }
        }
    }
    if !keep {
        ctx.store.changes.emptied();
    }
    ctx.ok()
}
