//! Listening sockets.

use super::stream::Stream;
use crate::state::{config::Config, session::Address};
use mio::{
    Interest, Registry, Token,
    net::{TcpListener, UnixListener},
};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::unix::fs::{FileTypeExt, PermissionsExt, chown},
    sync::Arc,
    time::Duration,
};

/// A socket could not be opened.
#[derive(Debug)]
pub struct ListenError {
    /// Where: an address with port, or a path.
    pub place: String,
    pub error: io::Error,
}

impl ListenError {
    /// Whether the system lacks the protocol, or an `optional` address.
    pub(super) fn is_for_lack(&self, optional: bool) -> bool {
        use rustix::io::Errno;
        match self.error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::ADDRNOTAVAIL) => optional,
            Some(
                Errno::NOPROTOOPT
                | Errno::PROTONOSUPPORT
                | Errno::SOCKTNOSUPPORT
                | Errno::PFNOSUPPORT
                | Errno::AFNOSUPPORT,
            ) => true,
            // A name without an address.
            Some(_) => false,
            None => optional,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Could not create server listening socket {}: {}", self.place, self.error)
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

enum Socketed {
    Tcp(TcpListener, SocketAddr),
    /// With its path, which goes when the listener does.
    Unix(UnixListener, Arc<str>),
}

/// A socket that accepts connections.
pub(super) struct Listener(Socketed);

impl Listener {
    /// A TCP listener. IPv6 addresses take IPv6 connections alone.
    pub fn tcp(addr: SocketAddr, backlog: i32) -> Result<Listener, ListenError> {
        let open = || -> io::Result<Listener> {
            let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
            if addr.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.set_reuse_address(true)?;
            socket.set_nonblocking(true)?;
            socket.bind(&addr.into())?;
            socket.listen(backlog)?;
            let listener = TcpListener::from_std(socket.into());
            let local = listener.local_addr()?;
            Ok(Listener(Socketed::Tcp(listener, local)))
        };
        open().map_err(|error| ListenError { place: addr.to_string(), error })
    }

    /// A Unix listener; a socket that stands at `path` is replaced. `group` is the name of a group, or nothing.
    pub fn unix(path: &str, mode: u32, group: &str, backlog: i32) -> Result<Listener, ListenError> {
        let open = || -> io::Result<Listener> {
            if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
                fs::remove_file(path)?;
            }
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            socket.bind(&socket2::SockAddr::unix(path)?)?;
            socket.listen(backlog)?;
            let listener = UnixListener::from_std(socket.into());
            if mode != 0 {
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            }
            if !group.is_empty() {
                let gid = crate::sys::process::group_id(group)
                    .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no group '{group}'")))?;
                chown(path, None, Some(gid))?;
            }
            Ok(Listener(Socketed::Unix(listener, path.into())))
        };
        open().map_err(|error| ListenError { place: path.to_string(), error })
    }

    /// Where a TCP listener listens.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Socketed::Tcp(_, addr) => Some(*addr),
            Socketed::Unix(..) => None,
        }
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> Result<(), ListenError> {
        let registered = match &mut self.0 {
            Socketed::Tcp(listener, _) => registry.register(listener, token, Interest::READABLE),
            Socketed::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
        };
        registered.map_err(|error| ListenError { place: "the poll".into(), error })
    }

    /// The next connection: its stream, the peer's address and ours; `None` where none waits.
    pub fn accept(&mut self, keepalive_s: i64) -> io::Result<Option<(Stream, Address, Address)>> {
        loop {
            let accepted = match &self.0 {
                Socketed::Tcp(listener, _) => listener.accept().map(|(stream, peer)| {
                    set_options(&stream, keepalive_s);
                    let local = stream.local_addr().map_or(Address::None, Address::Tcp);
                    (Stream::Tcp(stream), Address::Tcp(peer), local)
                }),
                Socketed::Unix(listener, path) => listener.accept().map(|(stream, _)| {
                    let address = Address::Unix(Arc::clone(path));
                    (Stream::Unix(stream), address.clone(), address)
                }),
            };
            return match accepted {
                Ok(accepted) => Ok(Some(accepted)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                // The peer gave up while it waited.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted
                            | io::ErrorKind::ConnectionReset
                            | io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(error) => Err(error),
            };
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socketed::Unix(_, path) = &self.0 {
            // Somebody else may have removed it already.
            let _ = fs::remove_file(&**path);
        }
    }
}

/// Replies leave at once, and a peer that vanished is noticed. A socket that takes no options still works.
fn set_options(stream: &mio::net::TcpStream, keepalive_s: i64) {
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_nodelay(true);
    if keepalive_s > 0 {
        let every = Duration::from_secs((keepalive_s as u64 / 3).max(1));
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_s as u64))
            .with_interval(every)
            .with_retries(3);
        let _ = socket.set_tcp_keepalive(&keepalive);
    }
}

/// The addresses of `bind` at `port`, and whether each is optional: `*` and `::*` are all, a `-` before it says optional.
pub(super) fn wanted(config: &Config) -> Result<Vec<(SocketAddr, bool)>, ListenError> {
    let mut wanted = Vec::new();
    if config.port == 0 {
        return Ok(wanted);
    }
    for word in &config.bind {
        let (optional, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        match resolve(name, config.port as u16) {
            Ok(addr) => wanted.push((addr, optional)),
            Err(error) if error.is_for_lack(optional) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(wanted)
}

fn resolve(name: &str, port: u16) -> Result<SocketAddr, ListenError> {
    match name {
        "*" => return Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        "::*" => return Ok(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))),
        _ => {}
    }
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(SocketAddr::from((ip, port)));
    }
    let failed = |error| ListenError { place: format!("{name}:{port}"), error };
    let found = (name, port).to_socket_addrs().map_err(failed)?.next();
    found.ok_or_else(|| failed(io::Error::new(io::ErrorKind::NotFound, "no address of that name")))
}
