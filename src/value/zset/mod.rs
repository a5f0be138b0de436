//! Sorted sets: a listpack of pairs while small; beyond that a hash table of the members and a tree of them in order.

mod indexed;
mod member;
mod pack;
mod pairs;
mod range;
#[cfg(test)]
mod tests;

pub use self::pairs::{Pairs, RevPairs};
pub use self::range::{LexBound, Range, ScoreBound};

use self::indexed::Indexed;
use crate::ds::listpack::{Corrupt, Elem, Listpack};
use crate::ds::thin::Thin;

/// What decides on the encoding, and the seed of the tables inside values.
#[derive(Clone, Copy, Debug)]
pub struct ZSetConfig {
    /// `zset-max-listpack-entries`.
    pub max_entries: usize,
    /// `zset-max-listpack-value`, in bytes.
    pub max_value: usize,
    pub seed: [u64; 2],
}

/// Byte strings in the order of their scores, and of their bytes where scores are equal. No score is NaN.
#[derive(Clone)]
pub enum ZSet {
    /// Pairs of member and score.
    Pack(Listpack),
    /// Many members, or a long one.
    Indexed(Thin<Indexed>),
}

/// How a member comes into a set, or changes there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Added {
    New,
    /// It was there with this score, which may be the new one.
    Was(f64),
}

impl Default for ZSet {
    fn default() -> ZSet {
        ZSet::new()
    }
}

impl std::fmt::Debug for ZSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter_from(0)).finish()
    }
}

impl ZSet {
    /// An empty one, as a pack.
    pub const fn new() -> ZSet {
        ZSet::Pack(Listpack::new())
    }

    /// An empty one for about `len` members of at most `max_len` bytes: their encoding from the start.
    pub fn for_len(len: usize, max_len: usize, cfg: &ZSetConfig) -> ZSet {
        if len <= cfg.max_entries && max_len <= cfg.max_value { ZSet::new() } else { ZSet::new_indexed(cfg) }
    }

    /// An empty one in the large encoding, which alone tells -0 from 0.
    pub fn new_indexed(cfg: &ZSetConfig) -> ZSet {
        ZSet::Indexed(Thin::new(Indexed::new(cfg.seed)))
    }

    /// Takes over a pack of pairs, as files keep it, after checking that it is a sorted set.
    pub fn from_pack(pack: Listpack, cfg: &ZSetConfig) -> Result<ZSet, Corrupt> {
        if !pack::is_valid(&pack) {
            return Err(Corrupt);
        }
        let mut zset = ZSet::Pack(pack);
        zset.make_room(zset.len(), 0, cfg);
        Ok(zset)
    }

    /// The pairs, where they are one pack.
    pub fn as_pack(&self) -> Option<&Listpack> {
        match self {
            ZSet::Pack(pack) => Some(pack),
            ZSet::Indexed(_) => None,
        }
    }

    /// Number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            ZSet::Pack(pack) => pack.len() / 2,
            ZSet::Indexed(indexed) => indexed.len(),
        }
    }

    /// Whether there are no members.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self {
            ZSet::Pack(_) => "listpack",
            ZSet::Indexed(_) => "skiplist",
        }
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        match self {
            ZSet::Pack(pack) => pack.mem_bytes(),
            ZSet::Indexed(indexed) => indexed.mem_bytes(),
        }
    }

    /// In how many parts it would be freed: allocations, roughly.
    #[inline]
    pub fn parts(&self) -> usize {
        match self {
            ZSet::Pack(_) => 1,
            ZSet::Indexed(indexed) => indexed.len(),
        }
    }

    /// Frees about `parts` of its parts; `true` when little is left. It is not to be used from the first call on.
    pub fn free_some(&mut self, parts: usize) -> bool {
        match self {
            ZSet::Pack(_) => true,
            ZSet::Indexed(indexed) => indexed.free_some(parts),
        }
    }

    /// A member's score.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            ZSet::Pack(pack) => pack::find(pack, member).map(|found| found.score),
            ZSet::Indexed(indexed) => indexed.find(member).1.map(|(_, score)| score),
        }
    }

    /// A member's rank and score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            ZSet::Pack(pack) => pack::find(pack, member).map(|found| (found.rank, found.score)),
            ZSet::Indexed(indexed) => {
                let (_, score) = indexed.find(member).1?;
                let before = |other, bytes: &[u8]| other < score || other == score && bytes < member;
                Some((indexed.partition(before), score))
            }
        }
    }

    /// Adds a member, or gives it another score.
    pub fn insert(&mut self, member: &[u8], score: f64, cfg: &ZSetConfig) -> Added {
        match self.update(member, cfg, |_| Some(score)) {
            (Some(was), _) => Added::Was(was),
            (None, _) => Added::New,
        }
    }

    /// Shows a member's score to `f`, and gives the member the one that `f` returns; nothing changes for `None`. Returns
    /// the scores before and after. The score must not be NaN.
    #[inline]
    pub fn update(
        &mut self,
        member: &[u8],
        cfg: &ZSetConfig,
        f: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        match self {
            ZSet::Pack(pack) => {
                let found = pack::find(pack, member);
                let old = found.map(|found| found.score);
                let Some(new) = f(old) else { return (old, old) };
                match found {
                    Some(found) if found.score.to_bits() != new.to_bits() => {
                        pack::remove(pack, found);
                        pack::insert(pack, member, new);
                    }
                    Some(_) => {}
                    None => {
                        let fits = pack.len() / 2 < cfg.max_entries
                            && member.len() <= cfg.max_value
                            && pack.is_safe_to_add(member.len());
                        if fits {
                            pack::insert(pack, member, new);
                        } else {
                            let indexed = self.make_indexed(cfg);
                            let (hash, _) = indexed.find(member);
                            indexed.insert(hash, member, new);
                        }
                    }
                }
                (old, Some(new))
            }
            ZSet::Indexed(indexed) => {
                let (hash, found) = indexed.find(member);
                let old = found.map(|(_, score)| score);
                let Some(new) = f(old) else { return (old, old) };
                match found {
                    Some((pos, score)) if score.to_bits() != new.to_bits() => {
                        indexed.set_score(pos, member, score, new)
                    }
                    Some(_) => {}
                    None => indexed.insert(hash, member, new),
                }
                (old, Some(new))
            }
        }
    }

    /// Takes the large encoding if `len` more members, of at most `max_len` bytes, would not fit into a pack.
    #[inline]
    pub fn make_room(&mut self, len: usize, max_len: usize, cfg: &ZSetConfig) {
        if let ZSet::Pack(_) = self
            && (len > cfg.max_entries || max_len > cfg.max_value)
        {
            self.make_indexed(cfg);
        }
    }

    /// Becomes a pack, if the limits allow it.
    pub fn make_pack_if_small(&mut self, cfg: &ZSetConfig) {
        let ZSet::Indexed(indexed) = self else { return };
        let fits = indexed.len() <= cfg.max_entries
            && indexed.iter_from(0).all(|(member, _)| member.len() <= cfg.max_value);
        let bytes: usize = if fits { indexed.iter_from(0).map(|(member, _)| member.len()).sum() } else { 0 };
        let mut pack = Listpack::new();
        if fits && pack.is_safe_to_add(bytes) {
            for (member, score) in indexed.iter_from(0) {
                pack::push_back(&mut pack, member, score);
            }
            *self = ZSet::Pack(pack);
        }
    }

    /// Takes the large encoding.
    pub fn make_indexed(&mut self, cfg: &ZSetConfig) -> &mut Indexed {
        if let ZSet::Pack(pack) = self {
            let mut indexed = Thin::new(Indexed::new(cfg.seed));
            for (member, score) in pack::iter(pack) {
                let member = member.to_vec();
                let (hash, _) = indexed.find(&member);
                indexed.insert(hash, &member, score);
            }
            *self = ZSet::Indexed(indexed);
        }
        match self {
            ZSet::Indexed(indexed) => indexed,
            ZSet::Pack(_) => unreachable!("converted above"),
        }
    }

    /// Removes a member. Returns whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            ZSet::Pack(pack) => pack::find(pack, member).map(|found| pack::remove(pack, found)).is_some(),
            ZSet::Indexed(indexed) => {
                let found = indexed.find(member).1;
                found.map(|(pos, score)| indexed.remove(pos, member, score)).is_some()
            }
        }
    }

    /// Removes the members with these ranks, as far as they exist.
    pub fn remove_range(&mut self, start: usize, n: usize) {
        match self {
            ZSet::Pack(pack) => pack.delete_range(start.saturating_mul(2), n.saturating_mul(2)),
            ZSet::Indexed(indexed) => indexed.remove_range(start, n),
        }
    }

    /// The member and score with a rank.
    pub fn get(&self, rank: usize) -> Option<(Elem<'_>, f64)> {
        self.iter_from(rank).next()
    }

    /// Members and scores from a rank on.
    pub fn iter_from(&self, rank: usize) -> Pairs<'_> {
        Pairs::new(self, rank)
    }

    /// Members and scores before a rank, the last one first.
    pub fn rev_from(&self, rank: usize) -> RevPairs<'_> {
        RevPairs::new(self, rank)
    }

    /// Calls `f` with the members and scores with the ranks `start..start + n`, from the last to the first if `rev`.
    #[inline]
    pub fn for_range(&self, start: usize, n: usize, rev: bool, mut f: impl FnMut(Elem<'_>, f64)) {
        let n = n.min(self.len().saturating_sub(start));
        let each = |(member, score)| f(member, score);
        if rev {
            self.rev_from(start + n).take(n).for_each(each);
        } else {
            self.iter_from(start).take(n).for_each(each);
        }
    }

    /// Shows the members of one step of ZSCAN to `f` (of a pack all of them) and returns the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, mut f: impl FnMut(Elem<'_>, f64)) -> u64 {
        match self {
            ZSet::Pack(_) => {
                self.iter_from(0).for_each(|(member, score)| f(member, score));
                0
            }
            ZSet::Indexed(indexed) => indexed.scan(cursor, |member, score| f(Elem::Bytes(member), score)),
        }
    }
}

impl PartialEq for ZSet {
    fn eq(&self, other: &ZSet) -> bool {
        let pairs = |zset: &ZSet| -> Vec<(Vec<u8>, f64)> {
            zset.iter_from(0).map(|(member, score)| (member.to_vec(), score)).collect()
        };
        self.len() == other.len() && pairs(self) == pairs(other)
    }
}

impl Eq for ZSet {}
