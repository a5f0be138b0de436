//! Ranges of scores and of members, as ranges of ranks.

use super::{ZSet, pack};

/// An end of a range of scores.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScoreBound {
    pub score: f64,
    /// The score itself is outside.
    pub exclusive: bool,
}

impl ScoreBound {
    /// As the lower end: whether a score comes before the range.
    #[inline]
    fn is_above(&self, score: f64) -> bool {
        score < self.score || self.exclusive && score == self.score
    }

    /// As the upper end: whether a score does not come behind the range.
    #[inline]
    fn reaches(&self, score: f64) -> bool {
        score < self.score || !self.exclusive && score == self.score
    }
}

/// An end of a range of members that have one score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexBound<'a> {
    /// Before all members.
    Min,
    /// Behind all members.
    Max,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

impl LexBound<'_> {
    /// As the lower end: whether a member comes before the range.
    #[inline]
    fn is_above(&self, member: &[u8]) -> bool {
        match *self {
            LexBound::Min => false,
            LexBound::Max => true,
            LexBound::Inclusive(bytes) => member < bytes,
            LexBound::Exclusive(bytes) => member <= bytes,
        }
    }

    /// As the upper end: whether a member does not come behind the range.
    #[inline]
    fn reaches(&self, member: &[u8]) -> bool {
        match *self {
            LexBound::Min => false,
            LexBound::Max => true,
            LexBound::Inclusive(bytes) => member <= bytes,
            LexBound::Exclusive(bytes) => member < bytes,
        }
    }
}

/// Ranks `start..start + len`, all of which exist.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Range {
    pub start: usize,
    pub len: usize,
}

impl Range {
    fn between(start: usize, end: usize) -> Range {
        Range { start, len: end.saturating_sub(start) }
    }

    /// Without the first `skip`, and at most `n`; counted from the other end if `rev`.
    pub fn limited(self, skip: usize, n: usize, rev: bool) -> Range {
        let rest = self.len.saturating_sub(skip);
        let len = rest.min(n);
        let start = if rev { self.start + rest - len } else { self.start + self.len - rest };
        Range { start, len }
    }
}

impl ZSet {
    /// The members with scores from `min` to `max`.
    pub fn range_by_score(&self, min: ScoreBound, max: ScoreBound) -> Range {
        let rank = |before: &dyn Fn(f64) -> bool| match self {
            ZSet::Pack(pack) => pack::iter(pack).take_while(|&(_, score)| before(score)).count(),
            ZSet::Indexed(indexed) => indexed.partition_by_score(before),
        };
        Range::between(rank(&|score| min.is_above(score)), rank(&|score| max.reaches(score)))
    }

    /// The members from `min` to `max`, where all have one score.
    pub fn range_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range {
        let rank = |before: &dyn Fn(&[u8]) -> bool| match self {
            ZSet::Pack(pack) => pack::iter(pack).take_while(|(member, _)| member.with_bytes(before)).count(),
            ZSet::Indexed(indexed) => indexed.partition(|_, member| before(member)),
        };
        Range::between(rank(&|member| min.is_above(member)), rank(&|member| max.reaches(member)))
    }
}
