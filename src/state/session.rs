//! A session: what the server knows of one connection, without its socket.

use super::{
    acl::{DEFAULT_USER, UserId},
    pubsub::Subscriptions,
    reply_room::ReplyRoom,
    totals::Share,
    tracking::Tracker,
    waiters::Blocked,
    watch::Watched,
};
use crate::resp::{
    Proto,
    output::Output,
    request::{OwnedArgs, Parser},
};
use slab::Slab;
use std::{fmt, net::SocketAddr, sync::Arc};

/// Where a session stands among all; used again after its end.
pub type SessionKey = usize;

/// All sessions. One that is being served is taken out for that time, so that the others stay within reach.
pub type Sessions = Slab<Option<Box<Session>>>;

/// An end of a connection.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Address {
    /// No socket: the engine is driven by hand.
    #[default]
    None,
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(Arc<str>),
}

impl Address {
    /// Whether the peer is on this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Address::None | Address::Unix(_) => true,
            Address::Tcp(addr) => addr.ip().to_canonical().is_loopback(),
        }
    }
}

impl fmt::Display for Address {
    /// As CLIENT LIST shows it: `ip:port`, `[ip6]:port`, `path:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::None => f.write_str("?:0"),
            Address::Tcp(addr) => addr.fmt(f),
            Address::Unix(path) => write!(f, "{path}:0"),
        }
    }
}

/// Whether replies are sent: CLIENT REPLY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// Not for the next command.
    SkipNext,
    /// Not for the command that runs.
    Skipping,
}

/// Whether the connection is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closing {
    #[default]
    No,
    /// Once what was replied is written.
    AfterReply,
    /// At once; what was not written is lost.
    Now,
}

/// A transaction between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    pub queue: Vec<OwnedArgs>,
    /// Bytes held by the queue.
    pub queue_bytes: usize,
    /// A command could not be queued: EXEC answers `-EXECABORT`.
    pub broken: bool,
    /// EXEC runs what is queued.
    pub runs: bool,
    /// The flags of all commands that were queued, as bits.
    pub flags: u32,
}

impl Transaction {
    /// Queues a command that has these flags.
    pub fn push(&mut self, command: OwnedArgs, flags: u32) {
        self.flags |= flags;
        self.queue_bytes += size_of::<OwnedArgs>() + command.mem_bytes();
        self.queue.push(command);
    }

    /// It cannot be executed any more: forgets what was queued.
    pub fn break_off(&mut self) {
        *self = Transaction { broken: true, flags: self.flags, ..Transaction::default() };
    }
}

/// The state of one connection.
pub struct Session {
    pub key: SessionKey,
    /// CLIENT ID: never used again.
    pub id: u64,
    /// What waits to be sent to the client.
    pub out: Output,
    pub reply_room: ReplyRoom,
    pub db: usize,
    /// Whose rules hold for it.
    pub user: UserId,
    /// It logged in, or did not need to when it came.
    pub authenticated: bool,
    pub reply: ReplyMode,
    pub closing: Closing,
    /// It stands in the list of sessions whose output is to be written.
    pub dirty: bool,
    /// A watched key changed: EXEC fails.
    pub watch_broken: bool,
    /// It called MULTI or WATCH at some time.
    pub knows_multi: bool,
    /// Its output grew over the limit of its class: to be closed.
    pub overflowed: bool,
    /// It is shown every command: MONITOR.
    pub monitor: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT IMPORT-SOURCE.
    pub import_source: bool,
    /// CLIENT CAPA REDIRECT.
    pub can_redirect: bool,
    /// READONLY.
    pub readonly: bool,
    /// A script calls commands in its name.
    pub in_script: Option<Proto>,
    /// Part of a command, where one is not complete.
    pub parser: Option<Box<Parser>>,
    pub transaction: Option<Box<Transaction>>,
    pub watched: Vec<Watched>,
    pub subscriptions: Option<Box<Subscriptions>>,
    /// How it is told of changed keys: CLIENT TRACKING.
    pub tracker: Option<Box<Tracker>>,
    pub blocked: Option<Box<Blocked>>,
    /// Its place among those whose next command a pause holds back.
    pub postponed: Option<u64>,
    pub addr: Address,
    pub local_addr: Address,
    pub name: Option<Box<[u8]>>,
    pub lib_name: Option<Box<[u8]>>,
    pub lib_version: Option<Box<[u8]>>,
    pub created_ms: i64,
    pub last_active_ms: i64,
    /// Since when the output is over its soft limit.
    pub soft_limit_since_ms: Option<i64>,
    /// The command served last, as an index into the command table.
    pub last_command: u16,
    /// The size of the command that is served, in bytes.
    pub request_bytes: usize,
    /// What waited to be sent when it began.
    pub pending_before: usize,
    /// The number of the socket's descriptor; -1 without one.
    pub fd: i32,
    /// Bytes that the shell holds of this client's input.
    pub input_bytes: usize,
    pub commands: u64,
    /// What it adds to the sums over all.
    pub counted: Share,
    pub net_in_bytes: u64,
    pub net_out_bytes: u64,
}

impl Session {
    /// A new session.
    pub fn new(key: SessionKey, id: u64, addr: Address, local_addr: Address, now_ms: i64) -> Session {
        Session {
            key,
            id,
            out: Output::default(),
            reply_room: ReplyRoom::new(now_ms),
            db: 0,
            user: DEFAULT_USER,
            authenticated: false,
            reply: ReplyMode::On,
            closing: Closing::No,
            dirty: false,
            watch_broken: false,
            knows_multi: false,
            overflowed: false,
            monitor: false,
            no_touch: false,
            no_evict: false,
            import_source: false,
            can_redirect: false,
            readonly: false,
            in_script: None,
            parser: None,
            transaction: None,
            watched: Vec::new(),
            subscriptions: None,
            tracker: None,
            blocked: None,
            postponed: None,
            addr,
            local_addr,
            name: None,
            lib_name: None,
            lib_version: None,
            created_ms: now_ms,
            last_active_ms: now_ms,
            soft_limit_since_ms: None,
            last_command: u16::MAX,
            request_bytes: 0,
            pending_before: 0,
            fd: -1,
            input_bytes: 0,
            commands: 0,
            counted: Share::default(),
            net_in_bytes: 0,
            net_out_bytes: 0,
        }
    }

    /// Counts what came in, where so much of it is not used yet: what was left of the last time is counted already.
    pub fn count_input(&mut self, unused_bytes: usize) {
        self.net_in_bytes += unused_bytes.saturating_sub(self.input_bytes) as u64;
    }

    /// How much of the input that is held was not understood yet, in bytes.
    pub fn unread_bytes(&self) -> usize {
        let understood = self.parser.as_ref().map_or(0, |parser| parser.understood_bytes().0);
        self.input_bytes.saturating_sub(understood)
    }

    /// How much is still to come of the argument that is being received, in bytes. It takes no memory yet; but what
    /// clients may hold together is promised to it.
    pub fn awaited_bytes(&self) -> usize {
        let announced = self.parser.as_ref().map_or(0, |parser| parser.announced_bytes());
        announced.saturating_sub(self.input_bytes)
    }

    /// Whether its next command waits: for a key, for a replica, for the end of a pause.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.blocked.is_some() || self.postponed.is_some()
    }

    /// The protocol in which the client is answered.
    pub fn proto(&self) -> Proto {
        self.in_script.unwrap_or(self.out.proto)
    }

    /// Whether it receives messages, and so counts as a subscriber for limits and in RESP2 may only run few commands.
    #[inline]
    pub fn is_subscriber(&self) -> bool {
        self.subscriptions.as_ref().is_some_and(|subs| subs.count() > 0)
    }

    /// Whether RESP2's subscribed mode holds.
    #[inline]
    pub fn in_subscribed_mode(&self) -> bool {
        self.out.proto == Proto::Resp2 && self.is_subscriber()
    }

    /// Lets replies go nowhere where the client wants none; to be handed back to [`Session::unmute`].
    pub fn mute(&mut self) -> Option<Output> {
        let proto = self.out.proto;
        (self.reply != ReplyMode::On).then(|| std::mem::replace(&mut self.out, Output::muted(proto)))
    }

    /// Ends what [`Session::mute`] began: after the reply to one command.
    pub fn unmute(&mut self, real: Option<Output>) {
        let Some(real) = real else { return };
        let proto = self.out.proto;
        self.out = real;
        self.out.proto = proto;
        if self.reply == ReplyMode::SkipNext {
            self.reply = ReplyMode::On;
        }
    }

    /// Asks for the connection to be closed; the stronger wish holds.
    pub fn close(&mut self, how: Closing) {
        if self.closing != Closing::Now {
            self.closing = how;
        }
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        size_of::<Session>()
            + self.out.mem_bytes()
            + self.input_bytes
            + self.parser.as_ref().map_or(0, |p| size_of::<Parser>() + p.mem_bytes())
            + self.transaction.as_ref().map_or(0, |t| size_of::<Transaction>() + t.queue_bytes)
            + self.subscriptions.as_ref().map_or(0, |s| s.mem_bytes())
            + self.tracker.as_ref().map_or(0, |t| t.mem_bytes())
            + self.blocked.as_ref().map_or(0, |b| b.mem_bytes())
            + self.watched.capacity() * size_of::<Watched>()
            + [&self.name, &self.lib_name, &self.lib_version]
                .into_iter()
                .flatten()
                .map(|name| name.len())
                .sum::<usize>()
    }
}
