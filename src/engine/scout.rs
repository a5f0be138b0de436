//! Looking ahead in a pipeline: the keys of the next commands are on their way to the cache while the first is served.
//!
//! A lookup in a large table waits for memory three times: for the group, for the word in it, for the entry. The waits
//! of several lookups overlap where their addresses are known early, and in a pipeline they are: the commands stand in
//! the input already. What the scout understood, arguments and hash, is used when the command's turn comes.

use crate::{
    command::{
        Args,
        table::{CommandId, Table},
    },
    resp::request::{Limits, Parsed, Parser},
    store::Store,
};
use std::ops::Range;

/// Commands looked ahead at once.
const AHEAD: usize = 16;

/// A command that waits for its turn.
#[derive(Clone, Default)]
pub(super) struct Ahead {
    /// Where it ends in the input.
    pub end: usize,
    spans: Range<usize>,
    /// The argument that is its first key, 0 where there is none, and the hash of it.
    key: usize,
    hash: u64,
}

/// The commands that were looked at ahead of their turn.
#[derive(Default)]
pub(super) struct Scout {
    parser: Parser,
    found: [Ahead; AHEAD],
    next: usize,
    len: usize,
}

impl Scout {
    /// Forgets what was found.
    pub fn clear(&mut self) {
        (self.next, self.len) = (0, 0);
        self.parser.reset();
    }

    /// Whether nothing waits for its turn.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.next == self.len
    }

    /// Looks at the next commands in `input` from `at` on, and fetches their keys.
    pub fn look_ahead(
        &mut self,
        (store, table): (&Store, &Table),
        (db, last): (usize, CommandId),
        (input, mut at): (&[u8], usize),
        limits: &Limits,
    ) {
        self.clear();
        self.parser.spans.clear();
        let keys = store.table(db);
        while self.len < AHEAD {
            let first = self.parser.spans.len();
            let Ok(Parsed::Command(end)) = self.parser.parse_next(input, at, limits) else { break };
            let spans = first..self.parser.spans.len();
            let args = Args::new(input, &self.parser.spans[spans.clone()]);
            let key = table.lookup(args, last).map_or(0, |id| table.entry(id).first_key);
            let found = &mut self.found[self.len];
            *found = Ahead { end, spans, key: 0, hash: 0 };
            if let Some(name) = args.get(key).filter(|_| key > 0) {
                (found.key, found.hash) = (key, keys.hash(name));
                keys.prefetch_group(found.hash);
            }
            self.len += 1;
            at = end;
        }
        let found = &self.found[..self.len];
        found.iter().filter(|ahead| ahead.key > 0).for_each(|ahead| keys.prefetch_word(ahead.hash));
        found.iter().filter(|ahead| ahead.key > 0).for_each(|ahead| keys.prefetch_item(ahead.hash));
    }

    /// The command whose turn it is: its arguments and where it ends. The store learns the hash of its key.
    #[inline]
    pub fn take<'a>(&'a mut self, input: &'a [u8], store: &mut Store) -> Option<(Args<'a>, usize)> {
        if self.is_empty() {
            return None;
        }
        let ahead = &self.found[self.next];
        self.next += 1;
        let args = Args::new(input, &self.parser.spans[ahead.spans.clone()]);
        if ahead.key > 0 {
            store.expect(args.at(ahead.key), ahead.hash);
        }
        Some((args, ahead.end))
    }
}
