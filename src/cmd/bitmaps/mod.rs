//! Strings as arrays of bits: single bits, counting and finding, whole strings combined, fields of several bits.

mod combine;
mod field;
mod single;

use crate::{
    base::num::parse_i64,
    command::{CmdError, CommandSpec, Ctx},
    ds::table::Pos,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::Value,
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 3] = [single::COMMANDS, combine::COMMANDS, field::COMMANDS];

/// What happened to a string of which bits were changed.
const CHANGED: Event = Event(Class::String, "setbit");

/// A string that grows gets at most so many bytes of room more than it needs.
const SPARE_MAX_BYTES: usize = 1 << 20;

/// A bit's offset, given in units of `unit` bits, within the longest string.
fn offset(ctx: &Ctx<'_>, text: &[u8], unit: i64) -> Result<u64, CmdError> {
    let max_bytes = ctx.state.config.string_max_bytes() as u64;
    let offset = parse_i64(text).and_then(|offset| offset.checked_mul(unit));
    let offset = offset.and_then(|offset| u64::try_from(offset).ok()).filter(|offset| offset / 8 < max_bytes);
    offset.ok_or(CmdError::new("ERR bit offset is not an integer or out of range"))
}

/// Finds the string at a key, to be changed, and makes it long enough to have bit `last`. Says, too, whether it grew.
fn make_room(store: &mut Store, db: usize, key: &[u8], last: u64) -> Result<(Pos, bool), CmdError> {
    let len = (last / 8) as usize + 1;
    let Some(pos) = store.write(db, key) else {
        store.insert(db, key, Value::Raw(vec![0; len]), None);
        let Some(pos) = store.find(db, key) else { unreachable!("it was added just now") };
        return Ok((pos, true));
    };
    if !store.entry(db, pos).is_string() {
        return Err(CmdError::WRONG_TYPE);
    }
    let mut edit = store.edit(db, pos);
    let bytes = edit.edit_string();
    let grows = bytes.len() < len;
    if grows {
        if bytes.capacity() < len {
            bytes.reserve_exact(len + len.min(SPARE_MAX_BYTES) - bytes.len());
        }
        bytes.resize(len, 0);
    }
    Ok((pos, grows))
}
