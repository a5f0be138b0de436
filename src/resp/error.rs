//! Error replies: a code, a space and a sentence, as Redis words them.

use std::borrow::Cow;

/// An argument as an error's text shows it: up to a zero byte, where C's strings end.
pub fn shown(arg: &[u8]) -> &[u8] {
    arg.split(|&b| b == 0).next().unwrap_or_default()
}

/// An error reply without its leading `-` and its line end. Line breaks inside are sent as spaces, at its end not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CmdError(Cow<'static, [u8]>);

impl CmdError {
    pub const SYNTAX: CmdError = CmdError::new("ERR syntax error");
    pub const WRONG_TYPE: CmdError =
        CmdError::new("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub const NOT_AN_INTEGER: CmdError = CmdError::new("ERR value is not an integer or out of range");
    pub const NOT_A_FLOAT: CmdError = CmdError::new("ERR value is not a valid float");
    pub const NO_SUCH_KEY: CmdError = CmdError::new("ERR no such key");
    pub const OUT_OF_RANGE: CmdError = CmdError::new("ERR value is out of range");
    pub const MUST_BE_POSITIVE: CmdError = CmdError::new("ERR value is out of range, must be positive");
    pub const NO_REPLICAS: CmdError = CmdError::new("NOREPLICAS Not enough good replicas to write.");
    pub const INDEX_OUT_OF_RANGE: CmdError = CmdError::new("ERR index out of range");
    pub const DB_OUT_OF_RANGE: CmdError = CmdError::new("ERR DB index is out of range");
    pub const TOO_LONG: CmdError =
        CmdError::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

    /// An error with a fixed text.
    pub const fn new(text: &'static str) -> CmdError {
        CmdError(Cow::Borrowed(text.as_bytes()))
    }

    /// An error whose text holds something of the request.
    pub fn with(text: impl Into<Vec<u8>>) -> CmdError {
        CmdError(Cow::Owned(text.into()))
    }

    /// `-ERR wrong number of arguments for '<name>' command`; `name` is `container|sub` for a subcommand.
    pub fn wrong_arity(name: &str) -> CmdError {
        CmdError::with(format!("ERR wrong number of arguments for '{name}' command"))
    }

    /// The whole text.
    pub fn text(&self) -> &[u8] {
        &self.0
    }

    /// The first word, by which INFO errorstats counts.
    pub fn code(&self) -> &[u8] {
        self.0.split(|&b| b == b' ').next().unwrap_or_default()
    }
}
