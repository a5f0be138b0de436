//! Client-side caching: which clients may hold copies of which keys, and who is told when those change.
//!
//! A client that tracks is told once of each key that it read, when that changes; the server then forgets that it read
//! it. The table of what was read names clients by their ids: those that are gone are skipped when a key changes, so
//! that nobody searches the table for them. A client that broadcasts is told of all keys with its prefixes instead.
//!
//! Source: <https://valkey.io/topics/client-side-caching/>.

mod broadcast;
mod post;

use super::session::{Session, SessionKey};
use crate::{
    base::rng::Rng,
    ds::{posting::Posting, table::Item, table::Table},
    store::changes::{Copies, Stale},
};
use broadcast::Prefixes;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Included, Unbounded},
    sync::Arc,
};

pub use post::Post;

/// The channel that stands for the server's own messages where a client has no other way to receive them.
pub const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Most prefixes that one client may have.
pub const PREFIXES_MAX: usize = 1 << 20;

/// Longest key that is remembered, in bytes; no request has room for a longer one.
const KEY_MAX_BYTES: usize = u32::MAX as usize;

/// Keys over the limit that are forgotten for each one that is remembered.
const EVICTED_PER_KEY: usize = 2;
/// Keys that one slice of the work that needs no input forgets, or frees.
const SLICE: usize = 1000;

/// Of which keys a client is told.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Mode {
    /// Those that it read.
    #[default]
    Read,
    /// Those that it read by a command behind CLIENT CACHING YES.
    OptIn,
    /// Those that it read, unless behind CLIENT CACHING NO.
    OptOut,
    /// All that begin with its prefixes.
    Broadcast,
}

/// Another client that receives in the place of the one that tracks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Redirect {
    pub id: u64,
    /// Where it stands as long as it is there.
    pub key: SessionKey,
}

/// How one client is told: CLIENT TRACKING.
#[derive(Default)]
pub struct Tracker {
    pub mode: Mode,
    pub redirect: Option<Redirect>,
    /// It is not told of what it changed itself.
    pub noloop: bool,
    /// CLIENT CACHING was called for the next command.
    pub caching: bool,
    /// Who was to receive in its place is gone.
    pub redirect_broken: bool,
    prefixes: BTreeSet<Arc<[u8]>>,
    /// Bytes of the prefixes.
    prefix_bytes: usize,
}

impl Tracker {
    /// A client that tracks in this way, without prefixes.
    pub fn new(mode: Mode, redirect: Option<Redirect>, noloop: bool) -> Tracker {
        Tracker { mode, redirect, noloop, ..Tracker::default() }
    }

    /// Whether the keys that the client reads now are to be remembered.
    pub fn remembers(&self) -> bool {
        match self.mode {
            Mode::Read => true,
            Mode::OptIn => self.caching,
            Mode::OptOut => !self.caching,
            Mode::Broadcast => false,
        }
    }

    /// The prefixes of a client that broadcasts, in order. No key has two of them.
    pub fn prefixes(&self) -> &BTreeSet<Arc<[u8]>> {
        &self.prefixes
    }

    fn add_prefix(&mut self, prefix: Arc<[u8]>) {
        let bytes = prefix.len() + 2 * size_of::<Arc<[u8]>>();
        if self.prefixes.insert(prefix) {
            self.prefix_bytes += bytes;
        }
    }

    /// The first of the prefixes of which a key could have this one, too.
    pub fn overlapping(&self, prefix: &[u8]) -> Option<&[u8]> {
        // Between a prefix and what begins with it stands nothing that does not.
        let mut before = self.prefixes.range::<[u8], _>((Unbounded, Included(prefix)));
        let shorter = before.next_back().filter(|name| prefix.starts_with(name));
        let mut from = self.prefixes.range::<[u8], _>((Included(prefix), Unbounded));
        let longer = || from.next().filter(|name| name.starts_with(prefix));
        shorter.or_else(longer).map(|name| &name[..])
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        size_of::<Tracker>() + self.prefix_bytes
    }
}

/// Who changed a key.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Author {
    /// The id of the client whose command ran; 0: none did.
    pub id: u64,
    /// It was a script of that client.
    pub in_script: bool,
}

impl Author {
    fn is(self, id: u64) -> bool {
        self.id == id
    }
}

/// Copies that are out of date, and of which nobody was told yet.
pub enum Invalidation {
    /// Of a key, with the clients that may hold them; who changed it.
    Key(Posting, Author),
    /// Of all keys; who emptied the database.
    All(Author),
}

/// Which clients are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The one whose command it was.
    Own,
    Others,
}

/// What clients that cache may hold.
pub struct Tracking {
    /// Whether it matters at all what commands read and change.
    pub is_on: bool,
    /// The clients that track, with the places of their sessions.
    clients: BTreeMap<u64, SessionKey>,
    /// The keys that were read, with the ids of those who did.
    table: Table<Posting>,
    /// The ids in the table.
    items: usize,
    /// Bytes of what is in the table.
    posting_bytes: usize,
    prefixes: Prefixes,
    /// Tables that are to be freed.
    garbage: Vec<Table<Posting>>,
}

impl Tracking {
    /// Nobody tracks.
    pub fn new(seed: [u64; 2]) -> Tracking {
        Tracking {
            is_on: false,
            clients: BTreeMap::new(),
            table: Table::new(seed),
            items: 0,
            posting_bytes: 0,
            prefixes: Prefixes::default(),
            garbage: Vec::new(),
        }
    }

    /// Makes a session track, in this way from now on. The prefixes add to those that it has.
    pub fn enable<'p>(
        &mut self,
        session: &mut Session,
        how: Tracker,
        prefixes: impl IntoIterator<Item = &'p [u8]>,
    ) {
        self.is_on = true;
        self.clients.insert(session.id, session.key);
        let tracker = session.tracker.get_or_insert_default();
        let kept = std::mem::take(&mut **tracker);
        let Tracker { caching, prefix_bytes, .. } = kept;
        **tracker = Tracker { prefixes: kept.prefixes, prefix_bytes, caching, ..how };
        for prefix in prefixes {
            tracker.add_prefix(self.prefixes.add(prefix, session.id));
        }
    }

    /// Ends the tracking of a session. What it read stays in the table until it changes.
    pub fn disable(&mut self, session: &mut Session) {
        let Some(tracker) = session.tracker.take() else { return };
        self.clients.remove(&session.id);
        for prefix in &tracker.prefixes {
            self.prefixes.remove(prefix, session.id);
        }
    }

    /// Remembers the keys that a client read. Returns how many they are.
    pub fn remember<'k>(&mut self, id: u64, keys: impl Iterator<Item = &'k [u8]>) -> usize {
        let mut read = 0;
        for key in keys.filter(|key| key.len() <= KEY_MAX_BYTES) {
            read += 1;
            let hash = self.table.hash(key);
            let Some(pos) = self.table.find(hash, key) else {
                let posting = Posting::new(key, id);
                self.items += 1;
                self.posting_bytes += posting.mem_bytes();
                self.table.insert(hash, posting);
                continue;
            };
            let mut posting = self.table.edit(pos);
            let (items, bytes) = (posting.numbers().len(), posting.mem_bytes());
            posting.insert(id, |other| self.clients.contains_key(&other));
            self.items = self.items + posting.numbers().len() - items;
            self.posting_bytes = self.posting_bytes + posting.mem_bytes() - bytes;
        }
        read
    }

    /// Takes what changed out of the table: whom that concerns goes to `told`, in order.
    pub fn note(&mut self, stale: &mut Stale, author: Author, told: &mut Vec<Invalidation>) {
        stale.drain(|copies| match copies {
            Copies::Of { key, by_client } => {
                if !self.prefixes.is_empty() {
                    // What a script changed is not its client's own doing here, as in Valkey.
                    let own = by_client && !author.in_script;
                    self.prefixes.changed(key, if own { author.id } else { 0 });
                }
                let hash = self.table.hash(key);
                if let Some(pos) = self.table.find(hash, key) {
                    let posting = self.table.remove(pos);
                    self.forget(&posting);
                    told.push(Invalidation::Key(posting, author));
                }
            }
            Copies::All => {
                let table = self.table.take();
                if !table.is_empty() {
                    self.garbage.push(table);
                }
                (self.items, self.posting_bytes) = (0, 0);
                told.push(Invalidation::All(author));
            }
        });
    }

    fn forget(&mut self, posting: &Posting) {
        self.items -= posting.numbers().len();
        self.posting_bytes -= posting.mem_bytes();
    }

    /// Whether more keys are remembered than `tracking-table-max-keys` says; 0: any number.
    fn is_over(&self, max_keys: i64) -> bool {
        max_keys > 0 && self.table.len() as u64 > max_keys as u64
    }

    /// Forgets keys that are too many, chosen at random: who read them must read them again. `read`: so many were just
    /// remembered, and the table shrinks faster than it grew.
    pub fn evict_for(&mut self, read: usize, max_keys: i64, rng: &mut Rng, told: &mut Vec<Invalidation>) {
        self.evict(read.saturating_mul(EVICTED_PER_KEY), max_keys, rng, told);
    }

    fn evict(&mut self, limit: usize, max_keys: i64, rng: &mut Rng, told: &mut Vec<Invalidation>) {
        for _ in 0..limit {
            if !self.is_over(max_keys) {
                break;
            }
            let Some(pos) = self.table.random(rng) else { break };
            let posting = self.table.remove(pos);
            self.forget(&posting);
            told.push(Invalidation::Key(posting, Author::default()));
        }
    }

    /// Whether there is work left that needs no input.
    pub fn has_work(&self, max_keys: i64) -> bool {
        self.is_on && (self.is_over(max_keys) || !self.garbage.is_empty() || self.has_broadcast())
    }

    /// A slice of that work.
    pub fn tend(&mut self, max_keys: i64, rng: &mut Rng, told: &mut Vec<Invalidation>) {
        self.evict(SLICE, max_keys, rng, told);
        if let Some(table) = self.garbage.last_mut() {
            table.drain_some(SLICE).for_each(drop);
            if table.is_empty() {
                self.garbage.pop();
            }
        }
        self.is_on = !(self.clients.is_empty() && self.table.is_empty() && self.garbage.is_empty());
    }

    /// Whether keys changed of which clients that broadcast are to be told.
    pub fn has_broadcast(&self) -> bool {
        self.prefixes.has_changed()
    }

    /// Tells the clients that a key was read by, or all: the one who is the author, or the others.
    pub fn deliver(&self, invalidation: &Invalidation, whose: Whose, post: &mut Post<'_>) {
        match invalidation {
            Invalidation::Key(posting, author) => {
                let mut meant =
                    posting.numbers().iter().filter(|&&id| author.is(id) == (whose == Whose::Own)).peekable();
                if meant.peek().is_none() {
                    return;
                }
                let keys = post::encode(std::iter::once(posting.key()));
                for &id in meant {
                    let Some(&client) = self.clients.get(&id) else { continue };
                    let fits = |tracker: &Tracker| {
                        tracker.mode != Mode::Broadcast && !(tracker.noloop && author.is(id))
                    };
                    if post.tracker(client).is_some_and(fits) {
                        post.send(client, Some(&keys));
                    }
                }
            }
            Invalidation::All(author) => {
                let meant = self.clients.iter().filter(|(id, _)| author.is(**id) == (whose == Whose::Own));
                meant.for_each(|(_, &client)| post.send(client, None));
            }
        }
    }

    /// Tells the clients that broadcast of all that changed since.
    pub fn broadcast(&mut self, post: &mut Post<'_>) {
        let clients = &self.clients;
        self.prefixes.take_changed(|changed, ids| {
            let all = post::encode(changed.keys().map(|key| &key[..]));
            for id in ids {
                let Some(&client) = clients.get(id) else { continue };
                let Some(tracker) = post.tracker(client) else { continue };
                if tracker.noloop && changed.values().any(|author| author == id) {
                    let others = changed.iter().filter(|(_, author)| *author != id);
                    let mut others = others.map(|(key, _)| &key[..]).peekable();
                    if others.peek().is_some() {
                        let others: Vec<&[u8]> = others.collect();
                        post.send(client, Some(&post::encode(others.into_iter())));
                    }
                } else {
                    post.send(client, Some(&all));
                }
            }
        });
    }

    /// How many clients track.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// How many keys are remembered.
    pub fn key_count(&self) -> usize {
        self.table.len()
    }

    /// How many clients are remembered for them, counted once for each key.
    pub fn item_count(&self) -> usize {
        self.items
    }

    /// How many prefixes have clients.
    pub fn prefix_count(&self) -> usize {
        self.prefixes.len()
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let garbage: usize = self.garbage.iter().map(Table::mem_bytes).sum();
        let clients = self.clients.len() * 2 * size_of::<(u64, SessionKey)>();
        self.table.mem_bytes() + self.posting_bytes + self.prefixes.mem_bytes() + clients + garbage
    }
}
