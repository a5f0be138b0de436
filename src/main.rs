//! The standalone server: argv and signals to a [`staywire::Builder`].

use signal_hook::consts::{SIGINT, SIGTERM};
use staywire::{
    Server,
    state::{
        Refusal,
        config::{Config, LOG_LEVELS, Reader},
    },
};
use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Descriptors that are not clients: sockets that listen, the poll, the log.
const RESERVED_FDS: u64 = 32;

/// The target of records that are logged without time and level.
const RAW: &str = "raw";

const USAGE: &str = "\
Usage: staywire [/path/to/redis.conf] [options] [-]
       staywire - (read config from stdin)
       staywire -v or --version
       staywire -h or --help

Examples:
       staywire (run the server with default conf)
       staywire /etc/redis/6379.conf
       staywire --port 7777
       staywire --port 7777 --save \"\" --maxclients 50
       staywire /etc/myredis.conf --loglevel verbose -
";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|arg| arg.to_str()) {
        Some("-v" | "--version") => {
            println!(
                "Staywire server v={} redis_version=7.2.4 bits={}",
                env!("CARGO_PKG_VERSION"),
                usize::BITS
            );
            return ExitCode::SUCCESS;
        }
        Some("-h" | "--help") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[OsString]) -> Result<(), Box<dyn std::error::Error>> {
    let (config, config_file, ignored) = configure(args)?;
    let mut config = config;
    std::env::set_current_dir(&config.dir)?;
    start_log(&config)?;
    let limited = fit_descriptors(&mut config);
    let listeners = [("tcp", config.port > 0), ("unix", !config.unixsocket.is_empty())];
    log::info!(target: RAW, "{}", banner(config.port));
    for directive in &ignored {
        log::warn!("Ignored, as it is not built yet: {directive}");
    }
    if let Some(text) = limited {
        log::warn!("{text}");
    }
    let mut server = Server::builder().configured(config).build()?;
    server.engine().state.appliers.push(Box::new(apply));
    let identity = &mut server.engine().state.identity;
    identity.allocator = "jemalloc";
    identity.config_file = config_file;
    identity.executable =
        std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();

    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGTERM, SIGINT] {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
    }
    log::info!("Server initialized");
    for (kind, _) in listeners.iter().filter(|(_, open)| *open) {
        log::info!("Ready to accept connections {kind}");
    }
    while server.poll_once(None)? {
        let caught = signal.load(Ordering::Relaxed);
        if caught != 0 {
            let name = if caught == SIGINT as usize { "SIGINT" } else { "SIGTERM" };
            log::info!("Received {name} scheduling shutdown...");
            break;
        }
    }
    log::info!("User requested shutdown...");
    server.finish();
    log::info!("Staywire is now ready to exit, bye bye...");
    Ok(())
}

/// Makes parameters of the process effective.
fn apply(old: &Config, new: &Config) -> Result<(), Refusal> {
    if old.dir != new.dir {
        let failed = |error| Refusal { param: "dir", why: format!("{error}") };
        std::env::set_current_dir(&new.dir).map_err(failed)?;
    }
    log::set_max_level(level_filter(new.loglevel));
    Ok(())
}

/// What tools that start a server look for, above all the line with its process id.
fn banner(port: i64) -> String {
    let (version, bits, pid) = (env!("CARGO_PKG_VERSION"), usize::BITS, std::process::id());
    format!(" Staywire {version} ({bits}-bit)\n Running in standalone mode\n Port: {port}\n PID: {pid}\n")
}

/// Reads the file, standard input and the options, in this order; returns what was ignored, too.
fn configure(args: &[OsString]) -> Result<(Config, String, Vec<String>), Box<dyn std::error::Error>> {
    let mut reader = Reader::default();
    let mut args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut file = String::new();
    if args.first().is_some_and(|first| !first.starts_with(b"-")) {
        let path = String::from_utf8_lossy(args.remove(0)).into_owned();
        file = std::fs::canonicalize(&path).map_or(path.clone(), |path| path.to_string_lossy().into_owned());
        reader.file(&path)?;
    }
    // Standard input is asked for by the first option, or the last.
    let is_first = file.is_empty() && args.first() == Some(&b"-".as_slice());
    if is_first || args.last() == Some(&b"-".as_slice()) {
        args.remove(if is_first { 0 } else { args.len() - 1 });
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        reader.text(&text, "standard input")?;
    }
    reader.args(&args)?;
    let (config, ignored) = reader.finish();
    staywire::engine::commands(&config)?;
    Ok((config, file, ignored))
}

/// Raises the limit of descriptors for `maxclients`, or lowers `maxclients` to what the limit allows; then returns what
/// to log.
fn fit_descriptors(config: &mut Config) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = config.maxclients as u64 + RESERVED_FDS;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return None;
    }
    let reachable = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    let raised = Rlimit { current: Some(reachable), maximum: limit.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => reachable,
        Err(_) => current,
    };
    if now >= wanted {
        return None;
    }
    let fits = now.saturating_sub(RESERVED_FDS).max(1) as i64;
    let asked = std::mem::replace(&mut config.maxclients, fits);
    Some(format!(
        "You requested maxclients of {asked} requiring at least {wanted} max file descriptors. Current maximum open \
         files is {now}. maxclients has been reduced to {fits} to compensate for low ulimit."
    ))
}

/// Logs to standard output, or to `logfile`, in lines like those of redis-server.
fn start_log(config: &Config) -> std::io::Result<()> {
    let mut builder = env_logger::Builder::new();
    let pid = std::process::id();
    builder.filter_level(log::LevelFilter::Trace).format(move |line, record| {
        if record.target() == RAW {
            return writeln!(line, "{}", record.args());
        }
        let mark = match record.level() {
            log::Level::Error | log::Level::Warn => '#',
            log::Level::Info => '*',
            log::Level::Debug => '-',
            log::Level::Trace => '.',
        };
        writeln!(line, "{pid}:M {} {mark} {}", line.timestamp_millis(), record.args())
    });
    if config.logfile.is_empty() {
        builder.target(env_logger::Target::Stdout);
    } else {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&config.logfile)?;
        builder.target(env_logger::Target::Pipe(Box::new(file)));
    }
    builder.init();
    log::set_max_level(level_filter(config.loglevel));
    Ok(())
}

fn level_filter(level: usize) -> log::LevelFilter {
    match LOG_LEVELS[level] {
        "debug" => log::LevelFilter::Trace,
        "verbose" => log::LevelFilter::Debug,
        "notice" => log::LevelFilter::Info,
        "warning" => log::LevelFilter::Warn,
        _ => log::LevelFilter::Off,
    }
}
