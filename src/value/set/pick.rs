//! Members picked at random, all equally likely.

use std::collections::BTreeSet;
use std::mem;

use super::{Elem, Set, SetConfig, member::member_bytes};
use crate::base::rng::Rng;
use crate::ds::listpack::Listpack;

/// Where more than one in so many is wanted it is cheaper to walk through all than to draw until enough are different.
const WALK_FROM: usize = 3;
/// Where at most one in so many is to stay it is cheaper to draw those that stay.
const KEEP_UP_TO: usize = 5;

/// Says of so many in turn which are drawn, so that any choice is equally likely (Knuth, "The Art of Computer
/// Programming", volume 2, 3.4.2, algorithm S).
struct Draw<'r> {
    left: usize,
    wanted: usize,
    rng: &'r mut Rng,
}

impl Draw<'_> {
    fn takes_next(&mut self) -> bool {
        let takes = (self.rng.below(self.left as u64) as usize) < self.wanted;
        self.left -= 1;
        self.wanted -= usize::from(takes);
        takes
    }
}

impl Set {
    /// A member; `None` only of an empty set.
    pub fn random(&self, rng: &mut Rng) -> Option<Elem<'_>> {
        if self.is_empty() {
            return None;
        }
        let mut index = || rng.below(self.len() as u64) as usize;
        match self {
            Set::Ints(ints) => ints.get(index()).map(Elem::Int),
            Set::Pack(pack) => pack.get(index()),
            Set::Table(members) => {
                members.table.random(rng).map(|pos| Elem::Bytes(members.table.get(pos).into_key()))
            }
        }
    }

    /// Shows members to `f` until it returns false, each drawn from all of them.
    pub fn sample(&self, rng: &mut Rng, mut f: impl FnMut(Elem<'_>) -> bool) {
        let all: Vec<Elem<'_>> = match self {
            // To go to an element by its index is not cheap there.
            Set::Pack(pack) => pack.iter().collect(),
            _ => Vec::new(),
        };
        loop {
            let drawn = match all.len() {
                0 => self.random(rng),
                n => Some(all[rng.below(n as u64) as usize]),
            };
            if !drawn.is_some_and(&mut f) {
                return;
            }
        }
    }

    /// Shows `n` different members to `f`, or all if there are no more, in no order.
    pub fn sample_distinct(&self, n: usize, rng: &mut Rng, mut f: impl FnMut(Elem<'_>)) {
        let n = n.min(self.len());
        if matches!(self, Set::Pack(_)) || n > self.len() / WALK_FROM {
            let mut draw = Draw { left: self.len(), wanted: n, rng };
            self.iter().filter(|_| draw.takes_next()).for_each(f);
            return;
        }
        let mut seen = BTreeSet::new();
        while seen.len() < n {
            let Some(member) = self.random(rng) else { return };
            let identity = match member {
                Elem::Int(n) => n as u64,
                // A member's bytes stay where they are.
                Elem::Bytes(bytes) => bytes.as_ptr().addr() as u64,
            };
            if seen.insert(identity) {
                f(member);
            }
        }
    }

    /// Takes a member out and shows it to `f`.
    pub fn pop<R>(&mut self, rng: &mut Rng, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        if self.is_empty() {
            return None;
        }
        let index = rng.below(self.len() as u64) as usize;
        match self {
            Set::Ints(ints) => {
                let n = ints.get(index)?;
                ints.remove(n);
                Some(f(Elem::Int(n)))
            }
            Set::Pack(pack) => {
                let offset = pack.entries().seek(index);
                let result = f(pack.entries().elem(offset));
                pack.delete_at(offset);
                Some(result)
            }
            Set::Table(members) => {
                let pos = members.table.random(rng)?;
                let member = members.table.remove(pos);
                members.member_bytes -= member_bytes(member.bytes().len());
                Some(f(Elem::Bytes(member.bytes())))
            }
        }
    }

    /// Takes `n` members, fewer than there are, out and shows them to `f`. Returns what is left of the former set where
    /// another one took its place: it may be large.
    pub fn pop_many(
        &mut self,
        n: usize,
        rng: &mut Rng,
        cfg: &SetConfig,
        mut f: impl FnMut(Elem<'_>),
    ) -> Option<Set> {
        let len = self.len();
        debug_assert!(n < len);
        let stays_small = (len - n).saturating_mul(KEEP_UP_TO) <= n;
        let mut draw = Draw { left: len, wanted: n, rng };
        match self {
            Set::Ints(ints) if !stays_small => {
                ints.retain(|n| {
                    let goes = draw.takes_next();
                    if goes {
                        f(Elem::Int(n));
                    }
                    !goes
                });
                None
            }
            Set::Pack(pack) if !stays_small => {
                let mut kept = Listpack::new();
                for member in pack.iter() {
                    if draw.takes_next() {
                        f(member);
                    } else {
                        kept.push_elem_back(member);
                    }
                }
                *pack = kept;
                None
            }
            Set::Ints(_) | Set::Pack(_) => {
                // As good as new: the encoding is chosen once more.
                let mut kept =
                    if matches!(self, Set::Ints(_)) { Set::new() } else { Set::Pack(Listpack::new()) };
                for member in self.iter() {
                    if draw.takes_next() {
                        f(member);
                    } else {
                        kept.insert_elem(member, cfg);
                    }
                }
                *self = kept;
                None
            }
            Set::Table(_) if !stays_small => {
                for _ in 0..n {
                    self.pop(rng, &mut f);
                }
                None
            }
            Set::Table(_) => {
                let mut kept = Set::Pack(Listpack::new());
                for _ in n..len {
                    self.pop(rng, |member| kept.insert_elem(member, cfg));
                }
                let rest = mem::replace(self, kept);
                rest.iter().for_each(f);
                Some(rest)
            }
        }
    }
}
