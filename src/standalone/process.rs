//! The process: its directory, descriptors, title, place among those that the system may end, and the file that says
//! which one it is.

use staywire::{
    state::{
        Refusal,
        config::{Config, OomScore, title},
    },
    sys::daemon::Title,
};
use std::{fs, io};

/// Descriptors that are not clients: sockets that listen, the poll, the log.
const RESERVED_FDS: u64 = 32;

const OOM_SCORE_FILE: &str = "/proc/self/oom_score_adj";

/// Where a daemon says which process it is, unless it is told where.
const DEFAULT_PIDFILE: &str = "/var/run/staywire.pid";

/// What of the process follows its parameters.
pub struct Process {
    title: Option<Title>,
    /// As which it was started.
    program: String,
    config_file: String,
    /// The score for being ended at the start, once it was changed.
    oom_base: Option<i32>,
}

impl Process {
    /// Takes hold of the process. Only before the first thread is started.
    pub fn new(config: &Config, program: String, config_file: String) -> Process {
        let title = if config.set_proc_title { Title::claim() } else { None };
        let mut process = Process { title, program, config_file, oom_base: None };
        process.show_title(config);
        if let Err(why) = process.set_oom_score(config) {
            log::warn!("{why}");
        }
        if config.disable_thp
            && let Err(error) = staywire::sys::daemon::disable_huge_pages()
        {
            log::warn!("Failed to disable THP: {error}");
        }
        if !config.cpulist.is_empty()
            && let Err(error) = staywire::sys::daemon::set_affinity(&config.cpulist)
        {
            log::warn!("server-cpulist {}: {error}", config.cpulist);
        }
        process
    }

    /// Makes changed parameters effective.
    pub fn apply(&mut self, old: &Config, new: &Config) -> Result<(), Refusal> {
        if old.maxclients < new.maxclients {
            let fits = reach(new.maxclients);
            if fits < new.maxclients {
                let why = format!(
                    "The operating system is not able to handle the specified number of clients, try with {fits}"
                );
                return Err(Refusal { param: "maxclients", why });
            }
        }
        if old.dir != new.dir {
            let failed = |error| Refusal { param: "dir", why: format!("{error}") };
            std::env::set_current_dir(&new.dir).map_err(failed)?;
        }
        if (old.oom_score, old.oom_score_values) != (new.oom_score, new.oom_score_values)
            && let Err(error) = self.set_oom_score(new)
        {
            log::warn!("{error}");
            let param = if old.oom_score == new.oom_score { "oom-score-adj-values" } else { "oom-score-adj" };
            // What was done before is taken back.
            if old.dir != new.dir {
                let _ = std::env::set_current_dir(&old.dir);
            }
            let why = "Failed to set current oom_score_adj. Check server logs.".into();
            return Err(Refusal { param, why });
        }
        self.show_title(new);
        Ok(())
    }

    fn show_title(&self, config: &Config) {
        let Some(memory) = &self.title else { return };
        let bound = config.bind.first().map_or("*", |addr| addr.strip_prefix('-').unwrap_or(addr));
        let value = |name: &str| {
            Some(match name {
                "title" => self.program.clone(),
                "listen-addr" if config.port > 0 => format!("{bound}:{}", config.port),
                "listen-addr" | "unixsocket" => config.unixsocket.clone(),
                "server-mode" if config.cluster_enabled => "[cluster]".into(),
                "server-mode" => String::new(),
                "port" => config.port.to_string(),
                "tls-port" => "0".into(),
                "config-file" => self.config_file.clone(),
                _ => return None,
            })
        };
        if let Some(title) = title::expand(&config.proc_title_template, value) {
            memory.set(&title);
        }
    }

    /// `oom-score-adj`: how likely the system ends this process where memory runs out.
    fn set_oom_score(&mut self, config: &Config) -> Result<(), String> {
        let score = match (config.oom_score, self.oom_base) {
            (OomScore::No, None) => return Ok(()),
            (OomScore::No, Some(base)) => base,
            (mode, base) => {
                let base = match base {
                    Some(base) => base,
                    None => {
                        read_oom_score().map_err(|error| format!("Unable to read oom_score_adj: {error}"))?
                    }
                };
                self.oom_base = Some(base);
                let from = if mode == OomScore::Relative { base } else { 0 };
                (config.oom_score_values[0] + from).clamp(-1000, 1000)
            }
        };
        if config.oom_score == OomScore::No {
            self.oom_base = None;
        }
        fs::write(OOM_SCORE_FILE, format!("{score}\n"))
            .map_err(|error| format!("Unable to write oom_score_adj: {error}"))
    }
}

fn read_oom_score() -> io::Result<i32> {
    fs::read_to_string(OOM_SCORE_FILE)?.trim().parse().map_err(io::Error::other)
}

/// `pidfile`: says which process this is, until it is dropped.
pub struct PidFile(String);

impl PidFile {
    /// Writes it, where it is asked for, or a daemon has none.
    pub fn write(config: &Config, is_daemon: bool) -> Option<PidFile> {
        let path = match config.pidfile.as_str() {
            "" if is_daemon => DEFAULT_PIDFILE,
            "" => return None,
            path => path,
        };
        match fs::write(path, format!("{}\n", std::process::id())) {
            Ok(()) => Some(PidFile(path.into())),
            Err(error) => {
                log::warn!("Failed to write PID file: {error}");
                None
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        log::info!("Removing the pid file.");
        // Somebody else may have removed it already.
        let _ = fs::remove_file(&self.0);
    }
}

/// Raises the limit of descriptors for `maxclients`, or lowers `maxclients` to what the limit allows; then returns what
/// to log.
pub fn fit_descriptors(config: &mut Config) -> Option<String> {
    let wanted = config.maxclients as u64 + RESERVED_FDS;
    let fits = reach(config.maxclients);
    if fits >= config.maxclients {
        return None;
    }
    let asked = std::mem::replace(&mut config.maxclients, fits);
    let files = fits as u64 + RESERVED_FDS;
    Some(format!(
        "You requested maxclients of {asked} requiring at least {wanted} max file descriptors. Current maximum open \
         files is {files}. maxclients has been reduced to {fits} to compensate for low ulimit."
    ))
}

/// Raises the limit of descriptors for so many clients as far as it goes; returns how many of them it allows.
fn reach(maxclients: i64) -> i64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = maxclients as u64 + RESERVED_FDS;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return maxclients;
    }
    let raise = |soft: u64, hard: Option<u64>| {
        setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: hard }).is_ok()
    };
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let now = if hard >= wanted {
        if raise(wanted, limit.maximum) { wanted } else { current }
    } else if raise(wanted, Some(wanted)) {
        // A privileged process may go beyond.
        wanted
    } else if raise(hard, limit.maximum) {
        hard
    } else {
        current
    };
    now.saturating_sub(RESERVED_FDS).clamp(1, maxclients as u64) as i64
}
