//! Sets: their members one by one, at random, and several sets together.

mod algebra;
mod members;
mod random;

use crate::{
    command::{CmdError, CommandSpec},
    ds::table::Pos,
    resp::output::Output,
    state::config::Config,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry, Set, ValueMut, ValueRef,
        set::{Elem, SetConfig},
    },
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 3] = [members::COMMANDS, random::COMMANDS, algebra::COMMANDS];

/// Up to where sets stay small.
#[inline]
fn limits(config: &Config, store: &Store) -> SetConfig {
    config.set(store.seed)
}

/// The set in an entry, to be read.
#[inline]
fn set(entry: &Entry) -> Result<&Set, CmdError> {
    match entry.value() {
        ValueRef::Set(set) => Ok(set),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// The set in an entry that is known to hold one, to be changed.
#[inline]
fn set_mut(entry: &mut Entry) -> &mut Set {
    match entry.value_mut() {
        ValueMut::Set(set) => set,
        _ => unreachable!("the type was checked"),
    }
}

/// Finds the set at a key, to be changed before anything else is looked up.
#[inline]
fn find(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Pos>, CmdError> {
    let found = store.write(db, key);
    if let Some(pos) = found {
        set(&store.entry(db, pos))?;
    }
    Ok(found)
}

/// Replies a member.
#[inline]
fn reply(out: &mut Output, member: Elem<'_>) {
    match member {
        Elem::Int(n) => out.bulk_int(n),
        Elem::Bytes(bytes) => out.bulk(bytes),
    }
}

/// Records a change of the set at a key.
#[inline]
fn changed(store: &mut Store, db: usize, key: &[u8], name: &'static str) {
    store.changed(db, key, Event(Class::Set, name));
}

/// Removes the key of a set that has no members any more.
fn remove_empty(store: &mut Store, db: usize, key: &[u8], pos: Pos) {
    store.remove_at(db, pos);
    store.changes.happened(db, key, Event(Class::Generic, "del"));
}
