//! Hashes: a listpack as it is, or fields and values one by one, with their expiries where there are any.

use super::{
    Broken, Reader, Writer, kind,
    old::{Ziplist, zipmap},
};
use crate::{
    ds::listpack::Listpack,
    value::{
        Hash,
        hash::{HashConfig, Until, Written},
    },
};

/// In the place of an expiry, where a field has none.
const NEVER: i64 = -1;

pub(super) fn write(out: &mut Writer, hash: &Hash) {
    if let Some(pack) = hash.as_pack() {
        out.byte(kind::HASH_LISTPACK);
        return out.string(&pack.to_redis_bytes());
    }
    let expires = hash.volatile_len() > 0;
    out.byte(if expires { kind::HASH_EXPIRING } else { kind::HASH });
    out.count(hash.len());
    hash.each(|field, value, expire_at_ms| {
        out.elem(field);
        out.elem(value);
        if expires {
            out.i64(expire_at_ms.unwrap_or(NEVER));
        }
    });
}

pub(super) fn read(input: &mut Reader<'_>, kind: u8, cfg: &HashConfig) -> Result<Hash, Broken> {
    let mut hash = Hash::new();
    let mut add = |field: &[u8], value: &[u8], until: Until| {
        // Expired fields are there too: nothing is overwritten unnoticed.
        match hash.set(field, value, until, i64::MIN, cfg) {
            Written::Created => Ok(()),
            Written::Replaced | Written::OverExpired => Err(Broken::Corrupt),
        }
    };
    match kind {
        kind::HASH_LISTPACK => {
            let pack = Listpack::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
            hash = Hash::from_pack(pack, cfg).map_err(|_| Broken::Corrupt)?;
        }
        kind::HASH_ZIPLIST => {
            let pack = Ziplist::check(&input.string()?)?.to_listpack();
            hash = Hash::from_pack(pack, cfg).map_err(|_| Broken::Corrupt)?;
        }
        kind::HASH_ZIPMAP => {
            for (field, value) in zipmap(&input.string()?)? {
                add(field, value, Until::Forever)?;
            }
        }
        _ => {
            for _ in 0..input.count()? {
                let (field, value) = (input.string()?, input.string()?);
                let until = match kind {
                    kind::HASH_EXPIRING => match input.i64()? {
                        NEVER => Until::Forever,
                        at_ms if at_ms < 0 => return Err(Broken::Corrupt),
                        at_ms => Until::At(at_ms),
                    },
                    _ => Until::Forever,
                };
                add(&field, &value, until)?;
            }
        }
    }
    if hash.is_empty() { Err(Broken::Empty) } else { Ok(hash) }
}
