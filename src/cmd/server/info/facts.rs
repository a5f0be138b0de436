//! What INFO's fields are computed from.

use crate::{
    command::{Ctx, table::Table},
    state::{State, session::Session},
    store::Store,
    sys::process::Process,
};

/// Keys with an expiry that the mean of their times to live is taken of.
const TTL_SAMPLE: usize = 64;

/// The server as INFO sees it, with the sums over its sessions.
pub(super) struct Facts<'a> {
    pub state: &'a State,
    pub store: &'a Store,
    pub table: &'a Table,
    pub process: Process,
    pub now_ms: i64,
    pub used_bytes: usize,
    /// What is not keys and values.
    pub overhead_bytes: usize,
    pub sessions_bytes: usize,
    pub subscribers: usize,
    pub watchers: usize,
    pub longest_input_bytes: usize,
    pub longest_output_bytes: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn gather(ctx: &'a Ctx<'_>) -> Facts<'a> {
        let (state, store) = (&*ctx.state, &*ctx.store);
        // The session that asks was taken out for the length of its command.
        let others = state.sessions.iter().filter_map(|(_, session)| session.as_deref());
        let sessions: Vec<&Session> = others.chain([&*ctx.session]).collect();
        let longest = |of: fn(&Session) -> usize| sessions.iter().map(|s| of(s)).max().unwrap_or(0);
        let own_bytes = ctx.session.mem_bytes();
        let overhead_bytes = state.mem_bytes() + own_bytes + store.tables_bytes();
        Facts {
            state,
            store,
            table: ctx.table,
            process: (state.probe)(),
            now_ms: store.now_ms,
            used_bytes: state.mem_bytes() + own_bytes + store.mem_bytes(),
            overhead_bytes,
            sessions_bytes: sessions.iter().map(|s| s.mem_bytes()).sum(),
            subscribers: sessions.iter().filter(|s| s.is_subscriber()).count(),
            watchers: sessions.iter().filter(|s| !s.watched.is_empty()).count(),
            longest_input_bytes: longest(|s| s.input_bytes),
            longest_output_bytes: longest(|s| s.out.pending_bytes()),
        }
    }

    /// The mean time to live of a sample of the keys that have one, in milliseconds.
    pub(super) fn mean_ttl_ms(&self, db: usize) -> i64 {
        let table = self.store.table(db);
        let (mut cursor, mut n, mut sum_ms, mut looked_at) = (0, 0, 0i128, 0);
        while table.volatile_len() > 0 && looked_at < TTL_SAMPLE {
            cursor = table.scan_volatile(cursor, |entry| {
                looked_at += 1;
                if let Some(at_ms) = entry.expire_at_ms() {
                    n += 1;
                    sum_ms += i128::from(at_ms.saturating_sub(self.now_ms).max(0));
                }
            });
            if cursor == 0 {
                break;
            }
        }
        (sum_ms / n.max(1) as i128) as i64
    }

    pub(super) fn uptime_s(&self) -> i64 {
        (self.now_ms - self.state.identity.started_ms) / 1000
    }

    pub(super) fn peak_bytes(&self) -> usize {
        self.state.stats.peak_mem_bytes.max(self.used_bytes)
    }
}

/// Bytes as people read them: `981.99K`.
pub(super) fn human(bytes: usize) -> String {
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut scaled = bytes as f64 / 1024.0;
    for unit in ["K", "M", "G", "T"] {
        if scaled < 1024.0 {
            return format!("{scaled:.2}{unit}");
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.2}P")
}

/// A part of a whole, as `92.86%`.
pub(super) fn percent(part: usize, whole: usize) -> String {
    format!("{:.2}%", part as f64 * 100.0 / whole.max(1) as f64)
}

/// A ratio with two digits.
pub(super) fn ratio(a: usize, b: usize) -> String {
    format!("{:.2}", if b == 0 { 0.0 } else { a as f64 / b as f64 })
}
