//! Parameters: one table ([`params`]) from which the file, the command line, CONFIG GET, SET and REWRITE derive.

mod notify;
mod param;
pub mod params;
mod read;
mod rewrite;
pub mod title;
mod values;

pub use notify::Notify;
pub use param::{Check, Kind, Neglect, Param, Place, Taken, Unit};
pub use params::{OomScore, ShutdownFlags};
pub use read::{ConfigError, Reader, Rename, UserLine};
pub use rewrite::rewritten;
pub use values::parse_memory;

use super::commandlog::LogLimit;
use crate::{
    resp::request::split_quoted,
    store::{Laziness, Store, lru::LruRules},
    value::{
        Limits, hash::HashConfig, list::ListConfig, set::SetConfig, stream::StreamConfig, zset::ZSetConfig,
    },
};
use param::param;
use std::collections::BTreeMap;

/// `save`: after so many seconds, if so much changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SavePoint {
    pub seconds: i64,
    pub changes: i64,
}

/// Limits on one class of clients: `client-output-buffer-limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputLimit {
    pub hard_bytes: u64,
    pub soft_bytes: u64,
    pub soft_seconds: i64,
}

/// Most output that waits for one client where its class has no hard limit.
const OUTPUT_MAX_BYTES: u64 = 4 << 30;
/// So much may always wait, as in Valkey, which does not count what its clients' own buffers hold.
const OUTPUT_FREE_BYTES: u64 = 16 << 10;

impl OutputLimit {
    /// The most output that may wait for a client, in bytes.
    pub fn most_bytes(&self) -> u64 {
        if self.hard_bytes == 0 { OUTPUT_MAX_BYTES } else { self.hard_bytes.max(OUTPUT_FREE_BYTES) }
    }

    /// Whether so much output, in bytes, may wait for a time only.
    pub fn is_soft(&self, pending_bytes: u64) -> bool {
        self.soft_bytes > 0 && pending_bytes >= self.soft_bytes.max(OUTPUT_FREE_BYTES)
    }
}

/// Classes of clients, in the order of [`Config::output_limits`].
pub const CLIENT_CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

/// `cluster-preferred-endpoint-type`: what clients of a cluster connect by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointType {
    Ip,
    Hostname,
    /// Where they found the cluster.
    Unknown,
}

/// `maxmemory-policy` in the order of its names.
pub const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

/// `loglevel`.
pub const LOG_LEVELS: &[&str] = &["debug", "verbose", "notice", "warning", "nothing"];

/// Who may do what is protected, such as DEBUG: `enable-debug-command`.
pub const PROTECTED: &[&str] = &["no", "yes", "local"];

/// The values of all parameters.
#[derive(Clone, Debug)]
pub struct Config {
    /// Values of parameters of which nothing depends, other than their defaults.
    pub stored: BTreeMap<&'static str, String>,
    /// `rename-command`.
    pub renames: Vec<Rename>,
    /// `user`; empty once the server has them.
    pub users: Vec<UserLine>,
    pub aclfile: String,
    pub cluster_enabled: bool,
    pub cluster_port: i64,
    pub cluster_announce_ip: String,
    pub cluster_announce_hostname: String,
    pub cluster_announce_port: i64,
    pub cluster_announce_bus_port: i64,
    pub cluster_endpoint: usize,
    pub cluster_require_full_coverage: bool,
    pub cluster_allow_reads_when_down: bool,
    pub cluster_allow_pubsubshard_when_down: bool,
    pub cluster_slot_stats_enabled: bool,
    pub acl_pubsub_default: usize,
    pub acllog_max_len: i64,
    pub bind: Vec<String>,
    pub port: i64,
    pub unixsocket: String,
    pub unixsocketgroup: String,
    pub unixsocketperm: i64,
    pub tcp_backlog: i64,
    pub tcp_keepalive_s: i64,
    pub timeout_s: i64,
    pub maxclients: i64,
    pub databases: i64,
    /// `dir`, as an absolute path. The library never makes it the working directory.
    pub dir: String,
    pub save: Vec<SavePoint>,
    pub min_replicas_to_write: i64,
    pub min_replicas_max_lag_s: i64,
    pub requirepass: Vec<u8>,
    pub protected_mode: bool,
    pub query_buffer_max_bytes: i64,
    pub bulk_max_bytes: i64,
    pub output_limits: [OutputLimit; 3],
    pub loglevel: usize,
    pub logfile: String,
    pub log_format: usize,
    pub log_timestamp_format: usize,
    pub hide_user_data: bool,
    pub syslog: bool,
    pub syslog_ident: String,
    pub syslog_facility: usize,
    pub crash_log: bool,
    pub exit_on_panic: bool,
    pub daemonize: bool,
    pub supervised: usize,
    pub pidfile: String,
    pub set_proc_title: bool,
    pub proc_title_template: String,
    pub oom_score: OomScore,
    /// `oom-score-adj-values`: for a primary, a replica, a child.
    pub oom_score_values: [i32; 3],
    pub disable_thp: bool,
    pub cpulist: String,
    pub shutdown_on_sigint: ShutdownFlags,
    pub shutdown_on_sigterm: ShutdownFlags,
    pub hz: i64,
    pub active_expire_effort: i64,
    pub list_max_listpack_size: i64,
    pub list_compress_depth: i64,
    pub hash_max_listpack_entries: i64,
    pub hash_max_listpack_value: i64,
    pub set_max_intset_entries: i64,
    pub set_max_listpack_entries: i64,
    pub set_max_listpack_value: i64,
    pub zset_max_listpack_entries: i64,
    pub zset_max_listpack_value: i64,
    pub stream_node_max_bytes: i64,
    pub stream_node_max_entries: i64,
    pub hll_sparse_max_bytes: i64,
    pub maxmemory_bytes: i64,
    pub maxmemory_policy: usize,
    pub maxmemory_samples: i64,
    pub eviction_tenacity: i64,
    /// `maxmemory-clients`: bytes, or, below 0, percents of `maxmemory`.
    pub maxmemory_clients: i64,
    pub lfu_log_factor: i64,
    pub lfu_decay_minutes: i64,
    pub tracking_table_max_keys: i64,
    /// After which time a script counts as long, so that others are answered meanwhile.
    pub busy_threshold_ms: i64,
    pub lazyfree_eviction: bool,
    pub lazyfree_expire: bool,
    pub lazyfree_server_del: bool,
    pub lazyfree_user_del: bool,
    pub lazyfree_user_flush: bool,
    pub enable_debug_command: usize,
    pub enable_module_command: usize,
    pub enable_protected_configs: usize,
    /// DEBUG QUICKLIST-PACKED-THRESHOLD, in bytes; 0: not set.
    pub quicklist_packed_threshold: usize,
    /// `notify-keyspace-events`: classes as bits, and where to publish.
    pub notify: Notify,
    /// `import-mode`: data comes in from a server that says itself what expires.
    pub import_mode: bool,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: bool,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION.
    pub skip_checksum_validation: bool,
    /// What is logged, by [`Reason`](super::commandlog::Reason).
    pub commandlog: [LogLimit; 3],
    /// `latency-monitor-threshold`; 0: nothing is monitored.
    pub latency_monitor_ms: i64,
    /// `latency-tracking`: whether durations are kept by command.
    pub latency_tracking: bool,
    pub latency_percentiles: Vec<f64>,
}

impl Default for Config {
    fn default() -> Config {
        let limit =
            |hard_bytes, soft_bytes, soft_seconds| OutputLimit { hard_bytes, soft_bytes, soft_seconds };
        Config {
            stored: BTreeMap::new(),
            renames: Vec::new(),
            users: Vec::new(),
            aclfile: String::new(),
            cluster_enabled: false,
            cluster_port: 0,
            cluster_announce_ip: String::new(),
            cluster_announce_hostname: String::new(),
            cluster_announce_port: 0,
            cluster_announce_bus_port: 0,
            cluster_endpoint: 0,
            cluster_require_full_coverage: true,
            cluster_allow_reads_when_down: false,
            cluster_allow_pubsubshard_when_down: true,
            cluster_slot_stats_enabled: false,
            acl_pubsub_default: 1,
            acllog_max_len: 128,
            bind: params::DEFAULT_BIND.map(String::from).to_vec(),
            port: 6379,
            unixsocket: String::new(),
            unixsocketgroup: String::new(),
            unixsocketperm: 0,
            tcp_backlog: 511,
            tcp_keepalive_s: 300,
            timeout_s: 0,
            maxclients: 10_000,
            databases: 16,
            dir: std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned(),
            save: [(3600, 1), (300, 100), (60, 10_000)]
                .map(|(seconds, changes)| SavePoint { seconds, changes })
                .to_vec(),
            min_replicas_to_write: 0,
            min_replicas_max_lag_s: 10,
            requirepass: Vec::new(),
            protected_mode: true,
            query_buffer_max_bytes: 1 << 30,
            bulk_max_bytes: 512 << 20,
            output_limits: [limit(0, 0, 0), limit(256 << 20, 64 << 20, 60), limit(32 << 20, 8 << 20, 60)],
            loglevel: 2,
            logfile: String::new(),
            log_format: 0,
            log_timestamp_format: 0,
            hide_user_data: true,
            syslog: false,
            syslog_ident: "staywire".into(),
            syslog_facility: 1,
            crash_log: true,
            exit_on_panic: false,
            daemonize: false,
            supervised: 3,
            pidfile: String::new(),
            set_proc_title: true,
            proc_title_template: "{title} {listen-addr} {server-mode}".into(),
            oom_score: OomScore::No,
            oom_score_values: [0, 200, 800],
            disable_thp: true,
            cpulist: String::new(),
            shutdown_on_sigint: ShutdownFlags::default(),
            shutdown_on_sigterm: ShutdownFlags::default(),
            hz: 10,
            active_expire_effort: 1,
            list_max_listpack_size: -2,
            list_compress_depth: 0,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
            hll_sparse_max_bytes: 3000,
            maxmemory_bytes: 0,
            maxmemory_policy: POLICIES.len() - 1,
            maxmemory_samples: 5,
            eviction_tenacity: 10,
            maxmemory_clients: 0,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            tracking_table_max_keys: 1_000_000,
            busy_threshold_ms: 5000,
            lazyfree_eviction: true,
            lazyfree_expire: true,
            lazyfree_server_del: true,
            lazyfree_user_del: true,
            lazyfree_user_flush: true,
            enable_debug_command: 0,
            enable_module_command: 0,
            enable_protected_configs: 0,
            quicklist_packed_threshold: 0,
            notify: Notify::default(),
            import_mode: false,
            active_expire: true,
            skip_checksum_validation: false,
            commandlog: [(10_000, 128), (1 << 20, 128), (1 << 20, 128)]
                .map(|(threshold, max_len)| LogLimit { threshold, max_len }),
            latency_monitor_ms: 0,
            latency_tracking: true,
            latency_percentiles: vec![50.0, 99.0, 99.9],
        }
    }
}

impl Config {
    /// Who may call a protected command: an index into [`PROTECTED`].
    pub fn protection(&self, command: &str) -> usize {
        match command {
            "debug" => self.enable_debug_command,
            "module" => self.enable_module_command,
            _ => 0,
        }
    }

    /// Whether writes want replicas that keep up. There never is one.
    pub fn wants_replicas(&self) -> bool {
        self.min_replicas_to_write > 0 && self.min_replicas_max_lag_s > 0
    }

    /// What clients of a cluster connect by.
    pub fn endpoint_type(&self) -> EndpointType {
        [EndpointType::Ip, EndpointType::Hostname, EndpointType::Unknown][self.cluster_endpoint]
    }

    /// The word for how the server runs, as HELLO, INFO and logs have it.
    pub fn mode(&self) -> &'static str {
        if self.cluster_enabled { "cluster" } else { "standalone" }
    }

    /// Whether all channels are open to a new user, or to one who was reset.
    pub fn opens_channels(&self) -> bool {
        self.acl_pubsub_default == params::ALL_CHANNELS
    }

    /// The longest string that a command may make, in bytes: `proto-max-bulk-len`, and below 4 GiB.
    pub fn string_max_bytes(&self) -> usize {
        self.bulk_max_bytes.clamp(0, i64::from(u32::MAX)) as usize
    }

    /// How lists are kept.
    #[inline]
    pub fn list(&self) -> ListConfig {
        ListConfig {
            fill: self.list_max_listpack_size as i32,
            compress_depth: self.list_compress_depth as u32,
            packed_threshold: self.quicklist_packed_threshold,
        }
    }

    /// How hashes are kept; `seed` is for their tables.
    #[inline]
    pub fn hash(&self, seed: [u64; 2]) -> HashConfig {
        HashConfig {
            max_pack_entries: self.hash_max_listpack_entries as usize,
            max_pack_value: self.hash_max_listpack_value as usize,
            seed,
        }
    }

    /// How sets are kept; `seed` is for their tables.
    #[inline]
    pub fn set(&self, seed: [u64; 2]) -> SetConfig {
        SetConfig {
            max_intset_entries: self.set_max_intset_entries as usize,
            max_listpack_entries: self.set_max_listpack_entries as usize,
            max_listpack_value: self.set_max_listpack_value as usize,
            seed,
        }
    }

    /// How sorted sets are kept; `seed` is for their tables.
    #[inline]
    pub fn zset(&self, seed: [u64; 2]) -> ZSetConfig {
        ZSetConfig {
            max_entries: self.zset_max_listpack_entries as usize,
            max_value: self.zset_max_listpack_value as usize,
            seed,
        }
    }

    /// How values are kept; `seed` is for their tables.
    pub fn limits(&self, seed: [u64; 2]) -> Limits {
        Limits { list: self.list(), hash: self.hash(seed), set: self.set(seed), zset: self.zset(seed) }
    }

    /// When a node of a stream is full.
    pub fn stream(&self) -> StreamConfig {
        StreamConfig {
            node_max_bytes: self.stream_node_max_bytes as u64,
            node_max_entries: self.stream_node_max_entries as u64,
        }
    }

    /// Tells the store what it must know of the parameters.
    pub fn inform(&self, store: &mut Store) {
        store.lru.rules = LruRules {
            frequency: self.is_lfu(),
            log_factor: self.lfu_log_factor,
            decay_minutes: self.lfu_decay_minutes,
        };
        store.laziness = Laziness { expire: self.lazyfree_expire, eviction: self.lazyfree_eviction };
    }

    /// The name of `maxmemory-policy`.
    pub fn policy_name(&self) -> &'static str {
        POLICIES[self.maxmemory_policy]
    }

    /// Whether the policy counts how often keys are used rather than when.
    pub fn is_lfu(&self) -> bool {
        self.policy_name().ends_with("lfu")
    }

    /// The most memory that all clients together may take, in bytes; 0: any.
    pub fn clients_max_bytes(&self) -> usize {
        match self.maxmemory_clients {
            percent @ ..0 => (i128::from(self.maxmemory_bytes) * i128::from(-percent) / 100) as usize,
            bytes => bytes as usize,
        }
    }

    /// The pairs of CONFIG GET for one pattern, aliases included. A name is answered as it was asked for.
    pub fn get(&mut self, pattern: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        if pattern.iter().any(|b| b"[*?".contains(b)) {
            let found = params::matching(pattern);
            return found.map(|(name, param)| (name.into(), param.get(self))).collect();
        }
        params::find(pattern).map(|(_, param)| (pattern.to_vec(), param.get(self))).into_iter().collect()
    }

    /// The configuration with several parameters set, and those of them that change nothing. The error names the
    /// parameter to blame. Source: <https://valkey.io/commands/config-set/>.
    pub fn with(
        &self,
        pairs: &[(&[u8], &[u8])],
        access: Access,
    ) -> Result<(Config, Vec<&'static Param>), SetError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut found: Vec<(&'static str, &'static Param)> = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let blame = |why: &str| SetError::Refused { param: text(name), why: why.to_string() };
            let (known, param) = params::find(name).ok_or_else(|| SetError::Unknown(text(name)))?;
            if param.immutable {
                return Err(blame("can't set immutable config"));
            }
            let allowed = match self.enable_protected_configs {
                0 => false,
                1 => true,
                _ => access.is_local,
            };
            if param.protected && !allowed {
                return Err(blame("can't set protected config"));
            }
            if param.deny_loading && access.is_loading {
                return Err(SetError::Loading);
            }
            // A name and its alias may stand together: the later one wins.
            if found.iter().any(|(other, _)| *other == known) {
                return Err(blame("duplicate parameter"));
            }
            found.push((known, param));
        }
        let (mut next, mut ignored) = (self.clone(), Vec::new());
        for ((known, param), (_, value)) in found.into_iter().zip(pairs) {
            // Quotes mean nothing here.
            let args: Vec<&[u8]> = match param.many {
                true if value.is_empty() => Vec::new(),
                true => value.split(|&b| b == b' ').collect(),
                false => vec![value],
            };
            let taken = param.set(&mut next, &args);
            match taken.map_err(|why| SetError::Refused { param: known.into(), why })? {
                Taken::Kept => {}
                Taken::Ignored => ignored.push(param),
            }
        }
        Ok((next, ignored))
    }
}

/// Who sets parameters, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// Over a connection from this machine.
    pub is_local: bool,
    /// While data is being loaded.
    pub is_loading: bool,
}

/// Why CONFIG SET did nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetError {
    Unknown(String),
    Refused { param: String, why: String },
    Loading,
}

/// Splits a line into words as files quote them.
pub fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut buf, mut spans) = (Vec::new(), Vec::new());
    split_quoted(line, &mut buf, &mut spans)?;
    Some(spans.iter().map(|s| buf[s.start as usize..][..s.len as usize].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_can_be_set_and_reads_back() {
        let mut config = Config::default();
        for param in params::all() {
            let value = param.get(&mut config);
            let text = String::from_utf8_lossy(&value).into_owned();
            // What is missing has no words.
            if !(value.is_empty() && param.name == "replicaof") {
                let taken = config.set_text(param.name, &text);
                assert_eq!(taken, Ok(Taken::Kept), "{} {text}", param.name);
            }
            assert_eq!(param.get(&mut config), value, "{}", param.name);
        }
    }

    #[test]
    fn several_are_set_together_or_not_at_all() {
        let config = Config::default();
        let refused = config.with(&[(b"timeout", b"5"), (b"hz", b"x")], Access::default());
        let why = "argument couldn't be parsed into an integer".to_string();
        assert_eq!(refused.err(), Some(SetError::Refused { param: "hz".into(), why }));
        let pairs: [(&[u8], &[u8]); 2] = [(b"TIMEOUT", b"5"), (b"list-max-ziplist-size", b"7")];
        let (next, _) = config.with(&pairs, Access::default()).expect("both are taken");
        assert_eq!((next.timeout_s, next.list_max_listpack_size), (5, 7));
    }
}
