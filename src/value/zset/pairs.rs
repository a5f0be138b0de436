//! Members with their scores, in order.

use super::{ZSet, indexed, pack};
use crate::ds::listpack::{Elem, Iter, RevIter};

/// Members and scores in order.
pub enum Pairs<'a> {
    Pack(Iter<'a>),
    Indexed(indexed::Pairs<'a>),
}

impl<'a> Pairs<'a> {
    pub(super) fn new(zset: &'a ZSet, rank: usize) -> Pairs<'a> {
        match zset {
            ZSet::Pack(pack) => Pairs::Pack(pack.entries().iter_from(rank.saturating_mul(2))),
            ZSet::Indexed(indexed) => Pairs::Indexed(indexed.iter_from(rank)),
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Elem<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<(Elem<'a>, f64)> {
        match self {
            Pairs::Pack(elems) => Some((elems.next()?, pack::score(elems.next()?))),
            Pairs::Indexed(pairs) => pairs.next().map(|(member, score)| (Elem::Bytes(member), score)),
        }
    }
}

/// Members and scores from the last to the first.
pub enum RevPairs<'a> {
    Pack(RevIter<'a>),
    Indexed(indexed::RevPairs<'a>),
}

impl<'a> RevPairs<'a> {
    pub(super) fn new(zset: &'a ZSet, rank: usize) -> RevPairs<'a> {
        match zset {
            ZSet::Pack(pack) => {
                RevPairs::Pack(pack.entries().rev_from(rank.saturating_mul(2).min(pack.len())))
            }
            ZSet::Indexed(indexed) => RevPairs::Indexed(indexed.rev_from(rank)),
        }
    }
}

impl<'a> Iterator for RevPairs<'a> {
    type Item = (Elem<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<(Elem<'a>, f64)> {
        match self {
            RevPairs::Pack(elems) => {
                let score = pack::score(elems.next()?);
                Some((elems.next()?, score))
            }
            RevPairs::Indexed(pairs) => pairs.next().map(|(member, score)| (Elem::Bytes(member), score)),
        }
    }
}
