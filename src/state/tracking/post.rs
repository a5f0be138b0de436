//! The messages to clients that cache.

use super::{CHANNEL, Tracker};
use crate::{
    resp::{Proto, output::Output},
    state::{
        config::OutputLimit,
        session::{Closing, Session, SessionKey, Sessions},
    },
};
use std::sync::Arc;

/// Lists of keys of this size are kept once for all their receivers; shorter ones are copied, which costs less.
const SHARED_FROM_BYTES: usize = 1024;

/// A list of keys, encoded as both versions of the protocol have it.
pub enum Keys {
    Short(Vec<u8>),
    Long(Arc<[u8]>),
}

/// Encodes a list of keys.
pub fn encode<'k>(keys: impl ExactSizeIterator<Item = &'k [u8]>) -> Keys {
    let mut out = Output::default();
    out.array(keys.len());
    keys.for_each(|key| out.bulk(key));
    let bytes = out.into_bytes();
    if bytes.len() < SHARED_FROM_BYTES { Keys::Short(bytes) } else { Keys::Long(bytes.into()) }
}

/// Those who receive. All sessions stand in their places.
pub struct Post<'a> {
    pub sessions: &'a mut Sessions,
    pub dirty: &'a mut Vec<SessionKey>,
    pub pool: &'a mut Vec<Vec<u8>>,
    pub limits: &'a [OutputLimit; 3],
    /// Messages sent so far.
    pub delivered: usize,
}

impl Post<'_> {
    /// How a client is told, if it tracks.
    pub fn tracker(&self, client: SessionKey) -> Option<&Tracker> {
        self.sessions.get(client)?.as_ref()?.tracker.as_deref()
    }

    /// Tells a client, or who receives in its place, that its copies of these keys are out of date, or that all are.
    pub fn send(&mut self, client: SessionKey, keys: Option<&Keys>) {
        let Some(Some(session)) = self.sessions.get_mut(client) else { return };
        let is_resp3 = session.out.proto == Proto::Resp3;
        let Some(tracker) = session.tracker.as_deref_mut() else { return };
        let Some(redirect) = tracker.redirect else {
            if is_resp3 {
                self.append(client, |out| invalidate(out, keys));
            }
            return;
        };
        let is_there = |session: &Session| session.id == redirect.id;
        let Some(receiver) =
            self.sessions.get(redirect.key).and_then(Option::as_deref).filter(|s| is_there(s))
        else {
            if let Some(Some(session)) = self.sessions.get_mut(client)
                && let Some(tracker) = session.tracker.as_deref_mut()
            {
                tracker.redirect_broken = true;
            }
            if is_resp3 {
                self.append(client, |out| {
                    out.push(2);
                    out.bulk(b"tracking-redir-broken");
                    out.int(redirect.id as i64);
                });
            }
            return;
        };
        if receiver.out.proto == Proto::Resp3 || receiver.is_subscriber() {
            self.append(redirect.key, |out| invalidate(out, keys));
        }
    }

    fn append(&mut self, key: SessionKey, write: impl FnOnce(&mut Output)) {
        let Some(Some(session)) = self.sessions.get_mut(key) else { return };
        if session.closing != Closing::No {
            return;
        }
        self.delivered += 1;
        session.out.lend(self.pool, session.reply_room.bytes());
        write(&mut session.out);
        let limit = &self.limits[if session.is_subscriber() { 2 } else { 0 }];
        if session.out.pending_bytes() as u64 > limit.most_bytes() {
            session.overflowed = true;
            session.close(Closing::Now);
        }
        if !session.dirty {
            session.dirty = true;
            self.dirty.push(key);
        }
    }
}

/// In RESP2 only subscribers receive what they did not ask for, as a message of a channel.
fn invalidate(out: &mut Output, keys: Option<&Keys>) {
    match out.proto {
        Proto::Resp3 => {
            out.push(2);
            out.bulk(b"invalidate");
        }
        Proto::Resp2 => {
            out.push(3);
            out.bulk(b"message");
            out.bulk(CHANNEL);
        }
    }
    match keys {
        None => out.null(),
        Some(Keys::Short(bytes)) => out.raw(bytes),
        Some(Keys::Long(bytes)) => out.shared(bytes),
    }
}
