//! Sets: sorted integers or a listpack while small, a hash table beyond that.

mod member;
mod pick;
#[cfg(test)]
mod tests;

use std::fmt;

pub use crate::ds::{intset::Intset, listpack::Elem};

use crate::base::num::{MAX_INT_LEN, i64_to_buf, parse_i64};
use crate::ds::{
    intset,
    listpack::{self, Listpack},
    size::rounded,
    table::{self, Table},
    thin::Thin,
};
use member::{Member, member_bytes};

/// No set of integers gets longer than this, whatever the parameters say.
const INTSET_MAX_ENTRIES: usize = 1 << 30;
/// An integer takes at most so many bytes of a listpack.
const PACKED_INT_MAX_BYTES: usize = 11;

/// Up to where sets stay small, and the seed of their hash tables.
#[derive(Clone, Copy, Debug)]
pub struct SetConfig {
    /// `set-max-intset-entries`
    pub max_intset_entries: usize,
    /// `set-max-listpack-entries`
    pub max_listpack_entries: usize,
    /// `set-max-listpack-value`
    pub max_listpack_value: usize,
    /// For the hash tables.
    pub seed: [u64; 2],
}

impl Default for SetConfig {
    fn default() -> SetConfig {
        SetConfig { max_intset_entries: 512, max_listpack_entries: 128, max_listpack_value: 64, seed: [0; 2] }
    }
}

/// A set of byte strings.
#[derive(Clone)]
pub enum Set {
    /// Integers alone.
    Ints(Intset),
    /// Few short members, in the order in which they came.
    Pack(Listpack),
    /// Anything else.
    Table(Thin<Members>),
}

/// The members of a large set.
pub struct Members {
    table: Table<Member>,
    /// Heap bytes of the members without the table.
    member_bytes: usize,
}

impl Members {
    fn new(seed: [u64; 2]) -> Members {
        Members { table: Table::new(seed), member_bytes: 0 }
    }

    #[inline]
    fn contains(&self, bytes: &[u8]) -> bool {
        self.table.find(self.table.hash(bytes), bytes).is_some()
    }

    #[inline]
    fn insert(&mut self, bytes: &[u8]) -> bool {
        let hash = self.table.hash(bytes);
        if self.table.find(hash, bytes).is_some() {
            return false;
        }
        self.table.insert(hash, Member::new(bytes));
        self.member_bytes += member_bytes(bytes.len());
        true
    }

    #[inline]
    fn remove(&mut self, bytes: &[u8]) -> bool {
        let Some(pos) = self.table.find(self.table.hash(bytes), bytes) else { return false };
        self.table.remove(pos);
        self.member_bytes -= member_bytes(bytes.len());
        true
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.table.iter().map(|member| member.into_key())
    }
}

impl Clone for Members {
    fn clone(&self) -> Members {
        let mut copy = Members { table: self.table.new_like(), member_bytes: self.member_bytes };
        for bytes in self.iter() {
            let hash = copy.table.hash(bytes);
            copy.table.insert(hash, Member::new(bytes));
        }
        copy
    }
}

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

impl Set {
    /// An empty one.
    pub const fn new() -> Set {
        Set::Ints(Intset::new())
    }

    /// An empty one with the encoding that suits `hint` members of which `first` is one.
    pub fn for_member(first: &[u8], hint: usize, cfg: &SetConfig) -> Set {
        if hint <= cfg.max_intset_entries && parse_i64(first).is_some() {
            Set::Ints(Intset::new())
        } else if hint <= cfg.max_listpack_entries {
            Set::Pack(Listpack::new())
        } else {
            Set::table(cfg)
        }
    }

    /// An empty one that is a hash table from the start: for results whose size is open, or members from a file.
    pub fn table(cfg: &SetConfig) -> Set {
        Set::Table(Thin::new(Members::new(cfg.seed)))
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.len(),
            Set::Pack(pack) => pack.len(),
            Set::Table(members) => members.table.len(),
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
            Set::Ints(_) => "intset",
            Set::Pack(_) => "listpack",
            Set::Table(_) => "hashtable",
        }
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.mem_bytes(),
            Set::Pack(pack) => pack.mem_bytes(),
            Set::Table(members) => {
                rounded(size_of::<Members>()) + members.table.mem_bytes() + members.member_bytes
            }
        }
    }

    /// Whether `member` is in the set.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => parse_i64(member).is_some_and(|n| ints.contains(n)),
            Set::Pack(pack) => pack.find(member).is_some(),
            Set::Table(members) => members.contains(member),
        }
    }

    /// Whether a member of another set is in this one.
    #[inline]
    pub fn contains_elem(&self, member: Elem<'_>) -> bool {
        match (self, member) {
            (Set::Ints(ints), Elem::Int(n)) => ints.contains(n),
            _ => with_bytes(member, |bytes| self.contains(bytes)),
        }
    }

    /// Adds `member`; `false` if it was there. The encoding changes with it where it must.
    #[inline]
    pub fn insert(&mut self, member: &[u8], cfg: &SetConfig) -> bool {
        match self {
            Set::Table(members) => members.insert(member),
            Set::Pack(pack) => {
                if pack.find(member).is_some() {
                    return false;
                }
                let fits = pack.len() < cfg.max_listpack_entries
                    && member.len() <= cfg.max_listpack_value
                    && pack.is_safe_to_add(member.len());
                if fits {
                    pack.push_back(member);
                    return true;
                }
                self.make_table(cfg).insert(member)
            }
            Set::Ints(ints) => match parse_i64(member) {
                Some(n) => self.insert_int(n, cfg),
                None if packs_with(ints, member, cfg) => {
                    self.make_pack().push_back(member);
                    true
                }
                None => self.make_table(cfg).insert(member),
            },
        }
    }

    /// Adds a member of another set; `false` if it was there.
    #[inline]
    pub fn insert_elem(&mut self, member: Elem<'_>, cfg: &SetConfig) -> bool {
        match (&self, member) {
            (Set::Ints(_), Elem::Int(n)) => self.insert_int(n, cfg),
            _ => with_bytes(member, |bytes| self.insert(bytes, cfg)),
        }
    }

    /// Adds an integer to integers.
    fn insert_int(&mut self, n: i64, cfg: &SetConfig) -> bool {
        let Set::Ints(ints) = self else { unreachable!("the encoding was looked at") };
        let is_new = ints.insert(n);
        if ints.len() > cfg.max_intset_entries.min(INTSET_MAX_ENTRIES) {
            self.make_table(cfg);
        }
        is_new
    }

    /// Takes `member` out; `false` if it was not there. The encoding stays.
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Table(members) => members.remove(member),
            Set::Pack(pack) => {
                let found = pack.entries().find(member, 0);
                if let Some((_, offset)) = found {
                    pack.delete_at(offset);
                }
                found.is_some()
            }
            Set::Ints(ints) => parse_i64(member).is_some_and(|n| ints.remove(n)),
        }
    }

    /// Takes a member of another set out; `false` if it was not there.
    pub fn remove_elem(&mut self, member: Elem<'_>) -> bool {
        match (&mut *self, member) {
            (Set::Ints(ints), Elem::Int(n)) => ints.remove(n),
            _ => with_bytes(member, |bytes| self.remove(bytes)),
        }
    }

    /// Becomes a hash table at once if so many members are to come that it will not stay small.
    pub fn expect(&mut self, coming: usize, cfg: &SetConfig) {
        let is_over = match self {
            Set::Ints(_) => coming > cfg.max_intset_entries,
            Set::Pack(_) => coming > cfg.max_listpack_entries,
            Set::Table(_) => false,
        };
        if is_over {
            self.make_table(cfg);
        }
    }

    /// Becomes integers if all members are and there may be so many of them.
    pub fn pack_ints(&mut self, cfg: &SetConfig) {
        if matches!(self, Set::Ints(_)) || self.len() > cfg.max_intset_entries.min(INTSET_MAX_ENTRIES) {
            return;
        }
        let numbers = self.iter().map(|member| match member {
            Elem::Int(n) => Some(n),
            Elem::Bytes(bytes) => parse_i64(bytes),
        });
        let Some(mut numbers) = numbers.collect::<Option<Vec<i64>>>() else { return };
        numbers.sort_unstable();
        let mut ints = Intset::new();
        numbers.into_iter().for_each(|n| {
            ints.insert(n);
        });
        *self = Set::Ints(ints);
    }

    /// All members: integers in ascending order, those of a listpack in its order, others in no order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self {
            Set::Ints(ints) => Walk::Ints(ints.iter()),
            Set::Pack(pack) => Walk::Pack(pack.iter()),
            Set::Table(members) => Walk::Table(members.table.iter()),
        })
    }

    /// Shows a step's members to `f` and returns the next cursor, 0 at the end. A small set is one step.
    pub fn scan(&self, cursor: u64, mut f: impl FnMut(Elem<'_>)) -> u64 {
        match self {
            Set::Table(members) => members.table.scan(cursor, |member| f(Elem::Bytes(member.bytes()))),
            _ => {
                self.iter().for_each(f);
                0
            }
        }
    }

    /// In how many parts it would be freed: allocations, roughly.
    #[inline]
    pub fn parts(&self) -> usize {
        match self {
            Set::Ints(_) | Set::Pack(_) => 1,
            Set::Table(members) => members.table.len(),
        }
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, parts: usize) -> bool {
        let Set::Table(members) = self else { return true };
        let freed: usize = members.table.drain_some(parts).map(|m| member_bytes(m.bytes().len())).sum();
        members.member_bytes -= freed;
        members.table.is_empty()
    }

    /// Becomes a hash table.
    #[cold]
    fn make_table(&mut self, cfg: &SetConfig) -> &mut Members {
        if !matches!(self, Set::Table(_)) {
            let mut members = Thin::new(Members::new(cfg.seed));
            self.iter().for_each(|member| {
                with_bytes(member, |bytes| members.insert(bytes));
            });
            *self = Set::Table(members);
        }
        match self {
            Set::Table(members) => members,
            _ => unreachable!("converted above"),
        }
    }

    /// Becomes a listpack.
    fn make_pack(&mut self) -> &mut Listpack {
        if let Set::Ints(ints) = self {
            let mut pack = Listpack::new();
            ints.iter().for_each(|n| pack.push_elem_back(Elem::Int(n)));
            *self = Set::Pack(pack);
        }
        match self {
            Set::Pack(pack) => pack,
            _ => unreachable!("only integers become a listpack"),
        }
    }
}

/// Whether integers and one more member, which is no integer, make a listpack.
fn packs_with(ints: &Intset, member: &[u8], cfg: &SetConfig) -> bool {
    let longest = ints.min().into_iter().chain(ints.max()).map(int_len).max().unwrap_or(0);
    let bytes = ints.len().saturating_mul(PACKED_INT_MAX_BYTES).saturating_add(member.len());
    ints.len() < cfg.max_listpack_entries
        && member.len().max(longest) <= cfg.max_listpack_value
        && Listpack::new().is_safe_to_add(bytes)
}

/// The length of an integer's text.
fn int_len(n: i64) -> usize {
    i64_to_buf(n, &mut [0; MAX_INT_LEN]).len()
}

/// Shows a member as the client knows it.
#[inline]
pub fn with_bytes<R>(member: Elem<'_>, f: impl FnOnce(&[u8]) -> R) -> R {
    match member {
        Elem::Bytes(bytes) => f(bytes),
        Elem::Int(n) => f(i64_to_buf(n, &mut [0; MAX_INT_LEN])),
    }
}

/// The members of a set.
pub struct Iter<'a>(Walk<'a>);

enum Walk<'a> {
    Ints(intset::Iter<'a>),
    Pack(listpack::Iter<'a>),
    Table(table::Iter<'a, Member>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        match &mut self.0 {
            Walk::Ints(ints) => ints.next().map(Elem::Int),
            Walk::Pack(pack) => pack.next(),
            Walk::Table(members) => members.next().map(|member| Elem::Bytes(member.into_key())),
        }
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains_elem(member))
    }
}

impl Eq for Set {}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
