//! OBJECT: how a value is kept.

use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    ds::table::Pos,
};

/// The key that the command is about. Looking does not mark it as used.
fn find(ctx: &mut Ctx<'_>) -> Option<Pos> {
    let (key, db) = (ctx.args.at(2), ctx.db());
    let found = ctx.store.find(db, key);
    match found {
        Some(_) => ctx.store.stats.hits += 1,
        None => {
            ctx.store.stats.misses += 1;
            ctx.out().null();
        }
    }
    found
}

/// <https://valkey.io/commands/object-encoding/>
pub(super) fn encoding(ctx: &mut Ctx<'_>) -> Outcome {
    if let Some(pos) = find(ctx) {
        let name = ctx.store.entry(ctx.db(), pos).encoding();
        ctx.out().bulk(name.as_bytes());
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/object-refcount/>. Values are never shared between keys.
pub(super) fn refcount(ctx: &mut Ctx<'_>) -> Outcome {
    if find(ctx).is_some() {
        ctx.out().int(1);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/object-idletime/>
pub(super) fn idletime(ctx: &mut Ctx<'_>) -> Outcome {
    let Some(pos) = find(ctx) else { return Ok(Flow::Done) };
    if ctx.state.config.is_lfu() {
        return Err(CmdError::new(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let idle_s = ctx.store.lru.idle_s(&ctx.store.entry(ctx.db(), pos));
    ctx.int(idle_s.into())
}

/// <https://valkey.io/commands/object-freq/>
pub(super) fn freq(ctx: &mut Ctx<'_>) -> Outcome {
    let Some(pos) = find(ctx) else { return Ok(Flow::Done) };
    if !ctx.state.config.is_lfu() {
        return Err(CmdError::new(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let frequency = ctx.store.lru.frequency_of(&ctx.store.entry(ctx.db(), pos));
    ctx.int(frequency.into())
}

/// <https://valkey.io/commands/object-help/>
pub(super) fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "OBJECT",
        &[
            "ENCODING <key>",
            "    How the value of <key> is kept.",
            "FREQ <key>",
            "    How often <key> is used of late, as the logarithm that an LFU policy counts with.",
            "IDLETIME <key>",
            "    For how many seconds, about, <key> has not been used.",
            "REFCOUNT <key>",
            "    How many share the value of <key>.",
        ],
    )
}
