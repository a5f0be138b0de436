//! The process: its directory, log, title, place among others, and how it ends.

use super::{
    super::{Config, Kind, LOG_LEVELS, Neglect, Param, Unit, param, title, values},
    kinds::*,
};
use std::path::{Path, PathBuf};

pub const PARAMS: &[Param] = &[
    param("always-show-logo", fixed_flag("no", Neglect::Harmless)).immutable(),
    param("bio-cpulist", stored_text("")).alias("bio_cpulist").immutable(),
    param("crash-log-enabled", flag(|c| &mut c.crash_log)),
    param("crash-memcheck-enabled", stored_flag("yes")),
    param("daemonize", flag(|c| &mut c.daemonize)).immutable(),
    param("debug-context", stored_text("")).hidden(),
    param("dir", Kind::Special { get: |c| c.dir.clone(), set: set_dir })
        .protected()
        .deny_loading()
        .written(|c| vec![values::quote(c.dir.as_bytes())])
        .always_written(),
    param("disable-thp", flag(|c| &mut c.disable_thp)).immutable(),
    param("events-per-io-thread", stored_int("2", 0, INT_MAX)).hidden(),
    param("extended-redis-compatibility", stored_flag("no")),
    param("hide-user-data-from-log", flag(|c| &mut c.hide_user_data)),
    param("hz", Kind::Special { get: |c| c.hz.to_string(), set: set_hz }),
    param("ignore-warnings", stored_text("")),
    param("io-threads", fixed_int("1", 1, 256, Unit::Plain, Neglect::Harmless)).immutable(),
    param("jemalloc-bg-thread", stored_flag("yes")),
    param("locale-collate", stored_checked_text("", check_locale)),
    param("log-format", choice(|c| &mut c.log_format, LOG_FORMATS)),
    param("log-timestamp-format", choice(|c| &mut c.log_timestamp_format, LOG_TIMESTAMP_FORMATS)),
    param("logfile", text(|c| &mut c.logfile)).immutable(),
    param("loglevel", choice(|c| &mut c.loglevel, LOG_LEVELS)),
    param(
        "oom-score-adj",
        Kind::Special {
            get: |c| c.oom_score.as_str().into(),
            set: |c, args| OomScore::parse(args[0]).map(|mode| c.oom_score = mode),
        },
    ),
    param("oom-score-adj-values", Kind::Special { get: oom_score_values, set: set_oom_score_values }).many(),
    param("pidfile", text(|c| &mut c.pidfile)).immutable(),
    param("prefetch-batch-max-size", stored_int("16", 0, 128)),
    param("proc-title-template", checked_text(|c| &mut c.proc_title_template, check_title)),
    param("server-cpulist", text(|c| &mut c.cpulist)).alias("server_cpulist").immutable(),
    param("set-proc-title", flag(|c| &mut c.set_proc_title)).immutable(),
    param(
        "shutdown-on-sigint",
        Kind::Special {
            get: |c| c.shutdown_on_sigint.to_string(),
            set: |c, args| ShutdownFlags::parse(args).map(|flags| c.shutdown_on_sigint = flags),
        },
    )
    .many(),
    param(
        "shutdown-on-sigterm",
        Kind::Special {
            get: |c| c.shutdown_on_sigterm.to_string(),
            set: |c, args| ShutdownFlags::parse(args).map(|flags| c.shutdown_on_sigterm = flags),
        },
    )
    .many(),
    param("shutdown-timeout", stored_int("10", 0, INT_MAX)),
    param("supervised", choice(|c| &mut c.supervised, SUPERVISED)).immutable(),
    param("syslog-enabled", flag(|c| &mut c.syslog)).immutable(),
    param("syslog-facility", choice(|c| &mut c.syslog_facility, SYSLOG_FACILITIES)).immutable(),
    param("syslog-ident", text(|c| &mut c.syslog_ident)).immutable(),
    param("use-exit-on-panic", flag(|c| &mut c.exit_on_panic)).hidden(),
    param("watchdog-period", stored_int("0", 0, INT_MAX)).hidden(),
];

/// `log-format`.
const LOG_FORMATS: &[&str] = &["legacy", "logfmt"];

/// `log-timestamp-format`.
const LOG_TIMESTAMP_FORMATS: &[&str] = &["legacy", "iso8601", "milliseconds"];

/// `supervised`.
const SUPERVISED: &[&str] = &["upstart", "systemd", "auto", "no"];

/// `syslog-facility`.
const SYSLOG_FACILITIES: &[&str] =
    &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];

/// A relative path starts where the last one led. The errors are the system's, as Valkey shows them.
fn set_dir(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    let value = values::text(args[0])?;
    if value.is_empty() {
        return Err("dir can't be empty".into());
    }
    let path: PathBuf = Path::new(&config.dir).join(value);
    // Opening it tells whether it is a directory that can be read.
    let found = path.canonicalize().and_then(|path| path.read_dir().map(|_| path));
    let path = found.map_err(|error| crate::base::os_error_text(&error))?;
    config.dir = path.to_string_lossy().into_owned();
    Ok(())
}

/// Values out of range are moved into it.
fn set_hz(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    config.hz = values::parse_int(args[0], Unit::Plain, 0, INT_MAX)?.clamp(1, 500) as i64;
    Ok(())
}

/// Texts are compared by their bytes: the locales that do so.
fn check_locale(name: &str) -> Result<(), String> {
    if ["", "C", "POSIX", "C.UTF-8", "C.utf8"].contains(&name) {
        Ok(())
    } else {
        Err("Invalid locale name".into())
    }
}

/// Whether every variable in braces is known, and anything is left.
fn check_title(template: &str) -> Result<(), String> {
    let some = |name: &str| title::VARIABLES.contains(&name).then(|| "x".to_string());
    match title::expand(template, some) {
        Some(title) if !title.is_empty() => Ok(()),
        _ => Err("template format is invalid or contains unknown variables".into()),
    }
}

/// `oom-score-adj`: whether the score of the process is set, and from where it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OomScore {
    #[default]
    No,
    /// From the score at the start.
    Relative,
    Absolute,
}

impl OomScore {
    fn parse(text: &[u8]) -> Result<OomScore, String> {
        const NAMES: &[&str] = &["no", "yes", "relative", "absolute"];
        Ok(match values::parse_enum(text, NAMES)? {
            0 => OomScore::No,
            1 | 2 => OomScore::Relative,
            _ => OomScore::Absolute,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            OomScore::No => "no",
            OomScore::Relative => "yes",
            OomScore::Absolute => "absolute",
        }
    }
}

fn oom_score_values(config: &Config) -> String {
    config.oom_score_values.map(|n| n.to_string()).join(" ")
}

fn set_oom_score_values(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    if args.len() != config.oom_score_values.len() {
        return Err("wrong number of arguments".into());
    }
    for (score, arg) in config.oom_score_values.iter_mut().zip(args) {
        let n = crate::base::num::parse_i64(arg).filter(|n| (-2000..=2000).contains(n));
        *score = n.ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")? as i32;
    }
    Ok(())
}

/// `shutdown-on-sigint` and `shutdown-on-sigterm`: the arguments of SHUTDOWN that a signal stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShutdownFlags {
    pub save: bool,
    pub nosave: bool,
    pub now: bool,
    pub force: bool,
}

impl ShutdownFlags {
    const NAMES: &[&str] = &["default", "save", "nosave", "now", "force"];

    fn parse(args: &[&[u8]]) -> Result<ShutdownFlags, String> {
        if args.is_empty() {
            return Err(values::one_of(Self::NAMES));
        }
        let mut flags = ShutdownFlags::default();
        for arg in args {
            match values::parse_enum(arg, Self::NAMES)? {
                0 => {}
                1 => flags.save = true,
                2 => flags.nosave = true,
                3 => flags.now = true,
                _ => flags.force = true,
            }
        }
        if flags.save && flags.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
        }
        Ok(flags)
    }
}

impl std::fmt::Display for ShutdownFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = [self.save, self.nosave, self.now, self.force];
        let names: Vec<&str> =
            Self::NAMES[1..].iter().zip(set).filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        f.write_str(if names.is_empty() { "default" } else { "" })?;
        f.write_str(&names.join(" "))
    }
}
