//! Publish and subscribe: who receives what.
//!
//! Source: <https://valkey.io/topics/pubsub/>.

use super::session::{Closing, SessionKey, Sessions};
use crate::{
    base::{glob, hash::Seed},
    resp::{
        Proto,
        output::{Output, bulk_bytes},
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// A name of a channel or pattern, shared by its subscribers.
pub type Name = Arc<[u8]>;

/// Messages of this size are kept once for all their receivers; shorter ones are copied, which costs less.
const SHARED_FROM_BYTES: usize = 1024;

/// What a message of a shard channel begins with.
const SHARD_WORD: &[u8] = b"smessage";

/// Most subscriptions that one session may have.
pub const SUBSCRIPTIONS_MAX: usize = 1 << 20;

/// The three name spaces of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Channel,
    Pattern,
    Shard,
}

/// A set of names: a vector while it is short.
enum Names {
    Few(Vec<Name>),
    /// Boxed, since hardly any session needs it and each has room for it.
    Many(Box<ManyNames>),
}

type ManyNames = (HashSet<Name, Seed>,);

impl Names {
    const FEW: usize = 8;

    fn len(&self) -> usize {
        match self {
            Names::Few(names) => names.len(),
            Names::Many(names) => names.0.len(),
        }
    }

    fn get(&self, name: &[u8]) -> Option<&Name> {
        match self {
            Names::Few(names) => names.iter().find(|n| &n[..] == name),
            Names::Many(names) => names.0.get(name),
        }
    }

    /// Adds a name that it does not hold.
    fn insert(&mut self, name: Name, seed: Seed) {
        match self {
            Names::Few(names) if names.len() < Names::FEW => {
                names.reserve_exact(1);
                names.push(name);
            }
            Names::Few(names) => {
                let mut many = HashSet::with_hasher(seed);
                many.extend(names.drain(..));
                many.insert(name);
                *self = Names::Many(Box::new((many,)));
            }
            Names::Many(names) => {
                names.0.insert(name);
            }
        }
    }

    fn remove(&mut self, name: &[u8]) {
        match self {
            Names::Few(names) => names.retain(|n| &n[..] != name),
            Names::Many(names) => {
                names.0.remove(name);
            }
        }
    }

    fn list(&self) -> Vec<Name> {
        match self {
            Names::Few(names) => names.clone(),
            Names::Many(names) => names.0.iter().cloned().collect(),
        }
    }

    fn mem_bytes(&self) -> usize {
        match self {
            Names::Few(names) => names.capacity() * size_of::<Name>(),
            Names::Many(names) => names.0.capacity() * (size_of::<Name>() + 1) * 8 / 7,
        }
    }
}

/// What one session subscribed to.
pub struct Subscriptions([Names; 3]);

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions([const { Names::Few(Vec::new()) }; 3])
    }
}

impl Subscriptions {
    /// Subscriptions of all kinds.
    pub fn count(&self) -> usize {
        self.0.iter().map(Names::len).sum()
    }

    /// Subscriptions of one kind.
    pub fn count_of(&self, kind: Kind) -> usize {
        self.0[kind as usize].len()
    }

    /// The names of one kind.
    pub fn names(&self, kind: Kind) -> Vec<Name> {
        self.0[kind as usize].list()
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        size_of::<Subscriptions>() + self.0.iter().map(Names::mem_bytes).sum::<usize>()
    }
}

/// The receivers of one name, in an order of their own.
enum Receivers {
    One(SessionKey),
    Many(BTreeSet<SessionKey>),
}

impl Receivers {
    fn len(&self) -> usize {
        match self {
            Receivers::One(_) => 1,
            Receivers::Many(keys) => keys.len(),
        }
    }

    fn insert(&mut self, key: SessionKey) {
        match self {
            Receivers::One(one) => *self = Receivers::Many(BTreeSet::from([*one, key])),
            Receivers::Many(keys) => {
                keys.insert(key);
            }
        }
    }

    /// Removes a receiver; true if that was the last.
    fn remove(&mut self, key: SessionKey) -> bool {
        match self {
            Receivers::One(_) => true,
            Receivers::Many(keys) => {
                keys.remove(&key);
                keys.is_empty()
            }
        }
    }

    fn for_each(&self, mut f: impl FnMut(SessionKey)) {
        match self {
            Receivers::One(key) => f(*key),
            Receivers::Many(keys) => keys.iter().for_each(|&key| f(key)),
        }
    }
}

/// All subscriptions of a server.
pub struct PubSub {
    seed: Seed,
    names: [HashMap<Name, Receivers, Seed>; 3],
    /// Subscriptions of all sessions, of each kind.
    pub subscriptions: usize,
    /// Bytes of the names.
    name_bytes: usize,
}

impl PubSub {
    /// Nobody subscribed.
    pub fn new(seed: Seed) -> PubSub {
        PubSub {
            seed,
            names: std::array::from_fn(|_| HashMap::with_hasher(seed)),
            subscriptions: 0,
            name_bytes: 0,
        }
    }

    /// Subscribes a session; false where it was already.
    pub fn subscribe(&mut self, subs: &mut Subscriptions, key: SessionKey, kind: Kind, name: &[u8]) -> bool {
        let own = &mut subs.0[kind as usize];
        if own.get(name).is_some() {
            return false;
        }
        let all = &mut self.names[kind as usize];
        let name = match all.get_key_value(name) {
            Some((name, _)) => Arc::clone(name),
            None => {
                self.name_bytes += name.len();
                Arc::from(name)
            }
        };
        all.entry(Arc::clone(&name)).and_modify(|r| r.insert(key)).or_insert(Receivers::One(key));
        own.insert(name, self.seed);
        self.subscriptions += 1;
        true
    }

    /// Ends a subscription; false where there was none.
    pub fn unsubscribe(
        &mut self,
        subs: &mut Subscriptions,
        key: SessionKey,
        kind: Kind,
        name: &[u8],
    ) -> bool {
        let own = &mut subs.0[kind as usize];
        if own.get(name).is_none() {
            return false;
        }
        own.remove(name);
        let all = &mut self.names[kind as usize];
        if all.get_mut(name).is_some_and(|receivers| receivers.remove(key)) {
            all.remove(name);
            self.name_bytes -= name.len();
        }
        self.subscriptions -= 1;
        true
    }

    /// Ends all subscriptions of a session that goes.
    pub fn forget(&mut self, subs: &mut Subscriptions, key: SessionKey) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in subs.names(kind) {
                self.unsubscribe(subs, key, kind, &name);
            }
        }
    }

    /// How many names of a kind have receivers.
    pub fn count(&self, kind: Kind) -> usize {
        self.names[kind as usize].len()
    }

    /// The names of a kind that have receivers, those that match `pattern` where one is given.
    pub fn list<'a>(&'a self, kind: Kind, pattern: Option<&'a [u8]>) -> impl Iterator<Item = &'a Name> {
        self.names[kind as usize].keys().filter(move |name| pattern.is_none_or(|p| glob::matches(p, name)))
    }

    /// How many receive what is sent to exactly this name.
    pub fn receivers(&self, kind: Kind, name: &[u8]) -> usize {
        self.names[kind as usize].get(name).map_or(0, Receivers::len)
    }

    /// How many copies a message to `channel` makes, patterns included.
    pub fn reach(&self, kind: Kind, channel: &[u8]) -> usize {
        let mut n = self.receivers(kind, channel);
        if kind == Kind::Channel && !self.names[Kind::Pattern as usize].is_empty() {
            n += self.matching(channel).map(|(_, receivers)| receivers.len()).sum::<usize>();
        }
        n
    }

    fn matching<'a>(&'a self, channel: &'a [u8]) -> impl Iterator<Item = (&'a Name, &'a Receivers)> {
        self.names[Kind::Pattern as usize].iter().filter(|(pattern, _)| glob::matches(pattern, channel))
    }

    /// Appends a message to the outputs of its receivers, encoded once for each version of the protocol, and adds the
    /// sessions that got it to `dirty`. One whose output grows over `most_bytes` is cut off. Returns the copies made.
    pub fn deliver(
        &self,
        sessions: &mut Sessions,
        dirty: &mut Vec<SessionKey>,
        pool: &mut Vec<Vec<u8>>,
        most_bytes: u64,
        (kind, channel, message): (Kind, &[u8], &[u8]),
    ) -> usize {
        let mut delivered = 0;
        let mut send = |receivers: &Receivers, head: &[&[u8]]| {
            let mut copies = Copies::new(head, message);
            receivers.for_each(|key| {
                let Some(Some(session)) = sessions.get_mut(key) else { return };
                if session.closing == Closing::Now {
                    return;
                }
                delivered += 1;
                session.out.lend(pool, session.reply_room.bytes());
                copies.append_to(&mut session.out);
                if session.out.pending_bytes() as u64 > most_bytes {
                    session.overflowed = true;
                    session.close(Closing::Now);
                }
                if !session.dirty {
                    session.dirty = true;
                    dirty.push(key);
                }
            });
        };
        if let Some(receivers) = self.names[kind as usize].get(channel) {
            let word = if kind == Kind::Shard { SHARD_WORD } else { b"message" };
            send(receivers, &[word, channel]);
        }
        if kind == Kind::Channel && !self.names[Kind::Pattern as usize].is_empty() {
            for (pattern, receivers) in self.matching(channel) {
                send(receivers, &[b"pmessage", pattern, channel]);
            }
        }
        delivered
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let slots: usize = self.names.iter().map(HashMap::capacity).sum();
        slots * (size_of::<(Name, Receivers)>() + 1) + self.name_bytes
    }
}

/// What a message of a shard channel is long when a subscriber receives it, in bytes.
pub fn shard_message_bytes(channel: &[u8], message: &[u8]) -> usize {
    b"*3\r\n".len() + [SHARD_WORD, channel, message].map(bulk_bytes).iter().sum::<usize>()
}

/// One message, encoded when the first receiver of a version comes.
struct Copies<'a> {
    head: &'a [&'a [u8]],
    message: &'a [u8],
    encoded: [Option<Encoded>; 2],
}

enum Encoded {
    Short(Vec<u8>),
    Long(Arc<[u8]>),
}

impl<'a> Copies<'a> {
    fn new(head: &'a [&'a [u8]], message: &'a [u8]) -> Copies<'a> {
        Copies { head, message, encoded: [None, None] }
    }

    #[inline]
    fn append_to(&mut self, out: &mut Output) {
        let Copies { head, message, encoded } = self;
        let encoded = encoded[(out.proto == Proto::Resp3) as usize].get_or_insert_with(|| {
            let mut one = Output::new(out.proto);
            one.push(head.len() + 1);
            for part in head.iter().chain([&*message]) {
                one.bulk(part);
            }
            let bytes = one.into_bytes();
            if bytes.len() < SHARED_FROM_BYTES { Encoded::Short(bytes) } else { Encoded::Long(bytes.into()) }
        });
        match encoded {
            Encoded::Short(bytes) => out.raw(bytes),
            Encoded::Long(bytes) => out.shared(bytes),
        }
    }
}
