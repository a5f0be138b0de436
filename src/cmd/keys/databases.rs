//! Whole databases: counting, emptying and exchanging them.

use crate::{
    command::{CmdError, Ctx, Outcome, ctx::c_int},
    store::{Presence, changes::Seen},
};

/// <https://valkey.io/commands/dbsize/>
pub(super) fn dbsize(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.count(ctx.store.len(ctx.session.db))
}

/// <https://valkey.io/commands/flushdb/>
pub(super) fn flushdb(ctx: &mut Ctx<'_>) -> Outcome {
    check_flush_mode(ctx)?;
    flush(ctx, ctx.session.db);
    ctx.store.changes.emptied();
    ctx.ok()
}

/// <https://valkey.io/commands/flushall/>
pub(super) fn flushall(ctx: &mut Ctx<'_>) -> Outcome {
    check_flush_mode(ctx)?;
    (0..ctx.store.databases()).for_each(|db| flush(ctx, db));
    ctx.store.changes.emptied();
    ctx.store.changes.dirty += 1;
    ctx.ok()
}

/// The memory is freed bit by bit afterwards, by SYNC too: no flush holds the loop.
fn check_flush_mode(ctx: &Ctx<'_>) -> Result<(), CmdError> {
    let fits = match ctx.args.len() {
        1 => true,
        2 => ctx.is_word(1, "sync") || ctx.is_word(1, "async"),
        _ => false,
    };
    if fits { Ok(()) } else { Err(CmdError::SYNTAX) }
}

fn flush(ctx: &mut Ctx<'_>, db: usize) {
    let store = &mut *ctx.store;
    for key in ctx.state.watch.keys(db) {
        if store.presence(db, key) != Presence::Absent {
            store.changes.watched(db, key, Seen::Gone);
        }
    }
    store.changes.dirty += store.flush(db) as u64;
    wake_waiters(ctx, db);
}

/// <https://valkey.io/commands/swapdb/>
pub(super) fn swapdb(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.cluster.is_some() {
        return Err(CmdError::new("ERR SWAPDB is not allowed in cluster mode"));
    }
    let number = |i: usize, otherwise: CmdError| c_int(ctx.args.at(i)).map_err(|_| otherwise);
    let first = number(1, CmdError::new("ERR invalid first DB index"))?;
    let second = number(2, CmdError::new("ERR invalid second DB index"))?;
    let (first, second) = (ctx.database(first)?, ctx.database(second)?);
    if first != second {
        tell_watchers(ctx, first, second);
        tell_watchers(ctx, second, first);
        ctx.store.swap(first, second);
        wake_waiters(ctx, first);
        wake_waiters(ctx, second);
    }
    ctx.store.changes.dirty += 1;
    ctx.ok()
}

/// Tells those who watch keys of `db`, which will have the keys of `other`.
fn tell_watchers(ctx: &mut Ctx<'_>, db: usize, other: usize) {
    let store = &mut *ctx.store;
    for key in ctx.state.watch.keys(db) {
        let (before, after) = (store.presence(db, key), store.presence(other, key));
        let seen = match (before, after) {
            (Presence::Absent, Presence::Absent) => continue,
            (_, Presence::Absent) => Seen::Gone,
            (_, Presence::Expired) => Seen::Expired { appeared: before == Presence::Absent },
            (_, Presence::Live) => Seen::Changed,
        };
        store.changes.watched(db, key, seen);
    }
}

/// Keys that someone waits for in `db` may have come from the other database, or are gone.
fn wake_waiters(ctx: &mut Ctx<'_>, db: usize) {
    let store = &mut *ctx.store;
    for key in ctx.state.waiters.keys(db) {
        let found = store.find(db, key);
        let fits = found.is_some_and(|pos| store.entry(db, pos).kind().can_be_waited_for());
        if fits || ctx.state.waiters.ends_with(db, key) {
            store.changes.ready(db, key);
        }
    }
}
