//! Listening sockets.

use super::stream::Stream;
use crate::state::session::Address;
use mio::{
    Interest, Registry, Token,
    net::{TcpListener, UnixListener},
};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::unix::fs::{FileTypeExt, PermissionsExt},
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

    /// The listeners of `bind`: addresses, `*` and `::*` for all, each optional behind a `-`.
    pub fn bind_all(bind: &[String], port: u16, backlog: i32) -> Result<Vec<Listener>, ListenError> {
        let mut listeners = Vec::new();
        for word in bind {
            let (optional, name) = match word.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, word.as_str()),
            };
            match resolve(name, port).and_then(|addr| Listener::tcp(addr, backlog)) {
                Ok(listener) => listeners.push(listener),
                Err(_) if optional => {}
                // A system without IPv6 has no address to bind.
                Err(e) if name.contains(':') && e.error.raw_os_error() == Some(97) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listeners)
    }

    /// A Unix listener; a socket that stands at `path` is replaced.
    pub fn unix(path: &str, mode: u32, backlog: i32) -> Result<Listener, ListenError> {
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
            Ok(Listener(Socketed::Unix(listener, path.into())))
        };
        open().map_err(|error| ListenError { place: path.to_string(), error })
    }

    /// Where a TCP listener listens; otherwise an address of no use.
    pub fn local_addr(&self) -> SocketAddr {
        match &self.0 {
            Socketed::Tcp(_, addr) => *addr,
            Socketed::Unix(..) => SocketAddr::from(([0, 0, 0, 0], 0)),
        }
    }

    /// The port of a TCP listener.
    pub fn tcp_port(&self) -> Option<u16> {
        match &self.0 {
            Socketed::Tcp(_, addr) => Some(addr.port()),
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
