//! The command log: calls that took long, or whose request or reply was large. SLOWLOG shows the first kind.
//!
//! Source: <https://valkey.io/topics/command-logs/>.

use super::session::Session;
use crate::resp::request::Args;
use std::collections::VecDeque;

/// Most arguments that an entry keeps; the last of them then tells how many are missing.
const ARGS_MAX: usize = 32;
/// Most bytes that are kept of an argument.
const ARG_MAX_BYTES: usize = 128;

/// What stands for an argument that is a secret.
pub const REDACTED: &[u8] = b"(redacted)";

/// Why a call is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Slow,
    LargeRequest,
    LargeReply,
}

impl Reason {
    /// All reasons, in the order of the logs.
    pub const ALL: [Reason; 3] = [Reason::Slow, Reason::LargeRequest, Reason::LargeReply];

    /// The name in COMMANDLOG.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Slow => "slow",
            Reason::LargeRequest => "large-request",
            Reason::LargeReply => "large-reply",
        }
    }
}

/// What is logged for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogLimit {
    /// From which value on, in microseconds or bytes; -1: nothing.
    pub threshold: i64,
    /// Entries that are kept.
    pub max_len: i64,
}

impl LogLimit {
    /// Whether a value is to be logged, but for the length of the log.
    #[inline]
    pub fn is_reached(&self, value: u64) -> bool {
        // -1 becomes more than any value.
        value >= self.threshold as u64
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: u64,
    pub at_s: i64,
    /// Microseconds or bytes.
    pub value: u64,
    pub args: Vec<Box<[u8]>>,
    pub addr: String,
    pub name: Box<[u8]>,
}

/// The calls logged for one reason, newest first.
#[derive(Default, Debug)]
pub struct Log {
    pub entries: VecDeque<Entry>,
    next_id: u64,
}

impl Log {
    /// Logs a call where its value is large enough, and drops what is too old.
    pub fn push(
        &mut self,
        limit: LogLimit,
        value: u64,
        at_s: i64,
        (session, args, secrets): (&Session, Args<'_>, &[usize]),
    ) {
        if limit.threshold < 0 || limit.max_len == 0 {
            return;
        }
        if limit.is_reached(value) {
            self.entries.push_front(Entry {
                id: self.next_id,
                at_s,
                value,
                args: shortened(args, secrets),
                addr: session.addr.to_string(),
                name: session.name.clone().unwrap_or_default(),
            });
            self.next_id += 1;
        }
        self.shorten(limit);
    }

    /// Drops what is too old. A log that is switched off stays as it is.
    pub fn shorten(&mut self, limit: LogLimit) {
        if limit.threshold >= 0 && limit.max_len != 0 {
            self.entries.truncate(usize::try_from(limit.max_len).unwrap_or(usize::MAX));
        }
    }
}

/// Arguments as an entry keeps them.
fn shortened(args: Args<'_>, secrets: &[usize]) -> Vec<Box<[u8]>> {
    let kept = if args.len() > ARGS_MAX { ARGS_MAX - 1 } else { args.len() };
    let mut list: Vec<Box<[u8]>> = Vec::with_capacity(kept + 1);
    for (i, arg) in args.from(0).take(kept).enumerate() {
        list.push(if secrets.binary_search(&i).is_ok() {
            REDACTED.into()
        } else if arg.len() > ARG_MAX_BYTES {
            let missing = format!("... ({} more bytes)", arg.len() - ARG_MAX_BYTES);
            [&arg[..ARG_MAX_BYTES], missing.as_bytes()].concat().into()
        } else {
            arg.into()
        });
    }
    if kept < args.len() {
        list.push(format!("... ({} more arguments)", args.len() - kept).into_bytes().into());
    }
    list
}

/// The logs, by [`Reason`].
pub type CommandLog = [Log; 3];
