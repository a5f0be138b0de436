//! What was refused, newest first: ACL LOG. Like refusals within a minute are one entry.

use std::collections::VecDeque;

/// Entries among which a like one is looked for.
const LOOK_BACK: usize = 10;
/// How far apart like refusals may be to be one entry.
const MERGED_WITHIN_MS: i64 = 60_000;
/// Most bytes that are kept of what was refused, or of the name of who was.
const TEXT_MAX_BYTES: usize = 1 << 16;

/// Why something was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Command,
    Key,
    Channel,
    /// A name and password that do not fit.
    Auth,
}

impl Reason {
    /// The name in ACL LOG.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Auth => "auth",
        }
    }
}

/// Where it was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    TopLevel,
    Transaction,
    Script,
}

impl Context {
    /// The name in ACL LOG.
    pub const fn name(self) -> &'static str {
        match self {
            Context::TopLevel => "toplevel",
            Context::Transaction => "multi",
            Context::Script => "lua",
        }
    }
}

/// What was refused: the name of a command, key or channel.
#[derive(Clone, Copy)]
pub struct Refused<'a> {
    pub reason: Reason,
    pub context: Context,
    pub object: &'a [u8],
    pub username: &'a [u8],
}

/// A refusal, or several that are alike.
#[derive(Debug)]
pub struct Entry {
    pub id: u64,
    pub count: u64,
    pub reason: Reason,
    pub context: Context,
    pub object: Box<[u8]>,
    pub username: Box<[u8]>,
    /// The last client that was refused, as CLIENT LIST describes it.
    pub client: Box<[u8]>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

impl Entry {
    fn mem_bytes(&self) -> usize {
        size_of::<Entry>() + self.object.len() + self.username.len() + self.client.len()
    }

    fn is_like(&self, refused: &Refused<'_>, now_ms: i64) -> bool {
        self.reason == refused.reason
            && self.context == refused.context
            && now_ms.abs_diff(self.updated_ms) <= MERGED_WITHIN_MS as u64
            && *self.object == *refused.object
            && *self.username == *refused.username
    }
}

/// The refusals.
#[derive(Default, Debug)]
pub struct RefusalLog {
    entries: VecDeque<Entry>,
    /// Bytes of the entries.
    bytes: usize,
    next_id: u64,
}

impl RefusalLog {
    /// The refusals, the last one first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> + '_ {
        self.entries.iter()
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.entries, self.bytes) = (VecDeque::new(), 0);
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.mem_bytes();
        self.entries.push_front(entry);
    }

    /// Notes a refusal. A new entry drops what is too old. `client` describes who was refused.
    pub fn add(&mut self, mut refused: Refused<'_>, client: &[u8], now_ms: i64, max_len: usize) {
        refused.object = &refused.object[..refused.object.len().min(TEXT_MAX_BYTES)];
        refused.username = &refused.username[..refused.username.len().min(TEXT_MAX_BYTES)];
        if max_len == 0 {
            self.clear();
            return;
        }
        let like = self.entries.iter().take(LOOK_BACK).position(|entry| entry.is_like(&refused, now_ms));
        if let Some(known) = like.and_then(|at| self.entries.remove(at)) {
            self.bytes -= known.mem_bytes();
            let (count, client) = (known.count + 1, client.into());
            self.push(Entry { count, client, updated_ms: now_ms, ..known });
            return;
        }
        self.push(Entry {
            id: self.next_id,
            count: 1,
            reason: refused.reason,
            context: refused.context,
            object: refused.object.into(),
            username: refused.username.into(),
            client: client.into(),
            created_ms: now_ms,
            updated_ms: now_ms,
        });
        self.next_id += 1;
        while self.entries.len() > max_len
            && let Some(oldest) = self.entries.pop_back()
        {
            self.bytes -= oldest.mem_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_refusals_are_one_entry() {
        let mut log = RefusalLog::default();
        let mut add = |object: &'static str, now_ms| {
            let refused = Refused {
                reason: Reason::Key,
                context: Context::TopLevel,
                object: object.as_bytes(),
                username: b"u",
            };
            log.add(refused, b"c", now_ms, 3);
            log.entries.iter().map(|e| (e.id, e.count, e.updated_ms)).collect::<Vec<_>>()
        };
        assert_eq!(add("a", 0), [(0, 1, 0)]);
        assert_eq!(add("b", 5), [(1, 1, 5), (0, 1, 0)]);
        assert_eq!(add("a", 60_000), [(0, 2, 60_000), (1, 1, 5)]);
        assert_eq!(add("b", 60_006), [(2, 1, 60_006), (0, 2, 60_000), (1, 1, 5)]);
        assert_eq!(add("c", 60_007), [(3, 1, 60_007), (2, 1, 60_006), (0, 2, 60_000)]);
        assert_eq!(log.mem_bytes(), log.entries().map(Entry::mem_bytes).sum::<usize>());
        log.clear();
        assert_eq!(log.mem_bytes(), 0);
    }
}
