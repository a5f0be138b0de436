//! The filters of CLIENT LIST and CLIENT KILL.

use super::list;
use crate::{
    base::num::parse_i64,
    command::{CmdError, Ctx},
    resp::error::shown,
    state::{
        acl::UserId,
        session::{Address, Session, SessionKey},
    },
};
use std::fmt::Display;

/// `TYPE`: what a client does on its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Pubsub,
    Primary,
    Replica,
}

/// What a filter looks at.
enum Trait<'a> {
    /// One of these, in order.
    Ids(Vec<u64>),
    Kind(Kind),
    User(UserId),
    Addr(&'a [u8]),
    LocalAddr(&'a [u8]),
    Ip(&'a [u8]),
    Flags(&'a [u8]),
    Capabilities(&'a [u8]),
    Name(&'a [u8]),
    LibName(&'a [u8]),
    LibVersion(&'a [u8]),
    Db(usize),
    MinAgeS(i64),
    MinIdleS(i64),
}

/// A trait that a session must have, or must not have.
struct Filter<'a> {
    wanted: bool,
    what: Trait<'a>,
}

/// Which sessions are meant.
#[derive(Default)]
pub(super) struct Selection<'a> {
    /// Each kind of filter at most once in each direction.
    filters: Vec<Filter<'a>>,
    skip_me: bool,
}

impl<'a> Selection<'a> {
    /// The session with an address.
    pub(super) fn of_address(addr: &'a [u8]) -> Selection<'a> {
        Selection { filters: vec![Filter { wanted: true, what: Trait::Addr(addr) }], skip_me: false }
    }

    /// Reads the filters from argument `first` on. `skip_me`: whether the caller is left out unless they say so.
    pub(super) fn parse(ctx: &Ctx<'a>, first: usize, skip_me: bool) -> Result<Selection<'a>, CmdError> {
        let args = ctx.args;
        let mut selection = Selection { filters: Vec::new(), skip_me };
        let mut i = first;
        if args.len() == first + 1 {
            return Err(CmdError::SYNTAX);
        }
        while i < args.len() {
            let word = args.at(i).to_ascii_lowercase();
            let (wanted, name) = match word.strip_prefix(b"not-") {
                Some(rest) => (false, rest),
                None => (true, word.as_slice()),
            };
            if name == b"id" {
                // As many as there are: without any no client is meant.
                let ids: Vec<i64> = args.from(i + 1).map_while(parse_i64).collect();
                i += 1 + ids.len();
                selection.add_ids(wanted, ids)?;
                continue;
            }
            let value = args.get(i + 1).ok_or(CmdError::SYNTAX)?;
            match name {
                b"skipme" if wanted => {
                    selection.skip_me = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => true,
                        b"no" => false,
                        _ => return Err(CmdError::SYNTAX),
                    };
                }
                b"maxage" if wanted => {
                    selection.add(wanted, Trait::MinAgeS(seconds("maxage", value)?));
                }
                b"idle" if wanted => {
                    selection.add(wanted, Trait::MinIdleS(seconds("idle", value)?));
                }
                _ => {
                    let what = parse_trait(ctx, wanted, name, value)?;
                    selection.add(wanted, what);
                }
            }
            i += 2;
        }
        Ok(selection)
    }

    /// Adds a filter; it takes the place of another one of its kind.
    fn add(&mut self, wanted: bool, what: Trait<'a>) {
        let kind = std::mem::discriminant(&what);
        self.filters.retain(|f| f.wanted != wanted || std::mem::discriminant(&f.what) != kind);
        self.filters.push(Filter { wanted, what });
    }

    /// Adds ids to those that were given before.
    fn add_ids(&mut self, wanted: bool, ids: Vec<i64>) -> Result<(), CmdError> {
        let mut all = Vec::new();
        for id in ids {
            if id < 1 {
                return Err(CmdError::new("ERR client-id should be greater than 0"));
            }
            all.push(id as u64);
        }
        for filter in &mut self.filters {
            if let Trait::Ids(before) = &mut filter.what
                && filter.wanted == wanted
            {
                all.append(before);
            }
        }
        all.sort_unstable();
        self.add(wanted, Trait::Ids(all));
        Ok(())
    }

    /// The sessions meant, with their ids, oldest first.
    pub(super) fn find(&self, ctx: &Ctx<'_>) -> Vec<(u64, SessionKey)> {
        let mut found = Vec::new();
        for (key, session) in &ctx.state.sessions {
            // The session that asks was taken out for the length of its command.
            let session = match session {
                Some(session) => session,
                None if self.skip_me => continue,
                None => &*ctx.session,
            };
            if self.filters.iter().all(|f| f.what.fits(session, ctx.now_ms()) == f.wanted) {
                found.push((session.id, key));
            }
        }
        found.sort_unstable();
        found
    }
}

/// A filter that may be turned round with `NOT-`.
fn parse_trait<'a>(ctx: &Ctx<'a>, wanted: bool, name: &[u8], value: &'a [u8]) -> Result<Trait<'a>, CmdError> {
    let text = || String::from_utf8_lossy(shown(value));
    let unknown_letters = |what: &str, filter: &str| {
        let filter = if wanted { "provided".into() } else { format!("NOT-{filter}") };
        CmdError::with(format!("ERR Unknown {what} found in the {filter} filter: {}", text()))
    };
    let what = match name {
        b"type" => Trait::Kind(match value.to_ascii_lowercase().as_slice() {
            b"normal" => Kind::Normal,
            b"pubsub" => Kind::Pubsub,
            b"master" | b"primary" => Kind::Primary,
            b"slave" | b"replica" => Kind::Replica,
            _ => return Err(CmdError::with(format!("ERR Unknown client type '{}'", text()))),
        }),
        b"user" => {
            let found = ctx.state.acl.find(value);
            Trait::User(found.ok_or_else(|| CmdError::with(format!("ERR No such user '{}'", text())))?)
        }
        b"addr" => Trait::Addr(value),
        b"laddr" => Trait::LocalAddr(value),
        b"ip" => Trait::Ip(value),
        b"flags" if value.iter().all(|letter| list::FLAGS.contains(letter)) => Trait::Flags(value),
        b"flags" => return Err(unknown_letters("flags", "FLAGS")),
        b"capa" if value.iter().all(|&letter| letter == b'r') => Trait::Capabilities(value),
        b"capa" => return Err(unknown_letters("capa", "CAPA")),
        b"name" => Trait::Name(value),
        b"lib-name" => Trait::LibName(value),
        b"lib-ver" => Trait::LibVersion(value),
        b"db" => {
            let not = if wanted { "" } else { "NOT-" };
            let number = parse_i64(value)
                .ok_or_else(|| CmdError::with(format!("ERR {not}DB is not an integer or out of range")))?;
            let last = ctx.store.databases() - 1;
            let db = usize::try_from(number).ok().filter(|&db| db <= last);
            Trait::Db(db.ok_or_else(|| {
                CmdError::with(format!("ERR {not}DB number should be between 0 and {last}"))
            })?)
        }
        _ => return Err(CmdError::SYNTAX),
    };
    Ok(what)
}

/// A time in seconds that is not 0.
fn seconds(what: &str, value: &[u8]) -> Result<i64, CmdError> {
    let n = parse_i64(value)
        .ok_or_else(|| CmdError::with(format!("ERR {what} is not an integer or out of range")))?;
    if n <= 0 { Err(CmdError::with(format!("ERR {what} should be greater than 0"))) } else { Ok(n) }
}

impl Trait<'_> {
    fn fits(&self, session: &Session, now_ms: i64) -> bool {
        let is = |text: &dyn Display, wanted: &[u8]| text.to_string().as_bytes() == wanted;
        let holds_all = |letters: &[u8], wanted: &[u8]| wanted.iter().all(|w| letters.contains(w));
        let seconds_since = |at_ms: i64| now_ms / 1000 - at_ms / 1000;
        match *self {
            Trait::Ids(ref ids) => ids.binary_search(&session.id).is_ok(),
            Trait::Kind(kind) => kind == if session.is_subscriber() { Kind::Pubsub } else { Kind::Normal },
            Trait::User(user) => session.user == user,
            Trait::Addr(addr) => is(&session.addr, addr),
            Trait::LocalAddr(addr) => is(&session.local_addr, addr),
            Trait::Ip(ip) => match &session.addr {
                Address::Tcp(addr) => is(&addr.ip(), ip),
                Address::Unix(path) => path.as_bytes() == ip,
                Address::None => ip == b"?",
            },
            Trait::Flags(letters) => holds_all(list::flags(session).as_bytes(), letters),
            Trait::Capabilities(letters) => holds_all(if session.can_redirect { b"r" } else { b"" }, letters),
            Trait::Name(name) => session.name.as_deref() == Some(name),
            Trait::LibName(name) => session.lib_name.as_deref() == Some(name),
            Trait::LibVersion(version) => session.lib_version.as_deref() == Some(version),
            Trait::Db(db) => session.db == db,
            Trait::MinAgeS(age) => seconds_since(session.created_ms) >= age,
            Trait::MinIdleS(idle) => seconds_since(session.last_active_ms) >= idle,
        }
    }
}
