//! To which slot of a cluster a call belongs.

use super::{Args, CommandSpec, keys};
use crate::base::slot;

/// A call names keys of several slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrossSlot;

/// The slot that all keys of a call belong to, shard channels included; `before` is the one of earlier calls that belong
/// together with it.
pub fn find(spec: &CommandSpec, args: Args<'_>, before: Option<u16>) -> Result<Option<u16>, CrossSlot> {
    let mut found = before;
    for (at, _) in keys::find_with_channels(spec, args).iter() {
        let Some(key) = args.get(at) else { continue };
        let slot = slot::of_key(key);
        if found.is_some_and(|other| other != slot) {
            return Err(CrossSlot);
        }
        found = Some(slot);
    }
    Ok(found)
}
