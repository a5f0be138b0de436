//! Directives of Redis 7 and Valkey 8.1 that are not built yet: their names, defaults, and whether a server that ignored
//! one would endanger data, access or memory.

use super::{Directive, words};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Neglect {
    Harmless,
    Hazard,
}
use Neglect::{Harmless, Hazard};

/// Whether a directive is known though not built.
pub fn known(name: &str) -> bool {
    UNBUILT.iter().any(|(known, _, _)| name.eq_ignore_ascii_case(known))
}

/// Whether a value is what holds for a directive that is not built.
pub fn is_default(name: &str, value: &str) -> bool {
    let found = UNBUILT.iter().find(|(known, _, _)| name.eq_ignore_ascii_case(known));
    found.is_some_and(|(_, default, _)| {
        // Defaults in bytes may come with a unit.
        *default == value || super::parse_memory(value).is_some_and(|n| n.to_string() == *default)
    })
}

/// What to do about a directive that is not built.
pub fn check(name: &str, args: &[String]) -> Result<Directive, String> {
    let Some((_, default, neglect)) = UNBUILT.iter().find(|(known, _, _)| *known == name) else {
        return Err("Bad directive or wrong number of arguments".into());
    };
    let default = words(default).unwrap_or_default();
    let given: Vec<&String> = args.iter().filter(|arg| !arg.is_empty()).collect();
    // What tools wait for in the banner is always there.
    if name == "always-show-logo" || given.iter().copied().eq(default.iter()) {
        return Ok(Directive::Neutral);
    }
    match neglect {
        Harmless => Ok(Directive::Ignored),
        Hazard => {
            Err(format!("'{name}' is not built yet, and ignoring it could endanger data, access or memory"))
        }
    }
}

/// Name, default, and what neglecting it would mean.
const UNBUILT: &[(&str, &str, Neglect)] = &[
    ("acl-pubsub-default", "resetchannels", Harmless),
    ("aclfile", "", Hazard),
    ("acllog-max-len", "128", Harmless),
    ("active-defrag-cycle-max", "25", Harmless),
    ("active-defrag-cycle-min", "1", Harmless),
    ("active-defrag-cycle-us", "500", Harmless),
    ("active-defrag-ignore-bytes", "104857600", Harmless),
    ("active-defrag-max-scan-fields", "1000", Harmless),
    ("active-defrag-threshold-lower", "10", Harmless),
    ("active-defrag-threshold-upper", "100", Harmless),
    ("activedefrag", "no", Harmless),
    ("activerehashing", "yes", Harmless),
    ("always-show-logo", "no", Harmless),
    ("aof-disable-auto-gc", "no", Harmless),
    ("aof-load-truncated", "yes", Harmless),
    ("aof-rewrite-cpulist", "", Harmless),
    ("aof-rewrite-incremental-fsync", "yes", Harmless),
    ("aof-timestamp-enabled", "no", Harmless),
    ("aof-use-rdb-preamble", "yes", Harmless),
    ("aof_rewrite_cpulist", "", Harmless),
    ("appenddirname", "appendonlydir", Harmless),
    ("appendfilename", "appendonly.aof", Harmless),
    ("appendfsync", "everysec", Harmless),
    ("auto-aof-rewrite-min-size", "67108864", Harmless),
    ("auto-aof-rewrite-percentage", "100", Harmless),
    ("availability-zone", "", Harmless),
    ("bgsave-cpulist", "", Harmless),
    ("bgsave_cpulist", "", Harmless),
    ("bind-source-addr", "", Harmless),
    ("bio-cpulist", "", Harmless),
    ("bio_cpulist", "", Harmless),
    ("busy-reply-threshold", "5000", Harmless),
    ("cluster-allow-pubsubshard-when-down", "yes", Harmless),
    ("cluster-allow-reads-when-down", "no", Harmless),
    ("cluster-allow-replica-migration", "yes", Harmless),
    ("cluster-announce-bus-port", "0", Harmless),
    ("cluster-announce-client-ipv4", "", Harmless),
    ("cluster-announce-client-ipv6", "", Harmless),
    ("cluster-announce-hostname", "", Harmless),
    ("cluster-announce-human-nodename", "", Harmless),
    ("cluster-announce-ip", "", Harmless),
    ("cluster-announce-port", "0", Harmless),
    ("cluster-announce-tls-port", "0", Harmless),
    ("cluster-blacklist-ttl", "60", Harmless),
    ("cluster-config-file", "nodes.conf", Harmless),
    ("cluster-enabled", "no", Hazard),
    ("cluster-link-sendbuf-limit", "0", Harmless),
    ("cluster-manual-failover-timeout", "5000", Harmless),
    ("cluster-migration-barrier", "1", Harmless),
    ("cluster-node-timeout", "15000", Harmless),
    ("cluster-port", "0", Harmless),
    ("cluster-preferred-endpoint-type", "ip", Harmless),
    ("cluster-replica-no-failover", "no", Harmless),
    ("cluster-replica-validity-factor", "10", Harmless),
    ("cluster-require-full-coverage", "yes", Harmless),
    ("cluster-slave-no-failover", "no", Harmless),
    ("cluster-slave-validity-factor", "10", Harmless),
    ("cluster-slot-stats-enabled", "no", Harmless),
    ("crash-log-enabled", "yes", Harmless),
    ("crash-memcheck-enabled", "yes", Harmless),
    ("daemonize", "no", Harmless),
    ("dbfilename", "dump.rdb", Harmless),
    ("disable-thp", "yes", Harmless),
    ("dual-channel-replication-enabled", "no", Harmless),
    ("dynamic-hz", "yes", Harmless),
    ("extended-redis-compatibility", "no", Harmless),
    ("hide-user-data-from-log", "yes", Harmless),
    ("ignore-warnings", "", Harmless),
    ("io-threads", "1", Harmless),
    ("io-threads-do-reads", "no", Harmless),
    ("jemalloc-bg-thread", "yes", Harmless),
    ("loadmodule", "", Hazard),
    ("locale-collate", "", Harmless),
    ("log-format", "legacy", Harmless),
    ("log-timestamp-format", "legacy", Harmless),
    ("lua-time-limit", "5000", Harmless),
    ("masterauth", "", Harmless),
    ("masteruser", "", Harmless),
    ("max-new-connections-per-cycle", "10", Harmless),
    ("max-new-tls-connections-per-cycle", "1", Harmless),
    ("maxmemory-clients", "0", Hazard),
    ("maxmemory-eviction-tenacity", "10", Harmless),
    ("maxmemory-samples", "5", Harmless),
    ("min-replicas-max-lag", "10", Harmless),
    ("min-replicas-to-write", "0", Hazard),
    ("min-slaves-max-lag", "10", Harmless),
    ("min-slaves-to-write", "0", Hazard),
    ("no-appendfsync-on-rewrite", "no", Harmless),
    ("oom-score-adj", "no", Harmless),
    ("oom-score-adj-values", "0 200 800", Harmless),
    ("pidfile", "", Harmless),
    ("prefetch-batch-max-size", "16", Harmless),
    ("primaryauth", "", Harmless),
    ("primaryuser", "", Harmless),
    ("proc-title-template", "{title} {listen-addr} {server-mode}", Harmless),
    ("propagation-error-behavior", "ignore", Harmless),
    ("rdb-del-sync-files", "no", Harmless),
    ("rdb-save-incremental-fsync", "yes", Harmless),
    ("rdb-version-check", "strict", Harmless),
    ("rdbchecksum", "yes", Harmless),
    ("rdbcompression", "yes", Harmless),
    ("rdma-bind", "", Harmless),
    ("rdma-completion-vector", "-1", Harmless),
    ("rdma-port", "0", Harmless),
    ("rdma-rx-size", "1048576", Harmless),
    ("rename-command", "", Hazard),
    ("repl-backlog-size", "10485760", Harmless),
    ("repl-backlog-ttl", "3600", Harmless),
    ("repl-disable-tcp-nodelay", "no", Harmless),
    ("repl-diskless-load", "disabled", Harmless),
    ("repl-diskless-sync", "yes", Harmless),
    ("repl-diskless-sync-delay", "5", Harmless),
    ("repl-diskless-sync-max-replicas", "0", Harmless),
    ("repl-ping-replica-period", "10", Harmless),
    ("repl-ping-slave-period", "10", Harmless),
    ("repl-timeout", "60", Harmless),
    ("replica-announce-ip", "", Harmless),
    ("replica-announce-port", "0", Harmless),
    ("replica-announced", "yes", Harmless),
    ("replica-ignore-disk-write-errors", "no", Harmless),
    ("replica-ignore-maxmemory", "yes", Harmless),
    ("replica-lazy-flush", "yes", Harmless),
    ("replica-priority", "100", Harmless),
    ("replica-read-only", "yes", Harmless),
    ("replica-serve-stale-data", "yes", Harmless),
    ("replicaof", "", Hazard),
    ("sanitize-dump-payload", "no", Harmless),
    ("server-cpulist", "", Harmless),
    ("server_cpulist", "", Harmless),
    ("set-proc-title", "yes", Harmless),
    ("shutdown-on-sigint", "default", Harmless),
    ("shutdown-on-sigterm", "default", Harmless),
    ("shutdown-timeout", "10", Harmless),
    ("slave-announce-ip", "", Harmless),
    ("slave-announce-port", "0", Harmless),
    ("slave-ignore-maxmemory", "yes", Harmless),
    ("slave-lazy-flush", "yes", Harmless),
    ("slave-priority", "100", Harmless),
    ("slave-read-only", "yes", Harmless),
    ("slave-serve-stale-data", "yes", Harmless),
    ("slaveof", "", Hazard),
    ("socket-mark-id", "0", Harmless),
    ("stop-writes-on-bgsave-error", "yes", Harmless),
    ("supervised", "no", Harmless),
    ("syslog-enabled", "no", Harmless),
    ("syslog-facility", "local0", Harmless),
    ("syslog-ident", "redis", Harmless),
    ("tls-auth-clients", "yes", Harmless),
    ("tls-ca-cert-dir", "", Harmless),
    ("tls-ca-cert-file", "", Harmless),
    ("tls-cert-file", "", Harmless),
    ("tls-ciphers", "", Harmless),
    ("tls-ciphersuites", "", Harmless),
    ("tls-client-cert-file", "", Harmless),
    ("tls-client-key-file", "", Harmless),
    ("tls-client-key-file-pass", "", Harmless),
    ("tls-cluster", "no", Hazard),
    ("tls-dh-params-file", "", Harmless),
    ("tls-key-file", "", Harmless),
    ("tls-key-file-pass", "", Harmless),
    ("tls-port", "0", Hazard),
    ("tls-prefer-server-ciphers", "no", Harmless),
    ("tls-protocols", "", Harmless),
    ("tls-replication", "no", Hazard),
    ("tls-session-cache-size", "20480", Harmless),
    ("tls-session-cache-timeout", "300", Harmless),
    ("tls-session-caching", "yes", Harmless),
    ("tracking-table-max-keys", "1000000", Harmless),
    ("unixsocketgroup", "", Harmless),
    ("user", "", Hazard),
];
