//! Floor 2: the Lua host: states in which scripts run, shut off from the system and from each other. `unsafe` is allowed
//! here; each block says why it holds.
//!
//! It knows nothing of commands: what scripts want of the server goes through a [`Backend`].
#![allow(unsafe_code)]

mod api;
mod bit;
mod cjson;
mod cmsgpack;
mod convert;
pub mod flags;
mod host;
mod meter;
mod number;
mod sandbox;
mod stack;
mod struct_pack;

use crate::resp::{Proto, request::Args};
pub use api::{Registration, is_name};
pub use convert::Errors;
pub use host::{Call, Failure, Function, Host, Mode};
pub use meter::MEMORY_MAX_BYTES;
pub use sandbox::RANDOM_START;

/// Whether a script goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    Continue,
    /// It ends with this error, which it cannot catch.
    End(&'static str),
}

/// Why a command that a script called did not run.
pub struct Refused(pub Vec<u8>);

/// The server, as scripts see it.
pub trait Backend {
    /// Runs a command. Its reply is what [`Backend::reply`] gives then.
    fn call(&mut self, args: Args<'_>) -> Result<(), Refused>;

    /// The whole reply to the last command, encoded.
    fn reply(&mut self) -> &[u8];

    /// Which version of the protocol the replies to scripts are in.
    fn set_proto(&mut self, proto: Proto);

    /// Whether the client may run a command; `None` where there is none of this name.
    fn may_call(&mut self, args: Args<'_>) -> Option<bool>;

    /// Writes to the log: from debug, 0, to warning, 3.
    fn log(&mut self, level: u8, text: &[u8]);

    /// Called now and then while a script runs.
    fn interrupt(&mut self) -> Interrupt;

    /// The state of `math.random`, which starts as [`RANDOM_START`] and goes on from script to script.
    fn random(&mut self) -> &mut u64;

    /// A count of nanoseconds that grows with the time that scripts take.
    fn elapsed_ns(&mut self) -> u64;
}
