//! What a handler works with.

use super::{
    effects::Effects,
    table::{CommandId, Table},
};
use crate::{
    resp::{
        error::{CmdError, shown},
        output::Output,
        request::Args,
    },
    state::{State, session::Session, waiters::BlockRequest},
    store::Store,
};

/// What became of a command that is no error.
#[derive(Debug)]
pub enum Flow {
    /// It replied.
    Done,
    /// It replied an error that is counted already, as is each one that it met.
    Failed,
    /// There was nothing to take: run it again when one of these keys comes to be.
    Blocked(Box<BlockRequest>),
}

/// What others may be served with while a script runs long: all but the engine's own walk from input to command.
pub struct Front<'a> {
    pub state: &'a mut State,
    pub store: &'a mut Store,
    pub effects: &'a mut Effects,
    pub table: &'a Table,
}

/// Serves other clients while a script runs long. Whoever has their sockets does that.
pub trait Attendant {
    /// Serves what came meanwhile.
    fn attend(&mut self, front: &mut Front<'_>);
}

/// Where nobody else is to be served.
pub struct Alone;

impl Attendant for Alone {
    fn attend(&mut self, _: &mut Front<'_>) {}
}

/// What a handler returns.
pub type Outcome = Result<Flow, CmdError>;

/// Runs a command of the table inside another one: its reply goes to the same session.
pub type Caller = fn(&mut Ctx<'_>, CommandId, Args<'_>);

/// A command that runs: its arguments, who sent it, and all that it may look at and change. The fields are public so
/// that the borrow checker sees them apart.
pub struct Ctx<'a> {
    /// The arguments, name first; for a subcommand the container's name first.
    pub args: Args<'a>,
    pub session: &'a mut Session,
    pub state: &'a mut State,
    pub store: &'a mut Store,
    /// What is to be done once the command ended.
    pub effects: &'a mut Effects,
    pub table: &'a Table,
    pub caller: Caller,
    /// Whether waiting is possible: not inside a transaction.
    pub may_block: bool,
    /// Who serves others if this takes long.
    pub attendant: &'a mut dyn Attendant,
}

impl Ctx<'_> {
    /// The database of the session.
    #[inline]
    pub fn db(&self) -> usize {
        self.session.db
    }

    /// Where the reply goes.
    #[inline]
    pub fn out(&mut self) -> &mut Output {
        &mut self.session.out
    }

    /// The time of the command, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.store.now_ms
    }

    /// Replies `+OK`.
    pub fn ok(&mut self) -> Outcome {
        self.session.out.ok();
        Ok(Flow::Done)
    }

    /// Replies an integer.
    #[inline]
    pub fn int(&mut self, n: i64) -> Outcome {
        self.session.out.int(n);
        Ok(Flow::Done)
    }

    /// Replies a count.
    pub fn count(&mut self, n: usize) -> Outcome {
        self.int(n as i64)
    }

    /// Replies the lines of a container's HELP.
    pub fn help(&mut self, container: &str, lines: &[&str]) -> Outcome {
        let head = format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        let tail = ["HELP", "    Print this help."];
        let all: Vec<&str> =
            std::iter::once(head.as_str()).chain(lines.iter().copied()).chain(tail).collect();
        self.session.out.lines(all.into_iter());
        Ok(Flow::Done)
    }

    /// A subcommand's arguments are too many, or not what it knows.
    #[cold]
    pub fn wrong_subcommand(&self) -> CmdError {
        let container = self.args.at(0).to_ascii_uppercase();
        let sub = shown(self.args.at(1));
        let sub = &sub[..sub.len().min(NAME_SHOWN_MAX_BYTES)];
        let head = b"ERR unknown subcommand or wrong number of arguments for '";
        CmdError::with([head, sub, b"'. Try ", shown(&container), b" HELP."].concat())
    }
}

/// Most bytes of a subcommand's name that an error shows.
const NAME_SHOWN_MAX_BYTES: usize = 128;

/// Argument parsing that many commands share. Errors are those of Redis.
impl Ctx<'_> {
    /// Argument `i` as an integer.
    #[inline]
    pub fn int_arg(&self, i: usize) -> Result<i64, CmdError> {
        int(self.args.at(i))
    }

    /// Argument `i` as an integer in a range; outside of it the error is `otherwise`.
    pub fn int_in(&self, i: usize, min: i64, max: i64, otherwise: CmdError) -> Result<i64, CmdError> {
        let n = self.int_arg(i)?;
        if (min..=max).contains(&n) { Ok(n) } else { Err(otherwise) }
    }

    /// Argument `i` as the number of a database.
    pub fn database_arg(&self, i: usize) -> Result<usize, CmdError> {
        self.database(c_int(self.args.at(i))?)
    }

    /// A database by its number.
    pub fn database(&self, number: i32) -> Result<usize, CmdError> {
        let found = usize::try_from(number).ok().filter(|&db| db < self.store.databases());
        found.ok_or(CmdError::DB_OUT_OF_RANGE)
    }

    /// Whether argument `i` is this word, in any case.
    pub fn is_word(&self, i: usize, word: &str) -> bool {
        self.args.get(i).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// An integer as clients write it.
#[inline]
pub fn int(text: &[u8]) -> Result<i64, CmdError> {
    crate::base::num::parse_i64(text).ok_or(CmdError::NOT_AN_INTEGER)
}

/// An integer that Redis reads as a C `int`: the number of a database.
pub fn c_int(text: &[u8]) -> Result<i32, CmdError> {
    i32::try_from(int(text)?).map_err(|_| {
        CmdError::new("ERR value is out of range, value must between -2147483648 and 2147483647")
    })
}
