//! Slots and their keys. Nothing counts the keys of a slot: whoever asks has them all looked through.

use crate::{
    base::{
        num::parse_i64,
        slot::{self, SLOTS},
    },
    command::{CmdError, Ctx, Flow, Outcome},
    resp::error::shown,
    state::cluster::Cluster,
};

/// <https://valkey.io/commands/cluster-keyslot/>
pub(super) fn key_slot(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.int(slot::of_key(ctx.args.at(2)).into())
}

/// A slot by its number.
pub(super) fn slot_named(text: &[u8]) -> Option<u16> {
    let number = parse_i64(text).and_then(|n| u16::try_from(n).ok());
    number.filter(|&slot| slot < SLOTS)
}

/// <https://valkey.io/commands/cluster-countkeysinslot/>
pub(super) fn count_keys(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.int_arg(2)?;
    let slot = slot_named(ctx.args.at(2)).ok_or(CmdError::new("ERR Invalid slot"))?;
    let mut n = 0;
    ctx.store.each_entry(0, |entry| n += usize::from(slot::of_key(entry.key()) == slot));
    ctx.count(n)
}

/// <https://valkey.io/commands/cluster-getkeysinslot/>
pub(super) fn get_keys(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.int_arg(2)?;
    let max = usize::try_from(ctx.int_arg(3)?).ok();
    let (Some(slot), Some(max)) = (slot_named(ctx.args.at(2)), max) else {
        return Err(CmdError::new("ERR Invalid slot or number of keys"));
    };
    ctx.reply_keys(0, max, |key| slot::of_key(key) == slot)
}

/// <https://valkey.io/commands/cluster-slot-stats/>
pub(super) fn stats(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let slots: Vec<(u16, usize)> = match ctx.args.len() {
        5 if ctx.is_word(2, "slotsrange") => {
            let bounds = [3, 4].map(|i| slot_named(ctx.args.at(i)));
            let [Some(first), Some(last)] = bounds else {
                return Err(CmdError::new("ERR Invalid or out of range slot"));
            };
            if first > last {
                return Err(CmdError::with(format!(
                    "ERR Start slot number {first} is greater than end slot number {last}"
                )));
            }
            let counts = key_counts(ctx);
            let own = (first..=last).filter(|&slot| cluster.slots.contains(slot));
            own.map(|slot| (slot, counts[slot as usize])).collect()
        }
        4.. if ctx.is_word(2, "orderby") => ordered(ctx, cluster)?,
        _ => return Err(misused(ctx)),
    };
    let out = ctx.out();
    out.array(slots.len());
    for (slot, keys) in slots {
        out.array(2);
        out.int(slot.into());
        out.map(1);
        out.bulk(b"key-count");
        out.count(keys);
    }
    Ok(Flow::Done)
}

/// `ORDERBY key-count [LIMIT n] [ASC|DESC]`
fn ordered(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Result<Vec<(u16, usize)>, CmdError> {
    if !ctx.is_word(3, "key-count") {
        return Err(CmdError::new("ERR Unrecognized sort metric for ORDERBY."));
    }
    let (mut limit, mut ascending) = (None, None);
    let mut i = 4;
    while i < ctx.args.len() {
        let is_twice = if ctx.is_word(i, "limit") && i + 1 < ctx.args.len() {
            let n = parse_i64(ctx.args.at(i + 1)).filter(|n| (1..=i64::from(SLOTS)).contains(n));
            let n = n.ok_or_else(|| {
                CmdError::with(format!(
                    "ERR Limit has to lie in between 1 and {SLOTS} (maximum number of slots)."
                ))
            })?;
            i += 1;
            limit.replace(n as usize).is_some()
        } else if ctx.is_word(i, "asc") || ctx.is_word(i, "desc") {
            ascending.replace(ctx.is_word(i, "asc")).is_some()
        } else {
            return Err(CmdError::SYNTAX);
        };
        if is_twice {
            return Err(CmdError::new("ERR Multiple filters of the same type are disallowed."));
        }
        i += 1;
    }
    let counts = key_counts(ctx);
    let own = (0..SLOTS).zip(counts).filter(|&(slot, _)| cluster.slots.contains(slot));
    let mut slots: Vec<(u16, usize)> = own.collect();
    // Of those with as many keys the lower comes first.
    match ascending {
        Some(true) => slots.sort_by_key(|&(_, keys)| keys),
        _ => slots.sort_by_key(|&(_, keys)| std::cmp::Reverse(keys)),
    }
    slots.truncate(limit.unwrap_or(SLOTS.into()));
    Ok(slots)
}

/// How many keys each slot has.
fn key_counts(ctx: &mut Ctx<'_>) -> Vec<usize> {
    let mut counts = vec![0; SLOTS.into()];
    ctx.store.each_entry(0, |entry| counts[slot::of_key(entry.key()) as usize] += 1);
    counts
}

/// The error for words that no form of a subcommand has.
fn misused(ctx: &Ctx<'_>) -> CmdError {
    let word = String::from_utf8_lossy(shown(ctx.args.at(1)));
    CmdError::with(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try CLUSTER HELP."
    ))
}
