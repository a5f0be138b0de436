//! Input: from bytes to commands, within a budget, so that no connection holds the loop.

use super::Engine;
use crate::{
    command::{Alone, Args, Attendant, Behaviour, CmdError},
    resp::output::Output,
    resp::request::{Limits, Parsed, ProtocolError},
    state::session::{Closing, ReplyMode, Session, SessionKey},
    sys::fatal,
};

/// Most work for one connection in one turn: a command counts 1, and more for what it makes others receive.
const TURN_BUDGET: usize = 4096;
/// Most time for all connections of one turn, in nanoseconds, beside the commands that each may run anyway.
const TURN_NS: u64 = 1_000_000;
/// So many commands that came together run together, however long they take: a clock that runs on while the system lets
/// others work would else let other clients in between, which who sends a short pipeline does not look for.
const SHORT_PIPELINE: usize = 32;
/// Least time for one of them.
const LEAST_SHARE_NS: u64 = 100_000;
/// Bytes of output that count as much as a command.
const BYTES_PER_UNIT: usize = 1024;

/// Most input that is kept of a client, whatever the parameters say: arguments are found by 32 bits.
const QUERY_MAX_BYTES: usize = 3 << 30;

/// What ends an argument.
const LINE_END_BYTES: usize = 2;

/// What became of input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fed {
    /// Bytes that were used; the rest is to be handed in again, with more behind it.
    pub consumed: usize,
    /// The budget ended before the input: hand it in again in the next turn, though nothing new came.
    pub more: bool,
}

impl Engine {
    /// Says how many connections are about to be served in this turn, for each to have its share of the time.
    pub fn share_turn(&mut self, connections: usize) {
        self.share_ns = (TURN_NS / connections.max(1) as u64).max(LEAST_SHARE_NS);
    }

    /// Serves the commands in `input`: what a connection sent and was not consumed before.
    pub fn feed(&mut self, key: SessionKey, input: &[u8]) -> Fed {
        self.feed_attended(key, input, &mut Alone)
    }

    /// The same; while a script runs long the attendant serves others.
    pub fn feed_attended(&mut self, key: SessionKey, input: &[u8], attendant: &mut dyn Attendant) -> Fed {
        if self.state.config.maxmemory_clients != 0 {
            self.weigh(key, input.len());
        }
        let Some(mut session) = self.state.sessions.get_mut(key).and_then(Option::take) else {
            return Fed { consumed: input.len(), more: false };
        };
        session.last_active_ms = self.store.now_ms;
        session.count_input(input.len());
        let mut parser = match session.parser.take() {
            Some(parser) => *parser,
            None => std::mem::take(&mut self.parser),
        };
        session.out.lend(&mut self.state.pool, session.reply_room.bytes());
        let mut limits = Limits { bulk_max_bytes: self.state.config.bulk_max_bytes, authenticated: true };
        let (mut at, mut work, mut commands, mut more) = (0, 0, 0, false);
        // Reading the socket is no part of the first command.
        self.last_ticks_ns = self.state.clock.ticks_ns();
        let end_ns = self.last_ticks_ns + self.share_ns;
        let mut scout = std::mem::take(&mut self.scout);
        scout.clear();
        while !session.is_waiting() && session.closing == Closing::No {
            if work >= TURN_BUDGET || commands >= SHORT_PIPELINE && self.last_ticks_ns > end_ns {
                more = at < input.len();
                break;
            }
            commands += 1;
            limits.authenticated = !self.state.must_log_in(&session);
            limits.bulk_max_bytes = self.state.config.bulk_max_bytes;
            let pending = session.out.pending_bytes();
            if scout.is_empty() && !parser.is_inside() && !self.store.fits_cache(session.db) {
                let place = (session.db, session.last_command);
                scout.look_ahead((&self.store, &self.table), place, (input, at), &limits);
            }
            if let Some((args, end)) = scout.take(input, &mut self.store) {
                session.request_bytes = end - at;
                session = self.serve(session, args, attendant);
                work += self.work_since(&session, pending);
                if session.postponed.is_none() {
                    at = end;
                }
                continue;
            }
            let end = match parser.parse(input, at, &limits) {
                Ok(Parsed::Command(end)) => {
                    session.request_bytes = end - at;
                    session = self.serve(session, Args::new(input, &parser.spans), attendant);
                    end
                }
                Ok(Parsed::Inline(end)) => {
                    // What the words would take in one line without their quotes.
                    session.request_bytes = parser.line.len() + parser.spans.len() + 1;
                    session = self.serve(session, Args::new(&parser.line, &parser.spans), attendant);
                    end
                }
                Ok(Parsed::Nothing(end)) => end,
                Ok(Parsed::Incomplete) => break,
                Err(error) => {
                    self.break_off(&mut session, &error);
                    input.len()
                }
            };
            // What a pause holds back is read again at its end.
            if session.postponed.is_none() {
                at = end;
            }
            work += self.work_since(&session, pending);
        }
        fatal::note(None);
        self.store.expect(&[], 0);
        self.scout = scout;
        if session.closing != Closing::No {
            parser.reset();
            at = input.len();
        }
        parser.rebase(at);
        if parser.is_inside() && session.closing == Closing::No {
            session.parser = Some(Box::new(parser));
        } else {
            parser.reset();
            self.parser = parser;
        }
        session.input_bytes = input.len() - at;
        let waiting_bytes = session.unread_bytes();
        self.check_query_limit(&mut session, waiting_bytes);
        if session.out.is_empty() {
            session.out.reclaim(&mut self.state.pool);
        } else if !session.dirty {
            session.dirty = true;
            self.state.dirty.push(key);
        }
        if session.closing != Closing::No && !session.dirty {
            session.dirty = true;
            self.state.dirty.push(key);
        }
        // What has output is counted when that is written, unless others may have to go for it before.
        if !session.dirty || self.state.config.maxmemory_clients != 0 {
            self.state.totals.recount(&mut session);
        }
        self.state.sessions[key] = Some(session);
        Fed { consumed: at, more }
    }

    /// What a command counts in the budget of a turn, when `pending` bytes of output waited before it.
    #[inline]
    fn work_since(&mut self, session: &Session, pending: usize) -> usize {
        1 + session.out.pending_bytes().saturating_sub(pending) / BYTES_PER_UNIT + self.delivered()
    }

    /// Runs one command. The session comes back, from the others, where something had to be settled among them.
    #[inline]
    fn serve(
        &mut self,
        mut session: Box<Session>,
        args: Args<'_>,
        attendant: &mut dyn Attendant,
    ) -> Box<Session> {
        if session.request_bytes as i64 > self.state.config.query_buffer_max_bytes {
            let longest = args.from(0).map(<[u8]>::len).max().unwrap_or(0);
            self.check_query_limit(&mut session, longest + LINE_END_BYTES);
            if session.closing != Closing::No {
                return session;
            }
        }
        if self.state.config.maxmemory_bytes != 0 {
            self.make_room_first();
            session = self.settle_amid(session);
        }
        if session.reply == ReplyMode::On {
            self.run(&mut session, args, attendant);
        } else {
            self.run_muted(&mut session, args, attendant);
        }
        self.settle_amid(session)
    }

    /// Settles what there is while a session is being served.
    #[inline]
    fn settle_amid(&mut self, session: Box<Session>) -> Box<Session> {
        if self.nothing_to_settle() {
            return session;
        }
        let key = session.key;
        self.state.sessions[key] = Some(session);
        self.settle();
        self.state.sessions[key].take().expect("settling closes nobody's session")
    }

    /// CLIENT REPLY OFF and SKIP: the reply goes nowhere.
    #[cold]
    fn run_muted(&mut self, session: &mut Session, args: Args<'_>, attendant: &mut dyn Attendant) {
        let called = self.table.lookup(args, session.last_command);
        if called.is_ok_and(|id| self.table.entry(id).spec.behaviour.has(Behaviour::ALWAYS_HEARD)) {
            if session.reply == ReplyMode::SkipNext {
                session.reply = ReplyMode::On;
            }
            return self.run(session, args, attendant);
        }
        let proto = session.out.proto;
        let real = std::mem::replace(&mut session.out, Output::muted(proto));
        let skipped = session.reply == ReplyMode::SkipNext;
        if skipped {
            // For this command alone, unless it is CLIENT REPLY once more.
            session.reply = ReplyMode::Skipping;
        }
        self.run(session, args, attendant);
        let proto = session.out.proto;
        let mut muted = std::mem::replace(&mut session.out, real);
        session.out.proto = proto;
        match session.reply {
            // The reply to who waits is still to come.
            ReplyMode::Skipping if session.is_waiting() => session.reply = ReplyMode::SkipNext,
            ReplyMode::Skipping => session.reply = ReplyMode::On,
            // CLIENT REPLY ON answers.
            ReplyMode::On => session.out.append(&mut muted),
            ReplyMode::Off | ReplyMode::SkipNext => {}
        }
    }

    /// Answers input that breaks the protocol, or comes from a browser, and has the connection closed.
    fn break_off(&mut self, session: &mut Session, error: &ProtocolError) {
        self.state.journal.verbose(format_args!("Protocol error ({}) from client {}", error.0, session.addr));
        let error = CmdError::with(format!("ERR Protocol error: {}", error.0));
        session.out.error(&error);
        self.state.stats.count_error(error.code());
        session.close(Closing::AfterReply);
    }

    /// Closes a client of whose input too much waits to be understood, what it queued in a transaction included.
    /// Arguments that are whole do not wait, as in Valkey.
    fn check_query_limit(&mut self, session: &mut Session, waiting_bytes: usize) {
        let queued_bytes = session.transaction.as_ref().map_or(0, |t| t.queue_bytes);
        let max_bytes = self.state.config.query_buffer_max_bytes as usize;
        if waiting_bytes + queued_bytes > max_bytes || session.input_bytes + queued_bytes > QUERY_MAX_BYTES {
            self.state.journal.warn(format_args!(
                "Closing client that reached max query buffer length: id={} addr={} qbuf={waiting_bytes}",
                session.id, session.addr
            ));
            self.state.stats.query_limit_disconnections += 1;
            session.close(Closing::Now);
        }
    }
}
