//! The lines of CLIENT LIST.

use crate::{
    command::Ctx,
    resp::Proto,
    state::{
        pubsub::Kind,
        session::{Address, Closing, Session},
    },
};
use std::io::Write;

/// The line of the session that asks.
pub(super) fn own_line(ctx: &Ctx<'_>, text: &mut Vec<u8>) {
    let argument_bytes = ctx.args.from(0).map(<[u8]>::len).sum();
    write_line(ctx.session, argument_bytes, ctx, text);
}

/// The line of another session.
pub(super) fn line(session: &Session, ctx: &Ctx<'_>, text: &mut Vec<u8>) {
    write_line(session, 0, ctx, text);
}

/// Fields and their order: <https://valkey.io/commands/client-list/>.
fn write_line(session: &Session, argument_bytes: usize, ctx: &Ctx<'_>, text: &mut Vec<u8>) {
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        write!(text, "{name}={value} ").expect("a buffer takes it");
    };
    let now_ms = ctx.now_ms();
    let seconds_since = |at_ms: i64| now_ms / 1000 - at_ms / 1000;
    let bytes = |bytes: &Option<Box<[u8]>>| {
        String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
    };
    let subscribed = |kind| session.subscriptions.as_ref().map_or(0, |subs| subs.count_of(kind));
    let transaction = session.transaction.as_deref();
    let out = session.out.usage();
    field("id", &session.id);
    field("addr", &session.addr);
    field("laddr", &session.local_addr);
    field("fd", &session.fd);
    field("name", &bytes(&session.name));
    field("age", &seconds_since(session.created_ms));
    field("idle", &seconds_since(session.last_active_ms));
    field("flags", &flags(session));
    field("capa", &if session.can_redirect { "r" } else { "" });
    field("db", &session.db);
    field("sub", &subscribed(Kind::Channel));
    field("psub", &subscribed(Kind::Pattern));
    field("ssub", &subscribed(Kind::Shard));
    field("multi", &transaction.map_or(-1, |t| t.queue.len() as i64));
    field("watch", &session.watched.len());
    field("qbuf", &session.input_bytes);
    field("qbuf-free", &0);
    field("argv-mem", &argument_bytes);
    field("multi-mem", &transaction.map_or(0, |t| t.queue_bytes));
    field("rbs", &session.reply_room.bytes());
    field("rbp", &session.reply_room.peak_bytes());
    field("obl", &out.buffered_bytes);
    field("oll", &out.chunks);
    field("omem", &out.chunk_bytes);
    field("tot-mem", &session.mem_bytes());
    // Writing is waited for only while the socket takes no more.
    let stuck = session.key != ctx.session.key && !session.out.is_empty();
    field("events", &if stuck { "rw" } else { "r" });
    let command = ctx.table.entries().get(session.last_command as usize);
    field("cmd", &command.map_or("NULL", |entry| &entry.full_name));
    field("user", &"default");
    field("redir", &-1);
    field("resp", &if session.out.proto == Proto::Resp3 { 3 } else { 2 });
    field("lib-name", &bytes(&session.lib_name));
    field("lib-ver", &bytes(&session.lib_version));
    field("tot-net-in", &session.net_in_bytes);
    field("tot-net-out", &session.net_out_bytes);
    field("tot-cmds", &session.commands);
    text.pop();
    text.push(b'\n');
}

/// The letters that [`flags`] can hold, those of what is not built included.
pub(super) const FLAGS: &[u8] = b"bcdeirtuxABEIMNOPRSTU";

/// The letters of what holds for a session; `N` for none.
pub(super) fn flags(session: &Session) -> String {
    let letters = [
        ('O', session.monitor),
        ('P', session.is_subscriber()),
        ('x', session.transaction.is_some()),
        ('b', session.is_waiting()),
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
