//! CLIENT PAUSE: for a time commands are held back, without holding the loop. Who sent one stands in a queue, the input
//! untouched, and goes on with it at the end. Meanwhile nothing expires.

use super::session::{Session, SessionKey};
use std::collections::BTreeMap;

/// Which commands are held back; the later one is the stronger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PauseMode {
    /// Those that change data, or could reach a replica.
    Write,
    All,
}

impl PauseMode {
    /// The name in INFO.
    pub fn name(self) -> &'static str {
        match self {
            PauseMode::Write => "write",
            PauseMode::All => "all",
        }
    }
}

/// Whether commands are held back, and whose.
#[derive(Default)]
pub struct Pause {
    /// `None`: no pause.
    mode: Option<PauseMode>,
    until_ms: i64,
    /// Who waits for the end, in the order of the commands.
    postponed: BTreeMap<u64, SessionKey>,
    next_ticket: u64,
    /// Keys that came to be while those who wait for them were held back.
    ready: Vec<(usize, Box<[u8]>)>,
}

/// What a pause leaves behind at its end.
#[derive(Default)]
pub struct Held {
    /// Sessions that go on with their input, in this order.
    pub sessions: Vec<SessionKey>,
    /// Keys for which someone may wait.
    pub ready: Vec<(usize, Box<[u8]>)>,
}

impl Pause {
    /// Which commands are held back.
    #[inline]
    pub fn mode(&self) -> Option<PauseMode> {
        self.mode
    }

    /// Whether a pause holds.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.mode.is_some()
    }

    /// Begins a pause, or adds to one: the later end and the stronger mode hold.
    pub fn start(&mut self, mode: PauseMode, until_ms: i64, now_ms: i64) {
        let until_ms = if self.is_on() { self.until_ms.max(until_ms) } else { until_ms };
        if until_ms > now_ms {
            self.until_ms = until_ms;
            self.mode = self.mode.max(Some(mode));
        }
    }

    /// When it ends by itself, as a Unix time in milliseconds.
    pub fn deadline_ms(&self) -> Option<i64> {
        self.mode.map(|_| self.until_ms)
    }

    /// Ends the pause.
    pub fn end(&mut self) -> Held {
        self.mode = None;
        let sessions = std::mem::take(&mut self.postponed).into_values().collect();
        Held { sessions, ready: std::mem::take(&mut self.ready) }
    }

    /// Puts a session at the end of the queue.
    pub fn postpone(&mut self, session: &mut Session) {
        self.next_ticket += 1;
        self.postponed.insert(self.next_ticket, session.key);
        session.postponed = Some(self.next_ticket);
    }

    /// Takes a session out of the queue.
    pub fn forget(&mut self, session: &mut Session) {
        if let Some(ticket) = session.postponed.take() {
            self.postponed.remove(&ticket);
        }
    }

    /// Keeps a key, for which a session waits that is held back, until the end.
    pub fn keep_ready(&mut self, db: usize, key: Box<[u8]>) {
        self.ready.push((db, key));
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let keys: usize = self.ready.iter().map(|(_, key)| key.len()).sum();
        self.postponed.len() * size_of::<(u64, SessionKey)>()
            + self.ready.capacity() * size_of::<(usize, Box<[u8]>)>()
            + keys
    }

    /// How many sessions stand in the queue.
    pub fn postponed(&self) -> usize {
        self.postponed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::session::Address;

    #[test]
    fn the_later_end_and_the_stronger_mode_hold() {
        let mut pause = Pause::default();
        pause.start(PauseMode::All, 100, 100);
        assert_eq!((pause.mode(), pause.deadline_ms()), (None, None));
        pause.start(PauseMode::Write, 200, 100);
        pause.start(PauseMode::Write, 150, 100);
        assert_eq!((pause.mode(), pause.deadline_ms()), (Some(PauseMode::Write), Some(200)));
        pause.start(PauseMode::All, 0, 100);
        pause.start(PauseMode::Write, 300, 100);
        assert_eq!((pause.mode(), pause.deadline_ms()), (Some(PauseMode::All), Some(300)));
        pause.end();
        pause.start(PauseMode::Write, 250, 100);
        assert_eq!((pause.mode(), pause.deadline_ms()), (Some(PauseMode::Write), Some(250)));
    }

    #[test]
    fn who_came_first_goes_on_first() {
        let mut pause = Pause::default();
        let mut sessions: Vec<Session> =
            [5, 3, 9].map(|key| Session::new(key, 1, Address::None, Address::None, 0)).into();
        sessions.iter_mut().for_each(|session| pause.postpone(session));
        pause.forget(&mut sessions[1]);
        assert_eq!((pause.postponed(), sessions[1].postponed), (2, None));
        assert_eq!(pause.end().sessions, [5, 9]);
        assert_eq!(pause.postponed(), 0);
    }
}
