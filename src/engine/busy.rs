//! While a script runs long: others are read, told that the server is busy, and may call the few commands that are
//! allowed then. What these leave to be settled waits for the end of the script.

use super::{
    Fed,
    call::{abort_transaction, call_inside, gate_access, has_failed, reject},
};
use crate::{
    command::{Alone, Args, Behaviour, CmdError, Ctx, Flags, Front, table::CommandId},
    resp::request::{Limits, Parsed, Parser},
    state::session::{Closing, Session, SessionKey},
};

/// Commands of one connection that are served at a time.
const COMMANDS_MAX: usize = 1024;

/// Serves the commands in `input` of a connection.
pub fn feed(front: &mut Front<'_>, key: SessionKey, input: &[u8]) -> Fed {
    // The session that runs the script is not in its place, and has its turn later.
    let Some(mut session) = front.state.sessions.get_mut(key).and_then(Option::take) else {
        return Fed { consumed: 0, more: !input.is_empty() };
    };
    session.last_active_ms = front.store.now_ms;
    let mut parser = session.parser.take().map_or_else(Parser::default, |parser| *parser);
    session.out.lend(&mut front.state.pool, session.reply_room.bytes());
    let (mut at, mut n) = (0, 0);
    while !session.is_waiting() && session.closing == Closing::No && n < COMMANDS_MAX {
        n += 1;
        let limits = Limits {
            bulk_max_bytes: front.state.config.bulk_max_bytes,
            authenticated: session.authenticated,
        };
        match parser.parse(input, at, &limits) {
            Ok(Parsed::Command(end)) => {
                serve(front, &mut session, Args::new(input, &parser.spans));
                at = end;
            }
            Ok(Parsed::Inline(end)) => {
                serve(front, &mut session, Args::new(&parser.line, &parser.spans));
                at = end;
            }
            Ok(Parsed::Nothing(end)) => at = end,
            Ok(Parsed::Incomplete) => break,
            Err(error) => {
                let error = CmdError::with(format!("ERR Protocol error: {}", error.0));
                session.out.error(&error);
                front.state.stats.count_error(error.code());
                session.close(Closing::AfterReply);
            }
        }
    }
    let more = n == COMMANDS_MAX && at < input.len();
    if session.closing != Closing::No {
        parser.reset();
        at = input.len();
    }
    session.net_in_bytes += at as u64;
    parser.rebase(at);
    if parser.is_inside() {
        session.parser = Some(Box::new(parser));
    }
    session.input_bytes = input.len() - at;
    if session.out.is_empty() {
        session.out.reclaim(&mut front.state.pool);
    }
    if (!session.out.is_empty() || session.closing != Closing::No) && !session.dirty {
        session.dirty = true;
        front.state.dirty.push(key);
    }
    front.state.sessions[key] = Some(session);
    Fed { consumed: at, more }
}

/// Serves one command.
fn serve(front: &mut Front<'_>, session: &mut Session, args: Args<'_>) {
    let real = session.mute();
    let id = match front.table.lookup(args, session.last_command) {
        Ok(id) => id,
        Err(error) => {
            reject(front.state, session, &error);
            return session.unmute(real);
        }
    };
    session.last_command = id;
    let spec = front.table.entry(id).spec;
    match gate(front, session, id, args) {
        Ok(()) if session.transaction.is_some() && !spec.behaviour.has(Behaviour::IN_MULTI_AT_ONCE) => {
            session
                .transaction
                .get_or_insert_default()
                .push(args.to_owned(), spec.flags_of(front.state, args).0);
            session.out.simple("QUEUED");
        }
        Ok(()) => call(front, session, id, args),
        Err(error) => {
            front.state.stats.by_command[id as usize].rejected += 1;
            if spec.behaviour.has(Behaviour::ABORTS_TRANSACTION) {
                abort_transaction(front.state, session, args, &error);
            } else {
                reject(front.state, session, &error);
            }
        }
    }
    session.unmute(real);
}

/// What keeps a command from running: all of it, but for a few.
fn gate(front: &mut Front<'_>, session: &Session, id: CommandId, args: Args<'_>) -> Result<(), CmdError> {
    let entry = front.table.entry(id);
    let flags = entry.spec.flags;
    if !entry.spec.arity_fits(args.len()) {
        return Err(CmdError::wrong_arity(&entry.full_name));
    }
    if session.transaction.is_some() && flags.has(Flags::NO_MULTI) {
        return Err(CmdError::new("ERR Command not allowed inside a transaction"));
    }
    gate_access(front.state, front.table, session, front.store.now_ms, (id, args))?;
    match &front.state.scripts.running {
        Some(running) if !flags.has(Flags::ALLOW_BUSY) => Err(running.busy()),
        _ => Ok(()),
    }
}

fn call(front: &mut Front<'_>, session: &mut Session, id: CommandId, args: Args<'_>) {
    let Front { state, store, effects, table } = front;
    let mut ctx = Ctx {
        args,
        session,
        state,
        store,
        effects,
        table,
        caller: call_inside,
        may_block: false,
        attendant: &mut Alone,
    };
    let outcome = (ctx.table.entry(id).spec.handler)(&mut ctx);
    let failed = has_failed(&mut ctx, outcome);
    ctx.state.stats.count_call(id as usize, 0, failed, ctx.state.config.latency_tracking);
    ctx.session.commands += 1;
    // A key may be watched from now on.
    ctx.store.changes.interest.watch = ctx.state.watch.watched > 0;
}
