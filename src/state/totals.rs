//! Sums over all sessions, kept where they change, so that nobody walks thousands of sessions for a figure.
//!
//! A session is counted again when it was fed, when its output was written, and once a second.

use super::session::Session;

/// Seconds for which the longest buffers are remembered.
const RECENT_S: usize = 8;

/// What one session adds to the sums.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Share {
    pub bytes: usize,
    /// What arguments that are being received will take more.
    pub awaited_bytes: usize,
    pub subscribers: usize,
    pub watchers: usize,
}

impl Share {
    fn of(session: &Session) -> Share {
        Share {
            bytes: session.mem_bytes(),
            awaited_bytes: session.awaited_bytes(),
            subscribers: usize::from(session.is_subscriber()),
            watchers: usize::from(!session.watched.is_empty()),
        }
    }

    /// What counts for `maxmemory-clients`.
    pub fn claimed_bytes(&self) -> usize {
        self.bytes + self.awaited_bytes
    }
}

/// The sums.
#[derive(Default, Debug)]
pub struct Totals {
    pub sum: Share,
    /// Longest input and output of each of the last seconds, in bytes.
    recent: [[usize; 2]; RECENT_S],
    now_s: i64,
    /// The second of now in `recent`.
    at: usize,
}

impl Totals {
    /// Counts a session as it is now.
    pub fn recount(&mut self, session: &mut Session) {
        let share = Share::of(session);
        self.exchange(session.counted, share);
        session.counted = share;
        let [input, output] = &mut self.recent[self.at];
        *input = (*input).max(session.input_bytes);
        *output = (*output).max(session.out.mem_bytes());
    }

    /// Counts the session whose command runs, less its output: what tells of memory should not tell of itself.
    pub fn recount_caller(&mut self, session: &mut Session) {
        let whole = Share::of(session);
        let share = Share { bytes: whole.bytes - session.out.mem_bytes(), ..whole };
        self.exchange(session.counted, share);
        session.counted = share;
    }

    /// A session is gone.
    pub fn forget(&mut self, session: &Session) {
        self.exchange(session.counted, Share::default());
    }

    fn exchange(&mut self, before: Share, after: Share) {
        self.sum.bytes = self.sum.bytes + after.bytes - before.bytes;
        self.sum.awaited_bytes = self.sum.awaited_bytes + after.awaited_bytes - before.awaited_bytes;
        self.sum.subscribers = self.sum.subscribers + after.subscribers - before.subscribers;
        self.sum.watchers = self.sum.watchers + after.watchers - before.watchers;
    }

    /// Time goes on.
    pub fn set_now(&mut self, now_ms: i64) {
        let now_s = now_ms.div_euclid(1000);
        // As many seconds begin as have passed; a clock that was set back begins one.
        let begun = if now_s >= self.now_s { (now_s - self.now_s).min(RECENT_S as i64) } else { 1 };
        for _ in 0..begun {
            self.at = (self.at + 1) % RECENT_S;
            self.recent[self.at] = [0; 2];
        }
        self.now_s = now_s;
    }

    /// The longest input and output of late, in bytes.
    pub fn recent_max(&self) -> [usize; 2] {
        std::array::from_fn(|i| self.recent.iter().map(|second| second[i]).max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::session::Address;

    #[test]
    fn sums_follow_their_sessions_and_peaks_fade() {
        let mut totals = Totals::default();
        let mut list: Vec<Session> =
            (0..3).map(|key| Session::new(key, 0, Address::None, Address::None, 0)).collect();
        list.iter_mut().for_each(|session| totals.recount(session));
        let empty = totals.sum.bytes;
        list[1].input_bytes = 1000;
        totals.recount(&mut list[1]);
        assert_eq!((totals.sum.bytes, totals.recent_max()[0]), (empty + 1000, 1000));
        list[1].input_bytes = 0;
        totals.recount(&mut list[1]);
        totals.set_now(7000);
        assert_eq!((totals.sum.bytes, totals.recent_max()[0]), (empty, 1000));
        totals.set_now(8000);
        assert_eq!(totals.recent_max()[0], 0);
        list.iter().for_each(|session| totals.forget(session));
        assert_eq!(totals.sum, Share::default());
    }
}
