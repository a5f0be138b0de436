//! Sorted sets: a listpack of pairs as it is, or members and scores one by one.

use super::{Broken, Reader, Writer, kind, old::Ziplist};
use crate::{
    ds::listpack::Listpack,
    value::{
        ZSet,
        zset::{Added, ZSetConfig},
    },
};

pub(super) fn write(out: &mut Writer, zset: &ZSet) {
    if let Some(pack) = zset.as_pack() {
        out.byte(kind::ZSET_LISTPACK);
        return out.string(&pack.to_redis_bytes());
    }
    out.byte(kind::ZSET_2);
    out.count(zset.len());
    // From the highest score on: whoever keeps lists reads it faster so.
    for (member, score) in zset.rev_from(zset.len()) {
        out.elem(member);
        out.double(score);
    }
}

pub(super) fn read(input: &mut Reader<'_>, kind: u8, cfg: &ZSetConfig) -> Result<ZSet, Broken> {
    let zset = match kind {
        kind::ZSET_LISTPACK => {
            let pack = Listpack::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
            ZSet::from_pack(pack, cfg).map_err(|_| Broken::Corrupt)?
        }
        kind::ZSET_ZIPLIST => {
            let pack = Ziplist::check(&input.string()?)?.to_listpack();
            ZSet::from_pack(pack, cfg).map_err(|_| Broken::Corrupt)?
        }
        _ => {
            let mut zset = ZSet::new_indexed(cfg);
            for _ in 0..input.count()? {
                let member = input.string()?;
                let score = if kind == kind::ZSET_2 { input.double()? } else { input.text_double()? };
                if score.is_nan() || zset.insert(&member, score, cfg) != Added::New {
                    return Err(Broken::Corrupt);
                }
            }
            zset.make_pack_if_small(cfg);
            zset
        }
    };
    if zset.is_empty() { Err(Broken::Empty) } else { Ok(zset) }
}
