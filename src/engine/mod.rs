//! Floor 7: the engine: bytes, a connection's number and the time go in; bytes, effects and the next deadline come out.
//!
//! It does no I/O and reads no clock but the one it was given. One turn of its owner's loop: [`Engine::refresh`],
//! [`Engine::feed`] for each connection that has input, [`Engine::tick`] when [`Engine::next_deadline_ms`] has come,
//! then the outputs in [`Engine::take_dirty`] are written.

pub mod busy;
mod call;
mod cron;
mod evict;
mod feed;
mod leave;
mod observe;
mod scout;
mod settle;
mod track;

use crate::{
    base::{clock::Clock, rng::Rng},
    command::{
        effects::Effects,
        table::{CommandId, Table},
    },
    resp::{output::Output, request::Parser},
    state::{
        State,
        acl::{Acl, User},
        config::{Config, ConfigError, Rename},
        session::{Address, Session, SessionKey},
    },
    store::Store,
};
use cron::Cron;
use scout::Scout;

pub use feed::Fed;

/// A server without sockets.
pub struct Engine {
    pub state: State,
    pub store: Store,
    table: Table,
    effects: Effects,
    /// The parser of whoever is not inside a command.
    parser: Parser,
    /// What looks ahead.
    scout: Scout,
    cron: Cron,
    /// Messages and elements handed to others since the budget was last charged.
    delivered: usize,
    /// Unix time in microseconds, and ticks, when the clock was last read in full.
    base_us: i64,
    base_ticks_ns: u64,
    /// Ticks at which the next millisecond begins.
    next_ms_ticks_ns: u64,
    /// Ticks at the end of the last command.
    last_ticks_ns: u64,
    /// How long the commands of one connection may run in this turn.
    share_ns: u64,
}

pub use crate::state::connections::Refusal;

/// All commands by the names that `rename-command` gives them. The error names the line that cannot be followed.
pub fn commands(config: &Config) -> Result<Table, ConfigError> {
    let mut table = Table::new(crate::cmd::FAMILIES);
    for Rename { command, name, place } in &config.renames {
        table.rename(command, name).map_err(|why| ConfigError { why: why.into(), ..place.clone() })?;
    }
    Ok(table)
}

/// The users that the configuration names, beside the default one, whose password `requirepass` is unless it is named,
/// too. The error names the line that cannot be followed.
pub fn users(config: &Config, table: &Table) -> Result<Acl, ConfigError> {
    let mut acl = Acl::new(table.catalog());
    acl.set_default_password(&config.requirepass);
    for line in &config.users {
        let error = |why: String| ConfigError { why, ..line.place.clone() };
        if !config.aclfile.is_empty() {
            return Err(error(BOTH_FILES.into()));
        }
        let terms = acl.terms(config.opens_channels());
        let mut user = User::new(&line.name, terms);
        for rule in &line.rules {
            user.apply(rule, terms).map_err(|why| {
                let (rule, name) = (String::from_utf8_lossy(rule), String::from_utf8_lossy(&line.name));
                error(format!("Error loading ACL rule '{rule}' for the user named '{name}': {}", why.text()))
            })?;
        }
        acl.put(user);
    }
    Ok(acl)
}

const BOTH_FILES: &str = "Users are defined here and, by aclfile, in a file of their own. This setup is very likely to \
lead to configuration errors and security holes, please define either an ACL file or declare users directly in your \
configuration, but not both.";

impl Engine {
    /// A server with parameters, a clock and a seed for all that is random. Panics where [`commands`] or [`users`]
    /// returns an error.
    pub fn new(mut config: Config, clock: Clock, seed: u64) -> Engine {
        if config.cluster_enabled {
            config.databases = 1;
        }
        let mut rng = Rng::new(seed);
        let table = commands(&config).expect("the names of commands were checked");
        let mut store = Store::new(config.databases as usize, [rng.next_u64(), rng.next_u64()]);
        if config.cluster_enabled {
            store.count_slots();
        }
        config.inform(&mut store);
        let acl = users(&config, &table).expect("the users were checked");
        config.users.clear();
        let state = State::new(config, clock, rng, acl);
        let mut engine = Engine {
            state,
            store,
            table,
            effects: Effects::default(),
            parser: Parser::default(),
            scout: Scout::default(),
            cron: Cron::default(),
            delivered: 0,
            base_us: 0,
            base_ticks_ns: 0,
            next_ms_ticks_ns: 0,
            last_ticks_ns: 0,
            share_ns: 0,
        };
        engine.share_turn(1);
        engine.refresh();
        engine.cron.start(engine.store.now_ms);
        engine
    }

    /// Takes the users from the file that `aclfile` names, if it does: once, before the first connection.
    pub fn load_users(&mut self) -> Result<(), String> {
        if !self.state.config.aclfile.is_empty() {
            let found = self.state.read_acl_file().map_err(|why| {
                format!("Aborting startup because of ACL errors: {}", String::from_utf8_lossy(&why))
            })?;
            for user in found {
                self.state.acl.put(user);
            }
        }
        for user in self.state.acl.users().filter(|user| !user.enabled) {
            self.state.journal.notice(format_args!(
                "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure this is not \
                 a configuration error.",
                String::from_utf8_lossy(&user.name)
            ));
        }
        Ok(())
    }

    /// Reads the clock: to be called at the start of each turn.
    pub fn refresh(&mut self) {
        self.state.clock.align();
        self.base_us = self.state.clock.now_us();
        self.base_ticks_ns = self.state.clock.ticks_ns();
        self.last_ticks_ns = self.base_ticks_ns;
        self.store.set_now(self.base_us.div_euclid(1000));
        self.next_ms_ticks_ns = self.base_ticks_ns + (1000 - self.base_us.rem_euclid(1000) as u64) * 1000;
    }

    /// Counts what the turn took.
    pub fn end_turn(&mut self) {
        let took_ns = self.state.clock.ticks_ns().saturating_sub(self.base_ticks_ns);
        self.state.stats.end_turn(took_ns);
    }

    /// The full name of a command by its place.
    pub fn command_name(&self, id: CommandId) -> Option<&str> {
        self.table.entries().get(id as usize).map(|entry| entry.full_name.as_str())
    }

    /// The time as of the last reading, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.store.now_ms
    }

    /// Admits a connection, or says what to send before it is closed.
    pub fn open(&mut self, addr: Address, local_addr: Address) -> Result<SessionKey, Refusal> {
        self.state.admit(self.store.now_ms, addr, local_addr)
    }

    /// The session of a connection.
    pub fn session(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.state.sessions.get_mut(key)?.as_deref_mut()
    }

    /// What waits to be written to a connection.
    pub fn output(&mut self, key: SessionKey) -> Option<&mut Output> {
        self.session(key).map(|session| &mut session.out)
    }

    /// Moves the list of sessions with new output into `list`, which is empty. To be called at the end of a turn.
    pub fn take_dirty(&mut self, list: &mut Vec<SessionKey>) {
        if self.state.tracking.has_broadcast() {
            self.settle_broadcast();
        }
        std::mem::swap(&mut self.state.dirty, list);
        for &key in list.iter() {
            if let Some(Some(session)) = self.state.sessions.get_mut(key) {
                session.dirty = false;
            }
        }
    }

    /// Moves the list of sessions that wait no more, and so may go on with their input, into `list`.
    pub fn take_resumed(&mut self, list: &mut Vec<SessionKey>) {
        list.append(&mut self.state.resumed);
    }

    /// Output of a connection was written: `n` bytes. A buffer that is empty now is used for others.
    pub fn wrote(&mut self, key: SessionKey, n: usize) {
        self.state.wrote(self.store.now_ms, key, n);
    }

    /// Whether a connection is to be closed now.
    pub fn is_done(&mut self, key: SessionKey) -> bool {
        self.state.is_done(key)
    }

    /// A connection ended: forgets all about it.
    pub fn close(&mut self, key: SessionKey) {
        self.state.forget(key);
    }

    /// Whether work is left that needs no input: the loop should not sleep.
    pub fn has_work(&self) -> bool {
        self.store.has_garbage()
            || self.cron.is_expiring()
            || self.is_making_room()
            || self.state.tracking.has_work(self.state.config.tracking_table_max_keys)
    }
}
