//! DEBUG OBJECT: how a value is kept.

use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    ds::listpack::Entries,
    value::{List, ValueRef, list::Part},
};
use std::fmt::Write;

pub(super) fn object(ctx: &mut Ctx<'_>) -> Outcome {
    let fast = ctx.args.len() == 4 && ctx.is_word(3, "fast");
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let pos = ctx.store.find(db, key).ok_or(CmdError::NO_SUCH_KEY)?;
    let entry = ctx.store.entry(db, pos);
    let mut text = format!("Value at:{:p} refcount:1 encoding:{}", entry.key().as_ptr(), entry.encoding());
    let mut append = |part: std::fmt::Arguments<'_>| text.write_fmt(part).expect("a string takes it");
    if !fast {
        append(format_args!(" serializedlength:{}", saved_bytes(entry.value())));
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
            let bytes: usize = node_bytes(list).map(|(bytes, _)| bytes).sum();
            append(format_args!(" ql_uncompressed_size:{bytes}"));
        }
    }
    ctx.out().simple(&text);
    Ok(Flow::Done)
}

/// Bytes of a list's nodes without compression, and what they take in an RDB file.
fn node_bytes(list: &List) -> impl Iterator<Item = (usize, usize)> {
    let nodes = std::iter::successors(list.first_node(), |pos| list.next_node(*pos));
    nodes.map(|pos| {
        list.with_node(pos, |part| {
            let bytes = match part {
                Part::Pack(entries) => with_frame(entries),
                Part::Plain(value) => value.to_vec(),
            };
            (bytes.len(), saved_string_bytes(&bytes))
        })
    })
}

/// A pack as files have it: its length and its number of entries before them, an end mark behind.
fn with_frame(entries: Entries<'_>) -> Vec<u8> {
    let bytes = entries.as_bytes();
    let len = (bytes.len() + 7) as u32;
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    [&len.to_le_bytes(), &count.to_le_bytes()[..], bytes, &[0xff]].concat()
}

/// What a value takes in an RDB file, in bytes. Source: <https://rdb.fnordig.de/file_format.html>.
fn saved_bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Int(number) => saved_int_bytes(number).unwrap_or_else(|| 1 + number.to_string().len()),
        ValueRef::Str(bytes) => saved_string_bytes(bytes),
        ValueRef::List(list) => {
            // Each node says first what it is.
            let nodes: usize = node_bytes(list).map(|(_, saved)| 1 + saved).sum();
            saved_len_bytes(list.node_count()) + nodes
        }
        ValueRef::Hash(hash) => match hash.as_pack() {
            Some(pack) => saved_string_bytes(&with_frame(pack.entries())),
            None => {
                let mut bytes = saved_len_bytes(hash.len());
                hash.each(|field, value, _| {
                    bytes += saved_string_bytes(&field.to_vec()) + saved_string_bytes(&value.to_vec());
                });
                bytes
            }
        },
        ValueRef::Set(_) | ValueRef::ZSet(_) | ValueRef::Stream(_) => 0,
    }
}

fn saved_int_bytes(number: i64) -> Option<usize> {
    if i8::try_from(number).is_ok() {
        Some(2)
    } else if i16::try_from(number).is_ok() {
        Some(3)
    } else {
        i32::try_from(number).is_ok().then_some(5)
    }
}

fn saved_string_bytes(bytes: &[u8]) -> usize {
    // Short texts of numbers are saved as numbers, long strings compressed where that makes them shorter.
    if let (true, ValueRef::Int(number)) = (bytes.len() <= 11, crate::value::Value::string(bytes).as_ref())
        && let Some(saved) = saved_int_bytes(number)
    {
        return saved;
    }
    if bytes.len() > 20
        && let Ok(packed) = lzf::compress(bytes)
        && packed.len() <= bytes.len() - 4
    {
        return 1 + saved_len_bytes(packed.len()) + saved_len_bytes(bytes.len()) + packed.len();
    }
    saved_len_bytes(bytes.len()) + bytes.len()
}

fn saved_len_bytes(len: usize) -> usize {
    match len {
        0..=63 => 1,
        64..=16_383 => 2,
        _ if u32::try_from(len).is_ok() => 5,
        _ => 9,
    }
}
