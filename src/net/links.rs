//! Sockets and what waits at them: accepted, noticed, closed. While a script runs long they are served from here.

use super::{
    ACCEPTS, FIRST_CONN, FIRST_LISTENER, READ_BYTES, conn::Conn, conn_token, listeners::Listeners, lock,
};
use crate::{
    command::{Attendant, Front},
    engine::busy,
    state::{State, session::SessionKey},
};
use mio::{Events, Interest, Poll, event::Event};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Events that are taken at a time while a script runs.
const BUSY_EVENTS: usize = 256;

/// The poll, and all sockets.
pub(super) struct Links {
    pub poll: Poll,
    /// Shared with the applier of `port` and `bind`, which runs inside of a command.
    pub listeners: Arc<Mutex<Listeners>>,
    /// By session key. The one that is being served is out of its place.
    pub conns: Vec<Option<Box<Conn>>>,
    /// Connections to be served in this turn, or the next.
    pub run_queue: Vec<SessionKey>,
    /// Those of them whose peers have gone: served first, so that nobody hands them an element.
    pub gone: Vec<SessionKey>,
    /// Descriptors ran out: accepting waits until one comes back.
    pub accepting_since: Option<Instant>,
    /// Events were taken while a script ran: its own client may have sent something, too.
    pub were_events_taken: bool,
    /// The server is to end, whatever runs.
    pub ends: Arc<AtomicBool>,
}

impl Links {
    /// Notes what an event says. Of connections it says that they are to be served.
    pub fn take_event(&mut self, state: &mut State, now_ms: i64, event: &Event) {
        match event.token().0 {
            0 => {}
            at if at < FIRST_CONN => self.accept(state, now_ms, at - FIRST_LISTENER),
            at => self.take_conn_event(state, at - FIRST_CONN, event),
        }
    }

    fn take_conn_event(&mut self, state: &mut State, key: SessionKey, event: &Event) {
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
            state.touch_output(key);
        }
    }

    /// Accepts what waits at a listener.
    pub fn accept(&mut self, state: &mut State, now_ms: i64, at: usize) {
        for _ in 0..ACCEPTS {
            let keepalive_s = state.config.tcp_keepalive_s;
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
                        let journal = &state.journal;
                        journal.warn(format_args!("Accepting client connection: {error}"));
                    }
                    self.accepting_since = Some(Instant::now());
                    return;
                }
            };
            match state.admit(now_ms, addr, local) {
                Ok(key) => {
                    if let Err(error) =
                        stream.register(self.poll.registry(), conn_token(key), Interest::READABLE)
                    {
                        state.journal.warn(format_args!("Registering a client: {error}"));
                        state.forget(key);
                        continue;
                    }
                    if let Some(Some(session)) = state.sessions.get_mut(key) {
                        session.fd = stream.fd();
                    }
                    if key >= self.conns.len() {
                        self.conns.resize_with(key + 1, || None);
                    }
                    debug_assert!(self.conns[key].is_none());
                    self.conns[key] = Some(Box::new(Conn::new(stream)));
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
    pub fn retry_accept(&mut self, state: &mut State, now_ms: i64) {
        let Some(since) = self.accepting_since else { return };
        if since.elapsed() < Duration::from_millis(20) {
            return;
        }
        self.accepting_since = None;
        let places = lock(&self.listeners).len();
        for at in 0..places {
            self.accept(state, now_ms, at);
        }
    }

    /// Listens no more if the server `stops`: whoever sees its connection end for that finds nobody to connect to.
    pub fn leave_if(&mut self, stops: bool) {
        if stops {
            lock(&self.listeners).clear();
        }
    }

    /// Ends a connection.
    pub fn close(&mut self, state: &mut State, key: SessionKey) {
        if let Some(mut conn) = self.conns.get_mut(key).and_then(Option::take) {
            // The descriptor is closed right after, which deregisters it anyway.
            let _ = conn.stream.deregister(self.poll.registry());
            state.forget(key);
        }
        if self.accepting_since.is_some() {
            self.accepting_since = Instant::now().checked_sub(Duration::from_secs(1));
        }
    }

    /// Reads what a connection sent and answers that the server is busy.
    fn serve_busy(&mut self, front: &mut Front<'_>, key: SessionKey, read_buf: &mut [u8]) {
        let Some(Some(conn)) = self.conns.get_mut(key) else { return };
        // Input that a turn before the script left over waits for its end.
        if !conn.behind && conn.unread {
            match conn.stream.read(read_buf) {
                // Its end is looked at after the script.
                Ok(0) => {}
                Ok(n) => {
                    conn.unread = n == read_buf.len() || conn.peer_closed;
                    front.state.stats.net_in_bytes += n as u64;
                    front.state.stats.reads += 1;
                    conn.keep(&read_buf[..n]);
                    let fed = busy::feed(front, key, conn.kept());
                    conn.use_up(fed.consumed);
                    conn.behind = fed.more;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => conn.unread = false,
                // What else is wrong shows after the script.
                Err(_) => {}
            }
        }
        conn.queued = conn.behind || conn.unread;
        if conn.queued {
            self.run_queue.push(key);
        }
    }

    /// Writes the output of a connection as far as the socket takes it at once.
    fn flush_busy(&mut self, front: &mut Front<'_>, key: SessionKey) {
        let now_ms = front.store.now_ms;
        let Some(Some(conn)) = self.conns.get_mut(key) else {
            return front.state.dirty.push(key);
        };
        let Some(Some(session)) = front.state.sessions.get_mut(key) else { return };
        session.dirty = false;
        if !session.out.is_empty()
            && let Ok(n) = conn.write(&session.out)
        {
            front.state.wrote(now_ms, key, n);
        }
        if front.state.is_done(key) {
            return self.close(front.state, key);
        }
        if front.state.sessions[key].as_ref().is_some_and(|session| !session.out.is_empty()) {
            front.state.touch_output(key);
        }
    }
}

impl Attendant for Links {
    fn attend(&mut self, front: &mut Front<'_>) {
        if self.ends.load(Ordering::SeqCst) {
            front.state.stopping = true;
            return;
        }
        let mut events = Events::with_capacity(BUSY_EVENTS);
        if self.poll.poll(&mut events, Some(Duration::ZERO)).is_err() {
            return;
        }
        self.were_events_taken = true;
        let now_ms = front.store.now_ms;
        for event in &events {
            self.take_event(front.state, now_ms, event);
        }
        self.retry_accept(front.state, now_ms);
        let mut read_buf = vec![0; READ_BYTES];
        // Those that had their place in the turn behind the script's client stand in no queue of these.
        (self.gone, self.run_queue) = (Vec::new(), Vec::new());
        for key in 0..self.conns.len() {
            self.serve_busy(front, key, &mut read_buf);
        }
        self.leave_if(front.state.stopping);
        for key in std::mem::take(&mut front.state.dirty) {
            self.flush_busy(front, key);
        }
    }
}
