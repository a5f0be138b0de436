//! Files of data. None is built: `appendonly` is refused, and the binary warns that `save` has no effect.

use super::{
    super::{Config, Kind, Neglect, Param, SavePoint, param, values},
    kinds::*,
};

pub const PARAMS: &[Param] = &[
    param("aof-disable-auto-gc", stored_flag("no")).hidden(),
    param("aof-load-truncated", stored_flag("yes")),
    param("aof-rewrite-cpulist", stored_text("")).alias("aof_rewrite_cpulist").immutable(),
    param("aof-rewrite-incremental-fsync", stored_flag("yes")),
    param("aof-timestamp-enabled", stored_flag("no")),
    param("aof-use-rdb-preamble", stored_flag("yes")),
    param(
        "appenddirname",
        stored_checked_text("appendonlydir", |name| base_name("appenddirname", name, "dirname")),
    )
    .immutable(),
    param(
        "appendfilename",
        stored_checked_text("appendonly.aof", |name| base_name("appendfilename", name, "filename")),
    )
    .immutable(),
    param("appendfsync", stored_choice("everysec", &["everysec", "always", "no"])),
    param("appendonly", fixed_flag("no", Neglect::Hazard)).deny_loading(),
    param("auto-aof-rewrite-min-size", stored_memory("67108864", 0, LONG_MAX)),
    param("auto-aof-rewrite-percentage", stored_int("100", 0, INT_MAX)),
    param("bgsave-cpulist", stored_text("")).alias("bgsave_cpulist").immutable(),
    param("dbfilename", stored_checked_text("dump.rdb", |name| base_name("dbfilename", name, "filename")))
        .protected(),
    param("key-load-delay", stored_int("0", i32::MIN as i128, INT_MAX)).hidden(),
    param("loading-process-events-interval-bytes", stored_int("2097152", 1024, INT_MAX)).hidden(),
    param("no-appendfsync-on-rewrite", stored_flag("no")),
    param("rdb-del-sync-files", stored_flag("no")),
    param("rdb-key-save-delay", stored_int("0", i32::MIN as i128, INT_MAX)).hidden(),
    param("rdb-save-incremental-fsync", stored_flag("yes")),
    param("rdb-version-check", stored_choice("strict", &["strict", "relaxed"])),
    param("rdbchecksum", stored_flag("yes")).immutable(),
    param("rdbcompression", stored_flag("yes")),
    param("sanitize-dump-payload", stored_choice("no", &["no", "yes", "clients"])),
    param("save", Kind::Special { get: save_points, set: set_save_points }).many().adds_up().always_written(),
    param("stop-writes-on-bgsave-error", stored_flag("yes")),
];

fn save_points(config: &Config) -> String {
    let points = config.save.iter().map(|SavePoint { seconds, changes }| format!("{seconds} {changes}"));
    points.collect::<Vec<_>>().join(" ")
}

/// Pairs of seconds and changes.
fn set_save_points(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    let args = if args == [b""] { &[] } else { args };
    let (pairs, rest) = args.as_chunks();
    let point = |[seconds, changes]: &[&[u8]; 2]| {
        let seconds = values::parse_long(seconds).filter(|&n| n >= 1)?;
        let changes = values::parse_long(changes).filter(|&n| n >= 0)?;
        Some(SavePoint { seconds, changes })
    };
    let points = pairs.iter().map(point).collect::<Option<_>>().filter(|_| rest.is_empty());
    config.save = points.ok_or("Invalid save parameters")?;
    Ok(())
}

fn base_name(param: &str, name: &str, what: &str) -> Result<(), String> {
    if name.is_empty() {
        Err(format!("{param} can't be empty"))
    } else if name.contains(['/', '\\']) {
        Err(format!("{param} can't be a path, just a {what}"))
    } else {
        Ok(())
    }
}
