//! Floor 9: a server inside another program: built, started on a thread of its own or driven by the caller.

use crate::{
    base::{
        clock::{Clock, VirtualClock},
        journal::Journal,
    },
    engine::{self, Engine},
    net::{ListenError, Shell, Turn},
    state::config::{Access, Config, SetError},
};
use mio::Waker;
use std::{
    any::Any,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Why a server did not start, or ended.
#[derive(Debug)]
pub enum Error {
    /// A parameter is not known, or does not take the value.
    Config(String),
    Listen(ListenError),
    Io(io::Error),
    /// A defect in the server: the message of its panic. The host goes on.
    Panic(String),
    /// It was stopped before.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(why) => f.write_str(why),
            Error::Listen(error) => error.fmt(f),
            Error::Io(error) => error.fmt(f),
            Error::Panic(message) => write!(f, "the server panicked: {message}"),
            Error::Stopped => f.write_str("the server has stopped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ListenError> for Error {
    fn from(error: ListenError) -> Error {
        Error::Listen(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}

/// What a server is to be like. By default it listens on a free port of 127.0.0.1, by the system's clock.
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
    /// The first parameter that was refused.
    refused: Option<String>,
    addr: Option<SocketAddr>,
    /// `bind`, `port` and `unixsocket` of the configuration say where to listen.
    configured: bool,
    unix: Option<String>,
    name: String,
    seed: Option<u64>,
    clock: Clock,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            config: Config::default(),
            refused: None,
            addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            configured: false,
            unix: None,
            name: String::new(),
            seed: None,
            clock: Clock::system(),
        }
    }
}

impl Builder {
    /// Listens on this address; port 0 takes a free one.
    pub fn addr(mut self, addr: impl Into<SocketAddr>) -> Builder {
        self.addr = Some(addr.into());
        self
    }

    /// Listens on this port of 127.0.0.1; 0 takes a free one.
    pub fn port(self, port: u16) -> Builder {
        self.addr((Ipv4Addr::LOCALHOST, port))
    }

    /// Listens on no TCP address.
    pub fn no_tcp(mut self) -> Builder {
        self.addr = None;
        self
    }

    /// Listens on a Unix socket at this path, too.
    pub fn unix_socket(mut self, path: impl Into<String>) -> Builder {
        self.unix = Some(path.into());
        self
    }

    /// Sets a parameter by its name in `redis.conf`; several words are given as in a line of it. What is wrong with it,
    /// [`Builder::start`] says.
    pub fn config(mut self, name: &str, value: &str) -> Builder {
        if let Err(why) = self.config.set_text(name, value) {
            self.refused.get_or_insert(format!("{name}: {why}"));
        }
        self
    }

    /// Takes all parameters, and with them where to listen, from a configuration.
    pub fn configured(mut self, config: Config) -> Builder {
        (self.config, self.configured, self.addr) = (config, true, None);
        self
    }

    /// A name that its log records carry, as target `staywire::<name>`.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = name.into();
        self
    }

    /// The seed of all that is random in the server; by default another one at each start.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// A clock that stands until it is moved: it drives expiries, waits and TIME alike.
    pub fn clock(mut self, clock: &VirtualClock) -> Builder {
        self.clock = Clock::Virtual(clock.clone());
        self
    }

    /// Opens the sockets; the caller drives the server with [`Server::poll_once`].
    pub fn build(self) -> Result<Server, Error> {
        if let Some(why) = self.refused {
            return Err(Error::Config(why));
        }
        let table = engine::commands(&self.config).map_err(|error| Error::Config(error.to_string()))?;
        engine::users(&self.config, &table).map_err(|error| Error::Config(error.to_string()))?;
        drop(table);
        let seed = self.seed.unwrap_or_else(random_seed);
        let mut engine = Engine::new(self.config, self.clock, seed);
        engine.state.journal = Journal::named(&self.name);
        if self.addr.is_none() && !self.configured {
            engine.state.config.port = 0;
        }
        let mut shell = Shell::new(engine)?;
        shell.engine.load_users().map_err(Error::Config)?;
        let mut addr = None;
        if self.configured {
            shell.listen_configured()?;
        }
        if let Some(wanted) = self.addr {
            addr = Some(shell.listen_tcp(wanted)?);
        }
        if let Some(path) = &self.unix {
            shell.listen_unix(path)?;
        }
        Ok(Server { shell, addr, unix: self.unix })
    }

    /// Starts the server on a thread of its own; it listens when this returns.
    pub fn start(self) -> Result<Handle, Error> {
        let name = if self.name.is_empty() { "staywire".to_string() } else { self.name.clone() };
        let server = self.build()?;
        let (addr, unix) = (server.addr, server.unix.clone());
        let (waker, ends) = (server.shell.waker(), server.shell.ends());
        let (orders, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name).spawn(move || server.run(&inbox))?;
        Ok(Handle { addr, unix, waker, ends, orders, thread: Some(thread) })
    }
}

/// A seed that nobody can guess, from the keys that std draws for its hash maps.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("staywire")
}

/// A server whose thread is the caller's.
pub struct Server {
    shell: Shell,
    addr: Option<SocketAddr>,
    unix: Option<String>,
}

impl Server {
    /// What a server is to be like.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens, if on TCP.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// One turn: waits for at most `timeout` (`None`: until something happens) and serves what came. False after
    /// SHUTDOWN.
    pub fn poll_once(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        Ok(self.shell.turn(timeout)? == Turn::Continue)
    }

    /// The engine, to look into.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.shell.engine
    }

    /// Moves a virtual clock and does what falls due on the way.
    pub fn advance(&mut self, by: Duration) -> io::Result<()> {
        self.shell.engine.advance(by);
        self.shell.turn(Some(Duration::ZERO)).map(|_| ())
    }

    /// Writes what was replied and closes everything.
    pub fn finish(mut self) {
        self.shell.finish();
    }

    fn run(mut self, inbox: &Receiver<Order>) -> io::Result<()> {
        loop {
            if self.shell.turn(None)? == Turn::Stop {
                break;
            }
            match inbox.try_recv() {
                Ok(Order::Advance(by, done)) => {
                    self.advance(by)?;
                    // Whoever asked may have gone.
                    let _ = done.send(());
                    self.shell.waker().wake()?;
                }
                Ok(Order::Set(name, value, done)) => {
                    let access = Access { is_local: true, is_loading: false };
                    let engine = &mut self.shell.engine;
                    let pair = (name.as_bytes(), value.as_bytes());
                    let set = engine.state.set_config(&[pair], access, &mut engine.store);
                    // Whoever asked may have gone.
                    let _ = done.send(set);
                    self.shell.waker().wake()?;
                }
                Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => break,
                Err(mpsc::TryRecvError::Empty) => {}
            }
        }
        self.finish();
        Ok(())
    }
}

/// What a handle asks of its server.
enum Order {
    Stop,
    Advance(Duration, Sender<()>),
    Set(String, String, Sender<Result<(), SetError>>),
}

/// A server that runs on a thread of its own. Dropping it closes the port and every connection and joins the thread.
pub struct Handle {
    addr: Option<SocketAddr>,
    unix: Option<String>,
    waker: Arc<Waker>,
    /// Set when it is to end, for a script that does not.
    ends: Arc<AtomicBool>,
    orders: Sender<Order>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Handle {
    /// Where it listens. Panics for a server without a TCP address.
    pub fn addr(&self) -> SocketAddr {
        self.addr.expect("the server listens on TCP")
    }

    /// A URL for clients: `redis://127.0.0.1:<port>`, or `unix://<path>` for a server without a TCP address.
    pub fn url(&self) -> String {
        match (self.addr, &self.unix) {
            (Some(addr), _) => format!("redis://{addr}"),
            (None, Some(path)) => format!("unix://{path}"),
            (None, None) => String::new(),
        }
    }

    /// Moves a virtual clock; returns when everything that fell due on the way is done and written.
    pub fn advance(&self, by: Duration) -> Result<(), Error> {
        self.ask(|done| Order::Advance(by, done))
    }

    /// Sets a parameter as CONFIG SET does.
    pub fn set_config(&self, name: &str, value: &str) -> Result<(), Error> {
        let set = self.ask(|done| Order::Set(name.into(), value.into(), done))?;
        set.map_err(|error| Error::Config(format!("{error:?}")))
    }

    fn ask<R>(&self, order: impl FnOnce(Sender<R>) -> Order) -> Result<R, Error> {
        let (done, answer) = mpsc::channel();
        self.orders.send(order(done)).map_err(|_| Error::Stopped)?;
        self.waker.wake()?;
        answer.recv().map_err(|_| Error::Stopped)
    }

    /// Whether its thread still runs.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops the server and waits for its end. A panic in the server comes back as an error.
    pub fn shutdown(mut self) -> Result<(), Error> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), Error> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // A thread that has ended takes no orders and needs none.
        let _ = self.orders.send(Order::Stop);
        self.ends.store(true, Ordering::SeqCst);
        let _ = self.waker.wake();
        match thread.join() {
            Ok(result) => result.map_err(Error::Io),
            Err(panic) => Err(Error::Panic(message(&*panic))),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Nobody is left to be told of a panic; `shutdown` tells.
        let _ = self.stop();
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into())
}
