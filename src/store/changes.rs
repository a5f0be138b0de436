//! What a command changed: recorded where somebody wants to know, and settled by the engine after the command.

use crate::value::{Entry, Type};

/// The classes of keyspace notifications. Source: <https://valkey.io/topics/notifications/>.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Generic,
    String,
    List,
    Set,
    Hash,
    SortedSet,
    Stream,
    Expired,
    Evicted,
    Module,
    /// A key was looked for and not there; not part of `A`.
    KeyMiss,
    /// A key was added; not part of `A`.
    New,
}

impl Class {
    /// All classes.
    pub const ALL: [Class; 12] = [
        Class::Generic,
        Class::String,
        Class::List,
        Class::Set,
        Class::Hash,
        Class::SortedSet,
        Class::Stream,
        Class::Expired,
        Class::Evicted,
        Class::Module,
        Class::KeyMiss,
        Class::New,
    ];

    /// The bit of the class in [`Interest::notify`].
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The letter of the class in `notify-keyspace-events`.
    pub const fn letter(self) -> char {
        match self {
            Class::Generic => 'g',
            Class::String => '$',
            Class::List => 'l',
            Class::Set => 's',
            Class::Hash => 'h',
            Class::SortedSet => 'z',
            Class::Stream => 't',
            Class::Expired => 'x',
            Class::Evicted => 'e',
            Class::Module => 'd',
            Class::KeyMiss => 'm',
            Class::New => 'n',
        }
    }
}

/// A class and the name of what happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event(pub Class, pub &'static str);

/// Who wants to know of changes.
#[derive(Clone, Copy, Default, Debug)]
pub struct Interest {
    /// Some session watches a key.
    pub watch: bool,
    /// Some session waits for a key.
    pub waiters: bool,
    /// For some of them the end of its key is the end of the wait.
    pub ends: bool,
    /// Some client may hold copies of keys.
    pub tracking: bool,
    /// The classes of events to be published, as bits.
    pub notify: u32,
}

/// What a change is to those who watch the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    Changed,
    /// The key is gone: no change to those who found it expired.
    Gone,
    /// An expired key stands there now: no change to those who found one; nor, where it `appeared` in the place of
    /// none, to anyone.
    Expired {
        appeared: bool,
    },
}

/// One key that changed.
#[derive(Debug)]
pub struct Change {
    pub db: usize,
    pub key: Box<[u8]>,
    /// What happened; `None`: only that whoever watches the key must know.
    pub event: Option<Event>,
    /// `None`: the data is as it was.
    pub seen: Option<Seen>,
}

/// Keys of which copies that clients hold are out of date, in the order in which that happened.
#[derive(Default, Debug)]
pub struct Stale {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

#[derive(Debug)]
enum Mark {
    Key { end: usize, by_client: bool },
    All,
}

/// What is out of date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies<'a> {
    /// Those of a key. `by_client`: it is a command that did it, not that its time had come or that memory was short.
    Of {
        key: &'a [u8],
        by_client: bool,
    },
    All,
}

impl Stale {
    /// Whether nothing was recorded.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn add(&mut self, key: &[u8], by_client: bool) {
        self.bytes.extend_from_slice(key);
        self.marks.push(Mark::Key { end: self.bytes.len(), by_client });
    }

    /// Hands everything over and forgets it.
    pub fn drain(&mut self, mut f: impl FnMut(Copies<'_>)) {
        let mut start = 0;
        for mark in self.marks.drain(..) {
            match mark {
                Mark::Key { end, by_client } => {
                    f(Copies::Of { key: &self.bytes[start..end], by_client });
                    start = end;
                }
                Mark::All => f(Copies::All),
            }
        }
        self.bytes.clear();
        self.bytes.shrink_to(64 * 1024);
        self.marks.shrink_to(1024);
    }
}

/// The changes since the engine last settled.
#[derive(Default, Debug)]
pub struct Changes {
    /// Changes since the start.
    pub dirty: u64,
    pub interest: Interest,
    /// In the order in which they happened.
    pub list: Vec<Change>,
    /// Keys that came to be, and for which some client may wait.
    pub ready: Vec<(usize, Box<[u8]>)>,
    /// What clients that cache must be told.
    pub stale: Stale,
}

impl Changes {
    /// Whether there is anything to settle.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.ready.is_empty()
    }

    /// Records that a key changed.
    #[inline]
    pub fn changed(&mut self, db: usize, key: &[u8], event: Event) {
        self.changed_by(db, key, event, event.0 != Class::Evicted);
    }

    /// Records that a key is gone because its time had come, though no command set that.
    pub(super) fn expired(&mut self, db: usize, key: &[u8]) {
        self.changed_by(db, key, Event(Class::Expired, "expired"), false);
    }

    #[inline]
    fn changed_by(&mut self, db: usize, key: &[u8], event: Event, by_client: bool) {
        self.dirty += 1;
        if self.interest.watch || self.interest.notify & event.0.bit() != 0 {
            let seen = if event.0 == Class::Expired { Seen::Gone } else { Seen::Changed };
            self.list.push(Change { db, key: key.into(), event: Some(event), seen: Some(seen) });
        }
        if self.interest.tracking {
            self.stale.add(key, by_client);
        }
    }

    /// Records a change that breaks nobody's transaction: that of a stream's groups.
    pub fn changed_quietly(&mut self, db: usize, key: &[u8], event: Option<Event>) {
        self.dirty += 1;
        if let Some(event) = event {
            self.happened(db, key, event);
        }
    }

    /// Records a change without an event of its own.
    pub fn changed_without_event(&mut self, db: usize, key: &[u8]) {
        self.dirty += 1;
        self.touched(db, key);
    }

    /// Records that a key has to be read again, though its data may be as it was.
    pub fn touched(&mut self, db: usize, key: &[u8]) {
        if self.interest.watch {
            self.watched(db, key, Seen::Changed);
        }
        if self.interest.tracking {
            self.stale.add(key, true);
        }
    }

    /// Records that a whole database was emptied: no copy of any key holds any more, since clients do not say of which
    /// database theirs are.
    pub fn emptied(&mut self) {
        if self.interest.tracking {
            self.stale.marks.push(Mark::All);
        }
    }

    /// Records an event without a change of data: nobody's transaction breaks.
    #[inline]
    pub fn happened(&mut self, db: usize, key: &[u8], event: Event) {
        if self.interest.notify & event.0.bit() != 0 {
            self.list.push(Change { db, key: key.into(), event: Some(event), seen: None });
        }
    }

    /// Records that a whole database changed, and with it a key that someone watches.
    pub fn watched(&mut self, db: usize, key: &[u8], seen: Seen) {
        self.list.push(Change { db, key: key.into(), event: None, seen: Some(seen) });
    }

    /// Records that a key may satisfy those who wait for it.
    pub fn ready(&mut self, db: usize, key: &[u8]) {
        if self.interest.waiters {
            self.ready.push((db, key.into()));
        }
    }

    /// The value of a key is about to go.
    #[inline]
    pub(super) fn ends(&mut self, db: usize, key: &[u8], kind: Type) {
        if self.interest.ends && kind.can_be_waited_for() {
            self.ready(db, key);
        }
    }

    /// A key was added.
    #[inline]
    pub(super) fn appeared(&mut self, db: usize, entry: &Entry) {
        if self.interest.notify & Class::New.bit() != 0 {
            self.happened(db, entry.key(), Event(Class::New, "new"));
        }
        if self.interest.waiters && entry.kind().can_be_waited_for() {
            self.ready(db, entry.key());
        }
    }
}
