//! What LMPOP, ZMPOP and the forms of them that wait are asked for.

use super::{CmdError, Ctx, ctx::int};
use std::ops::Range;

/// `numkeys key [key ...] END [COUNT count]`.
pub struct Pops<E> {
    /// Which arguments are keys.
    pub keys: Range<usize>,
    /// At which end to take.
    pub end: E,
    /// How many at most: 1 or more.
    pub count: usize,
}

impl<E> Pops<E> {
    /// Reads the arguments from the number of keys at `at` on; `end` reads the word at its place.
    pub fn parse(
        ctx: &Ctx<'_>,
        at: usize,
        end: impl FnOnce(&Ctx<'_>, usize) -> Result<E, CmdError>,
    ) -> Result<Pops<E>, CmdError> {
        let positive = |i: usize, otherwise: &'static str| match int(ctx.args.at(i)) {
            Ok(n @ 1..) => Ok(n as usize),
            _ => Err(CmdError::new(otherwise)),
        };
        let keys = positive(at, "ERR numkeys should be greater than 0")?;
        let len = ctx.args.len();
        let end_at = keys.saturating_add(at + 1);
        if end_at >= len {
            return Err(CmdError::SYNTAX);
        }
        let end = end(ctx, end_at)?;
        let mut count = 1;
        if end_at + 2 < len && ctx.is_word(end_at + 1, "count") {
            count = positive(end_at + 2, "ERR count should be greater than 0")?;
            if end_at + 3 < len {
                return Err(CmdError::SYNTAX);
            }
        } else if end_at + 1 < len {
            return Err(CmdError::SYNTAX);
        }
        Ok(Pops { keys: at + 1..end_at, end, count })
    }
}
