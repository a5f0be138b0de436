//! What a command wants done after its reply: intents that the engine settles in one place.

use crate::state::{
    pubsub::Kind,
    session::{Closing, SessionKey},
    tracking::Invalidation,
};
use std::ops::Range;

/// How a waiting client is woken by CLIENT UNBLOCK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// As if its time were up.
    Timeout,
    /// With an error.
    Error,
}

/// Intents of the commands since the engine last settled.
#[derive(Default)]
pub struct Effects {
    bytes: Vec<u8>,
    published: Vec<(Kind, Range<usize>, Range<usize>)>,
    /// Sessions to be closed.
    pub closed: Vec<(SessionKey, Closing)>,
    /// Waiting sessions to be woken.
    pub woken: Vec<(SessionKey, Wake)>,
    /// Copies of keys that clients hold and that are out of date, in the order in which that happened.
    pub invalidations: Vec<Invalidation>,
    /// CLIENT UNPAUSE was called.
    pub unpaused: bool,
    /// Slots of the cluster lost their owner.
    pub slots_lost: bool,
}

impl Effects {
    /// Whether there is nothing to settle.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.published.is_empty()
            && self.closed.is_empty()
            && self.woken.is_empty()
            && self.invalidations.is_empty()
            && !self.unpaused
            && !self.slots_lost
    }

    /// Sends a message to a channel.
    pub fn publish(&mut self, kind: Kind, channel: &[u8], message: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(channel);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(message);
        self.published.push((kind, start..middle, middle..self.bytes.len()));
    }

    /// Hands over the messages and forgets them.
    pub fn take_published(&mut self, mut f: impl FnMut(Kind, &[u8], &[u8])) {
        for (kind, channel, message) in self.published.drain(..) {
            f(kind, &self.bytes[channel], &self.bytes[message]);
        }
        self.bytes.clear();
        self.bytes.shrink_to(64 * 1024);
    }
}
