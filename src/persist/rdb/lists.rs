//! Lists: node by node, each a listpack or one large element.

use super::{Broken, Reader, Writer, kind, old::Ziplist};
use crate::{
    ds::listpack::Listpack,
    value::{
        List,
        list::{End, ListConfig, Part},
    },
};

/// What a node is.
const PLAIN: usize = 1;
const PACKED: usize = 2;

pub(super) fn write(out: &mut Writer, list: &List) {
    out.byte(kind::LIST_QUICKLIST_2);
    out.count(list.node_count());
    let mut next = list.first_node();
    while let Some(pos) = next {
        list.with_node(pos, |part| match part {
            Part::Pack(entries) => {
                let mut pack = Vec::new();
                entries.write_redis_bytes(&mut pack);
                out.count(PACKED);
                out.string(&pack);
            }
            Part::Plain(bytes) => {
                out.count(PLAIN);
                out.string(bytes);
            }
        });
        next = list.next_node(pos);
    }
}

pub(super) fn read(input: &mut Reader<'_>, kind: u8, cfg: &ListConfig) -> Result<List, Broken> {
    let mut list = List::new();
    // One ziplist stands without a count.
    let nodes = if kind == kind::LIST_ZIPLIST { 1 } else { input.count()? };
    for _ in 0..nodes {
        match kind {
            kind::LIST => list.push(End::Right, &input.string()?, cfg),
            kind::LIST_QUICKLIST_2 => match input.count()? {
                PLAIN => list.append_plain_node(&input.string()?),
                PACKED => {
                    let pack = Listpack::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
                    if !pack.is_empty() {
                        list.append_pack_node(pack);
                    }
                }
                _ => return Err(Broken::Corrupt),
            },
            _ => {
                let pack = Ziplist::check(&input.string()?)?.to_listpack();
                if !pack.is_empty() {
                    list.append_pack_node(pack);
                }
            }
        }
    }
    list.finish_load(cfg);
    if list.is_empty() { Err(Broken::Empty) } else { Ok(list) }
}
