//! Connections as the state knows them: admitted, written to, ended. Whoever has the sockets says so.

use super::{
    State,
    acl::DEFAULT_USER,
    session::{Address, Closing, Session, SessionKey},
};

/// Why a connection is refused: the bytes to send before it is closed.
pub type Refusal = &'static [u8];

impl State {
    /// Admits a connection, or says what to send before it is closed.
    pub fn admit(&mut self, now_ms: i64, addr: Address, local_addr: Address) -> Result<SessionKey, Refusal> {
        self.stats.connections += 1;
        if self.sessions.len() >= self.config.maxclients as usize {
            self.stats.rejected_connections += 1;
            return Err(b"-ERR max number of clients reached\r\n");
        }
        let config = &self.config;
        if config.protected_mode && self.acl[DEFAULT_USER].nopass && !addr.is_local() {
            self.stats.rejected_connections += 1;
            return Err(PROTECTED_MODE.as_bytes());
        }
        let id = self.next_session_id;
        self.next_session_id += 1;
        let slot = self.sessions.vacant_entry();
        let key = slot.key();
        let mut session = Session::new(key, id, addr, local_addr, now_ms);
        session.authenticated = self.acl.is_open();
        self.totals.recount(&mut session);
        slot.insert(Some(Box::new(session)));
        Ok(key)
    }

    /// Output of a connection was written: `n` bytes. A buffer that is empty now is used for others.
    pub fn wrote(&mut self, now_ms: i64, key: SessionKey, n: usize) {
        let Some(Some(session)) = self.sessions.get_mut(key) else { return };
        session.reply_room.used(session.out.pending_bytes());
        session.out.advance(n);
        session.net_out_bytes += n as u64;
        // Who receives is not idle.
        session.last_active_ms = now_ms;
        self.stats.net_out_bytes += n as u64;
        self.stats.writes += 1;
        if session.out.is_empty() {
            session.out.reclaim(&mut self.pool);
            session.soft_limit_since_ms = None;
        }
        self.totals.recount(session);
    }

    /// Whether a connection is to be closed now.
    pub fn is_done(&mut self, key: SessionKey) -> bool {
        let session = self.sessions.get(key).and_then(Option::as_deref);
        session.is_none_or(|session| match session.closing {
            Closing::No => false,
            Closing::AfterReply => session.out.is_empty(),
            Closing::Now => true,
        })
    }

    /// A connection ended: forgets all about it.
    pub fn forget(&mut self, key: SessionKey) {
        let Some(Some(mut session)) = self.sessions.try_remove(key) else { return };
        if let Some(blocked) = session.blocked.take() {
            self.waiters.unblock(key, &blocked);
        }
        self.pause.forget(&mut session);
        if let Some(mut subs) = session.subscriptions.take() {
            self.pubsub.forget(&mut subs, key);
        }
        self.watch.unwatch(&mut session);
        self.tracking.disable(&mut session);
        if session.monitor {
            self.monitors.remove(&mut session);
            self.note_watchers();
        }
        self.totals.forget(&session);
    }
}

const PROTECTED_MODE: &str = "-DENIED Running in protected mode because protected mode is enabled and no \
password is set for the default user. In this mode connections are only accepted from the loopback interface. To \
connect from other machines, either disable protected mode with 'CONFIG SET protected-mode no' from the loopback \
interface, or restart with '--protected-mode no', or set a password for the default user.\r\n";
