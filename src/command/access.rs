//! Whether a user may make a call: its command, its keys, its channels. Nothing is allocated for it.

use super::{
    Args, Channels, Flags, KeyFlags, keys,
    keys::Keys,
    table::{CommandId, Table},
};
use crate::state::{
    State,
    acl::{KeyAccess, Selector, User, log::Reason},
    session::Session,
};

/// What a user may not: the command, or the key or channel at a place among the arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Denied {
    pub reason: Reason,
    pub at: usize,
}

/// Whether a user may make a call. One selector must allow all of it; what is denied is told by the selector that came
/// furthest.
pub fn check(user: &User, table: &Table, id: CommandId, args: Args<'_>) -> Result<(), Denied> {
    if user.unrestricted { Ok(()) } else { check_selectors(user, table, id, args) }
}

#[cold]
fn check_selectors(user: &User, table: &Table, id: CommandId, args: Args<'_>) -> Result<(), Denied> {
    let mut keys = None;
    let mut worst = Denied { reason: Reason::Command, at: 0 };
    for selector in user.selectors() {
        let Err(denied) = check_selector(selector, table, id, args, &mut keys) else { return Ok(()) };
        if (denied.reason as u8, denied.at) > (worst.reason as u8, worst.at) {
            worst = denied;
        }
    }
    Err(worst)
}

fn check_selector(
    selector: &Selector,
    table: &Table,
    id: CommandId,
    args: Args<'_>,
    keys: &mut Option<Keys>,
) -> Result<(), Denied> {
    let spec = table.entry(id).spec;
    if !(spec.flags.has(Flags::NO_AUTH) || selector.allows_command(id, args.get(1))) {
        return Err(Denied { reason: Reason::Command, at: 0 });
    }
    if !selector.allows_all_keys() && keys::has_keys(spec) {
        // Arguments that do not fit name no keys: the command will say so.
        let keys = keys.get_or_insert_with(|| keys::find(spec, args).unwrap_or_default());
        let allows = |(at, flags): &(usize, KeyFlags)| selector.allows_key(args.at(*at), key_access(*flags));
        let mut given = keys.iter().filter(|(at, _)| *at < args.len());
        if let Some((at, _)) = given.find(|key| !allows(key)) {
            return Err(Denied { reason: Reason::Key, at });
        }
    }
    if spec.channels != Channels::None && !selector.allows_all_channels() {
        let is_pattern = spec.channels == Channels::Patterns;
        let end = if spec.channels == Channels::First { args.len().min(2) } else { args.len() };
        if let Some(at) = (1..end).find(|&at| !selector.allows_channel(args.at(at), is_pattern)) {
            return Err(Denied { reason: Reason::Channel, at });
        }
    }
    Ok(())
}

/// What a command's flags for a key ask of who may use it.
fn key_access(flags: KeyFlags) -> KeyAccess {
    const WRITES: KeyFlags = KeyFlags::INSERT.or(KeyFlags::UPDATE).or(KeyFlags::DELETE);
    KeyAccess { read: flags.has(KeyFlags::ACCESS), write: flags.has(WRITES) }
}

/// Whether a session's user may call a command with these arguments; `None` where there is no such command.
pub fn may_call(state: &State, table: &Table, session: &Session, args: Args<'_>) -> Option<bool> {
    let id = table.lookup(args, CommandId::MAX).ok()?;
    Some(check(&state.acl[session.user], table, id, args).is_ok())
}

/// Whether a user may read every key by a call, as SORT does by its patterns.
pub fn may_read_all_keys(user: &User, table: &Table, id: CommandId, args: Args<'_>) -> bool {
    let allows = |selector: &Selector| {
        selector.may_read_all_keys() && check_selector(selector, table, id, args, &mut None).is_ok()
    };
    user.unrestricted || user.selectors().iter().any(allows)
}
