//! Sets: integers as they are kept, others member by member.

use super::{Broken, Reader, Writer, kind};
use crate::{
    ds::listpack::Listpack,
    value::{
        Set,
        set::{Intset, SetConfig, with_bytes},
    },
};

pub(super) fn write(out: &mut Writer, set: &Set) {
    if let Set::Ints(ints) = set {
        out.byte(kind::SET_INTSET);
        return out.string(&ints.to_redis_bytes());
    }
    if let (Set::Pack(pack), true) = (set, out.newest) {
        out.byte(kind::SET_LISTPACK);
        return out.string(&pack.to_redis_bytes());
    }
    out.byte(kind::SET);
    out.count(set.len());
    set.iter().for_each(|member| out.elem(member));
}

pub(super) fn read(input: &mut Reader<'_>, kind: u8, cfg: &SetConfig) -> Result<Set, Broken> {
    let mut set = Set::new();
    match kind {
        kind::SET_INTSET => {
            let ints = Intset::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
            if ints.len() <= cfg.max_intset_entries {
                set = Set::Ints(ints);
            } else {
                set = Set::table(cfg);
                ints.iter().for_each(|member| {
                    set.insert(member.to_string().as_bytes(), cfg);
                });
            }
        }
        kind::SET_LISTPACK => {
            let pack = Listpack::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
            // It stays a pack, whatever is in it, if only there is not too much.
            let cfg = if pack.len() <= cfg.max_listpack_entries {
                set = Set::Pack(Listpack::new());
                &SetConfig { max_listpack_entries: usize::MAX, max_listpack_value: usize::MAX, ..*cfg }
            } else {
                set = Set::table(cfg);
                cfg
            };
            for member in pack.iter() {
                with_bytes(member, |bytes| add(&mut set, bytes, cfg))?;
            }
        }
        _ => {
            let count = input.count()?;
            if count > cfg.max_intset_entries {
                set = Set::table(cfg);
            }
            for _ in 0..count {
                add(&mut set, &input.string()?, cfg)?;
            }
        }
    }
    if set.is_empty() { Err(Broken::Empty) } else { Ok(set) }
}

fn add(set: &mut Set, member: &[u8], cfg: &SetConfig) -> Result<(), Broken> {
    if set.insert(member, cfg) { Ok(()) } else { Err(Broken::Corrupt) }
}
