//! Parameters: one table from which the file, the command line, CONFIG GET and CONFIG SET derive.

mod file;
mod notify;
mod params;
mod unbuilt;

pub use file::{ConfigError, Directive, read_args, read_file, read_text};
pub use notify::Notify;
pub use params::PARAMS;

use super::commandlog::LogLimit;
use crate::{
    base::glob,
    resp::request::split_quoted,
    value::{hash::HashConfig, list::ListConfig},
};
use std::fmt::Write;

/// Limits on one class of clients: `client-output-buffer-limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputLimit {
    pub hard_bytes: u64,
    pub soft_bytes: u64,
    pub soft_seconds: i64,
}

/// Classes of clients, in the order of [`Config::output_limits`].
pub const CLIENT_CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

/// `maxmemory-policy` in the order of its names.
pub const POLICIES: &[&str] = &[
    "volatile-lru",
    "allkeys-lru",
    "volatile-lfu",
    "allkeys-lfu",
    "volatile-random",
    "allkeys-random",
    "volatile-ttl",
    "noeviction",
];

/// `loglevel`.
pub const LOG_LEVELS: &[&str] = &["debug", "verbose", "notice", "warning", "nothing"];

/// Who may call DEBUG: `enable-debug-command`.
pub const PROTECTED: &[&str] = &["no", "yes", "local"];

/// The values of all parameters that are built.
#[derive(Clone, Debug)]
pub struct Config {
    pub bind: Vec<String>,
    pub port: i64,
    pub unixsocket: String,
    pub unixsocketperm: i64,
    pub tcp_backlog: i64,
    pub tcp_keepalive_s: i64,
    pub timeout_s: i64,
    pub maxclients: i64,
    pub databases: i64,
    /// `dir`, as an absolute path. The library never makes it the working directory.
    pub dir: String,
    pub requirepass: String,
    pub protected_mode: bool,
    pub query_buffer_max_bytes: i64,
    pub bulk_max_bytes: i64,
    pub output_limits: [OutputLimit; 3],
    pub loglevel: usize,
    pub logfile: String,
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
    pub maxmemory_policy: usize,
    pub lfu_log_factor: i64,
    pub lfu_decay_minutes: i64,
    pub lazyfree_eviction: bool,
    pub lazyfree_expire: bool,
    pub lazyfree_server_del: bool,
    pub lazyfree_user_del: bool,
    pub lazyfree_user_flush: bool,
    pub enable_debug_command: usize,
    pub enable_protected_configs: usize,
    /// DEBUG QUICKLIST-PACKED-THRESHOLD, in bytes; 0: not set.
    pub quicklist_packed_threshold: usize,
    /// `notify-keyspace-events`: classes as bits, and where to publish.
    pub notify: Notify,
    /// `import-mode`: data comes in from a server that says itself what expires.
    pub import_mode: bool,
    /// `enable-module-command`.
    pub enable_module_command: usize,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: bool,
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
            bind: vec!["*".into(), "-::*".into()],
            port: 6379,
            unixsocket: String::new(),
            unixsocketperm: 0,
            tcp_backlog: 511,
            tcp_keepalive_s: 300,
            timeout_s: 0,
            maxclients: 10_000,
            databases: 16,
            dir: std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned(),
            requirepass: String::new(),
            protected_mode: true,
            query_buffer_max_bytes: 1 << 30,
            bulk_max_bytes: 512 << 20,
            output_limits: [limit(0, 0, 0), limit(256 << 20, 64 << 20, 60), limit(32 << 20, 8 << 20, 60)],
            loglevel: 2,
            logfile: String::new(),
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
            maxmemory_policy: POLICIES.len() - 1,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            lazyfree_eviction: true,
            lazyfree_expire: true,
            lazyfree_server_del: true,
            lazyfree_user_del: true,
            lazyfree_user_flush: true,
            enable_debug_command: 0,
            enable_protected_configs: 0,
            quicklist_packed_threshold: 0,
            notify: Notify::default(),
            import_mode: false,
            enable_module_command: 0,
            active_expire: true,
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

    /// Whether the policy counts how often keys are used rather than when.
    pub fn is_lfu(&self) -> bool {
        POLICIES[self.maxmemory_policy].ends_with("lfu")
    }

    /// The pairs of CONFIG GET for one pattern, aliases included.
    pub fn get(&mut self, pattern: &[u8]) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for param in PARAMS {
            for name in std::iter::once(&param.name).chain(param.alias.iter()) {
                if glob::matches_nocase(pattern, name.as_bytes()) {
                    found.push((*name, param.get(self)));
                }
            }
        }
        found
    }

    /// Sets several parameters, or none where one is refused. The error names the parameter, if one is to blame, and
    /// says why. Source: <https://valkey.io/commands/config-set/>.
    pub fn set_all(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static Param>, SetError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut changed: Vec<&'static Param> = Vec::new();
        for (name, _) in pairs {
            let blame = |why: &str| SetError::Refused { param: text(name), why: why.to_string() };
            let Some(param) = find(name) else {
                if unbuilt::known(&text(name)) {
                    continue;
                }
                return Err(SetError::Unknown(text(name)));
            };
            if param.immutable {
                return Err(blame("can't set immutable config"));
            }
            if param.protected && self.enable_protected_configs == 0 {
                return Err(blame("can't set protected config"));
            }
            if changed.iter().any(|c| c.name == param.name) {
                return Err(blame("duplicate parameter"));
            }
            changed.push(param);
        }
        let mut next = self.clone();
        for (name, value) in pairs {
            let param = find(name);
            let shown = param.map_or_else(|| text(name), |param| param.name.to_string());
            let blame = |why: &str| SetError::Refused { param: shown.clone(), why: why.to_string() };
            let value = std::str::from_utf8(value).map_err(|_| blame("argument is not valid text"))?;
            match param {
                Some(param) => param.set(&mut next, value).map_err(|why| blame(&why))?,
                // It can be set to what holds anyway.
                None if unbuilt::is_default(&shown, value) => {}
                None => return Err(blame(NOT_BUILT)),
            }
        }
        *self = next;
        Ok(changed)
    }

    /// Sets one parameter as a line of a file does: any that is built, at any time before the start.
    pub fn set_directive(&mut self, name: &str, args: &[String]) -> Result<Directive, String> {
        if let Some(param) = find(name.as_bytes()) {
            if !param.many && args.len() != 1 {
                return Err("wrong number of arguments".into());
            }
            let value = if param.many { quote_all(args) } else { args[0].clone() };
            return match (param.set(self, &value), &param.kind) {
                (Err(_), Kind::Unbuilt { harmless: true, .. }) => Ok(Directive::Ignored),
                (result, _) => result.map(|()| Directive::Built),
            };
        }
        unbuilt::check(name, args)
    }

    /// Sets one parameter before the start by a value in one text: where it is a list, the text's words are its items.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<Directive, String> {
        self.set_directive(&name.to_ascii_lowercase(), &split_list(name, text))
    }
}

/// A text as the arguments of a directive: several where the parameter is a list, or may be one.
fn split_list(name: &str, text: &str) -> Vec<String> {
    let is_list = text.contains(' ') && find(name.as_bytes()).is_none_or(|param| param.many);
    let split = if is_list { words(text) } else { None };
    split.unwrap_or_else(|| vec![text.to_string()])
}

/// Why a parameter cannot have another value than its default.
const NOT_BUILT: &str = "this feature is not built yet";

/// Why CONFIG SET did nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError {
    Unknown(String),
    Refused { param: String, why: String },
}

/// A parameter's place in [`Config`], and what values it takes.
pub enum Kind {
    Bool(fn(&mut Config) -> &mut bool),
    Int {
        field: fn(&mut Config) -> &mut i64,
        min: i64,
        max: i64,
        unit: Unit,
    },
    Enum {
        field: fn(&mut Config) -> &mut usize,
        names: &'static [&'static str],
    },
    Text(fn(&mut Config) -> &mut String),
    /// Any other shape.
    Special {
        get: fn(&Config) -> String,
        set: fn(&mut Config, &str) -> Result<(), String>,
    },
    /// A parameter of something not built, which clients ask for: it has one value. `harmless` where a file may say
    /// otherwise and be ignored.
    Unbuilt {
        value: &'static str,
        harmless: bool,
    },
}

/// How an integer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Plain,
    /// Bytes, also as `10mb`.
    Memory,
    /// A file mode.
    Octal,
}

/// One parameter.
pub struct Param {
    pub name: &'static str,
    pub alias: Option<&'static str>,
    pub kind: Kind,
    /// Only at the start.
    pub immutable: bool,
    /// Only at the start, unless `enable-protected-configs` says otherwise.
    pub protected: bool,
    /// Its value is a list of words.
    pub many: bool,
}

/// The parameter of a name or alias.
pub fn find(name: &[u8]) -> Option<&'static Param> {
    PARAMS.iter().find(|p| {
        name.eq_ignore_ascii_case(p.name.as_bytes())
            || p.alias.is_some_and(|alias| name.eq_ignore_ascii_case(alias.as_bytes()))
    })
}

impl Param {
    /// The value as CONFIG GET shows it.
    pub fn get(&self, config: &mut Config) -> String {
        match &self.kind {
            Kind::Bool(field) => if *field(config) { "yes" } else { "no" }.to_string(),
            Kind::Int { field, unit: Unit::Octal, .. } => format!("{:o}", field(config)),
            Kind::Int { field, .. } => field(config).to_string(),
            Kind::Enum { field, names } => names[*field(config)].to_string(),
            Kind::Text(field) => field(config).clone(),
            Kind::Special { get, .. } => get(config),
            Kind::Unbuilt { value, .. } => (*value).to_string(),
        }
    }

    /// Takes a value as a file or CONFIG SET writes it; the error says what is wrong with it, as Redis words it.
    pub fn set(&self, config: &mut Config, value: &str) -> Result<(), String> {
        match &self.kind {
            Kind::Bool(field) => {
                *field(config) = if value.eq_ignore_ascii_case("yes") {
                    true
                } else if value.eq_ignore_ascii_case("no") {
                    false
                } else {
                    return Err("argument must be 'yes' or 'no'".into());
                };
            }
            Kind::Int { field, min, max, unit } => {
                let n = match unit {
                    Unit::Plain => crate::base::num::parse_i64(value.as_bytes())
                        .ok_or("argument couldn't be parsed into an integer")?,
                    Unit::Octal => i64::from_str_radix(value, 8)
                        .map_err(|_| "argument couldn't be parsed into an integer")?,
                    Unit::Memory => parse_memory(value).ok_or("argument must be a memory value")?,
                };
                if n < *min || n > *max {
                    return Err(match unit {
                        Unit::Octal => format!("argument must be between {min:o} and {max:o} inclusive"),
                        _ => format!("argument must be between {min} and {max} inclusive"),
                    });
                }
                *field(config) = n;
            }
            Kind::Enum { field, names } => {
                let at = names.iter().position(|name| name.eq_ignore_ascii_case(value));
                *field(config) = at.ok_or_else(|| {
                    format!("argument(s) must be one of the following: {}", names.join(", "))
                })?;
            }
            Kind::Text(field) => *field(config) = value.to_string(),
            Kind::Special { set, .. } => set(config, value)?,
            Kind::Unbuilt { value: only, .. } => {
                if words(value).is_none_or(|words| words.concat() != *only) {
                    return Err(NOT_BUILT.into());
                }
            }
        }
        Ok(())
    }
}

/// Bytes with a unit: `1024`, `1k` (1000), `1kb` (1024), `m`, `mb`, `g`, `gb`.
pub fn parse_memory(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: i64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    crate::base::num::parse_i64(digits.as_bytes())?.checked_mul(unit)
}

/// Splits a value into words as a line of a file is split.
pub fn words(text: &str) -> Option<Vec<String>> {
    let (mut buf, mut spans) = (Vec::new(), Vec::new());
    split_quoted(text.as_bytes(), &mut buf, &mut spans)?;
    let word = |s: &crate::resp::request::Span| {
        String::from_utf8_lossy(&buf[s.start as usize..][..s.len as usize]).into_owned()
    };
    Some(spans.iter().map(word).collect())
}

/// The opposite of [`words`].
fn quote_all(args: &[String]) -> String {
    let mut line = String::new();
    for arg in args {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push('"');
        for c in arg.chars() {
            match c {
                '"' | '\\' => write!(line, "\\{c}").expect("a string takes it"),
                _ => line.push(c),
            }
        }
        line.push('"');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_can_be_set_and_reads_back() {
        let mut config = Config::default();
        for param in PARAMS {
            let value = param.get(&mut config);
            param.set(&mut config, &value).unwrap_or_else(|why| panic!("{} {value}: {why}", param.name));
            assert_eq!(param.get(&mut config), value, "{}", param.name);
        }
    }

    #[test]
    fn several_are_set_together_or_not_at_all() {
        let mut config = Config::default();
        let refused = config.set_all(&[(b"timeout", b"5"), (b"hz", b"x")]);
        let why = "argument couldn't be parsed into an integer".to_string();
        assert_eq!(refused.err(), Some(SetError::Refused { param: "hz".into(), why }));
        assert_eq!(config.timeout_s, 0);
        assert!(config.set_all(&[(b"TIMEOUT", b"5"), (b"list-max-ziplist-size", b"7")]).is_ok());
        assert_eq!((config.timeout_s, config.list_max_listpack_size), (5, 7));
    }

    #[test]
    fn memory_units() {
        assert_eq!(parse_memory("2gb"), Some(2 << 30));
        assert_eq!(parse_memory("3K"), Some(3000));
        assert_eq!(parse_memory("1x"), None);
        assert_eq!(parse_memory("9999999999gb"), None);
    }
}
