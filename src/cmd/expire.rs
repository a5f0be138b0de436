//! Expiry: when keys end.

use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    resp::error::shown,
    store::changes::{Class, Event},
};
use std::ops::Range;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("expire", -3, Group::Generic, expire)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Makes a key expire after some seconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("seconds", ArgKind::Integer),
            Arg::new(
                "condition",
                ArgKind::OneOf(&[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ]),
            )
            .since("7.0.0")
            .optional(),
        ])
        .history(&[("7.0.0", "NX, XX, GT and LT.")]),
    CommandSpec::new("pexpire", -3, Group::Generic, pexpire)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.6.0", "Makes a key expire after some milliseconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("milliseconds", ArgKind::Integer),
            Arg::new(
                "condition",
                ArgKind::OneOf(&[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ]),
            )
            .since("7.0.0")
            .optional(),
        ])
        .history(&[("7.0.0", "NX, XX, GT and LT.")]),
    CommandSpec::new("expireat", -3, Group::Generic, expireat)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.2.0", "Makes a key expire at a Unix time in seconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-seconds", ArgKind::UnixTime),
            Arg::new(
                "condition",
                ArgKind::OneOf(&[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ]),
            )
            .since("7.0.0")
            .optional(),
        ])
        .history(&[("7.0.0", "NX, XX, GT and LT.")]),
    CommandSpec::new("pexpireat", -3, Group::Generic, pexpireat)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.6.0", "Makes a key expire at a Unix time in milliseconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-milliseconds", ArgKind::UnixTime),
            Arg::new(
                "condition",
                ArgKind::OneOf(&[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ]),
            )
            .since("7.0.0")
            .optional(),
        ])
        .history(&[("7.0.0", "NX, XX, GT and LT.")]),
    CommandSpec::new("ttl", 2, Group::Generic, ttl)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Answers how many seconds a key still has.", "O(1)")
        .history(&[("2.8.0", "-2 for a key that is not there.")])
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("pttl", 2, Group::Generic, pttl)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.6.0", "Answers how many milliseconds a key still has.", "O(1)")
        .history(&[("2.8.0", "-2 for a key that is not there.")])
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("expiretime", 2, Group::Generic, expiretime)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("7.0.0", "Answers the Unix time in seconds at which a key expires.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("pexpiretime", 2, Group::Generic, pexpiretime)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("7.0.0", "Answers the Unix time in milliseconds at which a key expires.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("persist", 2, Group::Generic, persist)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.2.0", "Takes the expiry from a key.", "O(1)")
        .args(&[Arg::key("key", 0)]),
];

/// How a command writes a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// `-ERR invalid expire time in '<command>' command`.
pub(super) fn invalid_time(command: &str) -> CmdError {
    CmdError::with(format!("ERR invalid expire time in '{command}' command"))
}

/// A time that an option gives.
#[derive(Clone, Copy)]
pub(super) struct Time<'a> {
    pub text: &'a [u8],
    pub unit: Unit,
    /// Counted from now rather than from 1970.
    pub relative: bool,
}

impl Time<'_> {
    /// The time in milliseconds since 1970; a number below `least` gives none.
    pub(super) fn at_ms(&self, now_ms: i64, least: i64, command: &str) -> Result<i64, CmdError> {
        let time = int(self.text)?;
        let time_ms = match self.unit {
            Unit::Seconds => time.checked_mul(1000),
            Unit::Milliseconds => Some(time),
        };
        let base_ms = if self.relative { now_ms } else { 0 };
        let at_ms = time_ms.filter(|&ms| ms >= least).and_then(|ms| ms.checked_add(base_ms));
        at_ms.ok_or_else(|| invalid_time(command))
    }
}

/// What a command is told about an expiry beside its main business.
#[derive(Clone, Copy)]
pub(super) enum Ttl<'a> {
    Unsaid,
    Keep,
    Persist,
    At(Time<'a>),
}

impl<'a> Ttl<'a> {
    /// Reads an option that gives a time, of which the last of several of the same kind counts. `None`: it is another
    /// option, or may not stand here.
    pub(super) fn option(self, word: &[u8], value: Option<&'a [u8]>) -> Option<Ttl<'a>> {
        let kinds = [
            ("ex", Unit::Seconds, true),
            ("px", Unit::Milliseconds, true),
            ("exat", Unit::Seconds, false),
            ("pxat", Unit::Milliseconds, false),
        ];
        let kind = kinds.into_iter().find(|(name, ..)| word.eq_ignore_ascii_case(name.as_bytes()));
        let (_, unit, relative) = kind?;
        let fits = match self {
            Ttl::Unsaid => true,
            Ttl::Keep | Ttl::Persist => false,
            Ttl::At(time) => time.unit == unit && time.relative == relative,
        };
        let text = value?;
        fits.then_some(Ttl::At(Time { text, unit, relative }))
    }
}

/// Which times an EXPIRE accepts.
#[derive(Default)]
pub(super) struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    /// Reads the arguments at these places.
    pub(super) fn parse(ctx: &Ctx<'_>, at: Range<usize>) -> Result<Conditions, CmdError> {
        let mut conditions = Conditions::default();
        for (i, word) in at.map(|i| (i, ctx.args.at(i))) {
            if ctx.is_word(i, "nx") {
                conditions.nx = true;
            } else if ctx.is_word(i, "xx") {
                conditions.xx = true;
            } else if ctx.is_word(i, "gt") {
                conditions.gt = true;
            } else if ctx.is_word(i, "lt") {
                conditions.lt = true;
            } else {
                return Err(CmdError::with([b"ERR Unsupported option ", shown(word)].concat()));
            }
        }
        let Conditions { nx, xx, gt, lt } = conditions;
        if nx && (xx || gt || lt) {
            return Err(CmdError::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if gt && lt {
            return Err(CmdError::new("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    /// Whether a key that expires at `current_ms` may expire at `at_ms`. A key without an expiry lives for ever.
    pub(super) fn hold(&self, current_ms: Option<i64>, at_ms: i64) -> bool {
        !(self.nx && current_ms.is_some()
            || self.xx && current_ms.is_none()
            || self.gt && current_ms.is_none_or(|current_ms| at_ms <= current_ms)
            || self.lt && current_ms.is_some_and(|current_ms| at_ms >= current_ms))
    }
}

/// <https://valkey.io/commands/expire/>
fn expire(ctx: &mut Ctx<'_>) -> Outcome {
    expire_at(ctx, "expire", Unit::Seconds, ctx.store.now_ms)
}

/// <https://valkey.io/commands/pexpire/>
fn pexpire(ctx: &mut Ctx<'_>) -> Outcome {
    expire_at(ctx, "pexpire", Unit::Milliseconds, ctx.store.now_ms)
}

/// <https://valkey.io/commands/expireat/>
fn expireat(ctx: &mut Ctx<'_>) -> Outcome {
    expire_at(ctx, "expireat", Unit::Seconds, 0)
}

/// <https://valkey.io/commands/pexpireat/>
fn pexpireat(ctx: &mut Ctx<'_>) -> Outcome {
    expire_at(ctx, "pexpireat", Unit::Milliseconds, 0)
}

fn expire_at(ctx: &mut Ctx<'_>, command: &str, unit: Unit, base_ms: i64) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let conditions = Conditions::parse(ctx, 3..ctx.args.len())?;
    let time = int(ctx.args.at(2))?;
    let time_ms = match unit {
        Unit::Seconds => time.checked_mul(1000),
        Unit::Milliseconds => Some(time),
    };
    let at_ms = time_ms.and_then(|time_ms| time_ms.checked_add(base_ms));
    let at_ms = at_ms.ok_or_else(|| invalid_time(command))?;
    let store = &mut *ctx.store;
    let Some(pos) = store.write(db, key) else { return ctx.int(0) };
    if !conditions.hold(store.entry(db, pos).expire_at_ms(), at_ms) {
        return ctx.int(0);
    }
    if store.is_past(at_ms) {
        store.expire(db, pos);
    } else {
        store.edit(db, pos).set_expire(Some(at_ms));
        store.changed(db, key, Event(Class::Generic, "expire"));
    }
    ctx.int(1)
}

/// <https://valkey.io/commands/ttl/>
fn ttl(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, now_ms| seconds((at_ms - now_ms).max(0)))
}

/// <https://valkey.io/commands/pttl/>
fn pttl(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, now_ms| (at_ms - now_ms).max(0))
}

/// <https://valkey.io/commands/expiretime/>
fn expiretime(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, _| seconds(at_ms))
}

/// <https://valkey.io/commands/pexpiretime/>
fn pexpiretime(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, _| at_ms)
}

/// Milliseconds as the nearest number of seconds.
pub(super) fn seconds(ms: i64) -> i64 {
    ms / 1000 + i64::from(ms % 1000 >= 500)
}

/// Answers what `f` makes of the expiry and the time; -1 for a key that has none, -2 without a key.
fn answer_expiry(ctx: &mut Ctx<'_>, f: fn(i64, i64) -> i64) -> Outcome {
    let (key, db, now_ms) = (ctx.args.at(1), ctx.db(), ctx.now_ms());
    let answer = match ctx.store.peek(db, key) {
        Some(pos) => ctx.store.entry(db, pos).expire_at_ms().map_or(-1, |at_ms| f(at_ms, now_ms)),
        None => -2,
    };
    ctx.int(answer)
}

/// <https://valkey.io/commands/persist/>
fn persist(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let store = &mut *ctx.store;
    let found = store.write(db, key);
    let Some(pos) = found.filter(|&pos| store.entry(db, pos).expire_at_ms().is_some()) else {
        return ctx.int(0);
    };
    store.edit(db, pos).set_expire(None);
    store.changed(db, key, Event(Class::Generic, "persist"));
    ctx.int(1)
}
