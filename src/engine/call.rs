//! One command: found in the table, past the gates, queued or run, counted.

use super::{
    Engine,
    observe::{self, Part},
    track,
};
use crate::{
    cmd::acl::refusals::{self, Caller},
    command::{
        Alone, Args, Attendant, Behaviour, CmdError, CommandSpec, Ctx, Flags, Flow, Outcome, access,
        effects::Effects,
        slots::{self, Unserved},
        table::{CommandId, Table},
    },
    state::{
        State,
        acl::log::Context,
        pause::PauseMode,
        session::{Closing, Session},
        waiters::{BlockRequest, Blocked},
    },
    store::{Overdue, Store, changes::Interest},
    sys::fatal::{self, Running},
};

/// Most commands that one transaction may queue; its bytes count as input that is kept.
const QUEUE_MAX_COMMANDS: usize = 1 << 24;

/// What a session that monitors may not call.
const KEYSPACE_FLAGS: Flags = Flags::WRITE.or(Flags::READONLY).or(Flags::MAY_REPLICATE);

/// What stands between a command and its run.
enum Gate {
    Run,
    /// MULTI: kept for EXEC.
    Queue,
    /// CLIENT PAUSE: left in the input until its end.
    Postpone,
}

impl Engine {
    /// Serves one command of a session.
    pub(super) fn run(&mut self, session: &mut Session, args: Args<'_>, attendant: &mut dyn Attendant) {
        let id = match self.table.lookup(args, session.last_command) {
            Ok(id) => id,
            Err(error) => return self.reject_unknown(session, args, &error),
        };
        fatal::note(Some(Running { session_id: session.id, command: id, args: args.len() as u32 }));
        session.last_command = id;
        match self.gate(session, id, args) {
            Ok(Gate::Run) => self.call(session, id, args, attendant),
            Ok(Gate::Queue) => {
                let flags = self.table.entry(id).spec.flags_of(&self.state, args);
                let broken = session.watch_broken;
                let transaction = session.transaction.get_or_insert_default();
                // What cannot be executed any more need not be kept.
                if !(broken || transaction.broken) {
                    transaction.push(args.to_owned(), flags.0);
                }
                session.out.simple("QUEUED");
                self.count_unrun(session);
            }
            Ok(Gate::Postpone) => self.state.pause.postpone(session),
            Err(error) => {
                self.count_unrun(session);
                track::end_caching(session, Some(self.table.entry(id)));
                self.state.stats.by_command[id as usize].rejected += 1;
                if self.table.entry(id).spec.behaviour.has(Behaviour::ABORTS_TRANSACTION) {
                    abort_transaction(&mut self.state, session, args, &error);
                } else {
                    reject(&mut self.state, session, &error);
                }
            }
        }
    }

    /// All that can keep a command from running, in the order of Redis.
    #[inline]
    fn gate(&mut self, session: &Session, id: CommandId, args: Args<'_>) -> Result<Gate, CmdError> {
        let entry = self.table.entry(id);
        let spec = entry.spec;
        if !spec.arity_fits(args.len()) {
            return Err(CmdError::wrong_arity(&entry.full_name));
        }
        if spec.flags.has(Flags::PROTECTED) {
            self.gate_protected(session, entry.container.unwrap_or(spec).name)?;
        }
        let in_multi = session.transaction.is_some();
        if in_multi && spec.flags.has(Flags::NO_MULTI) {
            return Err(CmdError::new("ERR Command not allowed inside a transaction"));
        }
        if !(session.authenticated & self.state.acl[session.user].unrestricted) {
            gate_access(&mut self.state, &self.table, session, self.store.now_ms, (id, args))?;
        }
        if self.state.cluster.is_some() {
            self.gate_slots(session, spec, args)?;
        }
        if self.state.out_of_memory && self.effective_flags(session, spec, args).has(Flags::DENYOOM) {
            return Err(CmdError::new("OOM command not allowed when used memory > 'maxmemory'."));
        }
        if self.state.lacks_replicas && self.effective_flags(session, spec, args).has(Flags::WRITE) {
            return Err(CmdError::NO_REPLICAS);
        }
        if session.in_subscribed_mode() && !spec.behaviour.has(Behaviour::WHILE_SUBSCRIBED) {
            return Err(not_while_subscribed(&self.table.entry(id).full_name));
        }
        if session.monitor && spec.flags.has(KEYSPACE_FLAGS) {
            return Err(CmdError::new("ERR Replica can't interact with the keyspace"));
        }
        if self.state.pause.is_on() && self.is_paused(session, spec, args) {
            return Ok(Gate::Postpone);
        }
        if in_multi && !spec.behaviour.has(Behaviour::IN_MULTI_AT_ONCE) {
            let full = session.transaction.as_ref().is_some_and(|t| t.queue.len() >= QUEUE_MAX_COMMANDS);
            return if full {
                Err(CmdError::new("ERR too many commands in a transaction"))
            } else {
                Ok(Gate::Queue)
            };
        }
        Ok(Gate::Run)
    }

    /// In a cluster all keys of a call, or of a transaction, belong to one slot, which has an owner.
    #[cold]
    fn gate_slots(&mut self, session: &Session, spec: &CommandSpec, args: Args<'_>) -> Result<(), CmdError> {
        let queue = session.transaction.as_ref().filter(|_| spec.behaviour.has(Behaviour::RUNS_QUEUE));
        let mut flags = spec.flags_of(&self.state, args);
        if queue.is_some_and(|transaction| Flags(transaction.flags).has(Flags::PUBSUB)) {
            flags = flags.or(Flags::PUBSUB);
        }
        let mut slot = slots::find(spec, args, None);
        for command in queue.iter().flat_map(|transaction| &transaction.queue) {
            let Ok(id) = self.table.lookup(command.args(), CommandId::MAX) else { continue };
            slot = slot.and_then(|slot| slots::find(self.table.entry(id).spec, command.args(), slot));
        }
        let served = slots::check(&self.state, slot, flags);
        if let Some(stats) = &mut self.state.slot_stats {
            stats.current = served.ok().flatten();
        }
        served.map(|_| ()).map_err(unserved)
    }

    /// Whether a pause holds a command back.
    #[cold]
    pub(super) fn is_paused(&self, session: &Session, spec: &CommandSpec, args: Args<'_>) -> bool {
        match self.state.pause.mode() {
            None => false,
            Some(PauseMode::All) => true,
            Some(PauseMode::Write) => {
                let flags = self.effective_flags(session, spec, args);
                flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE))
            }
        }
    }

    /// The flags of a call: of EXEC with those of what is queued.
    #[cold]
    fn effective_flags(&self, session: &Session, spec: &CommandSpec, args: Args<'_>) -> Flags {
        let queue = session.transaction.as_ref().filter(|_| spec.behaviour.has(Behaviour::RUNS_QUEUE));
        spec.flags_of(&self.state, args).or(Flags(queue.map_or(0, |transaction| transaction.flags)))
    }

    fn gate_protected(&self, session: &Session, name: &str) -> Result<(), CmdError> {
        let allowed = match self.state.config.protection(name) {
            0 => false,
            1 => true,
            _ => session.addr.is_local(),
        };
        if allowed {
            return Ok(());
        }
        Err(CmdError::with(format!(
            "ERR {} command not allowed. If the enable-{name}-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
            name.to_ascii_uppercase()
        )))
    }

    #[cold]
    fn reject_unknown(&mut self, session: &mut Session, args: Args<'_>, error: &CmdError) {
        let name = args.at(0);
        if name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:") {
            self.state.journal.warn(format_args!("Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to \
                 Staywire. This is likely due to an attacker attempting to use Cross Protocol Scripting to \
                 compromise your instance. Connection from {} aborted.",
                session.addr));
            session.close(Closing::Now);
            return;
        }
        track::end_caching(session, None);
        reject(&mut self.state, session, error);
    }

    /// Runs a command that is past the gates.
    #[inline]
    pub(super) fn call(
        &mut self,
        session: &mut Session,
        id: CommandId,
        args: Args<'_>,
        attendant: &mut dyn Attendant,
    ) {
        self.prepare(session);
        session.out.limit(self.output_limit(session).most_bytes());
        session.pending_before = session.out.pending_bytes();
        let outcome = self.handle(session, id, args, attendant);
        let duration_ns = self.elapse();
        let failed = match outcome {
            Ok(Flow::Done) => false,
            Ok(Flow::Failed) => true,
            Ok(Flow::Blocked(request)) => return self.block(session, (id, args), *request, duration_ns),
            Err(error) => {
                session.out.error(&error);
                self.state.stats.count_error(error.code());
                true
            }
        };
        self.count(session, (id, args), duration_ns, failed);
        if session.out.is_over_limit() {
            self.cut_off(session);
        }
    }

    /// Lets a session wait.
    fn block(
        &mut self,
        session: &mut Session,
        (id, args): (CommandId, Args<'_>),
        request: BlockRequest,
        duration_ns: u64,
    ) {
        let mut blocked = self.state.waiters.block(session.key, session.db, args.to_owned(), request);
        blocked.duration_ns = duration_ns;
        self.count_begun(session, id, &blocked);
        session.blocked = Some(Box::new(blocked));
    }

    /// Hands a command to its handler.
    #[inline]
    fn handle(
        &mut self,
        session: &mut Session,
        id: CommandId,
        args: Args<'_>,
        attendant: &mut dyn Attendant,
    ) -> Outcome {
        let mut ctx = Ctx {
            args,
            session,
            state: &mut self.state,
            store: &mut self.store,
            effects: &mut self.effects,
            table: &self.table,
            caller: call_inside,
            may_block: true,
            attendant,
        };
        let entry = self.table.entry(id);
        let outcome = (entry.spec.handler)(&mut ctx);
        if ctx.state.tracking.is_on {
            track::follow_whole(&mut ctx, entry, &outcome);
        }
        outcome
    }

    /// Runs the command of a session that waits once more. True if it waits no more.
    pub(super) fn call_again(&mut self, session: &mut Session, blocked: &mut Blocked) -> bool {
        self.prepare(session);
        let args = blocked.args.args();
        let id = self.command_of(blocked);
        let allowed = gate_access(&mut self.state, &self.table, session, self.store.now_ms, (id, args));
        if let Err(error) = allowed {
            // What the user may has changed meanwhile.
            session.out.error(&error);
            self.state.stats.count_error(error.code());
            self.state.stats.by_command[id as usize].rejected += 1;
            return true;
        }
        session.pending_before = session.out.pending_bytes();
        let selected = std::mem::replace(&mut session.db, blocked.db);
        let outcome = self.handle(session, id, args, &mut Alone);
        session.db = selected;
        blocked.duration_ns += self.elapse();
        let failed = match outcome {
            Ok(Flow::Done) => false,
            Ok(Flow::Failed) => true,
            Ok(Flow::Blocked(_)) => return false,
            Err(error) => {
                session.out.error(&error);
                self.state.stats.count_error(error.code());
                true
            }
        };
        self.count_ended(session, id, blocked, failed, Part::Ended);
        true
    }

    /// The command of a session that waits.
    pub(super) fn command_of(&self, blocked: &Blocked) -> CommandId {
        let Ok(id) = self.table.lookup(blocked.args.args(), CommandId::MAX) else {
            unreachable!("it was found before")
        };
        id
    }

    /// What holds for the length of one command.
    #[inline]
    fn prepare(&mut self, session: &Session) {
        self.store.lru.frozen = session.no_touch;
        let config = &self.state.config;
        self.store.overdue = if config.import_mode && session.import_source {
            Overdue::Live
        } else if config.import_mode {
            Overdue::Imported
        } else if self.state.pause.is_on() {
            Overdue::Hidden
        } else {
            Overdue::Deleted
        };
        self.note_interest();
    }

    /// Tells the store who wants to know of changes now.
    #[inline]
    pub(super) fn note_interest(&mut self) {
        self.store.changes.interest = Interest {
            watch: self.state.watch.watched > 0,
            waiters: self.state.waiters.blocked > 0,
            ends: self.state.waiters.ending_keys > 0,
            tracking: self.state.tracking.is_on,
            notify: self.state.config.notify.interest(),
        };
    }

    /// A millisecond is over.
    #[cold]
    pub(super) fn read_ms(&mut self, ticks_ns: u64) {
        let now_us = self.base_us + (ticks_ns.saturating_sub(self.base_ticks_ns) / 1000) as i64;
        self.store.set_now(now_us.div_euclid(1000));
        self.next_ms_ticks_ns = ticks_ns + (1000 - now_us.rem_euclid(1000) as u64) * 1000;
    }
}

/// Replies an error to a command that does not run.
pub(super) fn reject(state: &mut State, session: &mut Session, error: &CmdError) {
    if let Some(transaction) = &mut session.transaction {
        transaction.break_off();
    }
    session.out.error(error);
    state.stats.count_error(error.code());
}

/// What a client is told of a call that its cluster does not serve.
pub(super) fn unserved(why: Unserved) -> CmdError {
    CmdError::new(match why {
        Unserved::NoOwner => "CLUSTERDOWN Hash slot not served",
        Unserved::CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot",
        Unserved::Down => "CLUSTERDOWN The cluster is down",
        Unserved::DownForWrites => "CLUSTERDOWN The cluster is down and only accepts read commands",
    })
}

/// A command that would have ended the transaction was refused: it ends all the same, so that the client knows where it
/// stands.
#[cold]
pub(super) fn abort_transaction(state: &mut State, session: &mut Session, args: Args<'_>, error: &CmdError) {
    session.transaction = None;
    state.watch.unwatch(session);
    let text = error.text();
    let reason = text.strip_prefix(b"ERR ").unwrap_or(text);
    let wrapped = CmdError::with([b"EXECABORT Transaction discarded because of: ", reason].concat());
    // Clients of a cluster look for its own errors.
    let error = if matches!(error.code(), b"CROSSSLOT" | b"CLUSTERDOWN") { error } else { &wrapped };
    session.out.error(error);
    state.stats.count_error(error.code());
    if !state.monitors.is_empty() {
        // They saw the beginning of the transaction.
        let at = (state.clock.now_us(), state.config.output_limits[0].most_bytes());
        state.monitors.show(&mut state.sessions, &mut state.dirty, at, (session, args, &[]));
    }
}

/// Whether a session is logged in, and its user may make a call. What is refused is logged.
#[cold]
pub(super) fn gate_access(
    state: &mut State,
    table: &Table,
    session: &Session,
    now_ms: i64,
    (id, args): (CommandId, Args<'_>),
) -> Result<(), CmdError> {
    if state.must_log_in(session) && !table.entry(id).spec.flags.has(Flags::NO_AUTH) {
        return Err(CmdError::new("NOAUTH Authentication required."));
    }
    access::check(&state.acl[session.user], table, id, args).map_err(|denied| {
        let context = if session.transaction.is_some() { Context::Transaction } else { Context::TopLevel };
        Caller { state, table, session, sent: args, now_ms }.note((id, args), denied, context);
        refusals::error(&state.acl[session.user], table.entry(id), denied)
    })
}

/// A client in RESP2's subscribed mode may only change what it receives.
#[cold]
fn not_while_subscribed(full_name: &str) -> CmdError {
    CmdError::with(format!(
        "ERR Can't execute '{full_name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed \
         in this context"
    ))
}

/// Runs a command of a transaction or script.
pub(super) fn call_inside(outer: &mut Ctx<'_>, id: CommandId, args: Args<'_>) {
    let Ctx { session, state, store, effects, table, caller, attendant, .. } = outer;
    let (state, store): (&mut State, &mut Store) = (state, store);
    let (effects, table): (&mut Effects, &Table) = (effects, table);
    let mut ctx = Ctx {
        args,
        session,
        state,
        store,
        effects,
        table,
        caller: *caller,
        may_block: false,
        attendant: &mut **attendant,
    };
    let before_ns = ctx.state.clock.ticks_ns();
    let outcome = (table.entry(id).spec.handler)(&mut ctx);
    if ctx.state.tracking.is_on {
        track::follow(&mut ctx, table.entry(id));
    }
    let duration_ns = ctx.state.clock.ticks_ns().saturating_sub(before_ns);
    let failed = has_failed(&mut ctx, outcome);
    ctx.state.stats.count_call(id as usize, duration_ns, failed, ctx.state.config.latency_tracking);
    ctx.state.stats.nested_ns += duration_ns;
    ctx.session.commands += 1;
    let cost = observe::cost(ctx.session, duration_ns);
    if observe::is_notable(ctx.state, cost) {
        let call = (table.entry(id).spec, args);
        observe::observe(ctx.state, ctx.session, call, cost, ctx.store.now_ms, Part::Inside);
    }
}

/// Whether a command that may not wait failed. An error that it returned is replied and counted.
pub(super) fn has_failed(ctx: &mut Ctx<'_>, outcome: Outcome) -> bool {
    match outcome {
        Ok(Flow::Done) => false,
        Ok(Flow::Failed) => true,
        Ok(Flow::Blocked(_)) => unreachable!("told that it may not wait"),
        Err(error) => {
            ctx.session.out.error(&error);
            ctx.state.stats.count_error(error.code());
            true
        }
    }
}
