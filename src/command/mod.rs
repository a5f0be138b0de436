//! Floor 5: commands as data: what each declares of itself, the table of all, and what a handler works with.

pub mod access;
pub mod ctx;
pub mod effects;
pub mod keys;
pub mod pops;
pub mod scan;
pub mod slots;
pub mod spec;
pub mod table;
mod wait;

pub use crate::resp::{error::CmdError, request::Args};
pub use ctx::{Alone, Attendant, Ctx, Flow, Front, Outcome};
pub use spec::{
    Arg, ArgKind, BeginSearch, Behaviour, CallFlags, Categories, Channels, CommandSpec, FindKeys, Flags,
    Group, Handler, KeyFlags, KeySpec,
};
