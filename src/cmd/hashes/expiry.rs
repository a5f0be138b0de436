//! Fields that expire: setting, reading and removing their times, alone or together with their values.

use super::{change, changed, config, find, hash, hash_mut, reply, reply_or_null, write::deleted_fields};
use crate::{
    cmd::expire::{Conditions, Time, Ttl, Unit, seconds},
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    ds::table::Pos,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::hash::{Until, Written},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("hexpire", -6, Group::Hash, hexpire)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Makes fields of a hash expire after some seconds.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("seconds", ArgKind::Integer), CONDITION, FIELDS]),
    CommandSpec::new("hpexpire", -6, Group::Hash, hpexpire)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Makes fields of a hash expire after some milliseconds.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("milliseconds", ArgKind::Integer),
            CONDITION.since("9.0.0"),
            FIELDS,
        ]),
    CommandSpec::new("hexpireat", -6, Group::Hash, hexpireat)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Makes fields of a hash expire at a Unix time in seconds.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-seconds", ArgKind::Integer),
            CONDITION.since("9.0.0"),
            FIELDS,
        ]),
    CommandSpec::new("hpexpireat", -6, Group::Hash, hpexpireat)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Makes fields of a hash expire at a Unix time in milliseconds.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-milliseconds", ArgKind::Integer),
            CONDITION.since("9.0.0"),
            FIELDS,
        ]),
    CommandSpec::new("httl", -5, Group::Hash, httl)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("9.0.0", "Answers how many seconds fields of a hash still have.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
    CommandSpec::new("hpttl", -5, Group::Hash, hpttl)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("9.0.0", "Answers how many milliseconds fields of a hash still have.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
    CommandSpec::new("hexpiretime", -5, Group::Hash, hexpiretime)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("9.0.0", "Answers the Unix times in seconds at which fields of a hash expire.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
    CommandSpec::new("hpexpiretime", -5, Group::Hash, hpexpiretime)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("9.0.0", "Answers the Unix times in milliseconds at which fields of a hash expire.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
    CommandSpec::new("hpersist", -5, Group::Hash, hpersist)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Takes the expiry from fields of a hash.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
    CommandSpec::new("hsetex", -6, Group::Hash, hsetex)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("9.0.0", "Writes fields of a hash and sets when they expire.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("key-condition", ArgKind::OneOf(&[Arg::word("nx", "NX"), Arg::word("xx", "XX")]))
                .optional(),
            Arg::new("fields-condition", ArgKind::OneOf(&[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")]))
                .optional(),
            Arg::new("expiration", ArgKind::OneOf(&[EX, PX, EXAT, PXAT, Arg::word("keepttl", "KEEPTTL")]))
                .optional(),
            Arg::new(
                "fields",
                ArgKind::Block(&[
                    Arg::new("numfields", ArgKind::Integer),
                    Arg::new(
                        "data",
                        ArgKind::Block(&[
                            Arg::new("field", ArgKind::String),
                            Arg::new("value", ArgKind::String),
                        ]),
                    )
                    .multiple(),
                ]),
            )
            .token("FIELDS"),
        ]),
    CommandSpec::new("hgetex", -5, Group::Hash, hgetex)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("9.0.0", "Reads fields of a hash and changes when they expire.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("expiration", ArgKind::OneOf(&[EX, PX, EXAT, PXAT, Arg::word("persist", "PERSIST")]))
                .optional(),
            FIELDS,
        ]),
    CommandSpec::new("hgetdel", -5, Group::Hash, hgetdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("9.1.0", "Reads fields of a hash and deletes them.", "O(N)")
        .args(&[Arg::key("key", 0), FIELDS]),
];

const CONDITION: Arg = Arg::new(
    "condition",
    ArgKind::OneOf(&[
        Arg::word("nx", "NX"),
        Arg::word("xx", "XX"),
        Arg::word("gt", "GT"),
        Arg::word("lt", "LT"),
    ]),
)
.optional();
const FIELDS: Arg = Arg::new(
    "fields",
    ArgKind::Block(&[Arg::new("numfields", ArgKind::Integer), Arg::new("field", ArgKind::String).multiple()]),
)
.token("FIELDS");
const EX: Arg = Arg::new("seconds", ArgKind::Integer).token("EX");
const PX: Arg = Arg::new("milliseconds", ArgKind::Integer).token("PX");
const EXAT: Arg = Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT");
const PXAT: Arg = Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT");

const NUMFIELDS: CmdError =
    CmdError::new("ERR numfields should be greater than 0 and match the provided number of fields");

/// What is answered of a field that is not there.
const NO_FIELD: i64 = -2;
/// What is answered of a field without an expiry.
const NO_EXPIRY: i64 = -1;

/// Where `FIELDS` stands among the arguments from `from` on, but for the last.
fn fields_word(ctx: &Ctx<'_>, from: usize) -> Result<usize, CmdError> {
    (from..ctx.args.len() - 1).find(|&i| ctx.is_word(i, "fields")).ok_or(NUMFIELDS)
}

/// Checks that the number at argument `at` is that of the fields behind it, of `width` arguments each.
fn check_count(ctx: &Ctx<'_>, at: usize, width: usize, otherwise: CmdError) -> Result<(), CmdError> {
    let (count, given) = (ctx.int_arg(at)?, ctx.args.len() - at - 1);
    let fits = usize::try_from(count).ok().and_then(|n| n.checked_mul(width)) == Some(given) && count > 0;
    if fits { Ok(()) } else { Err(otherwise) }
}

/// Checks the arguments of a command that has nothing between its key and `FIELDS`.
fn check_fields(ctx: &Ctx<'_>, otherwise: CmdError) -> Result<(), CmdError> {
    if !ctx.is_word(2, "fields") {
        return Err(CmdError::SYNTAX);
    }
    check_count(ctx, 3, 1, otherwise)
}

/// <https://valkey.io/commands/hexpire/>
fn hexpire(ctx: &mut Ctx<'_>) -> Outcome {
    expire(ctx, "hexpire", Unit::Seconds, true)
}

/// <https://valkey.io/commands/hpexpire/>
fn hpexpire(ctx: &mut Ctx<'_>) -> Outcome {
    expire(ctx, "hpexpire", Unit::Milliseconds, true)
}

/// <https://valkey.io/commands/hexpireat/>
fn hexpireat(ctx: &mut Ctx<'_>) -> Outcome {
    expire(ctx, "hexpireat", Unit::Seconds, false)
}

/// <https://valkey.io/commands/hpexpireat/>
fn hpexpireat(ctx: &mut Ctx<'_>) -> Outcome {
    expire(ctx, "hpexpireat", Unit::Milliseconds, false)
}

/// Answers for each field 1 if it expires at that time from now on, 2 if it is gone at once, 0 if the conditions do not
/// hold.
fn expire(ctx: &mut Ctx<'_>, command: &str, unit: Unit, relative: bool) -> Outcome {
    let (args, db, now_ms, cfg) = (ctx.args, ctx.db(), ctx.store.fields_now_ms(), config(ctx));
    let at = fields_word(ctx, 3)?;
    let conditions = Conditions::parse(ctx, 3..at)?;
    check_count(ctx, at + 1, 1, NUMFIELDS)?;
    let at_ms = Time { text: args.at(2), unit, relative }.at_ms(ctx.now_ms(), 0, command)?;
    let (key, fields) = (args.at(1), args.from(at + 2));
    let found = find(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    out.array(fields.len());
    let Some(pos) = found else {
        fields.for_each(|_| out.int(NO_FIELD));
        return Ok(Flow::Done);
    };
    let is_past = ctx.store.is_past(at_ms);
    let mut edit = ctx.store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut done = Done::default();
    for field in fields {
        out.int(match hash.find_live(field, now_ms) {
            None => NO_FIELD,
            Some(spot) if !conditions.hold(hash.expire_at_ms(spot), at_ms) => 0,
            Some(spot) if is_past => {
                hash.remove(spot);
                done.expired += 1;
                2
            }
            Some(spot) => {
                hash.set_expire(spot, Some(at_ms), &cfg);
                done.changed += 1;
                1
            }
        });
    }
    done.emptied = hash.is_empty();
    drop(edit);
    done.record(ctx.store, (db, key), pos, "hexpire");
    Ok(Flow::Done)
}

/// What became of the fields of a hash.
#[derive(Default)]
struct Done {
    changed: usize,
    expired: usize,
    emptied: bool,
}

impl Done {
    /// Records it, and deletes the key with its last field.
    fn record(&self, store: &mut Store, (db, key): (usize, &[u8]), pos: Pos, event: &'static str) {
        if self.emptied {
            store.remove_at(db, pos);
        }
        if self.changed > 0 {
            changed(store, db, key, event);
        }
        store.fields_expired(db, key, self.expired);
        store.changes.dirty += (self.changed.saturating_sub(1) + self.expired.saturating_sub(1)) as u64;
        if self.emptied {
            store.changes.happened(db, key, Event(Class::Generic, "del"));
        }
    }
}

/// <https://valkey.io/commands/httl/>
fn httl(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, now_ms| seconds(at_ms.saturating_sub(now_ms).max(0)))
}

/// <https://valkey.io/commands/hpttl/>
fn hpttl(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, now_ms| at_ms.saturating_sub(now_ms).max(0))
}

/// <https://valkey.io/commands/hexpiretime/>
fn hexpiretime(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, _| seconds(at_ms))
}

/// <https://valkey.io/commands/hpexpiretime/>
fn hpexpiretime(ctx: &mut Ctx<'_>) -> Outcome {
    answer_expiry(ctx, |at_ms, _| at_ms)
}

/// Answers for each field what `f` makes of its expiry and the time.
fn answer_expiry(ctx: &mut Ctx<'_>, f: fn(i64, i64) -> i64) -> Outcome {
    check_fields(ctx, CmdError::SYNTAX)?;
    let (fields, db, now_ms, fields_now_ms) =
        (ctx.args.from(4), ctx.db(), ctx.now_ms(), ctx.store.fields_now_ms());
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else { return no_fields(ctx, fields.len()) };
    let entry = ctx.store.entry(db, pos);
    let (hash, out) = (hash(&entry)?, &mut ctx.session.out);
    out.array(fields.len());
    for field in fields {
        out.int(match hash.find_live(field, fields_now_ms) {
            None => NO_FIELD,
            Some(spot) => hash.expire_at_ms(spot).map_or(NO_EXPIRY, |at_ms| f(at_ms, now_ms)),
        });
    }
    Ok(Flow::Done)
}

/// Replies for each of `n` fields that it is not there.
fn no_fields(ctx: &mut Ctx<'_>, n: usize) -> Outcome {
    let out = ctx.out();
    out.array(n);
    (0..n).for_each(|_| out.int(NO_FIELD));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/hpersist/>
fn hpersist(ctx: &mut Ctx<'_>) -> Outcome {
    check_fields(ctx, NUMFIELDS)?;
    let (args, db, now_ms, cfg) = (ctx.args, ctx.db(), ctx.store.fields_now_ms(), config(ctx));
    let (key, fields) = (args.at(1), args.from(4));
    let Some(pos) = find(ctx.store, db, key)? else { return no_fields(ctx, fields.len()) };
    let out = &mut ctx.session.out;
    out.array(fields.len());
    let mut edit = ctx.store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut done = Done::default();
    for field in fields {
        out.int(match hash.find_live(field, now_ms) {
            None => NO_FIELD,
            Some(spot) if hash.expire_at_ms(spot).is_none() => NO_EXPIRY,
            Some(spot) => {
                hash.set_expire(spot, None, &cfg);
                done.changed += 1;
                1
            }
        });
    }
    drop(edit);
    done.record(ctx.store, (db, key), pos, "hpersist");
    Ok(Flow::Done)
}

/// Which keys or fields a write wants to find.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Wanted {
    #[default]
    Any,
    Missing,
    Present,
}

impl Wanted {
    /// Asks for one more thing: false if both cannot be had.
    fn also(&mut self, other: Wanted) -> bool {
        let fits = *self == Wanted::Any || *self == other;
        *self = other;
        fits
    }
}

/// What HSETEX is told before its fields.
struct SetOptions<'a> {
    key: Wanted,
    fields: Wanted,
    ttl: Ttl<'a>,
    /// Where the fields and values begin.
    first: usize,
}

impl<'a> SetOptions<'a> {
    fn parse(ctx: &Ctx<'a>) -> Result<SetOptions<'a>, CmdError> {
        let at = fields_word(ctx, 2)?;
        let (mut key, mut fields, mut ttl) = (Wanted::Any, Wanted::Any, Ttl::Unsaid);
        let mut i = 2;
        while i < at {
            let fits = if ctx.is_word(i, "nx") {
                key.also(Wanted::Missing)
            } else if ctx.is_word(i, "xx") {
                key.also(Wanted::Present)
            } else if ctx.is_word(i, "fnx") {
                fields.also(Wanted::Missing)
            } else if ctx.is_word(i, "fxx") {
                fields.also(Wanted::Present)
            } else if ctx.is_word(i, "keepttl") && !matches!(ttl, Ttl::At(_)) {
                ttl = Ttl::Keep;
                true
            } else {
                ttl = time_option(ctx, ttl, i, at)?;
                i += 1;
                true
            };
            if !fits {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        check_count(ctx, at + 1, 2, NUMFIELDS)?;
        Ok(SetOptions { key, fields, ttl, first: at + 2 })
    }
}

/// Reads the option with a time at argument `i`, whose value must stand before `end`.
fn time_option<'a>(ctx: &Ctx<'a>, ttl: Ttl<'a>, i: usize, end: usize) -> Result<Ttl<'a>, CmdError> {
    let value = ctx.args.get(i + 1).filter(|_| i + 1 < end);
    ttl.option(ctx.args.at(i), value).ok_or(CmdError::SYNTAX)
}

/// <https://valkey.io/commands/hsetex/>
fn hsetex(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms, cfg) = (ctx.args, ctx.db(), ctx.store.fields_now_ms(), config(ctx));
    let SetOptions { key: wanted_key, fields: wanted, ttl, first } = SetOptions::parse(ctx)?;
    let key = args.at(1);
    let found = find(ctx.store, db, key)?;
    let unwanted = if found.is_some() { Wanted::Missing } else { Wanted::Present };
    if wanted_key == unwanted {
        return ctx.int(0);
    }
    let until = match ttl {
        Ttl::Keep => Until::Keep,
        Ttl::At(time) => Until::At(time.at_ms(ctx.now_ms(), 0, "hsetex")?),
        Ttl::Unsaid | Ttl::Persist => Until::Forever,
    };
    let names = || args.from(first).step_by(2);
    let is_there = |ctx: &Ctx<'_>, name: &[u8]| match found {
        Some(pos) => hash(&ctx.store.entry(db, pos)).is_ok_and(|hash| hash.find_live(name, now_ms).is_some()),
        None => false,
    };
    let holds = match wanted {
        Wanted::Any => true,
        Wanted::Missing => !names().any(|name| is_there(ctx, name)),
        Wanted::Present => names().all(|name| is_there(ctx, name)),
    };
    if !holds {
        return ctx.int(0);
    }
    if let Until::At(at_ms) = until
        && ctx.store.is_past(at_ms)
    {
        set_in_the_past(ctx, found, names());
        return ctx.int(1);
    }
    let expired = change(ctx.store, db, key, found, |hash| {
        hash.make_room(args.from(first), &cfg);
        let pairs = (first..args.len()).step_by(2);
        let written = pairs.map(|i| hash.set(args.at(i), args.at(i + 1), until, now_ms, &cfg));
        written.filter(|&written| written == Written::OverExpired).count()
    });
    ctx.store.fields_expired(db, key, expired);
    changed(ctx.store, db, key, "hset");
    ctx.store.changes.dirty += names().len() as u64 - 1;
    if matches!(until, Until::At(_)) {
        ctx.store.changes.happened(db, key, Event(Class::Hash, "hexpire"));
    }
    ctx.int(1)
}

/// Fields whose time is over when they are written are gone, whatever they held; it is told as if they had been there.
fn set_in_the_past<'a>(ctx: &mut Ctx<'a>, found: Option<Pos>, names: impl Iterator<Item = &'a [u8]>) {
    let (key, db, store) = (ctx.args.at(1), ctx.db(), &mut *ctx.store);
    let Some(pos) = found else {
        for (class, name) in [
            (Class::New, "new"),
            (Class::Hash, "hset"),
            (Class::Hash, "hexpire"),
            (Class::Hash, "hexpired"),
            (Class::Generic, "del"),
        ] {
            store.changes.happened(db, key, Event(class, name));
        }
        return;
    };
    let mut edit = store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut n = 0;
    for name in names {
        if let Some(spot) = hash.find(name) {
            hash.remove(spot);
        }
        n += 1;
    }
    let done = Done { changed: 0, expired: n, emptied: hash.is_empty() };
    drop(edit);
    store.changes.happened(db, key, Event(Class::Hash, "hset"));
    store.changes.happened(db, key, Event(Class::Hash, "hexpire"));
    done.record(store, (db, key), pos, "hexpire");
}

/// <https://valkey.io/commands/hgetex/>
fn hgetex(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms, cfg) = (ctx.args, ctx.db(), ctx.store.fields_now_ms(), config(ctx));
    let at = fields_word(ctx, 2)?;
    let mut ttl = Ttl::Unsaid;
    let mut i = 2;
    while i < at {
        if ctx.is_word(i, "persist") && !matches!(ttl, Ttl::At(_)) {
            ttl = Ttl::Persist;
        } else {
            ttl = time_option(ctx, ttl, i, at)?;
            i += 1;
        }
        i += 1;
    }
    check_count(ctx, at + 1, 1, NUMFIELDS)?;
    let (key, fields) = (args.at(1), args.from(at + 2));
    let found = ctx.store.read(db, key);
    if let Some(pos) = found {
        hash(&ctx.store.entry(db, pos))?;
    }
    let at_ms = match ttl {
        Ttl::At(time) => Some(time.at_ms(ctx.now_ms(), 0, "hgetex")?),
        _ => None,
    };
    let out = &mut ctx.session.out;
    out.array(fields.len());
    let Some(pos) = found else {
        fields.for_each(|_| out.null());
        return Ok(Flow::Done);
    };
    let is_past = at_ms.is_some_and(|at_ms| ctx.store.is_past(at_ms));
    let mut edit = ctx.store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut done = Done::default();
    for field in fields {
        let Some(spot) = hash.find_live(field, now_ms) else {
            out.null();
            continue;
        };
        reply(out, hash.at(spot).1);
        if is_past {
            hash.remove(spot);
            done.expired += 1;
        } else if at_ms.is_some() || matches!(ttl, Ttl::Persist) && hash.expire_at_ms(spot).is_some() {
            hash.set_expire(spot, at_ms, &cfg);
            done.changed += 1;
        }
    }
    done.emptied = hash.is_empty();
    drop(edit);
    done.record(ctx.store, (db, key), pos, if at_ms.is_some() { "hexpire" } else { "hpersist" });
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/hgetdel/>
fn hgetdel(ctx: &mut Ctx<'_>) -> Outcome {
    check_fields(ctx, NUMFIELDS)?;
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let (key, fields) = (args.at(1), args.from(4));
    let found = find(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    out.array(fields.len());
    let Some(pos) = found else {
        fields.for_each(|_| out.null());
        return Ok(Flow::Done);
    };
    let mut edit = ctx.store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut deleted = 0;
    for field in fields {
        let spot = hash.find_live(field, now_ms);
        reply_or_null(out, spot.map(|spot| hash.at(spot).1));
        if let Some(spot) = spot {
            hash.remove(spot);
            deleted += 1;
        }
    }
    let emptied = hash.is_empty();
    drop(edit);
    deleted_fields(ctx.store, (db, key), pos, deleted, emptied);
    Ok(Flow::Done)
}
