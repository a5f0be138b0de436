//! What is done about a call that its user may not make: counted, logged, and put into words.

use crate::{
    cmd::client::list,
    command::{
        Args, CmdError, Ctx,
        access::{self, Denied},
        table::{CommandId, Entry, Table},
    },
    state::{
        State,
        acl::{
            User,
            log::{Context, Reason, Refused},
        },
        session::Session,
    },
};

/// Counts and logs a refusal.
pub fn note(
    (state, table, session): (&mut State, &Table, &Session),
    now_ms: i64,
    (id, args): (CommandId, Args<'_>),
    denied: Denied,
    context: Context,
) {
    let object = match denied.reason {
        Reason::Command => table.entry(id).full_name.as_bytes(),
        Reason::Key | Reason::Channel | Reason::Auth => args.at(denied.at),
    };
    let username = state.acl[session.user].name.clone();
    let refused = Refused { reason: denied.reason, context, object, username: &username };
    add((state, table, session), now_ms, args, refused);
}

/// The same for a name and password that do not fit.
pub fn note_login(ctx: &mut Ctx<'_>, username: &[u8]) {
    let context = if ctx.may_block { Context::TopLevel } else { Context::Transaction };
    let refused = Refused { reason: Reason::Auth, context, object: ctx.args.at(0), username };
    let now_ms = ctx.now_ms();
    add((ctx.state, ctx.table, ctx.session), now_ms, ctx.args, refused);
}

fn add(
    (state, table, session): (&mut State, &Table, &Session),
    now_ms: i64,
    args: Args<'_>,
    refused: Refused<'_>,
) {
    state.stats.refused[refused.reason as usize] += 1;
    let max_len = usize::try_from(state.config.acllog_max_len).unwrap_or(usize::MAX);
    let mut client = Vec::new();
    if max_len > 0 {
        list::write_own_line(session, (state, table), now_ms, args, &mut client);
    }
    state.acl.log.add(refused, client.trim_ascii_end(), now_ms, max_len);
}

/// What is replied: it does not tell which key or channel.
pub fn error(user: &User, command: &Entry, denied: Denied) -> CmdError {
    CmdError::with([b"NOPERM ".as_slice(), &sentence(user, command, denied)].concat())
}

fn sentence(user: &User, command: &Entry, denied: Denied) -> Vec<u8> {
    match denied.reason {
        Reason::Key => b"No permissions to access a key".to_vec(),
        Reason::Channel => b"No permissions to access a channel".to_vec(),
        Reason::Command | Reason::Auth => about_command(user, command),
    }
}

fn about_command(user: &User, command: &Entry) -> Vec<u8> {
    let name = command.full_name.as_bytes();
    [b"User ", &*user.name, b" has no permissions to run the '", name, b"' command"].concat()
}

/// The same in full, for who may know: ACL DRYRUN.
pub(super) fn full_sentence(user: &User, command: &Entry, args: Args<'_>, denied: Denied) -> Vec<u8> {
    let kind = match denied.reason {
        Reason::Key => "' key",
        Reason::Channel => "' channel",
        Reason::Command | Reason::Auth => return about_command(user, command),
    };
    let object = args.at(denied.at);
    [b"User ", &*user.name, b" has no permissions to access the '", object, kind.as_bytes()].concat()
}

/// Whether the session's user may still make a call that was allowed when it was queued; if not, EXEC replies the error.
pub fn check_queued(ctx: &mut Ctx<'_>, id: CommandId, args: Args<'_>) -> Result<(), CmdError> {
    let Err(denied) = access::check(&ctx.state.acl[ctx.session.user], ctx.table, id, args) else {
        return Ok(());
    };
    let now_ms = ctx.now_ms();
    note((ctx.state, ctx.table, ctx.session), now_ms, (id, args), denied, Context::Transaction);
    let reason = match denied.reason {
        Reason::Command | Reason::Auth => "no permission to execute the command or subcommand",
        Reason::Key => "no permission to touch the specified keys",
        Reason::Channel => "no permission to access one of the channels used as arguments",
    };
    Err(CmdError::with(format!(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command \
         is no longer allowed for the following reason: {reason}"
    )))
}

/// Whether the user of whoever runs a script may make a call from it.
pub fn check_in_script(ctx: &mut Ctx<'_>, id: CommandId, args: Args<'_>) -> Result<(), CmdError> {
    let Err(denied) = access::check(&ctx.state.acl[ctx.session.user], ctx.table, id, args) else {
        return Ok(());
    };
    let now_ms = ctx.now_ms();
    note((ctx.state, ctx.table, ctx.session), now_ms, (id, args), denied, Context::Script);
    let sentence = sentence(&ctx.state.acl[ctx.session.user], ctx.table.entry(id), denied);
    Err(CmdError::with([b"ERR ACL failure in script: ".as_slice(), &sentence].concat()))
}
