//! Hashes: writing and reading fields, and fields that expire.

mod expiry;
mod read;
mod write;

use crate::{
    command::{CmdError, CommandSpec, Ctx},
    ds::table::Pos,
    resp::output::Output,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry, Hash, Value, ValueMut, ValueRef,
        hash::{Elem, HashConfig},
    },
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 3] = [expiry::COMMANDS, read::COMMANDS, write::COMMANDS];

/// The hash in an entry, to be read.
#[inline]
fn hash(entry: &Entry) -> Result<&Hash, CmdError> {
    match entry.value() {
        ValueRef::Hash(hash) => Ok(hash),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// The hash in an entry that is known to hold one, to be changed.
#[inline]
fn hash_mut(entry: &mut Entry) -> &mut Hash {
    match entry.value_mut() {
        ValueMut::Hash(hash) => hash,
        _ => unreachable!("the type was checked"),
    }
}

/// Finds the hash at a key, to be changed.
#[inline]
fn find(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Pos>, CmdError> {
    let Some(pos) = store.write(db, key) else { return Ok(None) };
    hash(&store.entry(db, pos))?;
    Ok(Some(pos))
}

/// Lets `f` change the hash that was found at a key, or a new one, which it must not leave empty.
#[inline]
fn change<R>(
    store: &mut Store,
    db: usize,
    key: &[u8],
    found: Option<Pos>,
    f: impl FnOnce(&mut Hash) -> R,
) -> R {
    match found {
        Some(pos) => f(hash_mut(&mut store.edit(db, pos))),
        None => {
            let mut hash = Hash::new();
            let result = f(&mut hash);
            store.insert(db, key, Value::Hash(hash), None);
            result
        }
    }
}

/// Records a change of the hash at a key.
#[inline]
fn changed(store: &mut Store, db: usize, key: &[u8], name: &'static str) {
    store.changed(db, key, Event(Class::Hash, name));
}

/// When hashes become tables.
#[inline]
fn config(ctx: &Ctx<'_>) -> HashConfig {
    ctx.state.config.hash(ctx.store.seed)
}

/// Replies a field or a value.
#[inline]
fn reply(out: &mut Output, elem: Elem<'_>) {
    match elem {
        Elem::Int(n) => out.bulk_int(n),
        Elem::Bytes(bytes) => out.bulk(bytes),
    }
}

/// Replies a value, if there is one.
#[inline]
fn reply_or_null(out: &mut Output, elem: Option<Elem<'_>>) {
    match elem {
        Some(elem) => reply(out, elem),
        None => out.null(),
    }
}
