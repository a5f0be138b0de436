//! Floor 8: the shell around the engine: one poll loop over sockets.
//!
//! A turn: poll, read and feed each connection that has input within its budget, let the engine do what is due, write
//! once each output that has something. Interest in writing is registered only while an output is stuck.

mod conn;
mod listen;
mod listeners;
mod stream;

pub use listen::ListenError;

use crate::{
    engine::Engine,
    state::{
        Refusal,
        config::Config,
        session::{Closing, SessionKey},
    },
};
use conn::Conn;
use listen::Listener;
use listeners::Listeners;
use mio::{Events, Interest, Poll, Token, Waker, event::Event};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Bytes read from one connection at once.
const READ_BYTES: usize = 64 * 1024;
/// How often a turn reads from one connection while all that comes belongs to one command.
const LONG_READS: usize = 16;
/// Bytes written to one connection in one turn.
const WRITE_BYTES: usize = 256 << 10;
/// Connections accepted by one listener in one turn.
const ACCEPTS: usize = 256;
/// An input buffer that is empty is kept up to this size.
const KEPT_INPUT_BYTES: usize = 16 * 1024;

const WAKE: Token = Token(0);
const FIRST_LISTENER: usize = 1;
/// Tokens from here on are connections.
const FIRST_CONN: usize = 256;

/// A server with its sockets, to be driven turn by turn.
pub struct Shell {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    /// Shared with the applier of `port` and `bind`, which runs inside of a command.
    listeners: Arc<Mutex<Listeners>>,
    /// By session key.
    conns: Vec<Option<Conn>>,
    /// Connections to be served in this turn, or the next.
    run_queue: Vec<SessionKey>,
    /// Those of them whose peers have gone: served first, so that nobody hands them an element.
    gone: Vec<SessionKey>,
    read_buf: Box<[u8]>,
    scratch: Vec<SessionKey>,
    pub engine: Engine,
    /// Descriptors ran out: accepting waits until one comes back.
    accepting_since: Option<Instant>,
}

/// Whether a server goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Continue,
    /// SHUTDOWN was called.
    Stop,
}

impl Shell {
    /// A server that does not listen yet.
    pub fn new(mut engine: Engine) -> io::Result<Shell> {
        engine.state.probe = crate::sys::process::Probe::SYSTEM;
        engine.state.stand_still = std::thread::sleep;
        engine.state.edit_file = crate::sys::file::edit;
        engine.state.read_file = |path| std::fs::read(path);
        let poll = Poll::new()?;
        let listeners = Listeners::new(poll.registry().try_clone()?, FIRST_LISTENER);
        let listeners = Arc::new(Mutex::new(listeners));
        let (shared, journal) = (Arc::clone(&listeners), engine.state.journal.clone());
        engine.state.appliers.push(Box::new(move |old, new| {
            if old.port == new.port && old.bind == new.bind {
                return Ok(());
            }
            lock(&shared).rebind(old, new).map_err(|error| {
                journal.warn(format_args!("Warning: {error}"));
                if old.port == new.port {
                    Refusal { param: "bind", why: "Failed to bind to specified addresses.".into() }
                } else {
                    Refusal { param: "port", why: "Unable to listen on this port. Check server logs.".into() }
                }
            })
        }));
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(Shell {
            poll,
            events: Events::with_capacity(1024),
            waker,
            listeners,
            conns: Vec::new(),
            run_queue: Vec::new(),
            gone: Vec::new(),
            read_buf: vec![0; READ_BYTES].into_boxed_slice(),
            scratch: Vec::new(),
            engine,
            accepting_since: None,
        })
    }

    /// What ends a poll from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Listens on an address alone, and says so in `bind` and `port`; returns the address it got.
    pub fn listen_tcp(&mut self, addr: SocketAddr) -> Result<SocketAddr, ListenError> {
        let config = &mut self.engine.state.config;
        let listener = Listener::tcp(addr, config.tcp_backlog as i32)?;
        let local = listener.tcp_addr().unwrap_or(addr);
        lock(&self.listeners).add(listener)?;
        (config.bind, config.port) = (vec![local.ip().to_string()], local.port().into());
        self.engine.state.identity.tcp_port = local.port();
        Ok(local)
    }

    /// Listens on the addresses of `bind` at `port`, and on `unixsocket`, where these are set.
    pub fn listen_configured(&mut self) -> Result<(), ListenError> {
        let config = self.engine.state.config.clone();
        lock(&self.listeners).bind(&config)?;
        self.engine.state.identity.tcp_port = config.port as u16;
        if !config.unixsocket.is_empty() {
            self.listen_unix(&config.unixsocket)?;
        }
        Ok(())
    }

    /// Listens on a Unix socket; a file that stands at its path is replaced.
    pub fn listen_unix(&mut self, path: &str) -> Result<(), ListenError> {
        let Config { unixsocketperm, unixsocketgroup, tcp_backlog, .. } = &self.engine.state.config;
        let listener = Listener::unix(path, *unixsocketperm as u32, unixsocketgroup, *tcp_backlog as i32)?;
        lock(&self.listeners).add(listener)
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.conns.iter().flatten().count()
    }

    /// One turn: waits for at most `timeout` (`None`: until something is due) and serves what came.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let timeout = self.sleep_for(timeout);
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(error),
        }
        self.engine.refresh();
        self.take_events();
        self.serve_run_queue();
        self.engine.tick();
        self.serve_resumed();
        self.flush_all();
        if self.engine.evict_clients() {
            self.flush_all();
        }
        self.retry_accept();
        self.engine.end_turn();
        Ok(if self.engine.state.stopping { Turn::Stop } else { Turn::Continue })
    }

    /// How long the poll may sleep.
    fn sleep_for(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.run_queue.is_empty() || self.engine.has_work() {
            return Some(Duration::ZERO);
        }
        if self.engine.state.clock.is_virtual() {
            // Nothing becomes due by itself: whoever moves the clock wakes the poll.
            return timeout;
        }
        let due_ms = self.engine.next_deadline_ms().saturating_sub(self.engine.now_ms()).max(0) as u64;
        // A deadline in a millisecond is over when that has passed.
        let due = Duration::from_millis(due_ms);
        Some(timeout.map_or(due, |timeout| timeout.min(due)))
    }

    fn take_events(&mut self) {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token().0 {
                0 => {}
                at if at < FIRST_CONN => self.accept(at - FIRST_LISTENER),
                at => self.take_conn_event(at - FIRST_CONN, event),
            }
        }
        self.events = events;
    }

    fn take_conn_event(&mut self, key: SessionKey, event: &Event) {
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            conn.unread = true;
            conn.peer_closed |= event.is_read_closed() || event.is_error();
            if !std::mem::replace(&mut conn.queued, true) {
                let queue = if conn.peer_closed { &mut self.gone } else { &mut self.run_queue };
                queue.push(key);
            }
        }
        if event.is_writable() && conn.wants_write {
            self.engine.state.touch_output(key);
        }
    }

    /// Accepts what waits at a listener.
    fn accept(&mut self, at: usize) {
        for _ in 0..ACCEPTS {
            let keepalive_s = self.engine.state.config.tcp_keepalive_s;
            // One that is closed had its last event on the way.
            let accepted = match lock(&self.listeners).get(at) {
                Some(listener) => listener.accept(keepalive_s),
                None => return,
            };
            let (mut stream, addr, local) = match accepted {
                Ok(Some(accepted)) => accepted,
                Ok(None) => return,
                Err(error) => {
                    if self.accepting_since.is_none() {
                        let journal = &self.engine.state.journal;
                        journal.warn(format_args!("Accepting client connection: {error}"));
                    }
                    self.accepting_since = Some(Instant::now());
                    return;
                }
            };
            match self.engine.open(addr, local) {
                Ok(key) => {
                    if let Err(error) =
                        stream.register(self.poll.registry(), conn_token(key), Interest::READABLE)
                    {
                        self.engine.state.journal.warn(format_args!("Registering a client: {error}"));
                        self.engine.close(key);
                        continue;
                    }
                    if let Some(session) = self.engine.session(key) {
                        session.fd = stream.fd();
                    }
                    if key >= self.conns.len() {
                        self.conns.resize_with(key + 1, || None);
                    }
                    debug_assert!(self.conns[key].is_none());
                    self.conns[key] = Some(Conn::new(stream));
                }
                Err(refusal) => {
                    // Nothing is lost if it does not fit: the connection is closed anyway.
                    let _ = stream.write(refusal);
                }
            }
        }
        // More may wait, and no new edge will tell.
        self.accepting_since = Some(Instant::now());
    }

    /// Accepts again after descriptors had run out, or a turn's share was used up.
    fn retry_accept(&mut self) {
        let Some(since) = self.accepting_since else { return };
        if since.elapsed() < Duration::from_millis(20) {
            return;
        }
        self.accepting_since = None;
        let places = lock(&self.listeners).len();
        for at in 0..places {
            self.accept(at);
        }
    }

    fn serve_run_queue(&mut self) {
        let mut queue = std::mem::replace(&mut self.run_queue, std::mem::take(&mut self.scratch));
        self.engine.share_turn(queue.len() + self.gone.len());
        let mut gone = std::mem::take(&mut self.gone);
        for key in gone.drain(..).chain(queue.drain(..)) {
            self.serve(key);
        }
        (self.gone, self.scratch) = (gone, queue);
    }

    /// Clients that waited and no longer do go on with the input that they sent meanwhile.
    fn serve_resumed(&mut self) {
        let mut resumed = std::mem::take(&mut self.scratch);
        self.engine.take_resumed(&mut resumed);
        for key in resumed.drain(..) {
            let Some(Some(conn)) = self.conns.get_mut(key) else { continue };
            if !conn.kept().is_empty() || conn.unread {
                conn.behind = true;
                if !std::mem::replace(&mut conn.queued, true) {
                    self.run_queue.push(key);
                }
            }
        }
        self.scratch = resumed;
    }

    /// Serves one connection within its budget: first what was left of the last turn, then what it sent since.
    fn serve(&mut self, key: SessionKey) {
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        conn.queued = false;
        if conn.behind {
            let fed = self.engine.feed(key, conn.kept());
            conn.use_up(fed.consumed);
            conn.behind = fed.more;
        }
        let mut closed = false;
        let mut reads = 0;
        while !conn.behind && conn.unread {
            match conn.stream.read(&mut self.read_buf) {
                Ok(0) => {
                    conn.unread = false;
                    return self.end_input(key);
                }
                Ok(n) => {
                    // A short read took all there was; but behind the last bytes of a peer that closed stands its end.
                    conn.unread = n == self.read_buf.len() || conn.peer_closed;
                    self.engine.state.stats.net_in_bytes += n as u64;
                    self.engine.state.stats.reads += 1;
                    let input = &self.read_buf[..n];
                    let fed = if conn.kept().is_empty() {
                        let fed = self.engine.feed(key, input);
                        conn.keep(&input[fed.consumed..]);
                        fed
                    } else {
                        conn.keep(input);
                        let fed = self.engine.feed(key, conn.kept());
                        conn.use_up(fed.consumed);
                        fed
                    };
                    conn.behind = fed.more;
                    reads += 1;
                    if fed.consumed > 0 || reads == LONG_READS {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => conn.unread = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    closed = true;
                    break;
                }
            }
        }
        if closed {
            return self.close(key);
        }
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        if (conn.behind || conn.unread) && !std::mem::replace(&mut conn.queued, true) {
            self.run_queue.push(key);
        }
    }

    /// The peer sends no more. What it asked for before is still written, since it may have closed its side alone; a
    /// wait ends at once.
    fn end_input(&mut self, key: SessionKey) {
        match self.engine.session(key) {
            Some(session) if session.blocked.is_none() && !session.out.is_empty() => {
                session.close(Closing::AfterReply);
                self.engine.state.touch_output(key);
            }
            _ => self.close(key),
        }
    }

    fn flush_all(&mut self) {
        let mut dirty = std::mem::take(&mut self.scratch);
        // A client that is closed makes no output for others, so one pass is enough.
        self.engine.take_dirty(&mut dirty);
        for key in dirty.drain(..) {
            self.flush(key);
        }
        self.scratch = dirty;
    }

    /// Writes the output of one connection as far as the socket takes it.
    fn flush(&mut self, key: SessionKey) {
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        let mut budget = WRITE_BYTES;
        let mut stuck = false;
        let mut failed = false;
        while budget > 0 {
            let Some(session) = self.engine.session(key) else { break };
            if session.out.is_empty() || session.closing == Closing::Now {
                break;
            }
            match conn.write(&session.out) {
                Ok(n) => {
                    budget = budget.saturating_sub(n);
                    self.engine.wrote(key, n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stuck = true;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    failed = true;
                    break;
                }
            }
        }
        let pending = self.engine.output(key).is_some_and(|out| !out.is_empty());
        if pending {
            self.engine.check_output_limits(key);
            if !stuck {
                self.engine.state.touch_output(key);
            }
        }
        if failed || self.engine.is_done(key) {
            return self.close(key);
        }
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        if stuck != conn.wants_write {
            let interest = if stuck { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            match conn.stream.reregister(self.poll.registry(), conn_token(key), interest) {
                Ok(()) => conn.wants_write = stuck,
                Err(_) => self.close(key),
            }
        }
    }

    fn close(&mut self, key: SessionKey) {
        if let Some(mut conn) = self.conns.get_mut(key).and_then(Option::take) {
            // The descriptor is closed right after, which deregisters it anyway.
            let _ = conn.stream.deregister(self.poll.registry());
            self.engine.close(key);
        }
        if self.accepting_since.is_some() {
            self.accepting_since = Instant::now().checked_sub(Duration::from_secs(1));
        }
    }

    /// Writes what can be written at once, for the last time.
    pub fn finish(&mut self) {
        self.flush_all();
        for key in 0..self.conns.len() {
            self.close(key);
        }
        lock(&self.listeners).clear();
    }
}

/// The thread that holds it is this one; after a panic the server ends.
fn lock(listeners: &Mutex<Listeners>) -> MutexGuard<'_, Listeners> {
    listeners.lock().unwrap_or_else(PoisonError::into_inner)
}

fn conn_token(key: SessionKey) -> Token {
    Token(FIRST_CONN + key)
}
