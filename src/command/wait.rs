//! How a handler waits for keys: it finds nothing, says so, and the engine runs its command again when a key comes to be.

use super::{CmdError, Ctx, Flow, Outcome};
use crate::{
    base::ldouble,
    state::waiters::{BlockRequest, InVain},
    value::Type,
};
use std::{ops::Range, sync::Arc};

const OUT_OF_RANGE: CmdError = CmdError::new("ERR timeout is out of range");

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
        self.wait_as(keys, at_once, |keys| BlockRequest {
            keys,
            kind,
            deadline_ms,
            in_vain: InVain::NullArray,
            args: None,
            ends_with_key: false,
        })
    }

    /// The same for what `request` makes of the keys.
    pub fn wait_as(
        &mut self,
        keys: Range<usize>,
        at_once: InVain,
        request: impl FnOnce(Vec<Arc<[u8]>>) -> BlockRequest,
    ) -> Outcome {
        if self.may_block {
            let keys = keys.map(|i| self.args.at(i).into()).collect();
            return Ok(Flow::Blocked(Box::new(request(keys))));
        }
        at_once.write(self.out());
        Ok(Flow::Done)
    }

    /// The timeout in seconds at argument `i`, as the Unix time in milliseconds at which it ends; `None` for 0: never.
    pub fn deadline_arg(&self, i: usize) -> Result<Option<i64>, CmdError> {
        let seconds = ldouble::to_f64(self.args.at(i))
            .ok_or(CmdError::new("ERR timeout is not a float or out of range"))?;
        let exact = seconds * 1000.0;
        // Parts of a millisecond count as one, but not those that the multiplication added.
        let whole = exact.round();
        let timeout_ms =
            if (exact - whole).abs() <= exact.abs() * f64::EPSILON { whole } else { exact.ceil() };
        if timeout_ms >= i64::MAX as f64 {
            return Err(OUT_OF_RANGE);
        }
        self.deadline(timeout_ms as i64)
    }

    /// The timeout in milliseconds at argument `i`, likewise.
    pub fn deadline_ms_arg(&self, i: usize) -> Result<Option<i64>, CmdError> {
        let timeout_ms =
            self.int_arg(i).map_err(|_| CmdError::new("ERR timeout is not an integer or out of range"))?;
        self.deadline(timeout_ms)
    }

    fn deadline(&self, timeout_ms: i64) -> Result<Option<i64>, CmdError> {
        match timeout_ms {
            ..0 => Err(CmdError::new("ERR timeout is negative")),
            0 => Ok(None),
            n => self.now_ms().checked_add(n).map(Some).ok_or(OUT_OF_RANGE),
        }
    }
}
