//! Floor 8: the shell around the engine: one poll loop over sockets.
//!
//! A turn: poll, read and feed each connection that has input within its budget, let the engine do what is due, write
//! once each output that has something. Interest in writing is registered only while an output is stuck.

mod conn;
mod links;
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
use links::Links;
use listen::Listener;
use listeners::Listeners;
use mio::{Events, Interest, Poll, Token, Waker};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

/// Bytes read from one connection at once.
const READ_BYTES: usize = 64 * 1024;
/// How often a turn reads from one connection while all that comes belongs to one command.
const LONG_READS: usize = 64;
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
    links: Links,
    events: Events,
    waker: Arc<Waker>,
    read_buf: Box<[u8]>,
    scratch: Vec<SessionKey>,
    pub engine: Engine,
}

/// Why a connection is read no more.
enum End {
    /// The peer sends no more.
    Input,
    Failed,
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
        let links = Links {
            poll,
            listeners,
            conns: Vec::new(),
            run_queue: Vec::new(),
            gone: Vec::new(),
            accepting_since: None,
            were_events_taken: false,
            ends: Arc::default(),
        };
        Ok(Shell {
            links,
            events: Events::with_capacity(1024),
            waker,
            read_buf: vec![0; READ_BYTES].into_boxed_slice(),
            scratch: Vec::new(),
            engine,
        })
    }

    /// What ends a poll from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// What ends the server, though a script runs that does not end, once the poll is woken.
    pub fn ends(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.links.ends)
    }

    /// Listens on an address alone, and says so in `bind` and `port`; returns the address it got.
    pub fn listen_tcp(&mut self, addr: SocketAddr) -> Result<SocketAddr, ListenError> {
        let config = &mut self.engine.state.config;
        let listener = Listener::tcp(addr, config.tcp_backlog as i32)?;
        let local = listener.tcp_addr().unwrap_or(addr);
        lock(&self.links.listeners).add(listener)?;
        (config.bind, config.port) = (vec![local.ip().to_string()], local.port().into());
        self.engine.state.identity.tcp_port = local.port();
        Ok(local)
    }

    /// Listens on the addresses of `bind` at `port`, and on `unixsocket`, where these are set.
    pub fn listen_configured(&mut self) -> Result<(), ListenError> {
        let config = self.engine.state.config.clone();
        lock(&self.links.listeners).bind(&config)?;
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
        lock(&self.links.listeners).add(listener)
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.links.conns.iter().flatten().count()
    }

    /// One turn: waits for at most `timeout` (`None`: until something is due) and serves what came.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let timeout = self.sleep_for(timeout);
        match self.links.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(error),
        }
        self.engine.refresh();
        self.take_events();
        self.serve_run_queue();
        self.engine.tick();
        self.serve_resumed();
        self.links.leave_if(self.engine.state.stopping);
        self.flush_all();
        if self.engine.evict_clients() {
            self.flush_all();
        }
        let now_ms = self.engine.now_ms();
        self.links.retry_accept(&mut self.engine.state, now_ms);
        self.engine.end_turn();
        Ok(if self.engine.state.stopping { Turn::Stop } else { Turn::Continue })
    }

    /// How long the poll may sleep.
    fn sleep_for(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.links.run_queue.is_empty() || self.engine.has_work() {
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
        let now_ms = self.engine.now_ms();
        for event in &self.events {
            self.links.take_event(&mut self.engine.state, now_ms, event);
        }
    }

    fn serve_run_queue(&mut self) {
        let mut queue = std::mem::replace(&mut self.links.run_queue, std::mem::take(&mut self.scratch));
        self.engine.share_turn(queue.len() + self.links.gone.len());
        let mut gone = std::mem::take(&mut self.links.gone);
        for key in gone.drain(..).chain(queue.drain(..)) {
            self.serve(key);
        }
        (self.links.gone, self.scratch) = (gone, queue);
    }

    /// Clients that waited and no longer do go on with the input that they sent meanwhile.
    fn serve_resumed(&mut self) {
        let mut resumed = std::mem::take(&mut self.scratch);
        self.engine.take_resumed(&mut resumed);
        for key in resumed.drain(..) {
            let Some(Some(conn)) = self.links.conns.get_mut(key) else { continue };
            if !conn.kept().is_empty() || conn.unread {
                conn.behind = true;
                if !std::mem::replace(&mut conn.queued, true) {
                    self.links.run_queue.push(key);
                }
            }
        }
        self.scratch = resumed;
    }

    /// Serves one connection within its budget: first what was left of the last turn, then what it sent since.
    fn serve(&mut self, key: SessionKey) {
        // Out of its place, as others may be served meanwhile.
        let Some(mut conn) = self.links.conns.get_mut(key).and_then(Option::take) else { return };
        conn.queued = false;
        let end = self.serve_conn(key, &mut conn);
        conn.unread |= std::mem::take(&mut self.links.were_events_taken);
        let goes_on = end.is_none() && (conn.behind || conn.unread);
        conn.queued = goes_on;
        self.links.conns[key] = Some(conn);
        match end {
            None if goes_on => self.links.run_queue.push(key),
            None => {}
            Some(End::Input) => self.end_input(key),
            Some(End::Failed) => self.close(key),
        }
    }

    fn serve_conn(&mut self, key: SessionKey, conn: &mut Conn) -> Option<End> {
        let links = &mut self.links;
        if conn.behind {
            let fed = self.engine.feed_attended(key, conn.kept(), links);
            conn.use_up(fed.consumed);
            conn.behind = fed.more;
        }
        let mut reads = 0;
        while !conn.behind && conn.unread {
            match conn.stream.read(&mut self.read_buf) {
                Ok(0) => {
                    conn.unread = false;
                    return Some(End::Input);
                }
                Ok(n) => {
                    // A short read took all there was; but behind the last bytes of a peer that closed stands its end.
                    conn.unread = n == self.read_buf.len() || conn.peer_closed;
                    self.engine.state.stats.net_in_bytes += n as u64;
                    self.engine.state.stats.reads += 1;
                    let input = &self.read_buf[..n];
                    let fed = if conn.kept().is_empty() {
                        let fed = self.engine.feed_attended(key, input, links);
                        conn.keep(&input[fed.consumed..]);
                        fed
                    } else {
                        conn.keep(input);
                        let fed = self.engine.feed_attended(key, conn.kept(), links);
                        conn.use_up(fed.consumed);
                        fed
                    };
                    conn.behind = fed.more;
                    // To take in what there is of a long command makes room for more of it, which may come at once.
                    conn.unread |= fed.consumed == 0;
                    reads += 1;
                    if fed.consumed > 0 || reads == LONG_READS {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => conn.unread = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Some(End::Failed),
            }
        }
        None
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
        let Some(Some(conn)) = self.links.conns.get_mut(key) else { return };
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
        let Some(Some(conn)) = self.links.conns.get_mut(key) else { return };
        if stuck != conn.wants_write {
            let interest = if stuck { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            match conn.stream.reregister(self.links.poll.registry(), conn_token(key), interest) {
                Ok(()) => conn.wants_write = stuck,
                Err(_) => self.close(key),
            }
        }
    }

    fn close(&mut self, key: SessionKey) {
        self.links.close(&mut self.engine.state, key);
    }

    /// Writes what can be written at once, for the last time.
    pub fn finish(&mut self) {
        self.links.leave_if(true);
        self.flush_all();
        for key in 0..self.links.conns.len() {
            self.close(key);
        }
    }
}

/// The thread that holds it is this one; after a panic the server ends.
fn lock(listeners: &Mutex<Listeners>) -> MutexGuard<'_, Listeners> {
    listeners.lock().unwrap_or_else(PoisonError::into_inner)
}

fn conn_token(key: SessionKey) -> Token {
    Token(FIRST_CONN + key)
}
