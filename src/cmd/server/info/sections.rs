//! The sections of INFO and their fields, in Valkey's order. What Staywire does not have keeps Valkey's neutral value.

use super::{
    command_lines, error_lines,
    facts::{Facts, human, percent, two_digits},
    keyspace_lines, latency_lines, listener_lines,
};
use crate::state::{acl::log::Reason, pause::PauseMode, pubsub::Kind};

/// The value of a field.
pub(super) enum Figure {
    Fixed(&'static str),
    Int(fn(&Facts<'_>) -> i64),
    Text(fn(&Facts<'_>) -> String),
    /// A number, or no such line.
    Perhaps(fn(&Facts<'_>) -> Option<i64>),
}
use Figure::{Fixed, Int, Perhaps, Text};

/// What stands under a section's head.
pub(super) enum Body {
    Fields(&'static [(&'static str, Figure)]),
    Lines(fn(&Facts<'_>, &mut Vec<u8>)),
}

/// When a section is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Where no section is named.
    ByDefault,
    /// With `all`.
    WithAll,
    /// Where it is named, and only then.
    ByName,
}
use Shown::{ByDefault, ByName, WithAll};

/// A section of INFO.
pub(super) struct Section {
    pub name: &'static str,
    pub shown: Shown,
    pub body: Body,
    /// Lines behind the fields.
    pub more: Option<fn(&Facts<'_>, &mut Vec<u8>)>,
}

const fn section(name: &'static str, shown: Shown, body: Body) -> Section {
    Section { name, shown, body, more: None }
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1024.0)
}

/// How long memory was above its limit for want of time, in ms: in all, and since it last was below.
fn eviction_exceeded_ms(f: &Facts<'_>) -> (i64, i64) {
    let stats = &f.state.stats;
    let now_ns =
        stats.eviction_since_ns.map_or(0, |since_ns| f.state.clock.ticks_ns().saturating_sub(since_ns));
    (((stats.eviction_exceeded_ns + now_ns) / 1_000_000) as i64, (now_ns / 1_000_000) as i64)
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// All sections, in their order.
pub(super) const SECTIONS: &[Section] = &[
    Section { name: "Server", shown: ByDefault, body: Body::Fields(SERVER), more: Some(listener_lines) },
    section("Clients", ByDefault, Body::Fields(CLIENTS)),
    section("Memory", ByDefault, Body::Fields(MEMORY)),
    section("Persistence", ByDefault, Body::Fields(PERSISTENCE)),
    section("Stats", ByDefault, Body::Fields(STATS)),
    section("Replication", ByDefault, Body::Fields(REPLICATION)),
    section("CPU", ByDefault, Body::Fields(CPU)),
    section("Modules", ByDefault, Body::Fields(MODULES)),
    section("Commandstats", WithAll, Body::Lines(command_lines)),
    section("Errorstats", ByDefault, Body::Lines(error_lines)),
    section("Latencystats", WithAll, Body::Lines(latency_lines)),
    section("Cluster", ByDefault, Body::Fields(CLUSTER)),
    section("Keyspace", ByDefault, Body::Lines(keyspace_lines)),
    section("Debug", ByName, Body::Fields(DEBUG)),
];

const SERVER: &[(&str, Figure)] = &[
    ("redis_version", Fixed("7.2.4")),
    ("server_name", Fixed("staywire")),
    ("staywire_version", Fixed(env!("CARGO_PKG_VERSION"))),
    ("redis_git_sha1", Fixed("00000000")),
    ("redis_git_dirty", Fixed("0")),
    ("redis_build_id", Fixed("0000000000000000")),
    ("redis_mode", Text(|f| f.state.config.mode().into())),
    ("server_mode", Text(|f| f.state.config.mode().into())),
    ("os", Text(|f| f.machine().os.clone())),
    ("arch_bits", Int(|_| usize::BITS.into())),
    ("monotonic_clock", Fixed("POSIX clock_gettime")),
    ("multiplexing_api", Fixed("epoll")),
    ("gcc_version", Fixed("0.0.0")),
    ("process_id", Int(|_| std::process::id().into())),
    ("process_supervised", Fixed("no")),
    ("run_id", Text(|f| f.state.identity.run_id.clone())),
    ("tcp_port", Int(|f| f.state.identity.tcp_port.into())),
    ("server_time_usec", Int(|f| f.state.clock.now_us())),
    ("uptime_in_seconds", Int(|f| f.uptime_s())),
    ("uptime_in_days", Int(|f| f.uptime_s() / 86_400)),
    ("hz", Int(|f| f.state.config.hz)),
    ("configured_hz", Int(|f| f.state.config.hz)),
    ("clients_hz", Int(|f| f.state.config.hz)),
    ("lru_clock", Int(|f| (f.now_ms / 1000) & 0xff_ffff)),
    ("executable", Text(|f| f.state.identity.executable.clone())),
    ("config_file", Text(|f| f.state.identity.config_file.clone())),
    ("io_threads_active", Fixed("0")),
    ("availability_zone", Fixed("")),
];

const CLIENTS: &[(&str, Figure)] = &[
    ("connected_clients", Int(|f| f.state.sessions.len() as i64)),
    ("cluster_connections", Fixed("0")),
    ("maxclients", Int(|f| f.state.config.maxclients)),
    ("client_recent_max_input_buffer", Int(|f| f.state.totals.recent_max()[0] as i64)),
    ("client_recent_max_output_buffer", Int(|f| f.state.totals.recent_max()[1] as i64)),
    ("blocked_clients", Int(|f| (f.state.waiters.blocked + f.state.pause.postponed()) as i64)),
    ("tracking_clients", Int(|f| f.state.tracking.client_count() as i64)),
    ("pubsub_clients", Int(|f| f.state.totals.sum.subscribers as i64)),
    ("watching_clients", Int(|f| f.state.totals.sum.watchers as i64)),
    ("clients_in_timeout_table", Int(|f| f.state.waiters.deadline_count() as i64)),
    ("total_watched_keys", Int(|f| f.state.watch.key_count() as i64)),
    ("total_blocking_keys", Int(|f| f.state.waiters.key_count() as i64)),
    ("total_blocking_keys_on_nokey", Int(|f| f.state.waiters.ending_keys as i64)),
    ("paused_reason", Text(|f| if f.state.pause.is_on() { "client_pause" } else { "none" }.into())),
    ("paused_actions", Text(|f| f.state.pause.mode().map_or("none", PauseMode::name).into())),
    (
        "paused_timeout_milliseconds",
        Int(|f| f.state.pause.deadline_ms().map_or(0, |end_ms| (end_ms - f.now_ms).max(0))),
    ),
];

const MEMORY: &[(&str, Figure)] = &[
    ("used_memory", Int(|f| f.memory().used as i64)),
    ("used_memory_human", Text(|f| human(f.memory().used))),
    ("used_memory_rss", Int(|f| f.memory().rss as i64)),
    ("used_memory_rss_human", Text(|f| human(f.memory().rss))),
    ("used_memory_peak", Int(|f| f.memory().peak as i64)),
    ("used_memory_peak_human", Text(|f| human(f.memory().peak))),
    ("used_memory_peak_perc", Text(|f| percent(f.memory().used, f.memory().peak))),
    ("used_memory_overhead", Int(|f| f.memory().overhead as i64)),
    ("used_memory_startup", Fixed("0")),
    ("used_memory_dataset", Int(|f| f.memory().dataset() as i64)),
    ("used_memory_dataset_perc", Text(|f| percent(f.memory().dataset(), f.memory().used))),
    ("allocator_allocated", Int(|f| f.memory().allocated as i64)),
    ("allocator_active", Int(|f| f.memory().active as i64)),
    ("allocator_resident", Int(|f| f.memory().resident as i64)),
    ("allocator_muzzy", Fixed("0")),
    ("total_system_memory", Int(|f| f.machine().memory_bytes as i64)),
    ("total_system_memory_human", Text(|f| human(f.machine().memory_bytes))),
    ("used_memory_lua", Int(|f| f.state.scripts.figures().script_state_bytes as i64)),
    ("used_memory_vm_eval", Int(|f| f.state.scripts.figures().script_state_bytes as i64)),
    ("used_memory_lua_human", Text(|f| human(f.state.scripts.figures().script_state_bytes))),
    ("used_memory_scripts_eval", Int(|f| f.state.scripts.figures().script_bytes as i64)),
    ("number_of_cached_scripts", Int(|f| f.state.scripts.figures().scripts as i64)),
    ("number_of_functions", Int(|f| f.state.scripts.figures().functions as i64)),
    ("number_of_libraries", Int(|f| f.state.scripts.figures().libraries as i64)),
    ("used_memory_vm_functions", Int(|f| f.state.scripts.figures().function_state_bytes as i64)),
    ("used_memory_vm_total", Int(|f| f.state.scripts.figures().state_bytes() as i64)),
    ("used_memory_vm_total_human", Text(|f| human(f.state.scripts.figures().state_bytes()))),
    ("used_memory_functions", Int(|f| f.state.scripts.figures().function_bytes as i64)),
    ("used_memory_scripts", Int(|f| f.state.scripts.figures().bytes() as i64)),
    ("used_memory_scripts_human", Text(|f| human(f.state.scripts.figures().bytes()))),
    ("maxmemory", Int(|f| f.state.config.maxmemory_bytes)),
    ("maxmemory_human", Text(|f| human(f.state.config.maxmemory_bytes as usize))),
    ("maxmemory_policy", Text(|f| f.state.config.policy_name().into())),
    ("allocator_frag_ratio", Text(|f| two_digits(f.memory().allocator_fragmentation().0))),
    ("allocator_frag_bytes", Int(|f| f.memory().allocator_fragmentation().1)),
    ("allocator_rss_ratio", Text(|f| two_digits(f.memory().allocator_rss().0))),
    ("allocator_rss_bytes", Int(|f| f.memory().allocator_rss().1)),
    ("rss_overhead_ratio", Text(|f| two_digits(f.memory().rss_overhead().0))),
    ("rss_overhead_bytes", Int(|f| f.memory().rss_overhead().1)),
    ("mem_fragmentation_ratio", Text(|f| two_digits(f.memory().fragmentation().0))),
    ("mem_fragmentation_bytes", Int(|f| f.memory().fragmentation().1)),
    ("mem_not_counted_for_evict", Fixed("0")),
    ("mem_replication_backlog", Fixed("0")),
    ("mem_total_replication_buffers", Fixed("0")),
    ("mem_clients_slaves", Fixed("0")),
    ("mem_clients_normal", Int(|f| f.memory().sessions as i64)),
    ("mem_cluster_links", Fixed("0")),
    ("mem_aof_buffer", Fixed("0")),
    ("mem_allocator", Text(|f| f.state.allocator.name.into())),
    ("mem_overhead_db_hashtable_rehashing", Fixed("0")),
    ("active_defrag_running", Fixed("0")),
    ("lazyfree_pending_objects", Int(|f| f.store.garbage_len() as i64)),
    ("lazyfreed_objects", Int(|f| f.store.stats.lazy_freed as i64)),
];

const PERSISTENCE: &[(&str, Figure)] = &[
    ("loading", Fixed("0")),
    ("async_loading", Fixed("0")),
    ("current_cow_peak", Fixed("0")),
    ("current_cow_size", Fixed("0")),
    ("current_cow_size_age", Fixed("0")),
    ("current_fork_perc", Fixed("0.00")),
    ("current_save_keys_processed", Fixed("0")),
    ("current_save_keys_total", Fixed("0")),
    ("rdb_changes_since_last_save", Int(|f| f.store.changes.dirty as i64)),
    ("rdb_bgsave_in_progress", Fixed("0")),
    ("rdb_last_save_time", Int(|f| f.state.identity.started_ms / 1000)),
    ("rdb_last_bgsave_status", Fixed("ok")),
    ("rdb_last_bgsave_time_sec", Fixed("-1")),
    ("rdb_current_bgsave_time_sec", Fixed("-1")),
    ("rdb_saves", Fixed("0")),
    ("rdb_last_cow_size", Fixed("0")),
    ("rdb_last_load_keys_expired", Fixed("0")),
    ("rdb_last_load_keys_loaded", Fixed("0")),
    ("aof_enabled", Fixed("0")),
    ("aof_rewrite_in_progress", Fixed("0")),
    ("aof_rewrite_scheduled", Fixed("0")),
    ("aof_last_rewrite_time_sec", Fixed("-1")),
    ("aof_current_rewrite_time_sec", Fixed("-1")),
    ("aof_last_bgrewrite_status", Fixed("ok")),
    ("aof_rewrites", Fixed("0")),
    ("aof_rewrites_consecutive_failures", Fixed("0")),
    ("aof_last_write_status", Fixed("ok")),
    ("aof_last_cow_size", Fixed("0")),
    ("module_fork_in_progress", Fixed("0")),
    ("module_fork_last_cow_size", Fixed("0")),
];

const STATS: &[(&str, Figure)] = &[
    ("total_connections_received", Int(|f| f.state.stats.connections as i64)),
    ("total_commands_processed", Int(|f| f.state.stats.commands as i64)),
    ("instantaneous_ops_per_sec", Int(|f| f.state.stats.per_second.commands() as i64)),
    ("total_net_input_bytes", Int(|f| f.state.stats.net_in_bytes as i64)),
    ("total_net_output_bytes", Int(|f| f.state.stats.net_out_bytes as i64)),
    ("total_net_repl_input_bytes", Fixed("0")),
    ("total_net_repl_output_bytes", Fixed("0")),
    ("instantaneous_input_kbps", Text(|f| kilobytes(f.state.stats.per_second.input_bytes()))),
    ("instantaneous_output_kbps", Text(|f| kilobytes(f.state.stats.per_second.output_bytes()))),
    ("instantaneous_input_repl_kbps", Fixed("0.00")),
    ("instantaneous_output_repl_kbps", Fixed("0.00")),
    ("rejected_connections", Int(|f| f.state.stats.rejected_connections as i64)),
    ("sync_full", Fixed("0")),
    ("sync_partial_ok", Fixed("0")),
    ("sync_partial_err", Fixed("0")),
    ("expired_keys", Int(|f| f.store.stats.expired as i64)),
    ("expired_fields", Int(|f| f.store.stats.expired_fields as i64)),
    ("expired_stale_perc", Text(|f| two_digits(f.store.stats.stale_percent))),
    ("expired_time_cap_reached_count", Int(|f| f.store.stats.expire_slices_full as i64)),
    ("expire_cycle_cpu_milliseconds", Int(|f| (f.store.stats.expire_ns / 1_000_000) as i64)),
    ("evicted_keys", Int(|f| f.store.stats.evicted as i64)),
    ("evicted_clients", Int(|f| f.state.stats.evicted_clients as i64)),
    ("evicted_scripts", Int(|f| f.state.scripts.figures().evicted as i64)),
    ("total_eviction_exceeded_time", Int(|f| eviction_exceeded_ms(f).0)),
    ("current_eviction_exceeded_time", Int(|f| eviction_exceeded_ms(f).1)),
    ("keyspace_hits", Int(|f| f.store.stats.hits as i64)),
    ("keyspace_misses", Int(|f| f.store.stats.misses as i64)),
    ("pubsub_channels", Int(|f| f.state.pubsub.count(Kind::Channel) as i64)),
    ("pubsub_patterns", Int(|f| f.state.pubsub.count(Kind::Pattern) as i64)),
    ("pubsubshard_channels", Int(|f| f.state.pubsub.count(Kind::Shard) as i64)),
    ("latest_fork_usec", Fixed("0")),
    ("total_forks", Fixed("0")),
    ("migrate_cached_sockets", Fixed("0")),
    ("slave_expires_tracked_keys", Fixed("0")),
    ("active_defrag_hits", Fixed("0")),
    ("active_defrag_misses", Fixed("0")),
    ("active_defrag_key_hits", Fixed("0")),
    ("active_defrag_key_misses", Fixed("0")),
    ("total_active_defrag_time", Fixed("0")),
    ("current_active_defrag_time", Fixed("0")),
    ("tracking_total_keys", Int(|f| f.state.tracking.key_count() as i64)),
    ("tracking_total_items", Int(|f| f.state.tracking.item_count() as i64)),
    ("tracking_total_prefixes", Int(|f| f.state.tracking.prefix_count() as i64)),
    ("unexpected_error_replies", Fixed("0")),
    ("total_error_replies", Int(|f| f.state.stats.error_replies as i64)),
    ("dump_payload_sanitizations", Fixed("0")),
    ("total_reads_processed", Int(|f| f.state.stats.reads as i64)),
    ("total_writes_processed", Int(|f| f.state.stats.writes as i64)),
    ("io_threaded_reads_processed", Fixed("0")),
    ("io_threaded_writes_processed", Fixed("0")),
    ("io_threaded_freed_objects", Fixed("0")),
    ("io_threaded_accept_processed", Fixed("0")),
    ("io_threaded_poll_processed", Fixed("0")),
    ("io_threaded_total_prefetch_batches", Fixed("0")),
    ("io_threaded_total_prefetch_entries", Fixed("0")),
    ("client_query_buffer_limit_disconnections", Int(|f| f.state.stats.query_limit_disconnections as i64)),
    ("client_output_buffer_limit_disconnections", Int(|f| f.state.stats.output_limit_disconnections as i64)),
    ("reply_buffer_shrinks", Int(|f| f.state.stats.reply_rooms_shrunk as i64)),
    ("reply_buffer_expands", Int(|f| f.state.stats.reply_rooms_grown as i64)),
    ("eventloop_cycles", Int(|f| f.state.stats.turns as i64)),
    ("eventloop_duration_sum", Int(|f| (f.state.stats.turns_ns / 1000) as i64)),
    ("eventloop_duration_cmd_sum", Int(|f| (f.state.stats.commands_ns() / 1000) as i64)),
    ("instantaneous_eventloop_cycles_per_sec", Int(|f| f.state.stats.per_second.turns() as i64)),
    ("instantaneous_eventloop_duration_usec", Int(|f| f.state.stats.per_second.turn_us() as i64)),
    ("acl_access_denied_auth", Int(|f| f.state.stats.refused_for(Reason::Auth) as i64)),
    ("acl_access_denied_cmd", Int(|f| f.state.stats.refused_for(Reason::Command) as i64)),
    ("acl_access_denied_key", Int(|f| f.state.stats.refused_for(Reason::Key) as i64)),
    ("acl_access_denied_channel", Int(|f| f.state.stats.refused_for(Reason::Channel) as i64)),
];

const REPLICATION: &[(&str, Figure)] = &[
    ("role", Fixed("master")),
    ("connected_slaves", Fixed("0")),
    ("min_slaves_good_slaves", Perhaps(|f| f.state.lacks_replicas.then_some(0))),
    ("replicas_waiting_psync", Fixed("0")),
    ("master_failover_state", Fixed("no-failover")),
    ("master_replid", Text(|f| f.state.identity.repl_id.clone())),
    ("master_replid2", Fixed("0000000000000000000000000000000000000000")),
    ("master_repl_offset", Fixed("0")),
    ("second_repl_offset", Fixed("-1")),
    ("repl_backlog_active", Fixed("0")),
    ("repl_backlog_size", Fixed("10485760")),
    ("repl_backlog_first_byte_offset", Fixed("0")),
    ("repl_backlog_histlen", Fixed("0")),
];

const CPU: &[(&str, Figure)] = &[
    ("used_cpu_sys", Text(|f| seconds(f.cpu().system_us))),
    ("used_cpu_user", Text(|f| seconds(f.cpu().user_us))),
    ("used_cpu_sys_children", Fixed("0.000000")),
    ("used_cpu_user_children", Fixed("0.000000")),
    ("used_cpu_sys_main_thread", Text(|f| seconds(f.cpu().thread_system_us))),
    ("used_cpu_user_main_thread", Text(|f| seconds(f.cpu().thread_user_us))),
];

const MODULES: &[(&str, Figure)] = &[];

const CLUSTER: &[(&str, Figure)] = &[("cluster_enabled", Int(|f| f.state.config.cluster_enabled.into()))];

const DEBUG: &[(&str, Figure)] = &[
    ("eventloop_duration_aof_sum", Fixed("0")),
    ("eventloop_duration_cron_sum", Int(|f| (f.state.stats.cron_ns / 1000) as i64)),
    ("eventloop_duration_max", Int(|f| (f.state.stats.turn_max_ns / 1000) as i64)),
    ("eventloop_cmd_per_cycle_max", Int(|f| f.state.stats.turn_max_commands as i64)),
];
