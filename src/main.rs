//! The standalone server: argv and signals to a [`staywire::Builder`].

mod standalone;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use standalone::{
    crash,
    log::RAW,
    process::{PidFile, Process, fit_descriptors},
    supervise::{self, Supervisor},
};
use staywire::{
    Server,
    state::config::{Config, Reader},
    sys::{aligned::Aligned, allocator::JEMALLOC, daemon},
};
use std::{
    ffi::OsString,
    io::Read,
    os::unix::ffi::OsStrExt,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

#[global_allocator]
static ALLOCATOR: Aligned = Aligned;

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

/// Says that nothing is saved where the parameters say otherwise.
fn warn_of_saving(config: &Config) {
    if !config.save.is_empty() {
        log::warn!("Nothing is saved to files yet, whatever `save` says: the data is in memory alone");
    }
}

fn run(args: &[OsString]) -> Result<(), Box<dyn std::error::Error>> {
    let (mut config, config_file, ignored) = configure(args)?;
    std::env::set_current_dir(&config.dir)?;
    standalone::log::start(&config)?;
    let supervisor = supervise::sign_on(&config);
    let is_daemon = config.daemonize && supervisor == Supervisor::None;
    if is_daemon {
        daemon::daemonize()?;
    }
    let limited = fit_descriptors(&mut config);
    crash::start(&config);
    say_hello(&config, &config_file);
    for directive in &ignored {
        log::warn!("Ignored, as it is not built yet: {directive}");
    }
    warn_of_saving(&config);
    if let Some(text) = limited {
        log::warn!("{text}");
    }
    let executable =
        std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let program = std::env::args_os().next().unwrap_or_default().to_string_lossy().into_owned();
    let listeners = [("tcp", config.port > 0), ("unix", !config.unixsocket.is_empty())];
    let mut process = Process::new(&config, program, config_file.clone());
    let mut server = Server::builder().configured(config.clone()).build()?;
    let state = &mut server.engine().state;
    state.appliers.push(Box::new(move |old, new| {
        process.apply(old, new)?;
        if new.save != old.save {
            warn_of_saving(new);
        }
        standalone::log::apply(new);
        crash::apply(new);
        Ok(())
    }));
    state.allocator = JEMALLOC;
    state.identity.config_file = config_file;
    state.identity.executable = executable;
    let pidfile = PidFile::write(&config, is_daemon);
    let signal = Arc::new(AtomicUsize::new(0));
    // Who asks twice does not want to wait, be it for a script without an end.
    let is_asked = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_shutdown(SIGINT, 1, Arc::clone(&is_asked))?;
    for number in [SIGTERM, SIGINT] {
        signal_hook::flag::register(number, Arc::clone(&is_asked))?;
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
    }
    // The end of a terminal is none of the server's.
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
    log::info!("Server initialized");
    for (kind, _) in listeners.iter().filter(|(_, open)| *open) {
        log::info!("Ready to accept connections {kind}");
    }
    supervisor.ready();
    crash::SERVER.show(&mut server);
    while server.poll_once(None)? {
        let caught = signal.swap(0, Ordering::Relaxed);
        let state = &mut server.engine().state;
        if caught != 0 {
            let name = if caught == SIGINT as usize { "SIGINT" } else { "SIGTERM" };
            log::info!("Received {name} scheduling shutdown...");
            state.shutdown_asked = true;
        } else if !state.shutdown_asked {
            is_asked.store(false, Ordering::Relaxed);
        }
        // Like all that happens by time it is held back by DEBUG PAUSE-CRON, and SHUTDOWN ABORT calls it off.
        if state.shutdown_asked && !state.cron_paused {
            break;
        }
    }
    crash::SERVER.hide();
    supervisor.stopping();
    log::info!("User requested shutdown...");
    server.finish();
    drop(pidfile);
    log::info!("Staywire is now ready to exit, bye bye...");
    Ok(())
}

/// What an operator, or a tool that starts a server, looks for at its start.
fn say_hello(config: &Config, config_file: &str) {
    let (version, bits, pid) = (env!("CARGO_PKG_VERSION"), usize::BITS, std::process::id());
    log::info!("Staywire version={version}, bits={bits}, pid={pid}, just started");
    if config_file.is_empty() {
        log::info!("No config file: parameters have their defaults, or are from the command line");
    } else {
        log::info!("Configuration loaded from {config_file}");
    }
    log::info!(target: RAW, "{}", banner(config.mode(), config.port));
}

/// What tools that start a server look for, above all the line with its process id.
fn banner(mode: &str, port: i64) -> String {
    let (version, bits, pid) = (env!("CARGO_PKG_VERSION"), usize::BITS, std::process::id());
    format!(" Staywire {version} ({bits}-bit)\n Running in {mode} mode\n Port: {port}\n PID: {pid}\n")
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
    let table = staywire::engine::commands(&config)?;
    staywire::engine::users(&config, &table)?;
    Ok((config, file, ignored))
}
