//! Files of data. None is built; `save` and `appendonly` say so.

use super::{
    super::{Neglect, Param, param},
    kinds::*,
};
use crate::base::num::parse_i64;

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
    param("save", fixed_list("", Neglect::Harmless, check_save)).many(),
    param("stop-writes-on-bgsave-error", stored_flag("yes")),
];

/// Pairs of seconds and changes.
fn check_save(args: &[&str]) -> Result<(), String> {
    let pairs = if args == [""] { &[] } else { args };
    let least = |at: usize| i64::from(at.is_multiple_of(2));
    let fits = |(at, arg): (usize, &&str)| parse_i64(arg.as_bytes()).is_some_and(|n| n >= least(at));
    if pairs.len().is_multiple_of(2) && pairs.iter().enumerate().all(fits) {
        Ok(())
    } else {
        Err("Invalid save parameters".into())
    }
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
