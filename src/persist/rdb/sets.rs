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
    out.byte(kind::SET);
    out.count(set.len());
    set.iter().for_each(|member| out.elem(member));
}

pub(super) fn read(input: &mut Reader<'_>, kind: u8, cfg: &SetConfig) -> Result<Set, Broken> {
    let mut set = Set::new();
    let mut add = |member: &[u8]| if set.insert(member, cfg) { Ok(()) } else { Err(Broken::Corrupt) };
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
            for member in pack.iter() {
                with_bytes(member, &mut add)?;
            }
        }
        _ => {
            for _ in 0..input.count()? {
                add(&input.string()?)?;
            }
        }
    }
    if set.is_empty() { Err(Broken::Empty) } else { Ok(set) }
}
