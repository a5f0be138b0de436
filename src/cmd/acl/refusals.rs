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

/// Who is refused something, and all that is to know of it.
pub struct Caller<'a> {
    pub state: &'a mut State,
    pub table: &'a Table,
    pub session: &'a Session,
    /// What the client sent: its transaction or script may hold what is refused.
    pub sent: Args<'a>,
    pub now_ms: i64,
}

impl<'a> Caller<'a> {
    fn of(ctx: &'a mut Ctx<'_>) -> Caller<'a> {
        let now_ms = ctx.now_ms();
        Caller { state: ctx.state, table: ctx.table, session: ctx.session, sent: ctx.args, now_ms }
    }

    /// Counts and logs a call that is refused.
    pub fn note(self, (id, args): (CommandId, Args<'_>), denied: Denied, context: Context) {
        let object = match denied.reason {
            Reason::Command => self.table.entry(id).full_name.as_bytes(),
            Reason::Key | Reason::Channel | Reason::Auth => args.at(denied.at),
        };
        let username = self.state.acl[self.session.user].name.clone();
        self.add(Refused { reason: denied.reason, context, object, username: &username });
    }

    fn add(self, refused: Refused<'_>) {
        let Caller { state, table, session, sent, now_ms } = self;
        state.stats.refused[refused.reason as usize] += 1;
        let max_len = usize::try_from(state.config.acllog_max_len).unwrap_or(usize::MAX);
        let mut client = Vec::new();
        if max_len > 0 {
            list::write_own_line(session, (state, table), now_ms, sent, &mut client);
        }
        state.acl.log.add(refused, client.trim_ascii_end(), now_ms, max_len);
    }
}

/// Counts and logs a name and password that do not fit.
pub fn note_login(ctx: &mut Ctx<'_>, username: &[u8]) {
    let context = if ctx.may_block { Context::TopLevel } else { Context::Transaction };
    let object = ctx.args.at(0);
    Caller::of(ctx).add(Refused { reason: Reason::Auth, context, object, username });
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
    Caller::of(ctx).note((id, args), denied, Context::Transaction);
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
    Caller::of(ctx).note((id, args), denied, Context::Script);
    let sentence = sentence(&ctx.state.acl[ctx.session.user], ctx.table.entry(id), denied);
    Err(CmdError::with([b"ERR ACL failure in script: ".as_slice(), &sentence].concat()))
}
