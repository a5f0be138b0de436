//! Replication, which is not built: a primary without replicas.

use super::{
    super::{Neglect, Param, param},
    kinds::*,
};

pub const PARAMS: &[Param] = &[
    param("availability-zone", stored_text("")),
    param("dual-channel-replication-enabled", stored_flag("no")),
    param("min-replicas-max-lag", int(|c| &mut c.min_replicas_max_lag_s, 0, INT_MAX))
        .alias("min-slaves-max-lag"),
    param("min-replicas-to-write", int(|c| &mut c.min_replicas_to_write, 0, INT_MAX))
        .alias("min-slaves-to-write"),
    param("primaryauth", stored_text("")).alias("masterauth").sensitive(),
    param("primaryuser", stored_text("")).alias("masteruser").sensitive(),
    param("propagation-error-behavior", stored_choice("ignore", &["ignore", "panic", "panic-on-replicas"])),
    param("repl-backlog-size", stored_memory("10485760", 1, LONG_MAX)),
    param("repl-backlog-ttl", stored_int("3600", 0, LONG_MAX)),
    param("repl-disable-tcp-nodelay", stored_flag("no")),
    param(
        "repl-diskless-load",
        stored_choice("disabled", &["disabled", "on-empty-db", "swapdb", "flush-before-load"]),
    )
    .deny_loading(),
    param("repl-diskless-sync", stored_flag("yes")),
    param("repl-diskless-sync-delay", stored_int("5", 0, INT_MAX)),
    param("repl-diskless-sync-max-replicas", stored_int("0", 0, INT_MAX)),
    param("repl-ping-replica-period", stored_int("10", 1, INT_MAX)).alias("repl-ping-slave-period"),
    param("repl-timeout", stored_int("60", 1, INT_MAX)),
    param("replica-announce-ip", stored_text("")).alias("slave-announce-ip"),
    param("replica-announce-port", stored_int("0", 0, 65_535)).alias("slave-announce-port"),
    param("replica-announced", stored_flag("yes")),
    param("replica-ignore-disk-write-errors", stored_flag("no")),
    param("replica-ignore-maxmemory", stored_flag("yes")).alias("slave-ignore-maxmemory"),
    param("replica-lazy-flush", stored_flag("yes")).alias("slave-lazy-flush"),
    param("replica-priority", stored_int("100", 0, INT_MAX)).alias("slave-priority"),
    param("replica-read-only", stored_flag("yes")).alias("slave-read-only"),
    param("replica-serve-stale-data", stored_flag("yes")).alias("slave-serve-stale-data"),
    param("replicaof", fixed_list("", Neglect::Hazard, check_primary)).alias("slaveof").immutable().many(),
];

fn check_primary(args: &[&str]) -> Result<(), String> {
    let [_, port] = args else { return Err("wrong number of arguments".into()) };
    let is_none = args[0].eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one");
    if is_none || port.parse::<u16>().is_ok() { Ok(()) } else { Err("Invalid primary port".into()) }
}
