//! Which slots the node owns, and its epoch: what an administrator may change of a cluster of one.

use super::slots::slot_named;
use crate::{
    base::slot::{SLOTS, SlotSet},
    command::{CmdError, Ctx, Flow, Outcome},
    state::{cluster::Cluster, slot_stats::SlotCost},
};
use std::sync::Arc;

/// First and last of some neighbours.
type Run = (u16, u16);

/// <https://valkey.io/commands/cluster-addslots/>
pub(super) fn add(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let runs = singles(ctx)?;
    assign(ctx, cluster, true, runs.into_iter().map(Ok))
}

/// <https://valkey.io/commands/cluster-delslots/>
pub(super) fn del(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let runs = singles(ctx)?;
    assign(ctx, cluster, false, runs.into_iter().map(Ok))
}

/// <https://valkey.io/commands/cluster-addslotsrange/>
pub(super) fn add_ranges(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    if ctx.args.len() % 2 == 1 {
        return Err(CmdError::wrong_arity("cluster|addslotsrange"));
    }
    let args = ctx.args;
    assign(ctx, cluster, true, (2..args.len()).step_by(2).map(|i| range([args.at(i), args.at(i + 1)])))
}

/// <https://valkey.io/commands/cluster-delslotsrange/>
pub(super) fn del_ranges(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    if ctx.args.len() % 2 == 1 {
        return Err(CmdError::wrong_arity("cluster|delslotsrange"));
    }
    let args = ctx.args;
    assign(ctx, cluster, false, (2..args.len()).step_by(2).map(|i| range([args.at(i), args.at(i + 1)])))
}

/// <https://valkey.io/commands/cluster-flushslots/>
pub(super) fn flush(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    if ctx.store.len(0) > 0 {
        return Err(CmdError::new("ERR DB must be empty to perform CLUSTER FLUSHSLOTS."));
    }
    change(ctx, |cluster| cluster.slots = SlotSet::new())
}

/// <https://valkey.io/commands/cluster-reset/>
pub(super) fn reset(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    let is_hard = match ctx.args.len() {
        2 => false,
        3 if ctx.is_word(2, "soft") => false,
        3 if ctx.is_word(2, "hard") => true,
        3 => return Err(CmdError::SYNTAX),
        _ => return Err(ctx.wrong_subcommand()),
    };
    if ctx.store.len(0) > 0 {
        return Err(CmdError::new("ERR CLUSTER RESET can't be called with master nodes containing keys"));
    }
    let fresh = is_hard.then(|| Cluster::new(&mut ctx.state.rng));
    change(ctx, |cluster| {
        *cluster = fresh.unwrap_or_else(|| cluster.clone());
        cluster.slots = SlotSet::new();
    })
}

/// <https://valkey.io/commands/cluster-bumpepoch/>: of one node the epoch is the highest once it has one.
pub(super) fn bump_epoch(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    if cluster.epoch > 0 {
        ctx.out().simple(&format!("STILL {}", cluster.epoch));
        return Ok(Flow::Done);
    }
    edit(ctx, |cluster| cluster.epoch = 1);
    ctx.out().simple("BUMPED 1");
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-set-config-epoch/>
pub(super) fn set_epoch(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let number = ctx.int_arg(2)?;
    let Ok(epoch) = u64::try_from(number) else {
        return Err(CmdError::with(format!("ERR Invalid config epoch specified: {number}")));
    };
    if cluster.epoch > 0 {
        return Err(CmdError::new("ERR Node config epoch is already non-zero"));
    }
    change(ctx, |cluster| cluster.epoch = epoch)
}

/// The slots that are named one by one.
fn singles(ctx: &Ctx<'_>) -> Result<Vec<Run>, CmdError> {
    ctx.args.from(2).map(|name| slot(name).map(|slot| (slot, slot))).collect()
}

fn slot(name: &[u8]) -> Result<u16, CmdError> {
    slot_named(name).ok_or(CmdError::new("ERR Invalid or out of range slot"))
}

/// The slots from one to another.
fn range(bounds: [&[u8]; 2]) -> Result<Run, CmdError> {
    let (first, last) = (slot(bounds[0])?, slot(bounds[1])?);
    if first > last {
        return Err(CmdError::with(format!(
            "ERR start slot number {first} is greater than end slot number {last}"
        )));
    }
    Ok((first, last))
}

/// Gives slots to the node or takes them away, all or none.
fn assign(
    ctx: &mut Ctx<'_>,
    cluster: &Cluster,
    gives: bool,
    runs: impl Iterator<Item = Result<Run, CmdError>>,
) -> Outcome {
    let mut after = cluster.slots.clone();
    for run in runs {
        let (first, last) = run?;
        for slot in first..=last {
            if cluster.slots.contains(slot) == gives {
                let state = if gives { "busy" } else { "unassigned" };
                return Err(CmdError::with(format!("ERR Slot {slot} is already {state}")));
            }
            if !(if gives { after.insert(slot) } else { after.remove(slot) }) {
                return Err(CmdError::with(format!("ERR Slot {slot} specified multiple times")));
            }
        }
    }
    change(ctx, |cluster| cluster.slots = after)
}

/// Changes what the server knows of the cluster, and looks after those whom that concerns.
fn change(ctx: &mut Ctx<'_>, f: impl FnOnce(&mut Cluster)) -> Outcome {
    let before = ctx.state.cluster.as_ref().map(Arc::clone);
    edit(ctx, f);
    // What comes or goes starts anew.
    if let (Some(stats), Some(before), Some(after)) = (&mut ctx.state.slot_stats, before, &ctx.state.cluster)
    {
        let is_other = |&slot: &u16| before.slots.contains(slot) != after.slots.contains(slot);
        (0..SLOTS).filter(is_other).for_each(|slot| *stats.of(slot) = SlotCost::default());
    }
    ctx.effects.slots_lost = true;
    ctx.ok()
}

fn edit(ctx: &mut Ctx<'_>, f: impl FnOnce(&mut Cluster)) {
    if let Some(cluster) = &mut ctx.state.cluster {
        f(Arc::make_mut(cluster));
    }
}
