//! DEBUG OBJECT: how a value is kept.

use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    persist::rdb,
    value::{List, ValueRef, list::Part},
};
use std::fmt::Write;

pub(super) fn object(ctx: &mut Ctx<'_>) -> Outcome {
    let fast = ctx.args.len() == 4 && ctx.is_word(3, "fast");
    let (db, key) = (ctx.db(), ctx.args.at(2));
    // A look changes nothing: a key whose time has come is still there.
    let table = ctx.store.table(db);
    let pos = table.find(table.hash(key), key).ok_or(CmdError::NO_SUCH_KEY)?;
    let entry = ctx.store.entry(db, pos);
    let mut text = format!("Value at:{:p} refcount:1 encoding:{}", entry.key().as_ptr(), entry.encoding());
    let mut append = |part: std::fmt::Arguments<'_>| text.write_fmt(part).expect("a string takes it");
    if !fast {
        append(format_args!(" serializedlength:{}", rdb::saved_len(entry.value())));
    }
    let lru = entry.lru();
    append(format_args!(" lru:{lru} lru_seconds_idle:{}", ctx.store.lru.idle_s(&entry)));
    append(format_args!(
        " lfu_freq:{} lfu_access_time_minutes:{}",
        ctx.store.lru.frequency_of(&entry),
        lru >> 8
    ));
    if let ValueRef::List(list @ List::Quick(_)) = entry.value() {
        let config = &ctx.state.config;
        let nodes = list.node_count();
        append(format_args!(
            " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{}",
            list.len() as f64 / nodes as f64,
            config.list_max_listpack_size,
            u8::from(config.list_compress_depth != 0)
        ));
        if !fast {
            append(format_args!(" ql_uncompressed_size:{}", nodes_bytes(list)));
        }
    }
    ctx.out().simple(&text);
    Ok(Flow::Done)
}

/// Bytes of a list's nodes without compression.
fn nodes_bytes(list: &List) -> usize {
    let nodes = std::iter::successors(list.first_node(), |pos| list.next_node(*pos));
    let bytes_of = |part: Part<'_>| match part {
        Part::Pack(entries) => entries.redis_bytes_len(),
        Part::Plain(value) => value.len(),
    };
    nodes.map(|pos| list.with_node(pos, bytes_of)).sum()
}
