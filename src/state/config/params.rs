//! The parameters that are built.

use super::{
    CLIENT_CLASSES, Config, Kind, LOG_LEVELS, Notify, OutputLimit, POLICIES, PROTECTED, Param, Unit,
};
use std::path::{Path, PathBuf};

const fn param(name: &'static str, kind: Kind) -> Param {
    Param { name, alias: None, kind, immutable: false, protected: false, many: false }
}

impl Param {
    const fn alias(mut self, alias: &'static str) -> Param {
        self.alias = Some(alias);
        self
    }

    const fn immutable(mut self) -> Param {
        self.immutable = true;
        self
    }

    const fn protected(mut self) -> Param {
        self.protected = true;
        self
    }

    const fn many(mut self) -> Param {
        self.many = true;
        self
    }
}

const fn int(field: fn(&mut Config) -> &mut i64, min: i64, max: i64) -> Kind {
    Kind::Int { field, min, max, unit: Unit::Plain }
}

const fn memory(field: fn(&mut Config) -> &mut i64, min: i64, max: i64) -> Kind {
    Kind::Int { field, min, max, unit: Unit::Memory }
}

const INT_MAX: i64 = i32::MAX as i64;

/// Most percentiles that INFO shows of each command.
const PERCENTILES_MAX: usize = 64;

/// All parameters, in the order of their names.
pub const PARAMS: &[Param] = &[
    param("active-expire-effort", int(|c| &mut c.active_expire_effort, 1, 10)),
    param("appendonly", Kind::Unbuilt { value: "no", harmless: false }),
    param("bind", Kind::Special { get: |c| c.bind.join(" "), set: set_bind }).many(),
    param(
        "client-output-buffer-limit",
        Kind::Special { get: |c| output_limits(&c.output_limits), set: set_output_limits },
    )
    .many(),
    param("client-query-buffer-limit", memory(|c| &mut c.query_buffer_max_bytes, 1 << 20, i64::MAX)),
    param("commandlog-execution-slower-than", int(|c| &mut c.commandlog[0].threshold, -1, i64::MAX))
        .alias("slowlog-log-slower-than"),
    param("commandlog-large-reply-max-len", int(|c| &mut c.commandlog[2].max_len, 0, i64::MAX)),
    param("commandlog-large-request-max-len", int(|c| &mut c.commandlog[1].max_len, 0, i64::MAX)),
    param("commandlog-reply-larger-than", int(|c| &mut c.commandlog[2].threshold, -1, i64::MAX)),
    param("commandlog-request-larger-than", int(|c| &mut c.commandlog[1].threshold, -1, i64::MAX)),
    param("commandlog-slow-execution-max-len", int(|c| &mut c.commandlog[0].max_len, 0, i64::MAX))
        .alias("slowlog-max-len"),
    param("databases", int(|c| &mut c.databases, 1, INT_MAX)).immutable(),
    param("dir", Kind::Special { get: |c| c.dir.clone(), set: set_dir }).protected(),
    param("enable-debug-command", Kind::Enum { field: |c| &mut c.enable_debug_command, names: PROTECTED })
        .immutable(),
    param(
        "enable-protected-configs",
        Kind::Enum { field: |c| &mut c.enable_protected_configs, names: PROTECTED },
    )
    .immutable(),
    param("enable-module-command", Kind::Enum { field: |c| &mut c.enable_module_command, names: PROTECTED })
        .immutable(),
    param("hash-max-listpack-entries", int(|c| &mut c.hash_max_listpack_entries, 0, i64::MAX))
        .alias("hash-max-ziplist-entries"),
    param("hash-max-listpack-value", memory(|c| &mut c.hash_max_listpack_value, 0, i64::MAX))
        .alias("hash-max-ziplist-value"),
    param("hll-sparse-max-bytes", memory(|c| &mut c.hll_sparse_max_bytes, 0, i64::MAX)),
    param("hz", int(|c| &mut c.hz, 0, INT_MAX)),
    param("import-mode", Kind::Bool(|c| &mut c.import_mode)),
    param("latency-monitor-threshold", int(|c| &mut c.latency_monitor_ms, 0, i64::MAX)),
    param("latency-tracking", Kind::Bool(|c| &mut c.latency_tracking)),
    param(
        "latency-tracking-info-percentiles",
        Kind::Special { get: |c| percentiles(&c.latency_percentiles), set: set_percentiles },
    )
    .many(),
    param("lazyfree-lazy-eviction", Kind::Bool(|c| &mut c.lazyfree_eviction)),
    param("lazyfree-lazy-expire", Kind::Bool(|c| &mut c.lazyfree_expire)),
    param("lazyfree-lazy-server-del", Kind::Bool(|c| &mut c.lazyfree_server_del)),
    param("lazyfree-lazy-user-del", Kind::Bool(|c| &mut c.lazyfree_user_del)),
    param("lazyfree-lazy-user-flush", Kind::Bool(|c| &mut c.lazyfree_user_flush)),
    param("lfu-decay-time", int(|c| &mut c.lfu_decay_minutes, 0, INT_MAX)),
    param("lfu-log-factor", int(|c| &mut c.lfu_log_factor, 0, INT_MAX)),
    param("list-compress-depth", int(|c| &mut c.list_compress_depth, 0, INT_MAX)),
    param("list-max-listpack-size", int(|c| &mut c.list_max_listpack_size, -(1 << 31), INT_MAX))
        .alias("list-max-ziplist-size"),
    param("logfile", Kind::Text(|c| &mut c.logfile)).immutable(),
    param("loglevel", Kind::Enum { field: |c| &mut c.loglevel, names: LOG_LEVELS }),
    param("maxclients", int(|c| &mut c.maxclients, 1, u32::MAX as i64)),
    param("maxmemory", Kind::Unbuilt { value: "0", harmless: false }),
    param("maxmemory-policy", Kind::Enum { field: |c| &mut c.maxmemory_policy, names: POLICIES }),
    param(
        "notify-keyspace-events",
        Kind::Special {
            get: |c| c.notify.to_string(),
            set: |c, text| Notify::parse(text).map(|n| c.notify = n),
        },
    ),
    param("port", int(|c| &mut c.port, 0, 65_535)).immutable(),
    param("protected-mode", Kind::Bool(|c| &mut c.protected_mode)),
    param("proto-max-bulk-len", memory(|c| &mut c.bulk_max_bytes, 1 << 20, i64::MAX)),
    param("requirepass", Kind::Text(|c| &mut c.requirepass)),
    param("save", Kind::Unbuilt { value: "", harmless: true }).many(),
    param("set-max-intset-entries", int(|c| &mut c.set_max_intset_entries, 0, i64::MAX)),
    param("set-max-listpack-entries", int(|c| &mut c.set_max_listpack_entries, 0, i64::MAX)),
    param("set-max-listpack-value", int(|c| &mut c.set_max_listpack_value, 0, i64::MAX)),
    param("stream-node-max-bytes", memory(|c| &mut c.stream_node_max_bytes, 0, i64::MAX)),
    param("stream-node-max-entries", int(|c| &mut c.stream_node_max_entries, 0, i64::MAX)),
    param("tcp-backlog", int(|c| &mut c.tcp_backlog, 0, INT_MAX)).immutable(),
    param("tcp-keepalive", int(|c| &mut c.tcp_keepalive_s, 0, INT_MAX)),
    param("timeout", int(|c| &mut c.timeout_s, 0, INT_MAX)),
    param("unixsocket", Kind::Text(|c| &mut c.unixsocket)).immutable(),
    param(
        "unixsocketperm",
        Kind::Int { field: |c| &mut c.unixsocketperm, min: 0, max: 0o777, unit: Unit::Octal },
    )
    .immutable(),
    param("zset-max-listpack-entries", int(|c| &mut c.zset_max_listpack_entries, 0, i64::MAX))
        .alias("zset-max-ziplist-entries"),
    param("zset-max-listpack-value", memory(|c| &mut c.zset_max_listpack_value, 0, i64::MAX))
        .alias("zset-max-ziplist-value"),
];

fn set_bind(config: &mut Config, value: &str) -> Result<(), String> {
    let words = super::words(value).ok_or("unbalanced quotes")?;
    if words.len() > 16 {
        return Err("Too many bind addresses specified.".into());
    }
    // `bind ""` listens on no TCP address.
    config.bind = words.into_iter().filter(|word| !word.is_empty()).collect();
    Ok(())
}

/// A relative path starts where the last one led. The errors are the system's, as Redis shows them.
fn set_dir(config: &mut Config, value: &str) -> Result<(), String> {
    let path = if value.is_empty() { PathBuf::new() } else { Path::new(&config.dir).join(value) };
    // Opening it tells whether it is a directory that can be read.
    let found = path.canonicalize().and_then(|path| path.read_dir().map(|_| path));
    let path = found.map_err(|error| crate::base::os_error_text(&error))?;
    config.dir = path.to_string_lossy().into_owned();
    Ok(())
}

fn percentiles(list: &[f64]) -> String {
    let texts: Vec<String> = list.iter().map(f64::to_string).collect();
    texts.join(" ")
}

fn set_percentiles(config: &mut Config, value: &str) -> Result<(), String> {
    let words = super::words(value).ok_or("unbalanced quotes")?;
    if words.len() > PERCENTILES_MAX {
        return Err("too many latency-tracking-info-percentiles parameters".into());
    }
    let mut list = Vec::new();
    // `""` stands for none.
    for word in words.iter().filter(|word| !word.is_empty() || words.len() > 1) {
        let percent: f64 =
            word.parse().map_err(|_| "Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&percent) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        list.push(percent);
    }
    config.latency_percentiles = list;
    Ok(())
}

fn output_limits(limits: &[OutputLimit; 3]) -> String {
    let one = |(class, limit): (&&str, &OutputLimit)| {
        format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    };
    CLIENT_CLASSES.iter().zip(limits).map(one).collect::<Vec<_>>().join(" ")
}

fn set_output_limits(config: &mut Config, value: &str) -> Result<(), String> {
    let words = super::words(value).ok_or("unbalanced quotes")?;
    if words.is_empty() || words.len() % 4 != 0 {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    for limit in words.chunks_exact(4) {
        let class = match limit[0].to_ascii_lowercase().as_str() {
            "normal" => 0,
            "slave" | "replica" => 1,
            "pubsub" => 2,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let bytes = |text: &str| super::parse_memory(text).and_then(|n| u64::try_from(n).ok());
        let seconds = crate::base::num::parse_i64(limit[3].as_bytes()).filter(|&s| s >= 0);
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) =
            (bytes(&limit[1]), bytes(&limit[2]), seconds)
        else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_string()
            );
        };
        config.output_limits[class] = OutputLimit { hard_bytes, soft_bytes, soft_seconds };
    }
    Ok(())
}
