//! Keys and values: how many databases, how values are kept, when keys go, how much memory they may take.

use super::{
    super::{Kind, Neglect, Notify, POLICIES, Param, param, values},
    kinds::*,
};

pub const PARAMS: &[Param] = &[
    param("active-defrag-cycle-max", stored_int("25", 1, 99)),
    param("active-defrag-cycle-min", stored_int("1", 1, 99)),
    param("active-defrag-cycle-us", stored_int("500", 0, 100_000)),
    param("active-defrag-ignore-bytes", stored_memory("104857600", 1, LONG_MAX)),
    param("active-defrag-max-scan-fields", stored_int("1000", 1, LONG_MAX)),
    param("active-defrag-threshold-lower", stored_int("10", 0, 1000)),
    param("active-defrag-threshold-upper", stored_int("100", 0, 1000)),
    param("active-expire-effort", int(|c| &mut c.active_expire_effort, 1, 10)),
    param("activedefrag", fixed_flag("no", NO_DEFRAG)),
    param("activerehashing", stored_flag("yes")),
    param("busy-reply-threshold", int(|c| &mut c.busy_threshold_ms, 0, LONG_MAX)).alias("lua-time-limit"),
    param("databases", int(|c| &mut c.databases, 1, INT_MAX)).immutable(),
    param("hash-max-listpack-entries", int(|c| &mut c.hash_max_listpack_entries, 0, LONG_MAX))
        .alias("hash-max-ziplist-entries"),
    param("hash-max-listpack-value", memory(|c| &mut c.hash_max_listpack_value, 0, LONG_MAX))
        .alias("hash-max-ziplist-value"),
    param("hll-sparse-max-bytes", memory(|c| &mut c.hll_sparse_max_bytes, 0, LONG_MAX)),
    param("import-mode", flag(|c| &mut c.import_mode)),
    param("lazyfree-lazy-eviction", flag(|c| &mut c.lazyfree_eviction)),
    param("lazyfree-lazy-expire", flag(|c| &mut c.lazyfree_expire)),
    param("lazyfree-lazy-server-del", flag(|c| &mut c.lazyfree_server_del)),
    param("lazyfree-lazy-user-del", flag(|c| &mut c.lazyfree_user_del)),
    param("lazyfree-lazy-user-flush", flag(|c| &mut c.lazyfree_user_flush)),
    param("lfu-decay-time", int(|c| &mut c.lfu_decay_minutes, 0, INT_MAX)),
    param("lfu-log-factor", int(|c| &mut c.lfu_log_factor, 0, INT_MAX)),
    param("list-compress-depth", int(|c| &mut c.list_compress_depth, 0, INT_MAX)),
    param("list-max-listpack-size", int(|c| &mut c.list_max_listpack_size, -(1 << 31), INT_MAX))
        .alias("list-max-ziplist-size"),
    param("maxmemory", memory(|c| &mut c.maxmemory_bytes, 0, LONG_MAX)),
    param("maxmemory-eviction-tenacity", int(|c| &mut c.eviction_tenacity, 0, 100)),
    param("maxmemory-policy", choice(|c| &mut c.maxmemory_policy, POLICIES)),
    param("maxmemory-samples", int(|c| &mut c.maxmemory_samples, 1, 64)),
    param(
        "notify-keyspace-events",
        Kind::Special {
            get: |c| c.notify.to_string(),
            set: |c, args| Notify::parse(values::text(args[0])?).map(|n| c.notify = n),
        },
    )
    .written(|c| vec![values::quote(c.notify.to_string().as_bytes())]),
    param("set-max-intset-entries", int(|c| &mut c.set_max_intset_entries, 0, LONG_MAX)),
    param("set-max-listpack-entries", int(|c| &mut c.set_max_listpack_entries, 0, LONG_MAX)),
    param("set-max-listpack-value", int(|c| &mut c.set_max_listpack_value, 0, LONG_MAX)),
    param("stream-node-max-bytes", memory(|c| &mut c.stream_node_max_bytes, 0, LONG_MAX)),
    param("stream-node-max-entries", int(|c| &mut c.stream_node_max_entries, 0, LONG_MAX)),
    param("tracking-table-max-keys", int(|c| &mut c.tracking_table_max_keys, 0, LONG_MAX)),
    param("zset-max-listpack-entries", int(|c| &mut c.zset_max_listpack_entries, 0, LONG_MAX))
        .alias("zset-max-ziplist-entries"),
    param("zset-max-listpack-value", memory(|c| &mut c.zset_max_listpack_value, 0, LONG_MAX))
        .alias("zset-max-ziplist-value"),
];

const NO_DEFRAG: Neglect = Neglect::Refused(
    "Active defragmentation cannot be enabled: it requires a server compiled with a modified Jemalloc like the one \
     shipped by default with the source distribution",
);
