//! Floor 4: what a server knows beside its keys: sessions, users, subscriptions, waiters, watches, cached keys, parameters, counters.
//! No sockets.

pub mod acl;
pub mod cluster;
pub mod commandlog;
pub mod config;
pub mod connections;
pub mod histogram;
pub mod latency;
pub mod memory;
pub mod monitors;
pub mod pause;
pub mod pubsub;
pub mod reply_room;
pub mod scripts;
pub mod session;
pub mod slot_stats;
pub mod stats;
pub mod totals;
pub mod tracking;
pub mod waiters;
pub mod watch;

use crate::{
    base::{clock::Clock, hash::Seed, journal::Journal, os_error_text, rng::Rng},
    resp::error::CmdError,
    store::Store,
    sys::{allocator::Allocator, process::Probe},
};
use acl::{Acl, User};
use cluster::Cluster;
use commandlog::CommandLog;
use config::{Access, Config, SetError, rewritten};
use latency::Latency;
use memory::Sample;
use monitors::Monitors;
use pause::Pause;
use pubsub::PubSub;
use reply_room::RoomRules;
use scripts::Scripts;
use session::{Session, SessionKey, Sessions};
use slot_stats::SlotStats;
use stats::{Cost, Stats};
use std::{io, path::Path, sync::Arc, time::Duration};
use totals::Totals;
use tracking::Tracking;
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
}

/// Makes the difference between two configurations effective, or, on an error, leaves everything as it was. Called with
/// the two the other way round it takes that back.
pub type Applier = Box<dyn FnMut(&Config, &Config) -> Result<(), Refusal> + Send>;

/// A parameter's value could not be made effective.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub param: &'static str,
    pub why: String,
}

/// Replaces the file at a path by what the function makes of its bytes: as a whole, or not at all.
pub type EditFile = fn(&str, &dyn Fn(&[u8]) -> Vec<u8>) -> io::Result<()>;

/// The bytes of the file at a path.
pub type ReadFile = fn(&str) -> io::Result<Vec<u8>>;

/// What a server knows beside its keys.
pub struct State {
    pub clock: Clock,
    pub journal: Journal,
    pub config: Config,
    pub identity: Identity,
    pub acl: Acl,
    /// `cluster-enabled`.
    pub cluster: Option<Arc<Cluster>>,
    /// `cluster-slot-stats-enabled`, in a cluster.
    pub slot_stats: Option<SlotStats>,
    pub sessions: Sessions,
    pub pubsub: PubSub,
    pub waiters: Waiters,
    pub pause: Pause,
    /// DEBUG REPLYBUFFER.
    pub room_rules: RoomRules,
    pub watch: Watch,
    pub tracking: Tracking,
    pub scripts: Scripts,
    pub stats: Stats,
    pub totals: Totals,
    pub commandlog: CommandLog,
    pub latency: Latency,
    pub monitors: Monitors,
    /// From which cost on somebody may want to see a call: see [`State::note_watchers`].
    pub notable_from: Cost,
    /// How to ask the operating system about the process; where nobody says, it tells nothing.
    pub probe: Probe,
    pub allocator: Allocator,
    /// None: to be taken by who needs it.
    pub memory_sample: Option<Sample>,
    /// DEBUG SLEEP: how to let time go by; where nobody says, it does not.
    pub stand_still: fn(Duration),
    /// DEBUG PAUSE-CRON.
    pub cron_paused: bool,
    /// Those who make changed parameters effective outside of the engine.
    pub appliers: Vec<Applier>,
    /// How to change a file: where nobody says, it cannot be done.
    pub edit_file: EditFile,
    /// How to read one, likewise.
    pub read_file: ReadFile,
    /// Parameters of which the log says already that they change nothing.
    ignored_params: Vec<&'static str>,
    pub rng: Rng,
    pub seed: Seed,
    /// Sessions with output to be written.
    pub dirty: Vec<SessionKey>,
    /// Sessions that wait no more and may have input left.
    pub resumed: Vec<SessionKey>,
    /// Buffers of outputs that were written, to be used again.
    pub pool: Vec<Vec<u8>>,
    pub next_session_id: u64,
    /// Memory was above its limit when the command began, and nothing more could go.
    pub out_of_memory: bool,
    /// Writes are refused, as there are fewer replicas than `min-replicas-to-write`.
    pub lacks_replicas: bool,
    /// SHUTDOWN was called.
    pub stopping: bool,
    /// A signal asked for the end, which is to come.
    pub shutdown_asked: bool,
}

impl State {
    /// The state of a new server with these users.
    pub fn new(config: Config, clock: Clock, mut rng: Rng, acl: Acl) -> State {
        let seed = Seed([rng.next_u64(), rng.next_u64()]);
        let databases = config.databases as usize;
        let identity = Identity {
            run_id: rng.hex_id(),
            repl_id: rng.hex_id(),
            started_ms: clock.now_us() / 1000,
            tcp_port: 0,
            executable: String::new(),
            config_file: String::new(),
        };
        let cluster = config.cluster_enabled.then(|| Arc::new(Cluster::new(&mut rng)));
        let mut state = State {
            clock,
            journal: Journal::default(),
            config,
            identity,
            stats: Stats::new(acl.catalog.len()),
            acl,
            cluster,
            slot_stats: None,
            sessions: Sessions::new(),
            pubsub: PubSub::new(seed),
            waiters: Waiters::new(seed, databases),
            pause: Pause::default(),
            room_rules: RoomRules::default(),
            watch: Watch::new(seed, databases),
            tracking: Tracking::new(seed.0),
            scripts: Scripts::new(seed),
            totals: Totals::default(),
            commandlog: CommandLog::default(),
            latency: Latency::default(),
            monitors: Monitors::default(),
            notable_from: Cost::default(),
            probe: Probe::default(),
            allocator: Allocator::default(),
            memory_sample: None,
            stand_still: |_| {},
            cron_paused: false,
            appliers: Vec::new(),
            edit_file: |_, _| Err(io::ErrorKind::Unsupported.into()),
            read_file: |_| Err(io::ErrorKind::Unsupported.into()),
            ignored_params: Vec::new(),
            rng,
            seed,
            dirty: Vec::new(),
            resumed: Vec::new(),
            pool: Vec::new(),
            next_session_id: 1,
            out_of_memory: false,
            lacks_replicas: false,
            stopping: false,
            shutdown_asked: false,
        };
        state.lacks_replicas = state.config.wants_replicas();
        state.note_watchers();
        state
    }

    /// Works out from which cost on somebody may want to see a call. To be called when the parameters or the monitors
    /// changed.
    pub fn note_watchers(&mut self) {
        if self.cluster.is_none() || !self.config.cluster_slot_stats_enabled {
            self.slot_stats = None;
        } else if self.slot_stats.is_none() {
            self.slot_stats = Some(SlotStats::new());
        }
        let [slow, large_request, large_reply] = self.config.commandlog.map(|limit| limit.threshold as u64);
        // A threshold of -1 becomes more than any value.
        let slow_ns = slow.saturating_mul(1000);
        let latency_ns = match self.config.latency_monitor_ms as u64 {
            0 => u64::MAX,
            ms => ms.saturating_mul(1_000_000),
        };
        let sees_all = !self.monitors.is_empty() || self.slot_stats.is_some();
        let duration_ns = if sees_all { 0 } else { slow_ns.min(latency_ns) };
        self.notable_from = Cost { duration_ns, request_bytes: large_request, reply_bytes: large_reply };
    }

    /// Whether a session must log in before it may do more.
    #[inline]
    pub fn must_log_in(&self, session: &Session) -> bool {
        !session.authenticated && !self.acl.is_open()
    }

    /// Makes a session the default user's, as it was when it connected.
    pub fn log_out(&self, session: &mut Session) {
        session.user = acl::DEFAULT_USER;
        session.authenticated = self.acl.is_open();
    }

    /// Has a session's output written, or the session closed, at the end of the turn.
    pub fn touch_output(&mut self, key: SessionKey) {
        let Some(Some(session)) = self.sessions.get_mut(key) else { return };
        if !session.dirty {
            session.dirty = true;
            self.dirty.push(key);
        }
    }

    /// Sets several parameters and makes them effective, or, on an error, does neither.
    pub fn set_config(
        &mut self,
        pairs: &[(&[u8], &[u8])],
        access: Access,
        store: &mut Store,
    ) -> Result<(), SetError> {
        let (next, ignored) = self.config.with(pairs, access)?;
        for at in 0..self.appliers.len() {
            let Err(Refusal { param, why }) = (self.appliers[at])(&self.config, &next) else { continue };
            self.journal.warn(format_args!(
                "Failed applying new configuration. Possibly related to new {param} setting. Restoring previous settings."
            ));
            for undo in &mut self.appliers[..at] {
                if let Err(Refusal { param, why }) = undo(&next, &self.config) {
                    self.journal.warn(format_args!("Failed to restore {param}: {why}"));
                }
            }
            return Err(SetError::Refused { param: param.into(), why });
        }
        for param in ignored {
            if !self.ignored_params.contains(&param.name) {
                self.ignored_params.push(param.name);
                self.journal
                    .warn(format_args!("{} has no effect: what it is about is not built yet", param.name));
            }
        }
        if next.port != self.config.port {
            self.identity.tcp_port = next.port as u16;
        }
        if next.requirepass != self.config.requirepass {
            self.acl.set_default_password(&next.requirepass);
        }
        if next.maxmemory_bytes != self.config.maxmemory_bytes {
            self.out_of_memory = false;
            let used = self.mem_bytes() + store.mem_bytes();
            if next.maxmemory_bytes != 0 && (next.maxmemory_bytes as usize) < used {
                self.journal.warn(format_args!(
                    "WARNING: the new maxmemory value set via CONFIG SET ({}) is smaller than the current memory \
                     usage ({used}). This will result in key eviction and/or the inability to accept new write \
                     commands depending on the maxmemory-policy.",
                    next.maxmemory_bytes
                ));
            }
        }
        self.config = next;
        self.lacks_replicas = self.config.wants_replicas();
        self.config.inform(store);
        self.note_watchers();
        Ok(())
    }

    /// CONFIG REWRITE: brings the configuration file up to date; with `force` it names every parameter.
    pub fn rewrite_config(&mut self, force: bool) -> Result<(), CmdError> {
        if self.identity.config_file.is_empty() {
            return Err(CmdError::new("ERR The server is running without a config file"));
        }
        // Users that have a file of their own are not written here, too.
        let has_file = !self.config.aclfile.is_empty();
        let users: Vec<Vec<u8>> =
            if has_file { Vec::new() } else { self.acl.users().map(User::line).collect() };
        let edited =
            (self.edit_file)(&self.identity.config_file, &|old| rewritten(&self.config, &users, old, force));
        if let Err(error) = edited {
            let why = os_error_text(&error);
            self.journal.warn(format_args!("CONFIG REWRITE failed: {why}"));
            return Err(CmdError::with(format!("ERR Rewriting config file: {why}")));
        }
        self.journal.notice(format_args!("CONFIG REWRITE executed with success."));
        Ok(())
    }

    /// The users in the file that `aclfile` names, or what is wrong with it.
    pub fn read_acl_file(&self) -> Result<Vec<User>, Vec<u8>> {
        let file = &self.config.aclfile;
        let text = (self.read_file)(&self.acl_path()).map_err(|error| {
            format!("Error loading ACLs, opening file '{file}': {}", os_error_text(&error)).into_bytes()
        })?;
        self.acl.parse_file(&text, file, self.config.opens_channels())
    }

    /// Writes all users to the file that `aclfile` names.
    pub fn write_acl_file(&self) -> Result<(), String> {
        let text = self.acl.file_text();
        (self.edit_file)(&self.acl_path(), &|_| text.clone()).map_err(|error| os_error_text(&error))
    }

    fn acl_path(&self) -> String {
        let path = Path::new(&self.config.dir).join(&self.config.aclfile);
        path.to_string_lossy().into_owned()
    }

    /// Memory of sessions and of what they subscribed to, watch and wait for, of scripts and users, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let tables = self.pubsub.mem_bytes()
            + self.watch.mem_bytes()
            + self.tracking.mem_bytes()
            + self.waiters.mem_bytes()
            + self.pause.mem_bytes()
            + self.scripts.mem_bytes()
            + self.acl.mem_bytes()
            + self.slot_stats.as_ref().map_or(0, SlotStats::mem_bytes);
        self.totals.sum.bytes + self.sessions.capacity() * size_of::<usize>() + tables
    }
}
