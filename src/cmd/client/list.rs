//! The lines of CLIENT LIST.

use crate::{
    base::num::write_i64,
    command::{Args, Ctx, table::Table},
    resp::Proto,
    state::{
        State,
        pubsub::Kind,
        session::{Address, Closing, Session},
        tracking::Mode,
    },
};
use std::io::Write;

/// What a line usually takes.
pub(super) const USUAL_BYTES: usize = 350;

/// The line of the session whose command runs.
pub(super) fn own_line(ctx: &Ctx<'_>, text: &mut Vec<u8>) {
    write_own_line(ctx.session, (ctx.state, ctx.table), ctx.now_ms(), ctx.args, text);
}

/// The same where only this is at hand.
pub(crate) fn write_own_line(
    session: &Session,
    (state, table): (&State, &Table),
    now_ms: i64,
    args: Args<'_>,
    text: &mut Vec<u8>,
) {
    // In a transaction they are EXEC's, as in Valkey.
    let in_exec = session.transaction.as_ref().is_some_and(|transaction| transaction.runs);
    let argument_bytes = if in_exec { "exec".len() } else { args.from(0).map(<[u8]>::len).sum() };
    write_line(session, (state, table), now_ms, Some(argument_bytes), text);
}

/// The line of another session.
pub(super) fn line(session: &Session, ctx: &Ctx<'_>, text: &mut Vec<u8>) {
    write_line(session, (ctx.state, ctx.table), ctx.now_ms(), None, text);
}

/// A line that is being written: thousands of them are asked for at once.
struct Line<'a>(&'a mut Vec<u8>);

impl Line<'_> {
    fn bytes(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.extend_from_slice(value);
    }

    fn number(&mut self, name: &str, value: i64) {
        self.name(name);
        write_i64(self.0, value);
    }

    fn address(&mut self, name: &str, value: &Address) {
        self.name(name);
        write!(self.0, "{value}").expect("a buffer takes it");
    }

    fn name(&mut self, name: &str) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
    }
}

/// Fields and their order: <https://valkey.io/commands/client-list/>. `running_bytes`: of the arguments of the command
/// that runs, if one does.
fn write_line(
    session: &Session,
    (state, table): (&State, &Table),
    now_ms: i64,
    running_bytes: Option<usize>,
    text: &mut Vec<u8>,
) {
    let seconds_since = |at_ms: i64| now_ms / 1000 - at_ms / 1000;
    let subscribed = |kind| session.subscriptions.as_ref().map_or(0, |subs| subs.count_of(kind)) as i64;
    let transaction = session.transaction.as_deref();
    let out = session.out.usage();
    // Writing is waited for only while the socket takes no more.
    let stuck = running_bytes.is_none() && !session.out.is_empty();
    let command = table.entries().get(session.last_command as usize);
    let mut line = Line(text);
    line.number("id", session.id as i64);
    line.address(" addr", &session.addr);
    line.address(" laddr", &session.local_addr);
    line.number(" fd", session.fd.into());
    line.bytes(" name", session.name.as_deref().unwrap_or_default());
    line.number(" age", seconds_since(session.created_ms));
    line.number(" idle", seconds_since(session.last_active_ms));
    line.bytes(" flags", flags(session).as_bytes());
    line.bytes(" capa", if session.can_redirect { b"r" } else { b"" });
    line.number(" db", session.db as i64);
    line.number(" sub", subscribed(Kind::Channel));
    line.number(" psub", subscribed(Kind::Pattern));
    line.number(" ssub", subscribed(Kind::Shard));
    // As in Valkey, which keeps what it made for the first transaction.
    let queued_before = if session.knows_multi { 0 } else { -1 };
    line.number(" multi", transaction.map_or(queued_before, |t| t.queue.len() as i64));
    line.number(" watch", session.watched.len() as i64);
    let found = session.parser.as_deref().map_or(0, |parser| parser.understood_bytes().1);
    line.number(" qbuf", session.unread_bytes() as i64);
    line.number(" qbuf-free", 0);
    line.number(" argv-mem", running_bytes.unwrap_or(found) as i64);
    line.number(" multi-mem", transaction.map_or(0, |t| t.queue_bytes) as i64);
    line.number(" rbs", session.reply_room.bytes() as i64);
    line.number(" rbp", session.reply_room.peak_bytes() as i64);
    line.number(" obl", out.buffered_bytes as i64);
    line.number(" oll", out.chunks as i64);
    line.number(" omem", out.chunk_bytes as i64);
    line.number(" tot-mem", (session.mem_bytes() + session.awaited_bytes()) as i64);
    line.bytes(" events", if stuck { b"rw" } else { b"r" });
    line.bytes(" cmd", command.map_or(b"NULL", |entry| entry.full_name.as_bytes()));
    line.bytes(" user", &state.acl[session.user].name);
    line.number(" redir", redirect(session));
    line.number(" resp", if session.proto() == Proto::Resp3 { 3 } else { 2 });
    line.bytes(" lib-name", session.lib_name.as_deref().unwrap_or_default());
    line.bytes(" lib-ver", session.lib_version.as_deref().unwrap_or_default());
    line.number(" tot-net-in", session.net_in_bytes as i64);
    line.number(" tot-net-out", session.net_out_bytes as i64);
    line.number(" tot-cmds", session.commands as i64);
    text.push(b'\n');
}

/// The id of the client that is told of changed keys in a session's place: 0 where it is itself, -1 where none is.
pub(super) fn redirect(session: &Session) -> i64 {
    let Some(tracker) = &session.tracker else { return -1 };
    tracker.redirect.map_or(0, |redirect| redirect.id as i64)
}

/// The letters that [`flags`] can hold, those of what is not built included.
pub(super) const FLAGS: &[u8] = b"bcdeirtuxABEIMNOPRSTU";

/// The letters of what holds for a session; `N` for none.
pub(super) fn flags(session: &Session) -> String {
    let tracker = session.tracker.as_deref();
    let letters = [
        ('O', session.monitor),
        ('P', session.is_subscriber()),
        ('x', session.transaction.is_some()),
        ('b', session.is_waiting()),
        ('t', tracker.is_some()),
        ('R', tracker.is_some_and(|tracker| tracker.redirect_broken)),
        ('B', tracker.is_some_and(|tracker| tracker.mode == Mode::Broadcast)),
        ('d', session.watch_broken),
        ('c', session.closing == Closing::AfterReply),
        ('A', session.closing == Closing::Now),
        ('U', matches!(session.addr, Address::Unix(_))),
        ('r', session.readonly),
        ('e', session.no_evict),
        ('T', session.no_touch),
        ('I', session.import_source),
    ];
    let set: String = letters.iter().filter(|(_, holds)| *holds).map(|(letter, _)| *letter).collect();
    if set.is_empty() { "N".into() } else { set }
}
