//! What INFO's fields are computed from.

use crate::{
    command::{Ctx, table::Table},
    state::{State, memory::Memory},
    store::Store,
    sys::process::{Cpu, Machine},
};
use std::cell::OnceCell;

/// Keys with an expiry that the mean of their times to live is taken of.
const TTL_SAMPLE: usize = 64;

/// The server as INFO sees it. What costs something to find out is asked for when a section needs it.
pub(super) struct Facts<'a> {
    pub state: &'a State,
    pub store: &'a Store,
    pub table: &'a Table,
    pub now_ms: i64,
    machine: OnceCell<Machine>,
    cpu: OnceCell<Cpu>,
    memory: OnceCell<Memory>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(ctx: &'a Ctx<'_>) -> Facts<'a> {
        Facts {
            state: ctx.state,
            store: ctx.store,
            table: ctx.table,
            now_ms: ctx.store.now_ms,
            machine: OnceCell::new(),
            cpu: OnceCell::new(),
            memory: OnceCell::new(),
        }
    }

    pub(super) fn machine(&self) -> &Machine {
        self.machine.get_or_init(self.state.probe.machine)
    }

    pub(super) fn cpu(&self) -> &Cpu {
        self.cpu.get_or_init(self.state.probe.cpu)
    }

    pub(super) fn memory(&self) -> &Memory {
        self.memory.get_or_init(|| Memory::of(self.state, self.store))
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

/// A number with two digits behind the point.
pub(super) fn two_digits(number: f64) -> String {
    format!("{number:.2}")
}
