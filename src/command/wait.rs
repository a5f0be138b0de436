//! How a handler waits for keys: it finds nothing, says so, and the engine runs its command again when a key comes to be.

use super::{CmdError, Ctx, Flow, Outcome};
use crate::{
    base::num::{parse_f64, parse_i64},
    state::waiters::{BlockRequest, InVain},
    value::Type,
};
use std::ops::Range;

impl Ctx<'_> {
    /// Waits for the keys among the arguments to hold a value of this type; where that is not possible, answers as when
    /// the time is up. In RESP2 the two differ for an answer that is one element: a wait in vain always ends with a null
    /// array.
    pub fn wait_for(
        &mut self,
        kind: Type,
        keys: Range<usize>,
        deadline_ms: Option<i64>,
        at_once: InVain,
    ) -> Outcome {
        if self.may_block {
            let keys = keys.map(|i| self.args.at(i).into()).collect();
            let request = BlockRequest { keys, kind, deadline_ms, in_vain: InVain::NullArray };
            return Ok(Flow::Blocked(Box::new(request)));
        }
        at_once.write(self.out());
        Ok(Flow::Done)
    }

    /// The timeout in seconds at argument `i`, as the Unix time in milliseconds at which it ends; `None` for 0: never.
    pub fn deadline_arg(&self, i: usize) -> Result<Option<i64>, CmdError> {
        const OUT_OF_RANGE: CmdError = CmdError::new("ERR timeout is out of range");
        let seconds =
            parse_f64(self.args.at(i)).ok_or(CmdError::new("ERR timeout is not a float or out of range"))?;
        let exact = seconds * 1000.0;
        // Parts of a millisecond count as one, but not those that the multiplication added.
        let whole = exact.round();
        let timeout_ms =
            if (exact - whole).abs() <= exact.abs() * f64::EPSILON { whole } else { exact.ceil() };
        if timeout_ms >= i64::MAX as f64 {
            return Err(OUT_OF_RANGE);
        }
        if timeout_ms < 0.0 {
            return Err(CmdError::new("ERR timeout is negative"));
        }
        match timeout_ms as i64 {
            0 => Ok(None),
            n => self.now_ms().checked_add(n).map(Some).ok_or(OUT_OF_RANGE),
        }
    }

    /// A timeout in milliseconds at argument `i`, as the Unix time at which it ends; `None` for 0: never.
    pub fn deadline_ms_arg(&self, i: usize) -> Result<Option<i64>, CmdError> {
        let parsed = parse_i64(self.args.at(i));
        let timeout_ms = parsed.ok_or(CmdError::new("ERR timeout is not an integer or out of range"))?;
        match timeout_ms {
            0 => Ok(None),
            ..0 => Err(CmdError::new("ERR timeout is negative")),
            _ => {
                let end_ms = self.now_ms().checked_add(timeout_ms);
                end_ms.map(Some).ok_or(CmdError::new("ERR timeout is out of range"))
            }
        }
    }
}
