//! Lists: at their ends, inside them, and waiting for them.

mod blocking;
mod ends;
mod inside;

use crate::{
    command::{CmdError, CommandSpec, Ctx},
    ds::table::Pos,
    resp::output::Output,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry, List, ValueMut, ValueRef,
        list::{Elem, End},
    },
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 3] = [ends::COMMANDS, inside::COMMANDS, blocking::COMMANDS];

/// A list that was found, to be changed before anything else is looked up.
#[derive(Clone, Copy)]
struct Found {
    pos: Pos,
    len: usize,
}

/// Finds the list at a key, to be changed.
#[inline]
fn find(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Found>, CmdError> {
    let Some(pos) = store.write(db, key) else { return Ok(None) };
    let len = list(&store.entry(db, pos))?.len();
    Ok(Some(Found { pos, len }))
}

/// The list in an entry, to be read.
#[inline]
fn list(entry: &Entry) -> Result<&List, CmdError> {
    match entry.value() {
        ValueRef::List(list) => Ok(list),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// The list in an entry that is known to hold one, to be changed.
#[inline]
fn list_mut(entry: &mut Entry) -> &mut List {
    match entry.value_mut() {
        ValueMut::List(list) => list,
        _ => unreachable!("the type was checked"),
    }
}

/// Replies an element.
#[inline]
fn reply(out: &mut Output, element: Elem<'_>) {
    match element {
        Elem::Int(n) => out.bulk_int(n),
        Elem::Bytes(bytes) => out.bulk(bytes),
    }
}

/// `LEFT` or `RIGHT` at argument `i`.
fn end_arg(ctx: &Ctx<'_>, i: usize) -> Result<End, CmdError> {
    if ctx.is_word(i, "left") {
        Ok(End::Left)
    } else if ctx.is_word(i, "right") {
        Ok(End::Right)
    } else {
        Err(CmdError::SYNTAX)
    }
}

/// Records a change of the list at a key. One that it left empty was removed.
#[inline]
fn changed(store: &mut Store, db: usize, key: &[u8], name: &'static str, emptied: bool) {
    store.changed(db, key, Event(Class::List, name));
    if emptied {
        store.changes.happened(db, key, Event(Class::Generic, "del"));
    }
}
