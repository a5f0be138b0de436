//! Floor 4: what a server knows beside its keys: sessions, subscriptions, waiters, watches, parameters, counters. No
//! sockets.

pub mod commandlog;
pub mod config;
pub mod histogram;
pub mod latency;
pub mod monitors;
pub mod pause;
pub mod pubsub;
pub mod session;
pub mod stats;
pub mod waiters;
pub mod watch;

use crate::{
    base::{clock::Clock, hash::Seed, journal::Journal, rng::Rng},
    sys::process::{Probe, Process},
};
use commandlog::CommandLog;
use config::Config;
use latency::Latency;
use monitors::Monitors;
use pause::Pause;
use pubsub::PubSub;
use session::{SessionKey, Sessions};
use stats::Stats;
use std::time::Duration;
use waiters::Waiters;
use watch::Watch;

/// What identifies a server, for INFO.
#[derive(Clone, Debug)]
pub struct Identity {
    /// 40 hexadecimal digits, new at each start.
    pub run_id: String,
    /// As many for the data set.
    pub repl_id: String,
    pub started_ms: i64,
    /// Where it listens; 0 where it does not.
    pub tcp_port: u16,
    pub executable: String,
    pub config_file: String,
    /// The allocator of the process.
    pub allocator: &'static str,
}

/// What a server knows beside its keys.
pub struct State {
    pub clock: Clock,
    pub journal: Journal,
    pub config: Config,
    pub identity: Identity,
    pub sessions: Sessions,
    pub pubsub: PubSub,
    pub waiters: Waiters,
    pub pause: Pause,
    pub watch: Watch,
    pub stats: Stats,
    pub commandlog: CommandLog,
    pub latency: Latency,
    pub monitors: Monitors,
    /// How to ask the operating system about the process; where nobody says, it tells nothing.
    pub probe: Probe,
    /// DEBUG SLEEP: how to let time go by; where nobody says, it does not.
    pub stand_still: fn(Duration),
    /// DEBUG PAUSE-CRON.
    pub cron_paused: bool,
    pub rng: Rng,
    pub seed: Seed,
    /// Sessions with output to be written.
    pub dirty: Vec<SessionKey>,
    /// Sessions that wait no more and may have input left.
    pub resumed: Vec<SessionKey>,
    /// Buffers of outputs that were written, to be used again.
    pub pool: Vec<Vec<u8>>,
    pub next_session_id: u64,
    /// SHUTDOWN was called.
    pub stopping: bool,
}

impl State {
    /// The state of a new server with a table of `commands` commands.
    pub fn new(config: Config, clock: Clock, mut rng: Rng, commands: usize) -> State {
        let seed = Seed([rng.next_u64(), rng.next_u64()]);
        let databases = config.databases as usize;
        let identity = Identity {
            run_id: rng.hex_id(),
            repl_id: rng.hex_id(),
            started_ms: clock.now_us() / 1000,
            tcp_port: 0,
            executable: String::new(),
            config_file: String::new(),
            allocator: "libc",
        };
        State {
            clock,
            journal: Journal::default(),
            config,
            identity,
            sessions: Sessions::new(),
            pubsub: PubSub::new(seed),
            waiters: Waiters::new(seed, databases),
            pause: Pause::default(),
            watch: Watch::new(seed, databases),
            stats: Stats::new(commands),
            commandlog: CommandLog::default(),
            latency: Latency::default(),
            monitors: Monitors::default(),
            probe: Process::default,
            stand_still: |_| {},
            cron_paused: false,
            rng,
            seed,
            dirty: Vec::new(),
            resumed: Vec::new(),
            pool: Vec::new(),
            next_session_id: 1,
            stopping: false,
        }
    }

    /// Has a session's output written, or the session closed, at the end of the turn.
    pub fn touch_output(&mut self, key: SessionKey) {
        let Some(Some(session)) = self.sessions.get_mut(key) else { return };
        if !session.dirty {
            session.dirty = true;
            self.dirty.push(key);
        }
    }

    /// Memory of sessions and of what they subscribed to, watch and wait for, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let sessions: usize =
            self.sessions.iter().map(|(_, s)| s.as_ref().map_or(0, |s| s.mem_bytes())).sum();
        let tables = self.pubsub.mem_bytes()
            + self.watch.mem_bytes()
            + self.waiters.mem_bytes()
            + self.pause.mem_bytes();
        sessions + self.sessions.capacity() * size_of::<usize>() + tables
    }
}
