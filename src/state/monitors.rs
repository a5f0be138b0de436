//! MONITOR: sessions that are shown every command.

use super::{
    commandlog::REDACTED,
    session::{Address, Closing, ReplyMode, Session, SessionKey, Sessions},
};
use crate::resp::request::Args;
use std::{io::Write, sync::Arc};

/// Lines of this size are kept once for all monitors.
const SHARED_FROM_BYTES: usize = 4096;

/// The sessions that monitor.
#[derive(Default, Debug)]
pub struct Monitors {
    keys: Vec<SessionKey>,
    /// The line that is being written.
    line: Vec<u8>,
}

impl Monitors {
    /// Whether nobody looks.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A session looks from now on.
    pub fn add(&mut self, session: &mut Session) {
        session.monitor = true;
        self.keys.push(session.key);
    }

    /// A session looks no more.
    pub fn remove(&mut self, session: &mut Session) {
        if std::mem::take(&mut session.monitor) {
            self.keys.retain(|&key| key != session.key);
        }
    }

    /// Shows a command to all; the session that sent it is out of its place. Returns how many saw it.
    pub fn show(
        &mut self,
        sessions: &mut Sessions,
        dirty: &mut Vec<SessionKey>,
        (now_us, most_bytes): (i64, u64),
        (session, args, secrets): (&mut Session, Args<'_>, &[usize]),
    ) -> usize {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        write_line(&mut line, now_us, session, args, secrets);
        let shared: Option<Arc<[u8]>> = (line.len() >= SHARED_FROM_BYTES).then(|| Arc::from(&*line));
        let send = |to: &mut Session| {
            if to.closing == Closing::Now || to.reply == ReplyMode::Off {
                return;
            }
            match &shared {
                Some(shared) => to.out.shared(shared),
                None => to.out.raw(&line),
            }
            if to.out.pending_bytes() as u64 > most_bytes {
                to.overflowed = true;
                to.close(Closing::Now);
            }
        };
        for &key in &self.keys {
            if key == session.key {
                send(session);
            } else if let Some(Some(to)) = sessions.get_mut(key) {
                send(to);
                if !to.dirty {
                    to.dirty = true;
                    dirty.push(key);
                }
            }
        }
        line.shrink_to(SHARED_FROM_BYTES);
        self.line = line;
        self.keys.len()
    }
}

/// `+1700000000.123456 [0 127.0.0.1:5000] "SET" "key" "value"`.
fn write_line(line: &mut Vec<u8>, now_us: i64, session: &Session, args: Args<'_>, secrets: &[usize]) {
    let (seconds, us) = (now_us.div_euclid(1_000_000), now_us.rem_euclid(1_000_000));
    let written = match &session.addr {
        _ if session.in_script.is_some() => write!(line, "+{seconds}.{us:06} [{} lua]", session.db),
        Address::Unix(path) => write!(line, "+{seconds}.{us:06} [{} unix:{path}]", session.db),
        addr => write!(line, "+{seconds}.{us:06} [{} {addr}]", session.db),
    };
    written.expect("a buffer takes it");
    for (i, arg) in args.from(0).enumerate() {
        line.extend_from_slice(b" \"");
        quote(line, if secrets.binary_search(&i).is_ok() { REDACTED } else { arg });
        line.push(b'"');
    }
    line.extend_from_slice(b"\r\n");
}

/// Bytes as a C string would be written.
fn quote(line: &mut Vec<u8>, bytes: &[u8]) {
    for &b in bytes {
        match b {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', b]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0x07 => line.extend_from_slice(b"\\a"),
            0x08 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(b),
            _ => write!(line, "\\x{b:02x}").expect("a buffer takes it"),
        }
    }
}
