//! The filters of CLIENT LIST and CLIENT KILL.

use crate::{
    base::num::parse_i64,
    command::{CmdError, Ctx},
    state::session::{Session, SessionKey},
};

/// `TYPE`: what a client does on its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Pubsub,
    /// A replica, or the server that this one replicates: there are none.
    Replication,
}

/// Which sessions are meant.
#[derive(Default)]
pub(super) struct Selection<'a> {
    ids: Vec<u64>,
    kind: Option<Kind>,
    addr: Option<&'a [u8]>,
    local_addr: Option<&'a [u8]>,
    min_age_s: Option<i64>,
    skip_me: bool,
}

impl<'a> Selection<'a> {
    /// The session with an address.
    pub(super) fn of_address(addr: &'a [u8]) -> Selection<'a> {
        Selection { addr: Some(addr), ..Selection::default() }
    }

    /// Reads the filters from argument `first` on. `skip_me`: whether the caller is left out unless they say so.
    pub(super) fn parse(ctx: &Ctx<'a>, first: usize, skip_me: bool) -> Result<Selection<'a>, CmdError> {
        let args = ctx.args;
        let mut selection = Selection { skip_me, ..Selection::default() };
        let mut i = first;
        while i < args.len() {
            let value = args.get(i + 1).ok_or(CmdError::SYNTAX)?;
            let shown = || String::from_utf8_lossy(value);
            if ctx.is_word(i, "id") {
                let ids = args.from(i + 1).map_while(parse_i64);
                let before = selection.ids.len();
                for id in ids {
                    if id < 1 {
                        return Err(CmdError::new("ERR client-id should be greater than 0"));
                    }
                    selection.ids.push(id as u64);
                }
                let n = selection.ids.len() - before;
                if n == 0 {
                    return Err(CmdError::SYNTAX);
                }
                i += 1 + n;
                continue;
            } else if ctx.is_word(i, "type") {
                let kind = match value.to_ascii_lowercase().as_slice() {
                    b"normal" => Kind::Normal,
                    b"pubsub" => Kind::Pubsub,
                    b"master" | b"primary" | b"slave" | b"replica" => Kind::Replication,
                    _ => return Err(CmdError::with(format!("ERR Unknown client type '{}'", shown()))),
                };
                selection.kind = Some(kind);
            } else if ctx.is_word(i, "addr") {
                selection.addr = Some(value);
            } else if ctx.is_word(i, "laddr") {
                selection.local_addr = Some(value);
            } else if ctx.is_word(i, "user") {
                if value != b"default" {
                    return Err(CmdError::with(format!("ERR No such user '{}'", shown())));
                }
            } else if ctx.is_word(i, "skipme") {
                selection.skip_me = match value.to_ascii_lowercase().as_slice() {
                    b"yes" => true,
                    b"no" => false,
                    _ => return Err(CmdError::SYNTAX),
                };
            } else if ctx.is_word(i, "maxage") {
                let age =
                    parse_i64(value).ok_or(CmdError::new("ERR maxage is not an integer or out of range"))?;
                if age <= 0 {
                    return Err(CmdError::new("ERR maxage should be greater than 0"));
                }
                selection.min_age_s = Some(age);
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 2;
        }
        selection.ids.sort_unstable();
        Ok(selection)
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
            if self.means(session, ctx.now_ms()) {
                found.push((session.id, key));
            }
        }
        found.sort_unstable();
        found
    }

    fn means(&self, session: &Session, now_ms: i64) -> bool {
        let kind = if session.is_subscriber() { Kind::Pubsub } else { Kind::Normal };
        let is_at = |wanted: Option<&[u8]>, addr: &dyn std::fmt::Display| {
            wanted.is_none_or(|wanted| addr.to_string().as_bytes() == wanted)
        };
        (self.ids.is_empty() || self.ids.binary_search(&session.id).is_ok())
            && self.kind.is_none_or(|wanted| wanted == kind)
            && is_at(self.addr, &session.addr)
            && is_at(self.local_addr, &session.local_addr)
            && self.min_age_s.is_none_or(|age| now_ms / 1000 - session.created_ms / 1000 >= age)
    }
}
