//! A server's own log records: the `log` facade with the server's name on each, so that many in one process can be
//! told apart.

use log::Level;
use std::fmt::Arguments;

/// Where a server's records go: to the `log` facade, under the target `staywire` or `staywire::<name>`.
#[derive(Clone, Debug)]
pub struct Journal {
    target: String,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { target: "staywire".into() }
    }
}

impl Journal {
    /// The journal of a server with a name; an empty one stands for the only server of its process.
    pub fn named(name: &str) -> Journal {
        if name.is_empty() { Journal::default() } else { Journal { target: format!("staywire::{name}") } }
    }

    /// Something an operator should act on.
    pub fn warn(&self, text: Arguments<'_>) {
        log::log!(target: &self.target, Level::Warn, "{text}");
    }

    /// Something an operator wants to know.
    pub fn notice(&self, text: Arguments<'_>) {
        log::log!(target: &self.target, Level::Info, "{text}");
    }

    /// Something for the hunt after a fault.
    pub fn verbose(&self, text: Arguments<'_>) {
        log::log!(target: &self.target, Level::Debug, "{text}");
    }
}
