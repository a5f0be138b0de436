//! To which slot of a cluster a call belongs, and whether that is served.

use super::{Args, CommandSpec, Flags, keys};
use crate::{base::slot, state::State};

/// A call names keys of several slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrossSlot {
    /// That of the first key.
    first: u16,
}

/// Why a cluster does not run a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unserved {
    /// Nobody owns the slot.
    NoOwner,
    /// There are several.
    CrossSlot,
    /// The cluster is down, since not all slots have an owner.
    Down,
    /// It is down, and only reads are welcome.
    DownForWrites,
}

/// The slot that all keys of a call belong to, shard channels included; `before` is the one of earlier calls that belong
/// together with it.
pub fn find(spec: &CommandSpec, args: Args<'_>, before: Option<u16>) -> Result<Option<u16>, CrossSlot> {
    let mut found = before;
    for (at, _) in keys::find_with_channels(spec, args).iter() {
        let Some(key) = args.get(at) else { continue };
        let slot = slot::of_key(key);
        let first = *found.get_or_insert(slot);
        if first != slot {
            return Err(CrossSlot { first });
        }
    }
    Ok(found)
}

/// Whether a call with these flags, for which `found` was found, is served: then its slot.
pub fn check(
    state: &State,
    found: Result<Option<u16>, CrossSlot>,
    flags: Flags,
) -> Result<Option<u16>, Unserved> {
    let (Ok(Some(first)) | Err(CrossSlot { first })) = found else { return Ok(None) };
    let (Some(cluster), config) = (&state.cluster, &state.config) else { return Ok(None) };
    if !cluster.slots.contains(first) {
        return Err(Unserved::NoOwner);
    }
    let slot = found.map_err(|_| Unserved::CrossSlot)?;
    if cluster.is_up(config.cluster_require_full_coverage) {
        return Ok(slot);
    }
    let is_publishing = flags.has(Flags::PUBSUB);
    let welcome = match is_publishing {
        true => config.cluster_allow_pubsubshard_when_down,
        false => config.cluster_allow_reads_when_down,
    };
    match welcome {
        false => Err(Unserved::Down),
        true if !is_publishing && flags.has(Flags::WRITE) => Err(Unserved::DownForWrites),
        true => Ok(slot),
    }
}
