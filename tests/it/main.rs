//! All integration tests, in one binary: the commands without sockets, and the server as its users run it.

mod blocking;
mod embed;
mod net;
