//! After a command, in one place and in this order: watches and notifications, copies that clients hold, messages,
//! clients to be closed or woken, then those who wait for keys; again, until nothing is left.

use super::{Engine, observe::Part, track};
use crate::{
    base::slot,
    command::{CmdError, effects::Wake},
    state::{
        State,
        config::OutputLimit,
        pubsub::{self, Kind},
        session::{Closing, Session, SessionKey},
        tracking::{Invalidation, Post, Whose},
        waiters::Blocked,
    },
    value::Type,
};

impl Engine {
    /// Whether the last command left nothing to do.
    #[inline]
    pub(super) fn nothing_to_settle(&self) -> bool {
        self.effects.is_empty() && self.store.changes.is_empty()
    }

    /// The work that the last commands made for others, in the units of a turn's budget.
    #[inline]
    pub(super) fn delivered(&mut self) -> usize {
        std::mem::take(&mut self.delivered) / 8
    }

    /// Does what the last command left to do. All sessions stand in their places.
    pub(super) fn settle(&mut self) {
        loop {
            self.note_stale();
            if self.nothing_to_settle() {
                break;
            }
            self.settle_changes();
            let invalidations = std::mem::take(&mut self.effects.invalidations);
            self.settle_invalidations(&invalidations, Whose::Others);
            self.settle_messages();
            self.settle_invalidations(&invalidations, Whose::Own);
            self.settle_sessions();
            self.settle_waiters();
        }
    }

    /// Changed keys: breaks the transactions that watch them, and publishes keyspace events.
    fn settle_changes(&mut self) {
        let notify = self.state.config.notify;
        for change in std::mem::take(&mut self.store.changes.list) {
            if self.state.watch.watched > 0
                && let Some(seen) = change.seen
            {
                let State { watch, sessions, totals, .. } = &mut self.state;
                for watcher in watch.changed(sessions, change.db, &change.key, seen) {
                    if let Some(Some(session)) = sessions.get_mut(watcher) {
                        totals.recount(session);
                    }
                }
            }
            let Some(event) = change.event.filter(|event| notify.interest() & event.0.bit() != 0) else {
                continue;
            };
            if notify.keyspace {
                let channel = [format!("__keyspace@{}__:", change.db).as_bytes(), &change.key].concat();
                self.effects.publish(Kind::Channel, &channel, event.1.as_bytes());
            }
            if notify.keyevent {
                let channel = format!("__keyevent@{}__:{}", change.db, event.1);
                self.effects.publish(Kind::Channel, channel.as_bytes(), &change.key);
            }
        }
    }

    /// Copies that are out of date: tells those who may hold them. A client is told of its own changes behind the other
    /// messages that they made for it.
    fn settle_invalidations(&mut self, invalidations: &[Invalidation], whose: Whose) {
        if invalidations.is_empty() {
            return;
        }
        let state = &mut self.state;
        let mut post = Post {
            sessions: &mut state.sessions,
            dirty: &mut state.dirty,
            pool: &mut state.pool,
            limits: &state.config.output_limits,
            delivered: 0,
        };
        for invalidation in invalidations {
            state.tracking.deliver(invalidation, whose, &mut post);
        }
        self.delivered += post.delivered;
    }

    /// The end of a turn: tells those who asked for all keys with a prefix of what changed in it.
    #[cold]
    pub(super) fn settle_broadcast(&mut self) {
        let state = &mut self.state;
        state.tracking.broadcast(&mut Post {
            sessions: &mut state.sessions,
            dirty: &mut state.dirty,
            pool: &mut state.pool,
            limits: &state.config.output_limits,
            delivered: 0,
        });
    }

    fn settle_messages(&mut self) {
        let state = &mut self.state;
        let most_bytes = state.config.output_limits[2].most_bytes();
        let mut delivered = 0;
        self.effects.take_published(|kind, channel, message| {
            let copies = state.pubsub.deliver(
                &mut state.sessions,
                &mut state.dirty,
                &mut state.pool,
                most_bytes,
                (kind, channel, message),
            );
            delivered += copies;
            if kind == Kind::Shard
                && let Some(stats) = &mut state.slot_stats
            {
                let bytes = pubsub::shard_message_bytes(channel, message);
                stats.of(slot::of_key(channel)).net_out_bytes += (copies * bytes) as u64;
            }
            state.stats.messages += 1;
        });
        self.delivered += delivered;
    }

    fn settle_sessions(&mut self) {
        for (key, how) in std::mem::take(&mut self.effects.closed) {
            if let Some(Some(session)) = self.state.sessions.get_mut(key) {
                session.close(how);
                // Nothing may be handed to one who will not receive it.
                if how == Closing::Now
                    && let Some(blocked) = session.blocked.take()
                {
                    self.state.waiters.unblock(key, &blocked);
                }
                self.state.touch_output(key);
            }
        }
        if std::mem::take(&mut self.effects.unpaused) {
            self.end_pause();
        }
        if std::mem::take(&mut self.effects.slots_lost) {
            self.leave_slots();
        }
        for (key, wake) in std::mem::take(&mut self.effects.woken) {
            self.end_wait(
                key,
                match wake {
                    Wake::Timeout => None,
                    Wake::Error => Some(CmdError::new("UNBLOCKED client unblocked via CLIENT UNBLOCK")),
                },
            );
        }
    }

    /// Keys that came to be: serves those who wait for them, first come, first served.
    fn settle_waiters(&mut self) {
        for (db, key) in std::mem::take(&mut self.store.changes.ready) {
            // Who starts to wait from here on has seen the key already.
            let horizon = self.state.waiters.horizon();
            let (mut after, mut held) = (None, false);
            while let Some((ticket, waiter)) = self.state.waiters.next(db, &key, after) {
                if ticket >= horizon {
                    break;
                }
                let kind = self.kind_at(db, &key);
                if kind.is_none() && !self.state.waiters.ends_with(db, &key) {
                    break;
                }
                after = Some(ticket);
                if self.state.pause.is_on() && self.is_held(waiter) {
                    held = true;
                    continue;
                }
                self.serve_waiter(waiter, kind);
            }
            if held {
                self.state.pause.keep_ready(db, key);
            }
        }
    }

    /// Whether a pause keeps a session that waits from being served.
    #[cold]
    fn is_held(&self, key: SessionKey) -> bool {
        let Some(Some(session)) = self.state.sessions.get(key) else { return false };
        let Some(blocked) = &session.blocked else { return false };
        let found = self.table.lookup(blocked.args.args(), session.last_command);
        found.is_ok_and(|id| self.is_paused(session, self.table.entry(id).spec, blocked.args.args()))
    }

    /// Ends a pause, where there is one: what was held back goes on in the next turn.
    pub fn end_pause(&mut self) {
        let held = self.state.pause.end();
        for key in held.sessions {
            if let Some(Some(session)) = self.state.sessions.get_mut(key) {
                session.postponed = None;
                self.state.resumed.push(key);
            }
        }
        self.store.changes.ready.extend(held.ready);
    }

    fn kind_at(&mut self, db: usize, key: &[u8]) -> Option<Type> {
        let pos = self.store.find(db, key)?;
        Some(self.store.entry(db, pos).kind())
    }

    /// Runs the command of a session that waits again, if it is for what its key holds now, or ends with the key.
    fn serve_waiter(&mut self, key: SessionKey, kind: Option<Type>) {
        let concerns = |blocked: &Blocked| Some(blocked.kind) == kind || blocked.ends_with_key;
        let waits_for = |session: &mut Option<Box<Session>>| {
            session.take_if(|session| session.blocked.as_deref().is_some_and(concerns))
        };
        let Some(mut session) = self.state.sessions.get_mut(key).and_then(waits_for) else { return };
        let Some(mut blocked) = session.blocked.take() else { unreachable!("who is in a queue waits") };
        if session.closing != Closing::No {
            // It will not read what it would take.
            self.state.waiters.unblock(key, &blocked);
            self.state.sessions[key] = Some(session);
            return;
        }
        session.out.lend(&mut self.state.pool, session.reply_room.bytes());
        let real = session.mute();
        if !self.call_again(&mut session, &mut blocked) {
            if let Some(real) = real {
                session.out = real;
            }
            session.blocked = Some(blocked);
            self.state.sessions[key] = Some(session);
            return;
        }
        session.unmute(real);
        session.last_active_ms = self.store.now_ms;
        self.state.waiters.unblock(key, &blocked);
        self.state.stats.unblocked += 1;
        self.state.sessions[key] = Some(session);
        self.state.resumed.push(key);
        self.state.touch_output(key);
        self.delivered += 8;
    }

    /// Ends a wait without what was waited for: with an error, or with what the command replies in vain.
    pub(super) fn end_wait(&mut self, key: SessionKey, error: Option<CmdError>) {
        let Some(mut session) = self.state.sessions.get_mut(key).and_then(Option::take) else { return };
        if let Some(blocked) = session.blocked.take() {
            session.out.lend(&mut self.state.pool, session.reply_room.bytes());
            let real = session.mute();
            session.pending_before = session.out.pending_bytes();
            match &error {
                Some(error) => {
                    session.out.error(error);
                    self.state.stats.count_error(error.code());
                }
                None => blocked.in_vain.write(&mut session.out),
            }
            let id = self.command_of(&blocked);
            self.count_ended(&mut session, id, &blocked, error.is_some(), Part::GivenUp);
            session.unmute(real);
            track::end_caching(&mut session, None);
            // `timeout` runs from the end of the wait.
            session.last_active_ms = self.store.now_ms;
            self.state.waiters.unblock(key, &blocked);
            self.state.resumed.push(key);
        }
        self.state.sessions[key] = Some(session);
        self.state.touch_output(key);
    }

    /// The limits on the output of a session.
    #[inline]
    pub(super) fn output_limit(&self, session: &Session) -> &OutputLimit {
        let class = if session.is_subscriber() { 2 } else { 0 };
        &self.state.config.output_limits[class]
    }

    /// Closes a client that does not read what it asked for.
    #[cold]
    pub(super) fn cut_off(&mut self, session: &mut Session) {
        self.state.journal.warn(format_args!(
            "Client id={} addr={} scheduled to be closed ASAP for overcoming of output buffer limits.",
            session.id, session.addr
        ));
        self.state.stats.output_limit_disconnections += 1;
        session.out.clear();
        session.close(Closing::Now);
    }

    /// To be called once a turn for a session whose output could not be written whole: closes it where the limits say.
    pub fn check_output_limits(&mut self, key: SessionKey) {
        let now_ms = self.store.now_ms;
        let Some(mut session) = self.state.sessions.get_mut(key).and_then(Option::take) else { return };
        let limit = *self.output_limit(&session);
        let pending = session.out.pending_bytes() as u64;
        let hard = pending >= limit.most_bytes();
        let soft = if limit.is_soft(pending) {
            let since_ms = *session.soft_limit_since_ms.get_or_insert(now_ms);
            now_ms - since_ms > limit.soft_seconds.saturating_mul(1000)
        } else {
            session.soft_limit_since_ms = None;
            false
        };
        if std::mem::take(&mut session.overflowed) || (hard || soft) && session.closing != Closing::Now {
            self.cut_off(&mut session);
        }
        self.state.totals.recount(&mut session);
        self.state.sessions[key] = Some(session);
    }
}
