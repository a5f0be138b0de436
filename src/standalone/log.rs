//! The log: lines like those of redis-server on standard output or in `logfile`, and records for syslog.

use staywire::{
    state::config::{Config, LOG_LEVELS},
    sys::daemon::local_time,
};
use std::{
    fmt::{self, Write as _},
    fs::OpenOptions,
    io::{self, Write},
    os::unix::net::UnixDatagram,
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The target of records that are logged without time and level.
pub const RAW: &str = "raw";

/// `log-format` and `log-timestamp-format`, which may change while the server runs.
static FORMAT: AtomicUsize = AtomicUsize::new(0);
static TIMESTAMP: AtomicUsize = AtomicUsize::new(0);

/// Where programs hand their records to syslog.
const SYSLOG_SOCKET: &str = "/dev/log";

/// Starts the log.
pub fn start(config: &Config) -> io::Result<()> {
    let syslog = config.syslog.then(|| Syslog::new(config)).flatten();
    let mut builder = env_logger::Builder::new();
    builder.filter_level(log::LevelFilter::Trace).format(move |out, record| {
        if let Some(syslog) = &syslog {
            syslog.send(record);
        }
        if record.target() == RAW { writeln!(out, "{}", record.args()) } else { write_line(out, record) }
    });
    if config.logfile.is_empty() {
        builder.target(env_logger::Target::Stdout);
    } else {
        // It must be possible to write it.
        OpenOptions::new().create(true).append(true).open(&config.logfile)?;
        builder.target(env_logger::Target::Pipe(Box::new(Reopened(config.logfile.clone()))));
    }
    builder.init();
    apply(config);
    Ok(())
}

/// Follows the parameters that may change.
pub fn apply(config: &Config) {
    FORMAT.store(config.log_format, Ordering::Relaxed);
    TIMESTAMP.store(config.log_timestamp_format, Ordering::Relaxed);
    log::set_max_level(match LOG_LEVELS[config.loglevel] {
        "debug" => log::LevelFilter::Trace,
        "verbose" => log::LevelFilter::Debug,
        "notice" => log::LevelFilter::Info,
        "warning" => log::LevelFilter::Warn,
        _ => log::LevelFilter::Off,
    });
}

/// A file that is opened for each record, so that it may be moved away while the server runs.
struct Reopened(String);

impl Write for Reopened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_line(out: &mut impl Write, record: &log::Record<'_>) -> io::Result<()> {
    let (mark, level) = match record.level() {
        log::Level::Error | log::Level::Warn => ('#', "warning"),
        log::Level::Info => ('*', "notice"),
        log::Level::Debug => ('-', "info"),
        log::Level::Trace => ('.', "debug"),
    };
    let (pid, time) = (std::process::id(), timestamp(TIMESTAMP.load(Ordering::Relaxed)));
    if FORMAT.load(Ordering::Relaxed) == 0 {
        return writeln!(out, "{pid}:M {time} {mark} {}", record.args());
    }
    // A quote or a line break would end the message.
    let message = record.args().to_string().replace('"', "'").replace(['\n', '\r'], " ");
    writeln!(out, "pid={pid} role=primary timestamp=\"{time}\" level={level} message=\"{message}\"")
}

fn timestamp(format: usize) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    if format == 2 {
        return now_ms.to_string();
    }
    let (t, ms) = (local_time(now_ms / 1000), now_ms % 1000);
    let mut text = String::new();
    let written: fmt::Result = if format == 0 {
        write!(
            text,
            "{:02} {} {} {:02}:{:02}:{:02}.{ms:03}",
            t.day, MONTHS[t.month], t.year, t.hour, t.minute, t.second
        )
    } else {
        let (sign, minutes) = (if t.offset_s < 0 { '-' } else { '+' }, t.offset_s.abs() / 60);
        write!(
            text,
            "{}-{:02}-{:02}T{:02}:{:02}:{:02}.{ms:03}{sign}{:02}:{:02}",
            t.year,
            t.month + 1,
            t.day,
            t.hour,
            t.minute,
            t.second,
            minutes / 60,
            minutes % 60
        )
    };
    written.expect("a string takes it");
    text
}

/// `syslog-enabled`: records as datagrams, as RFC 3164 has them.
struct Syslog {
    socket: UnixDatagram,
    ident: String,
    facility: usize,
}

impl Syslog {
    fn new(config: &Config) -> Option<Syslog> {
        let socket = UnixDatagram::unbound().ok()?;
        // A daemon that reads too slowly costs records, not time.
        socket.set_nonblocking(true).ok()?;
        // `user` is facility 1, `local0` 16.
        let facility = if config.syslog_facility == 0 { 1 } else { 15 + config.syslog_facility };
        Some(Syslog { socket, ident: config.syslog_ident.clone(), facility })
    }

    fn send(&self, record: &log::Record<'_>) {
        let severity = match record.level() {
            log::Level::Error | log::Level::Warn => 4,
            log::Level::Info => 5,
            log::Level::Debug => 6,
            log::Level::Trace => 7,
        };
        let (priority, pid) = (self.facility * 8 + severity, std::process::id());
        let text = format!("<{priority}>{}[{pid}]: {}", self.ident, record.args());
        // Who runs no syslog reads none.
        let _ = self.socket.send_to(text.as_bytes(), SYSLOG_SOCKET);
    }
}
