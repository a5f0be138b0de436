//! Transactions: commands that run one after the other with nothing in between, if watched keys are unchanged.
//!
//! Source: <https://valkey.io/topics/transactions/>.

use crate::command::{
    Arg, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    table::CommandId,
};
use crate::{cmd::acl::refusals, state::watch::WATCHED_MAX};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("multi", 1, Group::Transactions, multi)
        .flags(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_MULTI,
            Flags::ALLOW_BUSY,
        ])
        .acl(&[Categories::TRANSACTION])
        .doc("1.2.0", "Starts a transaction: what follows is queued.", "O(1)"),
    CommandSpec::new("exec", 1, Group::Transactions, exec)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::SKIP_COMMANDLOG])
        .acl(&[Categories::TRANSACTION])
        .doc("1.2.0", "Runs the commands that were queued.", "Depends on the commands.")
        .in_multi_at_once()
        .runs_queue()
        .aborts_transaction(),
    CommandSpec::new("discard", 1, Group::Transactions, discard)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::FAST, Flags::ALLOW_BUSY])
        .acl(&[Categories::TRANSACTION])
        .doc("2.0.0", "Drops the commands that were queued.", "O(N)")
        .in_multi_at_once(),
    CommandSpec::new("watch", -2, Group::Transactions, watch)
        .flags(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_MULTI,
            Flags::ALLOW_BUSY,
        ])
        .acl(&[Categories::TRANSACTION])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, -1, 1)])
        .doc("2.2.0", "Makes the next transaction depend on keys staying unchanged.", "O(1)")
        .args(&[Arg::key("key", 0).multiple()]),
    CommandSpec::new("unwatch", 1, Group::Transactions, unwatch)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::FAST, Flags::ALLOW_BUSY])
        .acl(&[Categories::TRANSACTION])
        .doc("2.2.0", "Forgets the keys that are watched.", "O(1)"),
];

/// <https://valkey.io/commands/multi/>
fn multi(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.transaction = Some(Box::default());
    ctx.session.knows_multi = true;
    ctx.ok()
}

/// <https://valkey.io/commands/exec/>
fn exec(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.session.transaction.is_none() {
        return Err(CmdError::new("ERR EXEC without MULTI"));
    }
    let outcome = run_queue(ctx);
    ctx.session.transaction = None;
    outcome
}

/// Runs what was queued. Meanwhile the client is still in its transaction.
fn run_queue(ctx: &mut Ctx<'_>) -> Outcome {
    let unchanged = !ctx.session.watch_broken && !watched_key_expired(ctx);
    ctx.state.watch.unwatch(ctx.session);
    let Some(transaction) = &mut ctx.session.transaction else { unreachable!("EXEC looked") };
    if transaction.broken {
        return Err(CmdError::new("EXECABORT Transaction discarded because of previous errors."));
    }
    if !unchanged {
        ctx.out().null_array();
        return Ok(Flow::Done);
    }
    transaction.runs = true;
    let (run, len) = (ctx.caller, transaction.queue.len());
    ctx.out().array(len);
    for i in 0..len {
        let Some(transaction) = &mut ctx.session.transaction else {
            unreachable!("no command of a queue ends it")
        };
        let command = std::mem::take(&mut transaction.queue[i]);
        let Ok(id) = ctx.table.lookup(command.args(), CommandId::MAX) else {
            unreachable!("it was found when queued")
        };
        match refusals::check_queued(ctx, id, command.args()) {
            Ok(()) => run(ctx, id, command.args()),
            Err(error) => {
                ctx.session.out.error(&error);
                ctx.state.stats.count_error(error.code());
            }
        }
    }
    Ok(Flow::Done)
}

/// Whether a watched key has expired since though nobody noticed yet.
fn watched_key_expired(ctx: &Ctx<'_>) -> bool {
    let mut watched = ctx.session.watched.iter();
    let session = ctx.session.key;
    watched
        .any(|w| ctx.store.is_expired_unnoticed(w.db, &w.key) && !ctx.state.watch.found_expired(session, w))
}

/// <https://valkey.io/commands/discard/>
fn discard(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.session.transaction.take().is_none() {
        return Err(CmdError::new("ERR DISCARD without MULTI"));
    }
    ctx.state.watch.unwatch(ctx.session);
    ctx.ok()
}

/// <https://valkey.io/commands/watch/>
fn watch(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.knows_multi = true;
    // A transaction that will fail anyway needs no more keys.
    if !ctx.session.watch_broken {
        let db = ctx.db();
        if ctx.session.watched.len() + ctx.args.len() > WATCHED_MAX {
            return Err(CmdError::new("ERR too many keys are watched"));
        }
        for key in ctx.args.from(1) {
            let expired = ctx.store.is_expired_unnoticed(db, key);
            ctx.state.watch.watch(ctx.session, key, expired);
        }
    }
    ctx.ok()
}

/// <https://valkey.io/commands/unwatch/>
fn unwatch(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.watch.unwatch(ctx.session);
    ctx.ok()
}
