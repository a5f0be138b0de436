//! A report in the log before a crash ends the process: what happened, where, what ran, and INFO.

use super::log::RAW;
use staywire::{
    Server,
    state::{config::Config, session::Address},
    sys::fatal::{self, Beacon},
};
use std::{
    backtrace::Backtrace,
    fmt::Write,
    panic::PanicHookInfo,
    sync::atomic::{AtomicBool, Ordering},
};

/// The server that a report looks at.
pub static SERVER: Beacon<Server> = Beacon::new();

/// `crash-log-enabled` and `use-exit-on-panic`.
static ENABLED: AtomicBool = AtomicBool::new(false);
static EXIT_ON_PANIC: AtomicBool = AtomicBool::new(false);

/// Installs the report for panics, and, as `crash-log-enabled` says, for signals.
pub fn start(config: &Config) {
    std::panic::set_hook(Box::new(on_panic));
    apply(config);
}

/// Follows the parameters that may change.
pub fn apply(config: &Config) {
    EXIT_ON_PANIC.store(config.exit_on_panic, Ordering::Relaxed);
    match (config.crash_log, ENABLED.swap(config.crash_log, Ordering::Relaxed)) {
        (true, false) => fatal::install(on_signal),
        (false, true) => fatal::remove(),
        _ => {}
    }
}

fn on_signal(signal: i32, address: usize) {
    let version = env!("CARGO_PKG_VERSION");
    let mut what = format!("Staywire {version} crashed by signal: {signal}");
    if address != 0 {
        write!(what, "\nAccessing address: {address:#x}").expect("a string takes it");
    }
    report(&what);
}

fn on_panic(info: &PanicHookInfo<'_>) {
    report(&format!("!!! Software Failure.\nGuru Meditation: {info}"));
    if EXIT_ON_PANIC.load(Ordering::Relaxed) {
        std::process::exit(1);
    }
    fatal::end_by(fatal::ABORT);
}

/// Each part is logged by itself, since the next one may fault.
fn report(what: &str) {
    log::error!(target: RAW, "\n\n=== STAYWIRE BUG REPORT START: Cut & paste starting from here ===");
    log::error!("{what}");
    if ENABLED.load(Ordering::Relaxed) {
        let running = fatal::noted();
        log::error!(target: RAW, "\n------ STACK TRACE ------\n{}", Backtrace::force_capture());
        SERVER.look(|server| {
            if let Some(running) = running {
                let name = server.engine().command_name(running.command).unwrap_or("?");
                log::error!(
                    target: RAW,
                    "\n------ CURRENT CLIENT INFO ------\nid={} cmd={name} argc={}",
                    running.session_id,
                    running.args
                );
            }
            log::error!(target: RAW, "\n------ INFO OUTPUT ------\n{}", ask(server, b"INFO everything\r\n"));
            log::error!(target: RAW, "\n------ CLIENT LIST OUTPUT ------\n{}", ask(server, b"CLIENT LIST\r\n"));
        });
    }
    log::error!(
        target: RAW,
        "\n=== STAYWIRE BUG REPORT END. Make sure to include from START to END. ==="
    );
}

/// What the server answers to a client of its own.
fn ask(server: &mut Server, command: &[u8]) -> String {
    let engine = server.engine();
    let Ok(key) = engine.open(Address::None, Address::None) else { return String::new() };
    if let Some(session) = engine.session(key) {
        session.user = staywire::state::acl::SUPERUSER;
        session.authenticated = true;
    }
    engine.feed(key, command);
    let mut text = Vec::new();
    if let Some(out) = engine.output(key) {
        let mut slices = [std::io::IoSlice::new(&[]); 64];
        let n = out.slices(&mut slices);
        slices[..n].iter().for_each(|slice| text.extend_from_slice(slice));
    }
    String::from_utf8_lossy(&text).into_owned()
}
