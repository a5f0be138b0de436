//! One run of a script or function: what it may do, what it calls, what becomes of its result.

use crate::{
    base::slot,
    cmd::acl::refusals,
    command::{
        Categories, CmdError, Ctx, Flags, Flow, Front, Outcome, access,
        slots::{self, Unserved},
        table::CommandId,
    },
    resp::{Proto, error::shown, output::Output, request::Args},
    script::{Backend, Call, Errors, Failure, Function, Host, Interrupt, Refused, flags::ScriptFlags},
    state::{State, scripts::Running},
};

/// Longest reply that a program may be handed, in bytes.
const REPLY_MAX_BYTES: u64 = 1 << 30;

/// What is run.
pub(super) struct Program<'a> {
    /// The digest of a script, the name of a function.
    pub name: &'a [u8],
    pub is_script: bool,
    pub function: Function,
    pub flags: ScriptFlags,
    /// It was called by a command that does not write.
    pub read_only: bool,
    /// Where the state stands in which it runs.
    pub host: fn(&mut State) -> &mut Option<Box<Host>>,
}

impl Program<'_> {
    /// Whether its calls may be about keys of several slots: then it belongs to none.
    fn may_cross_slots(&self) -> bool {
        self.flags.has(ScriptFlags::UNDECLARED.or(ScriptFlags::ALLOW_CROSS_SLOT))
    }
}

/// Shows the call to those who called MONITOR, before what it calls itself.
pub(super) fn show_to_monitors(ctx: &mut Ctx<'_>) {
    if ctx.state.monitors.is_empty() {
        return;
    }
    let state = &mut *ctx.state;
    let at = (state.clock.now_us(), state.config.output_limits[0].most_bytes());
    state.monitors.show(&mut state.sessions, &mut state.dirty, at, (ctx.session, ctx.args, &[]));
}

/// How many of the arguments from the third on are keys.
pub(super) fn count_keys(ctx: &Ctx<'_>, n: i64) -> Result<usize, CmdError> {
    if n > ctx.args.len() as i64 - 3 {
        return Err(CmdError::new("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(n).map_err(|_| CmdError::new("ERR Number of keys can't be negative"))
}

/// Whether a program says of itself what it does.
fn declared(flags: ScriptFlags) -> bool {
    !flags.has(ScriptFlags::UNDECLARED)
}

/// What keeps a program that says of itself what it does from running at all.
fn check(program: &Program<'_>, state: &State) -> Result<(), CmdError> {
    let flags = program.flags;
    if !declared(flags) {
        return Ok(());
    }
    if flags.has(ScriptFlags::NO_CLUSTER) && state.cluster.is_some() {
        return Err(CmdError::new("ERR Can not run script on cluster, 'no-cluster' flag is set."));
    }
    if !flags.has(ScriptFlags::NO_WRITES) && program.read_only {
        return Err(CmdError::new("ERR Can not execute a script with write flag using *_ro command."));
    }
    if !flags.has(ScriptFlags::NO_WRITES) && state.lacks_replicas {
        return Err(CmdError::NO_REPLICAS);
    }
    if state.out_of_memory && !flags.has(ScriptFlags::ALLOW_OOM.or(ScriptFlags::NO_WRITES)) {
        return Err(CmdError::new(
            "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
        ));
    }
    Ok(())
}

/// Runs a program with the arguments of the command: `keys` of them are keys.
pub(super) fn run(ctx: &mut Ctx<'_>, program: &Program<'_>, keys: usize) -> Outcome {
    check(program, ctx.state)?;
    let Some(mut host) = (program.host)(ctx.state).take() else {
        unreachable!("what was compiled has a state")
    };
    ctx.state.scripts.running = Some(Running {
        is_script: program.is_script,
        began_ns: ctx.state.clock.ticks_ns(),
        began_us: ctx.state.clock.now_us(),
        ..Running::default()
    });
    let mut replies = Output::new(Proto::Resp2);
    replies.lend(&mut ctx.state.pool, ctx.session.reply_room.bytes());
    let mut out = std::mem::replace(&mut ctx.session.out, replies);
    let db = ctx.session.db;
    ctx.session.in_script = Some(out.proto);
    let args = ctx.args;
    let call = Call { function: program.function, args: args.skip(3), keys };
    let mut server = Server {
        program,
        read_only: program.read_only || declared(program.flags) && program.flags.has(ScriptFlags::NO_WRITES),
        last: CommandId::MAX,
        slot: args.get(3).filter(|_| keys > 0 && ctx.state.cluster.is_some()).map(slot::of_key),
        ctx,
    };
    let ran = host.run(&call, &mut server, &mut out);
    ctx.session.in_script = None;
    ctx.session.db = db;
    let mut replies = std::mem::replace(&mut ctx.session.out, out);
    replies.advance(replies.pending_bytes());
    replies.reclaim(&mut ctx.state.pool);
    ctx.state.scripts.running = None;
    *(program.host)(ctx.state) = Some(host);
    let errors = match ran {
        Ok(errors) => errors,
        Err(failure) => {
            let error = error_of(&failure, program.name);
            ctx.session.out.error(&error);
            if failure.is_counted {
                return Ok(Flow::Failed);
            }
            Errors { any: true, uncounted: vec![error.text().to_vec()] }
        }
    };
    errors.uncounted.iter().for_each(|text| ctx.state.stats.count_foreign_error(code_of(text)));
    Ok(if errors.any { Flow::Failed } else { Flow::Done })
}

/// The code of an error that a script made: its first word, if that is short and there are more.
fn code_of(text: &[u8]) -> &[u8] {
    const CODE_MAX_BYTES: usize = 31;
    match text.iter().take(CODE_MAX_BYTES).position(|&b| b == b' ') {
        Some(end) => &text[..end],
        None => b"ERR",
    }
}

/// The reply to a program that failed.
fn error_of(failure: &Failure, name: &[u8]) -> CmdError {
    let text = failure.text.as_deref();
    if failure.is_raw {
        const SHOWN_BYTES: usize = 100;
        let text = text.and_then(|text| text.strip_prefix(b"ERR ")).unwrap_or(b"execution failure");
        let text = &text[..text.len().min(SHOWN_BYTES)];
        return CmdError::with([b"ERR Error running script ", name, b", ", text].concat());
    }
    let mut whole = text.unwrap_or(b"ERR unknown error").to_vec();
    if let Some(place) = &failure.place {
        whole.extend_from_slice(&[b" script: ", name, b", on ", place, b"."].concat());
    }
    CmdError::with(whole)
}

/// The server as a program sees it.
struct Server<'s, 'a, 'p> {
    ctx: &'s mut Ctx<'a>,
    program: &'s Program<'p>,
    /// It may not call commands that write.
    read_only: bool,
    /// The command that it called last.
    last: CommandId,
    /// The slot of the keys that it used so far, in a cluster.
    slot: Option<u16>,
}

impl Server<'_, '_, '_> {
    /// In a cluster all keys of a call belong to one slot, and those of a program, too, unless it says otherwise.
    #[cold]
    fn gate_slots(&mut self, id: CommandId, args: Args<'_>) -> Result<(), CmdError> {
        let entry = self.ctx.table.entry(id);
        let found = slots::find(entry.spec, args, None);
        let flags = entry.spec.flags_of(self.ctx.state, args);
        let found = slots::check(self.ctx.state, found, flags).map_err(|why| match why {
            Unserved::NoOwner => CmdError::new("ERR Script attempted to access a slot not served"),
            Unserved::CrossSlot => {
                let name = &entry.full_name;
                CmdError::with(format!(
                    "ERR Command '{name}' in script attempted to access keys that don't hash to the same slot"
                ))
            }
            Unserved::Down => {
                CmdError::new("ERR Script attempted to execute a command while the cluster is down")
            }
            Unserved::DownForWrites => CmdError::new(
                "ERR Script attempted to execute a write command while the cluster is down and readonly",
            ),
        })?;
        if let Some(slot) = found.filter(|_| !self.program.may_cross_slots())
            && *self.slot.get_or_insert(slot) != slot
        {
            return Err(CmdError::new(
                "ERR Script attempted to access keys that do not hash to the same slot",
            ));
        }
        if let Some(stats) = &mut self.ctx.state.slot_stats {
            stats.current = found;
            stats.ends_with_call = self.program.may_cross_slots();
        }
        Ok(())
    }

    /// All that can keep a command from running in a program, in the order of Valkey.
    fn gate(&mut self, args: Args<'_>) -> Result<CommandId, (Option<CommandId>, CmdError)> {
        let ctx = &mut *self.ctx;
        let Ok(id) = ctx.table.lookup(args, self.last) else {
            return Err((None, CmdError::new("ERR Unknown command called from script")));
        };
        let refuse = |text: &'static str| Err((Some(id), CmdError::new(text)));
        let spec = ctx.table.entry(id).spec;
        if !spec.arity_fits(args.len()) {
            return refuse("ERR Wrong number of args calling command from script");
        }
        // Another script never: there is one state.
        let is_free = ctx.state.scripts.may_call_all && !spec.categories.has(Categories::SCRIPTING);
        if spec.flags.has(Flags::NOSCRIPT) && !is_free {
            return refuse("ERR This Redis command is not allowed from script");
        }
        refusals::check_in_script(ctx, id, args).map_err(|error| (Some(id), error))?;
        if self.read_only && spec.flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)) {
            return refuse("ERR Write commands are not allowed from read-only scripts.");
        }
        // What has written goes on: it cannot end half way.
        let has_written = ctx.state.scripts.running.as_ref().is_some_and(|running| running.has_written);
        if ctx.state.lacks_replicas && spec.flags.has(Flags::WRITE) && !has_written {
            return Err((Some(id), CmdError::NO_REPLICAS));
        }
        let may_grow = declared(self.program.flags) && self.program.flags.has(ScriptFlags::ALLOW_OOM);
        if ctx.state.out_of_memory && spec.flags.has(Flags::DENYOOM) && !may_grow && !has_written {
            return refuse("OOM command not allowed when used memory > 'maxmemory'.");
        }
        if ctx.state.cluster.is_some() {
            self.gate_slots(id, args).map_err(|error| (Some(id), error))?;
        }
        Ok(id)
    }
}

impl Backend for Server<'_, '_, '_> {
    fn call(&mut self, args: Args<'_>) -> Result<(), Refused> {
        let pending = self.ctx.session.out.pending_bytes();
        self.ctx.session.out.advance(pending);
        self.ctx.session.out.limit(REPLY_MAX_BYTES);
        match self.gate(args) {
            Ok(id) => {
                if self.ctx.table.entry(id).spec.flags.has(Flags::WRITE)
                    && let Some(running) = &mut self.ctx.state.scripts.running
                {
                    running.has_written = true;
                }
                let caller = self.ctx.caller;
                self.last = id;
                caller(self.ctx, id, args);
                if self.ctx.session.out.is_over_limit() {
                    // Its end is not there.
                    self.ctx.session.out.clear();
                    self.ctx.state.stats.count_error(b"ERR");
                    return Err(Refused(b"The reply is too long for a script".to_vec()));
                }
                Ok(())
            }
            Err((id, error)) => {
                self.ctx.state.stats.count_error(error.code());
                if let Some(id) = id {
                    self.ctx.state.stats.by_command[id as usize].rejected += 1;
                }
                let text = error.text();
                Err(Refused(match text.strip_prefix(b"ERR ") {
                    Some(text) => text.to_vec(),
                    None => [b"-", text].concat(),
                }))
            }
        }
    }

    fn reply(&mut self) -> &[u8] {
        self.ctx.session.out.joined()
    }

    fn set_proto(&mut self, proto: Proto) {
        self.ctx.session.out.proto = proto;
    }

    fn may_call(&mut self, args: Args<'_>) -> Option<bool> {
        access::may_call(self.ctx.state, self.ctx.table, self.ctx.session, args)
    }

    fn log(&mut self, level: u8, text: &[u8]) {
        log(self.ctx, level, text);
    }

    fn interrupt(&mut self) -> Interrupt {
        let state = &mut *self.ctx.state;
        let threshold_ms = state.config.busy_threshold_ms as u64;
        let Some(running) = &mut state.scripts.running else { return Interrupt::Continue };
        running.interrupts += 1;
        let ms = running.duration_ms(state.clock.ticks_ns(), state.clock.is_virtual());
        if threshold_ms == 0 || ms < threshold_ms {
            return Interrupt::Continue;
        }
        if !running.is_long {
            running.is_long = true;
            running.name = String::from_utf8_lossy(self.program.name).into_owned();
            running.command = self.ctx.args.to_owned();
            let kill = if self.program.is_script { "SCRIPT KILL" } else { "FUNCTION KILL" };
            state.journal.warn(format_args!(
                "Slow script detected: still in execution after {ms} milliseconds. You can try killing the script \
                 using the {kill} command. Script name is: {}.",
                running.name
            ));
        }
        let Ctx { state, store, effects, table, attendant, .. } = &mut *self.ctx;
        attendant.attend(&mut Front { state, store, effects, table });
        let is_killed = state.scripts.running.as_ref().is_some_and(|running| running.is_killed);
        match (is_killed, self.program.is_script) {
            (true, true) => Interrupt::End("Script killed by user with SCRIPT KILL."),
            (true, false) => Interrupt::End("Script killed by user with FUNCTION KILL."),
            (false, _) if state.stopping => Interrupt::End("Script killed by the server's end."),
            (false, _) => Interrupt::Continue,
        }
    }

    fn random(&mut self) -> &mut u64 {
        &mut self.ctx.state.scripts.random
    }

    fn elapsed_ns(&mut self) -> u64 {
        self.ctx.state.clock.ticks_ns()
    }
}

/// Writes what a program says to the log.
pub(super) fn log(ctx: &Ctx<'_>, level: u8, text: &[u8]) {
    let text = String::from_utf8_lossy(shown(text));
    match level {
        0 | 1 => ctx.state.journal.verbose(format_args!("{text}")),
        2 => ctx.state.journal.notice(format_args!("{text}")),
        _ => ctx.state.journal.warn(format_args!("{text}")),
    }
}
