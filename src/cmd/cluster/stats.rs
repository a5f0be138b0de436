//! CLUSTER SLOT-STATS: how many keys the slots have, and what they cost.

use super::slots::slot_named;
use crate::{
    base::{num::parse_i64, slot::SLOTS},
    command::{CmdError, Ctx, Flow, Outcome},
    state::cluster::Cluster,
};
use std::cmp::Reverse;

/// What is told of a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Metric {
    KeyCount,
    Cpu,
    BytesIn,
    BytesOut,
}

impl Metric {
    /// In the order in which they are told.
    const ALL: [(Metric, &str); 4] = [
        (Metric::KeyCount, "key-count"),
        (Metric::Cpu, "cpu-usec"),
        (Metric::BytesIn, "network-bytes-in"),
        (Metric::BytesOut, "network-bytes-out"),
    ];

    /// Those that are known: all, or how many keys there are.
    fn known(ctx: &Ctx<'_>) -> &'static [(Metric, &'static str)] {
        if ctx.state.slot_stats.is_some() { &Metric::ALL } else { &Metric::ALL[..1] }
    }

    fn of(self, ctx: &Ctx<'_>, slot: u16) -> u64 {
        if self == Metric::KeyCount {
            return ctx.store.slot_len(slot) as u64;
        }
        let cost = ctx.state.slot_stats.as_ref().map(|stats| stats.get(slot)).unwrap_or_default();
        match self {
            Metric::Cpu => cost.cpu_ns / 1000,
            Metric::BytesIn => cost.net_in_bytes,
            _ => cost.net_out_bytes,
        }
    }
}

/// <https://valkey.io/commands/cluster-slot-stats/>
pub(super) fn stats(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let slots = match ctx.args.len() {
        5 if ctx.is_word(2, "slotsrange") => range(ctx, cluster)?,
        4.. if ctx.is_word(2, "orderby") => ordered(ctx, cluster)?,
        _ => return Err(ctx.wrong_subcommand()),
    };
    let metrics = Metric::known(ctx);
    ctx.out().array(slots.len());
    for slot in slots {
        ctx.out().array(2);
        ctx.out().int(slot.into());
        ctx.out().map(metrics.len());
        for &(metric, name) in metrics {
            let value = metric.of(ctx, slot);
            ctx.out().bulk(name.as_bytes());
            ctx.out().int(value as i64);
        }
    }
    Ok(Flow::Done)
}

/// `SLOTSRANGE first last`
fn range(ctx: &Ctx<'_>, cluster: &Cluster) -> Result<Vec<u16>, CmdError> {
    let bounds = [3, 4].map(|i| slot_named(ctx.args.at(i)));
    let [Some(first), Some(last)] = bounds else {
        return Err(CmdError::new("ERR Invalid or out of range slot"));
    };
    if first > last {
        return Err(CmdError::with(format!(
            "ERR Start slot number {first} is greater than end slot number {last}"
        )));
    }
    Ok((first..=last).filter(|&slot| cluster.slots.contains(slot)).collect())
}

/// `ORDERBY metric [LIMIT n] [ASC|DESC]`
fn ordered(ctx: &Ctx<'_>, cluster: &Cluster) -> Result<Vec<u16>, CmdError> {
    let found = Metric::known(ctx).iter().find(|(_, name)| ctx.is_word(3, name));
    let &(metric, _) = found.ok_or(CmdError::new("ERR Unrecognized sort metric for ORDERBY."))?;
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
    let own = (0..SLOTS).filter(|&slot| cluster.slots.contains(slot));
    let mut slots: Vec<(u64, u16)> = own.map(|slot| (metric.of(ctx, slot), slot)).collect();
    // Of those that are alike the lower comes first.
    match ascending {
        Some(true) => slots.sort_by_key(|&(value, _)| value),
        _ => slots.sort_by_key(|&(value, _)| Reverse(value)),
    }
    slots.truncate(limit.unwrap_or(SLOTS.into()));
    Ok(slots.into_iter().map(|(_, slot)| slot).collect())
}
