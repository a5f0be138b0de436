//! All sockets of a server that listen. `port` and `bind` may change while it runs.

use super::listen::{ListenError, Listener, wanted};
use crate::state::config::Config;
use mio::{Registry, Token};
use std::net::SocketAddr;

/// Most sockets that one server listens on: as many as `bind` may name, and some by hand.
pub const LISTENERS_MAX: usize = 250;

/// The listeners by their tokens, of which the first is `first`.
pub(super) struct Listeners {
    registry: Registry,
    first: usize,
    slots: Vec<Option<Listener>>,
}

impl Listeners {
    pub fn new(registry: Registry, first: usize) -> Listeners {
        Listeners { registry, first, slots: Vec::new() }
    }

    /// The listener of a place, if it is still open.
    pub fn get(&mut self, at: usize) -> Option<&mut Listener> {
        self.slots.get_mut(at)?.as_mut()
    }

    /// Places, of which some may be empty.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn add(&mut self, mut listener: Listener) -> Result<(), ListenError> {
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        assert!(at < LISTENERS_MAX, "the number of listeners is bounded by configuration");
        listener.register(&self.registry, Token(self.first + at))?;
        self.slots[at] = Some(listener);
        Ok(())
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Listens on the addresses of `bind` at `port`.
    pub fn bind(&mut self, config: &Config) -> Result<(), ListenError> {
        let mut opened = 0;
        for (addr, optional) in wanted(config)? {
            opened += usize::from(self.open(addr, optional, config)?);
        }
        if opened == 0 && config.port > 0 && !config.bind.is_empty() {
            let error = std::io::Error::other("Configured to not listen anywhere");
            return Err(ListenError { place: config.bind.join(" "), error });
        }
        Ok(())
    }

    /// Listens where `new` says instead of where `old` said. On an error it listens as before.
    pub fn rebind(&mut self, old: &Config, new: &Config) -> Result<(), ListenError> {
        let wanted = wanted(new)?;
        let before = self.tcp();
        // On the same port an address overlaps with that of all: what goes makes room first. On another port nothing
        // has to go before all is well.
        let (stay, go): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|(_, addr)| wanted.iter().any(|(other, _)| other == addr));
        let in_place = old.port == new.port;
        if in_place {
            self.close(&go);
        }
        let mut opened: Vec<SocketAddr> = Vec::new();
        let mut failed = None;
        for (addr, optional) in wanted {
            if stay.iter().any(|(_, other)| *other == addr) {
                continue;
            }
            match self.open(addr, optional, new) {
                Ok(true) => opened.push(addr),
                Ok(false) => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let none = opened.is_empty() && stay.is_empty() && new.port > 0 && !new.bind.is_empty();
        if failed.is_none() && none {
            let error = std::io::ErrorKind::AddrNotAvailable.into();
            failed = Some(ListenError { place: new.bind.join(" "), error });
        }
        let Some(error) = failed else {
            if !in_place {
                self.close(&go);
            }
            return Ok(());
        };
        let new_ones: Vec<_> = self.tcp().into_iter().filter(|(_, addr)| opened.contains(addr)).collect();
        self.close(&new_ones);
        if in_place {
            for (_, addr) in go {
                self.open(addr, false, old)?;
            }
        }
        Err(error)
    }

    /// The TCP listeners: their places and addresses.
    fn tcp(&self) -> Vec<(usize, SocketAddr)> {
        let addr = |(at, slot): (usize, &Option<Listener>)| Some((at, slot.as_ref()?.tcp_addr()?));
        self.slots.iter().enumerate().filter_map(addr).collect()
    }

    fn close(&mut self, listeners: &[(usize, SocketAddr)]) {
        for &(at, _) in listeners {
            // A descriptor that is closed is no longer polled.
            self.slots[at] = None;
        }
    }

    /// Listens on an address; false where this is optional, or the system lacks the protocol, and it cannot.
    fn open(&mut self, addr: SocketAddr, optional: bool, config: &Config) -> Result<bool, ListenError> {
        match Listener::tcp(addr, config.tcp_backlog as i32) {
            Ok(listener) => self.add(listener).map(|()| true),
            Err(error) if error.is_for_lack(optional) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
