//! `supervised`: telling systemd or upstart how far the server is.

use staywire::state::config::Config;
use std::{env, os::unix::net::UnixDatagram};

/// Who watches over the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supervisor {
    None,
    Systemd,
    Upstart,
}

/// Finds out who watches, and signs on.
pub fn sign_on(config: &Config) -> Supervisor {
    let wanted = match config.supervised {
        0 => Supervisor::Upstart,
        1 => Supervisor::Systemd,
        2 if env::var_os("UPSTART_JOB").is_some() => Supervisor::Upstart,
        2 if env::var_os("NOTIFY_SOCKET").is_some() => Supervisor::Systemd,
        _ => Supervisor::None,
    };
    match wanted {
        Supervisor::Upstart if env::var_os("UPSTART_JOB").is_none() => {
            log::warn!("upstart supervision requested, but UPSTART_JOB not found!");
            Supervisor::None
        }
        Supervisor::Upstart => {
            log::info!("supervised by upstart, will stop to signal readiness.");
            // Upstart lets it go on.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
            Supervisor::Upstart
        }
        Supervisor::Systemd if !tell("STATUS=Staywire is loading...\n") => Supervisor::None,
        Supervisor::Systemd => {
            log::info!(
                "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and \
                 TimeoutStopSec in your service unit."
            );
            Supervisor::Systemd
        }
        Supervisor::None => Supervisor::None,
    }
}

impl Supervisor {
    /// Tells that the server answers.
    pub fn ready(self) {
        if self == Supervisor::Systemd {
            tell("STATUS=Ready to accept connections\nREADY=1\n");
        }
    }

    /// Tells that the server ends.
    pub fn stopping(self) {
        if self == Supervisor::Systemd {
            tell("STOPPING=1\n");
        }
    }
}

/// Sends lines to systemd's socket, whose name begins with `@` where it is in no folder.
fn tell(lines: &str) -> bool {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else {
        log::warn!("systemd supervision error: NOTIFY_SOCKET not found!");
        return false;
    };
    let told = UnixDatagram::unbound().and_then(|socket| match path.to_string_lossy().strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
            socket.send_to_addr(lines.as_bytes(), &SocketAddr::from_abstract_name(name)?)
        }
        _ => socket.send_to(lines.as_bytes(), &path),
    });
    if let Err(error) = &told {
        log::warn!("systemd supervision error: sd_notify: {error}");
    }
    told.is_ok()
}
