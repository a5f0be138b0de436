//! DEBUG HTSTATS, HTSTATS-KEY, LISTPACK and QUICKLIST: the structures behind databases and values.

use super::is_on;
use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    value::{List, Set, ValueRef, list::Part},
};

/// The state of a database's table, in the lines of Valkey.
pub(super) fn htstats(ctx: &mut Ctx<'_>) -> Outcome {
    let number = ctx.int_arg(2)?;
    let Some(db) = usize::try_from(number).ok().filter(|&db| db < ctx.store.databases()) else {
        return Err(CmdError::new("ERR Out of range database"));
    };
    let text = format!(
        "[Dictionary HT]\n{}[Expires HT]\n{}",
        table_lines(ctx.store.len(db), ctx.store.table(db).mem_bytes()),
        // An expiry stands in its entry: there is no second table.
        table_lines(ctx.store.volatile_len(db), 0),
    );
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

fn table_lines(entries: usize, bytes: usize) -> String {
    match entries {
        0 => String::new(),
        _ => format!(
            "Hash table 0 stats (main hash table):\n table bytes: {bytes}\n number of entries: {entries}\n"
        ),
    }
}

/// The state of the table that a value is.
pub(super) fn htstats_key(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let pos = ctx.store.find(db, key).ok_or(CmdError::NO_SUCH_KEY)?;
    let lines = match ctx.store.entry(db, pos).value() {
        ValueRef::Hash(hash) if hash.as_pack().is_none() => table_lines(hash.len(), hash.mem_bytes()),
        ValueRef::Set(set @ Set::Table(_)) => table_lines(set.len(), set.mem_bytes()),
        ValueRef::ZSet(zset) if zset.as_pack().is_none() => table_lines(zset.len(), zset.mem_bytes()),
        _ => {
            return Err(CmdError::new(
                "ERR The value stored at the specified key is not represented using an hash table",
            ));
        }
    };
    ctx.out().verbatim("txt", lines.as_bytes());
    Ok(Flow::Done)
}

/// Logs the elements of a value that is one pack.
pub(super) fn listpack(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let pos = ctx.store.find(db, key).ok_or(CmdError::NO_SUCH_KEY)?;
    let entry = ctx.store.entry(db, pos);
    let pack = match entry.value() {
        ValueRef::List(List::Pack(pack)) => Some(pack),
        ValueRef::Set(Set::Pack(pack)) => Some(pack),
        ValueRef::ZSet(zset) => zset.as_pack(),
        ValueRef::Hash(hash) => hash.as_pack(),
        _ => None,
    };
    let Some(pack) = pack else { return Err(CmdError::new("ERR Not a listpack encoded object.")) };
    let journal = &ctx.state.journal;
    journal.notice(format_args!(
        "Listpack of '{}': {} elements, {} bytes",
        key.escape_ascii(),
        pack.len(),
        pack.lp_bytes()
    ));
    for (i, elem) in pack.iter().enumerate() {
        journal.notice(format_args!("{i}: {}", elem.to_vec().escape_ascii()));
    }
    ctx.out().simple("Listpack structure printed on stdout");
    Ok(Flow::Done)
}

/// Logs the nodes of a list that has several, with their elements if wanted.
pub(super) fn quicklist(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let with_elements = ctx.args.get(3).is_some_and(is_on);
    let pos = ctx.store.find(db, key).ok_or(CmdError::NO_SUCH_KEY)?;
    let entry = ctx.store.entry(db, pos);
    let ValueRef::List(list @ List::Quick(_)) = entry.value() else {
        return Err(CmdError::new("ERR Not a quicklist encoded object."));
    };
    let journal = &ctx.state.journal;
    journal.notice(format_args!(
        "Quicklist of '{}': {} elements in {} nodes",
        key.escape_ascii(),
        list.len(),
        list.node_count()
    ));
    let nodes = std::iter::successors(list.first_node(), |pos| list.next_node(*pos));
    for (number, pos) in nodes.enumerate() {
        list.with_node(pos, |part| match part {
            Part::Pack(entries) => {
                let bytes = entries.as_bytes().len();
                journal.notice(format_args!("node {number}: {} elements, {bytes} bytes", entries.len()));
                for elem in entries.iter().filter(|_| with_elements) {
                    journal.notice(format_args!("  {}", elem.to_vec().escape_ascii()));
                }
            }
            Part::Plain(value) => {
                journal.notice(format_args!("node {number}: one element, {} bytes", value.len()));
                if with_elements {
                    journal.notice(format_args!("  {}", value.escape_ascii()));
                }
            }
        });
    }
    ctx.out().simple("Quicklist structure printed on stdout");
    Ok(Flow::Done)
}
