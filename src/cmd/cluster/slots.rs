//! Slots and their keys: the store counts those of each slot; whoever asks for their names has all keys looked through.

use crate::{
    base::{
        num::parse_i64,
        slot::{self, SLOTS},
    },
    command::{CmdError, Ctx, Flow, Outcome},
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
    ctx.count(ctx.store.slot_len(slot))
}

/// <https://valkey.io/commands/cluster-getkeysinslot/>: the search ends with the last key that is wanted.
pub(super) fn get_keys(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.int_arg(2)?;
    let max = usize::try_from(ctx.int_arg(3)?).ok();
    let (Some(slot), Some(max)) = (slot_named(ctx.args.at(2)), max) else {
        return Err(CmdError::new("ERR Invalid slot or number of keys"));
    };
    let wanted = max.min(ctx.store.slot_len(slot));
    let out = &mut ctx.session.out;
    out.array(wanted);
    let entries = ctx.store.table(0).iter().filter(|entry| slot::of_key(entry.key()) == slot);
    entries.take(wanted).for_each(|entry| out.bulk(entry.key()));
    Ok(Flow::Done)
}
