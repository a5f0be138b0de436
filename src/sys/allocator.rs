//! What the process's allocator tells of itself, and what it can be asked to do.

/// The allocator of the process. The engine is handed one, since it chooses none itself; the default tells nothing.
#[derive(Clone, Copy, Debug)]
pub struct Allocator {
    /// Its name in INFO.
    pub name: &'static str,
    /// How its memory is used, where it tells.
    pub figures: fn() -> Option<Figures>,
    /// Gives memory that is free back to the system.
    pub purge: fn(),
    /// What it has to say in detail, where it has.
    pub report: fn() -> Option<String>,
}

/// How an allocator's memory is used, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// What the program asked for, as it was rounded.
    pub allocated: usize,
    /// The pages of it.
    pub active: usize,
    /// What of its pages is in memory.
    pub resident: usize,
}

impl Default for Allocator {
    fn default() -> Allocator {
        Allocator { name: "libc", figures: || None, purge: || {}, report: || None }
    }
}

/// jemalloc, where it is the allocator of the process.
#[cfg(feature = "bin")]
pub const JEMALLOC: Allocator = Allocator {
    name: "jemalloc",
    figures: jemalloc::figures,
    purge: jemalloc::purge,
    report: jemalloc::report,
};

#[cfg(feature = "bin")]
mod jemalloc {
    use super::Figures;
    use tikv_jemalloc_ctl::{epoch, raw, stats, stats_print};

    pub fn figures() -> Option<Figures> {
        // The figures are those of the last epoch.
        epoch::advance().ok()?;
        Some(Figures {
            allocated: stats::allocated::read().ok()?,
            active: stats::active::read().ok()?,
            resident: stats::resident::read().ok()?,
        })
    }

    /// Pages whose time to decay is none are given back at once.
    pub fn purge() {
        const DECAYS: [&[u8]; 2] = [b"arena.0.dirty_decay_ms\0", b"arena.0.muzzy_decay_ms\0"];
        for name in DECAYS {
            // SAFETY: both are of type `ssize_t`, which has the size and the values of `isize`.
            let set = unsafe { raw::update::<isize>(name, 0) };
            if let Ok(before) = set {
                // SAFETY: as above.
                let restored = unsafe { raw::write::<isize>(name, before) };
                debug_assert!(restored.is_ok());
            }
        }
    }

    pub fn report() -> Option<String> {
        let mut text = Vec::new();
        stats_print::stats_print(&mut text, stats_print::Options::default()).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}
