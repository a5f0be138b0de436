//! Hashes: a listpack of fields and values while small, a hash table beyond that.
//!
//! When a hash changes its encoding is the reference's rule, since clients can see it: a pack takes so many fields and
//! so long texts, and a hash that became a table stays one. Fields that expire stand in a table, as a pack has no place
//! for their times.

pub use crate::ds::listpack::{Corrupt, Elem};

mod field;
mod fields;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use self::fields::Fields;
use crate::base::num::{MAX_INT_LEN, i64_to_buf};
use crate::base::rng::Rng;
use crate::ds::listpack::Listpack;
use crate::ds::table::Pos;
use crate::ds::thin::Thin;

/// When a hash stops being a pack, and the seed of the table that it becomes.
#[derive(Clone, Copy, Debug)]
pub struct HashConfig {
    /// The most fields in a pack.
    pub max_pack_entries: usize,
    /// The longest field or value in a pack, in bytes.
    pub max_pack_value: usize,
    pub seed: [u64; 2],
}

/// Until when a field that is written lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// As long as before.
    Keep,
    /// Until this Unix time, in milliseconds.
    At(i64),
    Forever,
}

impl Until {
    /// The expiry of a field that has had this one.
    fn expiry(self, current_ms: Option<i64>) -> Option<i64> {
        match self {
            Until::Keep => current_ms,
            Until::At(at_ms) => Some(at_ms),
            Until::Forever => None,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Created,
    Replaced,
    /// The field is new, in the place of one that had expired.
    OverExpired,
}

/// A map from fields to values.
///
/// A field whose time has come stays, counted by [`Hash::len`], until it is overwritten or removed; what takes a time in milliseconds does not see it.
#[derive(Clone)]
pub struct Hash(Form);

#[derive(Clone)]
enum Form {
    /// Fields and values in turn.
    Pack(Listpack),
    /// Any number of fields, which may have an expiry each.
    Table(Thin<Fields>),
}

/// Where a field is. It holds until the hash changes.
#[derive(Clone, Copy, Debug)]
pub struct Spot(At);

#[derive(Clone, Copy, Debug)]
enum At {
    /// At this offset of the pack.
    Pack(usize),
    Table(Pos),
}

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

impl Hash {
    /// An empty one.
    pub const fn new() -> Hash {
        Hash(Form::Pack(Listpack::new()))
    }

    /// An empty one that is a table from the start, for what will be large.
    pub fn new_table(seed: [u64; 2]) -> Hash {
        Hash(Form::Table(Thin::new(Fields::new(seed))))
    }

    /// The hash of a pack from elsewhere, of which each field must have a value and stand once. It becomes a table if it
    /// has too many fields, however long they are.
    pub fn from_pack(pack: Listpack, cfg: &HashConfig) -> Result<Hash, Corrupt> {
        let mut names = HashSet::with_capacity(pack.len() / 2);
        let sound =
            pack.len().is_multiple_of(2) && pack.iter().step_by(2).all(|name| names.insert(name.to_vec()));
        if !sound {
            return Err(Corrupt);
        }
        let fits = pack.len() / 2 <= cfg.max_pack_entries;
        let mut hash = Hash(Form::Pack(pack));
        if !fits {
            hash.make_table(cfg.seed);
        }
        Ok(hash)
    }

    /// Number of fields, those that expired unnoticed included.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Pack(pack) => pack.len() / 2,
            Form::Table(table) => table.len(),
        }
    }

    /// Whether there are no fields, not even expired ones.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of fields that have not expired.
    pub fn live_len(&self, now_ms: i64) -> usize {
        match &self.0 {
            Form::Pack(pack) => pack.len() / 2,
            Form::Table(table) => table.len() - table.expired_len(now_ms),
        }
    }

    /// Number of fields that have not expired, or `limit` if there are more.
    pub fn live_len_up_to(&self, limit: usize, now_ms: i64) -> usize {
        match &self.0 {
            Form::Pack(pack) => limit.min(pack.len() / 2),
            Form::Table(table) if table.len() - table.volatile_len() >= limit => limit,
            Form::Table(table) => {
                let live = |(_, _, expiry): &(_, _, Option<i64>)| expiry.is_none_or(|at_ms| at_ms > now_ms);
                table.iter().filter(live).take(limit).count()
            }
        }
    }

    /// How many fields have an expiry.
    #[inline]
    pub fn volatile_len(&self) -> usize {
        match &self.0 {
            Form::Pack(_) => 0,
            Form::Table(table) => table.volatile_len(),
        }
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Form::Pack(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        match &self.0 {
            Form::Pack(pack) => pack.mem_bytes(),
            Form::Table(table) => table.mem_bytes(),
        }
    }

    /// In how many parts it would be freed: allocations, roughly.
    pub fn parts(&self) -> usize {
        match &self.0 {
            Form::Pack(_) => 1,
            Form::Table(table) => table.len(),
        }
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, parts: usize) -> bool {
        match &mut self.0 {
            Form::Pack(pack) => {
                *pack = Listpack::new();
                true
            }
            Form::Table(table) => table.free_some(parts),
        }
    }

    /// Where a field is, expired or not.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Spot> {
        match &self.0 {
            Form::Pack(pack) => {
                pack.entries().find_every(name, 0, 2).map(|(_, offset)| Spot(At::Pack(offset)))
            }
            Form::Table(table) => table.find(name).map(|pos| Spot(At::Table(pos))),
        }
    }

    /// Where a field is that has not expired.
    #[inline]
    pub fn find_live(&self, name: &[u8], now_ms: i64) -> Option<Spot> {
        self.find(name).filter(|&spot| self.expire_at_ms(spot).is_none_or(|at_ms| at_ms > now_ms))
    }

    /// The value of a field that has not expired.
    #[inline]
    pub fn get(&self, name: &[u8], now_ms: i64) -> Option<Elem<'_>> {
        self.find_live(name, now_ms).map(|spot| self.at(spot).1)
    }

    /// The field and its value at a place that was just found.
    #[inline]
    pub fn at(&self, spot: Spot) -> (Elem<'_>, Elem<'_>) {
        match (&self.0, spot.0) {
            (Form::Pack(pack), At::Pack(offset)) => {
                let entries = pack.entries();
                (entries.elem(offset), entries.elem(entries.next(offset)))
            }
            (Form::Table(table), At::Table(pos)) => {
                let (name, value) = table.get(pos);
                (Elem::Bytes(name), Elem::Bytes(value))
            }
            _ => unreachable!("a place outlived a change"),
        }
    }

    /// When the field at a place that was just found expires, in milliseconds of Unix time.
    #[inline]
    pub fn expire_at_ms(&self, spot: Spot) -> Option<i64> {
        match (&self.0, spot.0) {
            (Form::Table(table), At::Table(pos)) => table.expire_at_ms(pos),
            _ => None,
        }
    }

    /// Becomes a table if the fields and values to come would not fit a pack. Each text is taken for a new one.
    #[inline]
    pub fn make_room<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a [u8]>, cfg: &HashConfig) {
        let Form::Pack(pack) = &mut self.0 else { return };
        let mut fits = texts.len() / 2 <= cfg.max_pack_entries;
        if fits {
            let mut bytes = 0usize;
            for text in texts {
                fits &= text.len() <= cfg.max_pack_value;
                bytes = bytes.saturating_add(text.len());
            }
            fits &= pack.is_safe_to_add(bytes);
        }
        if !fits {
            self.make_table(cfg.seed);
        }
    }

    /// Writes a value, of a new field or over the old one.
    #[inline]
    pub fn set(&mut self, name: &[u8], value: &[u8], until: Until, now_ms: i64, cfg: &HashConfig) -> Written {
        if let Form::Pack(pack) = &mut self.0 {
            let fits = name.len().max(value.len()) <= cfg.max_pack_value && !matches!(until, Until::At(_));
            if fits {
                let entries = pack.entries();
                if let Some((_, offset)) = entries.find_every(name, 0, 2) {
                    pack.replace_at(entries.next(offset), value);
                    return Written::Replaced;
                }
                pack.push_back(name);
                pack.push_back(value);
                if pack.len() / 2 > cfg.max_pack_entries {
                    self.make_table(cfg.seed);
                }
                return Written::Created;
            }
        }
        self.make_table(cfg.seed).set(name, value, until, now_ms)
    }

    /// Makes the field at a place that was just found expire at a Unix time in milliseconds, or never.
    pub fn set_expire(&mut self, spot: Spot, expire_at_ms: Option<i64>, cfg: &HashConfig) {
        let pos = match spot.0 {
            At::Table(pos) => pos,
            At::Pack(_) if expire_at_ms.is_none() => return,
            At::Pack(_) => {
                let name = self.at(spot).0.to_vec();
                self.make_table(cfg.seed).find(&name).expect("it stays the same hash")
            }
        };
        self.make_table(cfg.seed).set_expire(pos, expire_at_ms);
    }

    /// Removes the field at a place that was just found.
    #[inline]
    pub fn remove(&mut self, spot: Spot) {
        match (&mut self.0, spot.0) {
            (Form::Pack(pack), At::Pack(offset)) => pack.delete_n_at(offset, 2),
            (Form::Table(table), At::Table(pos)) => table.remove(pos),
            _ => unreachable!("a place outlived a change"),
        }
    }

    /// Removes all fields that have expired, unless none would be left.
    pub fn drop_expired(&mut self, now_ms: i64) {
        let live = self.live_len(now_ms);
        if live == 0 || live == self.len() {
            return;
        }
        let mut due = Vec::new();
        self.each(|name, _, expire_at_ms| {
            if expire_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                due.push(name.to_vec());
            }
        });
        for name in due {
            if let Some(spot) = self.find(&name) {
                self.remove(spot);
            }
        }
    }

    /// Looks at about `limit` fields with an expiry, going on where the last call ended, and adds their number to
    /// `looked_at`. Returns those whose time has come.
    pub fn due_fields(&self, now_ms: i64, limit: usize, looked_at: &mut usize) -> Vec<Vec<u8>> {
        match &self.0 {
            Form::Pack(_) => Vec::new(),
            Form::Table(table) => table.due(now_ms, limit, looked_at),
        }
    }

    /// The pack, if it is one: files keep it as it is.
    pub fn as_pack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Pack(pack) => Some(pack),
            Form::Table(_) => None,
        }
    }

    /// Calls `f` with each field, its value and its expiry, expired ones included: in a pack's order, or in none.
    #[inline]
    pub fn each(&self, mut f: impl FnMut(Elem<'_>, Elem<'_>, Option<i64>)) {
        match &self.0 {
            Form::Pack(pack) => {
                let mut elems = pack.iter();
                while let (Some(name), Some(value)) = (elems.next(), elems.next()) {
                    f(name, value, None);
                }
            }
            Form::Table(table) => {
                for (name, value, expire_at_ms) in table.iter() {
                    f(Elem::Bytes(name), Elem::Bytes(value), expire_at_ms);
                }
            }
        }
    }

    /// Calls `f` with each field that has not expired and its value.
    #[inline]
    pub fn each_live(&self, now_ms: i64, mut f: impl FnMut(Elem<'_>, Elem<'_>)) {
        self.each(|name, value, expire_at_ms| {
            if expire_at_ms.is_none_or(|at_ms| at_ms > now_ms) {
                f(name, value);
            }
        });
    }

    /// Visits the fields of a step of a scan that have not expired. Returns the next cursor, 0 at the end, and how many
    /// fields the step met. A pack is one step.
    pub fn scan(&self, cursor: u64, now_ms: i64, mut f: impl FnMut(Elem<'_>, Elem<'_>)) -> (u64, usize) {
        match &self.0 {
            Form::Pack(_) => {
                self.each_live(now_ms, f);
                (0, self.len())
            }
            Form::Table(table) => {
                table.scan(cursor, now_ms, |name, value| f(Elem::Bytes(name), Elem::Bytes(value)))
            }
        }
    }

    /// Calls `f` with `count` fields picked at random and their values, each pick on its own, until it returns `false`.
    /// Nothing is picked where all fields have expired.
    pub fn each_random(
        &self,
        count: usize,
        now_ms: i64,
        rng: &mut Rng,
        mut f: impl FnMut(Elem<'_>, Elem<'_>) -> bool,
    ) {
        // One pick of a pack walks there; with many, all places are noted first.
        if let Form::Pack(pack) = &self.0 {
            let (entries, pairs) = (pack.entries(), pack.len() / 2);
            let offsets: Vec<usize> = match count {
                0 | 1 => Vec::new(),
                _ => std::iter::successors(Some(0), |&at| Some(entries.next(entries.next(at))))
                    .take(pairs)
                    .collect(),
            };
            for _ in 0..if pairs > 0 { count } else { 0 } {
                let pick = rng.below(pairs as u64) as usize;
                let offset = offsets.get(pick).copied().unwrap_or_else(|| entries.seek(2 * pick));
                if !f(entries.elem(offset), entries.elem(entries.next(offset))) {
                    break;
                }
            }
            return;
        }
        let mut left = count;
        while left > 0 {
            let Some(spot) = self.random_live_spot(now_ms, rng) else { break };
            left -= 1;
            let (name, value) = self.at(spot);
            if !f(name, value) {
                return;
            }
        }
        if left > 0 {
            // Hardly any field lives: the rest is picked among those that do.
            let mut lives = Vec::new();
            self.each_live(now_ms, |name, value| lives.push((name.to_vec(), value.to_vec())));
            for _ in 0..if lives.is_empty() { 0 } else { left } {
                let (name, value) = &lives[rng.below(lives.len() as u64) as usize];
                if !f(Elem::Bytes(name), Elem::Bytes(value)) {
                    return;
                }
            }
        }
    }

    /// Calls `f` with `count` different fields picked at random and their values, in no order; all that have not expired
    /// if there are no more.
    pub fn each_random_once(
        &self,
        count: usize,
        now_ms: i64,
        rng: &mut Rng,
        mut f: impl FnMut(Elem<'_>, Elem<'_>),
    ) {
        if let Some(picked) = self.pick_few(count, now_ms, rng) {
            for pos in picked {
                let (name, value) = self.at(Spot(At::Table(pos)));
                f(name, value);
            }
            return;
        }
        // Each field in turn is taken with the chance that is left for it.
        let mut left = self.live_len(now_ms);
        let mut wanted = count.min(left);
        self.each_live(now_ms, |name, value| {
            if wanted == left || wanted > 0 && rng.below(left as u64) < wanted as u64 {
                wanted -= 1;
                f(name, value);
            }
            left -= 1;
        });
    }

    /// Places of `count` different fields of a table, if they are few and picks hit them often enough.
    fn pick_few(&self, count: usize, now_ms: i64, rng: &mut Rng) -> Option<BTreeSet<Pos>> {
        if matches!(self.0, Form::Pack(_)) || count >= self.len() / 4 {
            return None;
        }
        let mut picked = BTreeSet::new();
        for _ in 0..count * 4 + TRIES {
            if picked.len() == count {
                return Some(picked);
            }
            let At::Table(pos) = self.random_live_spot(now_ms, rng)?.0 else { return None };
            picked.insert(pos);
        }
        None
    }

    /// Where a field is that has not expired, all equally likely; `None` after some picks of others.
    fn random_live_spot(&self, now_ms: i64, rng: &mut Rng) -> Option<Spot> {
        let mut picks = (0..TRIES).map_while(|_| self.random_spot(rng));
        picks.find(|&spot| self.expire_at_ms(spot).is_none_or(|at_ms| at_ms > now_ms))
    }

    /// Where any field is, all equally likely, expired ones included.
    fn random_spot(&self, rng: &mut Rng) -> Option<Spot> {
        match &self.0 {
            Form::Pack(pack) => {
                let pairs = pack.len() / 2;
                let index = (pairs > 0).then(|| rng.below(pairs as u64) as usize)?;
                Some(Spot(At::Pack(pack.entries().seek(2 * index))))
            }
            Form::Table(table) => table.random(rng).map(|pos| Spot(At::Table(pos))),
        }
    }

    /// Becomes a table, if it is not one, and returns it.
    fn make_table(&mut self, seed: [u64; 2]) -> &mut Fields {
        if let Form::Pack(pack) = &mut self.0 {
            let mut fields = Fields::new(seed);
            let (mut name_digits, mut value_digits) = ([0; MAX_INT_LEN], [0; MAX_INT_LEN]);
            let mut elems = pack.iter();
            while let (Some(name), Some(value)) = (elems.next(), elems.next()) {
                let (name, value) = (text(name, &mut name_digits), text(value, &mut value_digits));
                fields.set(name, value, Until::Forever, 0);
            }
            self.0 = Form::Table(Thin::new(fields));
        }
        match &mut self.0 {
            Form::Table(table) => table,
            Form::Pack(_) => unreachable!("converted above"),
        }
    }
}

/// How many picks may hit a field that has expired before all fields are looked at.
const TRIES: usize = 32;

/// The text of an element. That of a number is written into `digits`.
#[inline]
pub fn text<'a>(elem: Elem<'a>, digits: &'a mut [u8; MAX_INT_LEN]) -> &'a [u8] {
    match elem {
        Elem::Int(number) => i64_to_buf(number, digits),
        Elem::Bytes(bytes) => bytes,
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = f.debug_map();
        self.each(|name, value, _| {
            map.entry(&name, &value);
        });
        map.finish()
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        let mut same = self.len() == other.len();
        self.each(|name, value, expire_at_ms| {
            same = same
                && other.find(&name.to_vec()).is_some_and(|spot| {
                    other.at(spot).1.to_vec() == value.to_vec() && other.expire_at_ms(spot) == expire_at_ms
                });
        });
        same
    }
}

impl Eq for Hash {}
