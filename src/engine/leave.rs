//! Slots of the cluster that lost their owner: who waits for their keys or hears their channels is told so.

use super::{Engine, call::unserved};
use crate::{
    base::slot,
    cmd::pubsub,
    command::{Flags, slots},
    state::{pubsub::Kind, session::SessionKey},
};

impl Engine {
    /// Ends the waits and the subscriptions that are served no more.
    #[cold]
    pub(super) fn leave_slots(&mut self) {
        let mut waits = Vec::new();
        let mut hearers: Vec<SessionKey> = Vec::new();
        for (key, session) in self.state.sessions.iter().filter_map(|(key, s)| Some((key, s.as_deref()?))) {
            let first = session.blocked.as_ref().and_then(|blocked| blocked.keys.first());
            if let Some(first) = first
                && let Err(why) = slots::check(&self.state, Ok(Some(slot::of_key(first))), Flags::WRITE)
            {
                waits.push((key, unserved(why)));
            }
            if session.subscriptions.as_ref().is_some_and(|subs| subs.count_of(Kind::Shard) > 0) {
                hearers.push(key);
            }
        }
        for (key, error) in waits {
            self.end_wait(key, Some(error));
        }
        for key in hearers {
            let state = &mut self.state;
            let Some(Some(session)) = state.sessions.get_mut(key) else { continue };
            let Some(cluster) = &state.cluster else { continue };
            session.out.lend(&mut state.pool, session.reply_room.bytes());
            pubsub::end_shards(session, &mut state.pubsub, |name| {
                !cluster.slots.contains(slot::of_key(name))
            });
            self.state.touch_output(key);
        }
    }
}
