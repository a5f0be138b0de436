//! Writing whole strings: SET and its kin, and GETEX, which shares its options.

use super::{super::expire, read::reply_string, text};
use crate::{
    base::num::MAX_INT_LEN,
    command::{Args, CmdError, Ctx, Flow, KeyFlags, Outcome, ctx::int, keys::Keys},
    store::{
        Expiry,
        changes::{Class, Event},
    },
};
use expire::{Time, Ttl, Unit};

const SET: Event = Event(Class::String, "set");
const EXPIRE: Event = Event(Class::Generic, "expire");

/// When SET writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition<'a> {
    Always,
    Missing,
    Present,
    Equals(&'a [u8]),
}

struct SetOptions<'a> {
    condition: Condition<'a>,
    ttl: Ttl<'a>,
    get: bool,
}

impl<'a> SetOptions<'a> {
    /// Reads the options from argument `first` on. `more` are those that SET has and its kin may not have.
    fn parse(ctx: &Ctx<'a>, first: usize, more: &[&str]) -> Result<SetOptions<'a>, CmdError> {
        let args = ctx.args;
        let mut options = SetOptions { condition: Condition::Always, ttl: Ttl::Unsaid, get: false };
        let mut i = first;
        while i < args.len() {
            let condition = options.condition;
            let is = |word: &str| more.contains(&word) && ctx.is_word(i, word);
            if ctx.is_word(i, "nx") && matches!(condition, Condition::Always | Condition::Missing) {
                options.condition = Condition::Missing;
            } else if ctx.is_word(i, "xx") && matches!(condition, Condition::Always | Condition::Present) {
                options.condition = Condition::Present;
            } else if is("ifeq") && i + 1 < args.len() && condition == Condition::Always {
                i += 1;
                options.condition = Condition::Equals(args.at(i));
            } else if is("get") {
                options.get = true;
            } else if ctx.is_word(i, "keepttl") && !matches!(options.ttl, Ttl::At(_)) {
                options.ttl = Ttl::Keep;
            } else {
                options.ttl = options.ttl.option(args.at(i), args.get(i + 1)).ok_or(CmdError::SYNTAX)?;
                i += 1;
            }
            i += 1;
        }
        Ok(options)
    }

    /// What they say about the expiry of a key that is written.
    fn expiry(&self, now_ms: i64, command: &str) -> Result<Expiry, CmdError> {
        Ok(match self.ttl {
            Ttl::Keep => Expiry::Keep,
            Ttl::At(time) => Expiry::Set(Some(time.at_ms(now_ms, 1, command)?)),
            Ttl::Unsaid | Ttl::Persist => Expiry::Set(None),
        })
    }
}

/// What SET does to its key.
pub(super) fn set_keys(args: Args<'_>) -> Option<Keys> {
    let reads = args.from(3).any(|arg| arg.eq_ignore_ascii_case(b"get"));
    let way = if reads { KeyFlags::RW.or(KeyFlags::ACCESS) } else { KeyFlags::OW };
    Some(Keys::one(1, way.or(KeyFlags::UPDATE)))
}

/// <https://valkey.io/commands/set/>
pub(super) fn set(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    if args.len() > 3 {
        return set_with_options(ctx);
    }
    let (key, db) = (args.at(1), ctx.session.db);
    ctx.store.set_string(db, key, args.at(2), Expiry::Set(None));
    ctx.store.changed(db, key, SET);
    ctx.ok()
}

fn set_with_options(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, value, db) = (ctx.args.at(1), ctx.args.at(2), ctx.db());
    let options = SetOptions::parse(ctx, 3, &["ifeq", "get"])?;
    let expiry = options.expiry(ctx.now_ms(), "set")?;
    let SetOptions { condition, get, .. } = options;
    let holds = if get || condition != Condition::Always { check(ctx, condition, get)? } else { true };
    if holds {
        write(ctx, db, key, value, expiry);
    }
    match holds {
        _ if get => {}
        true => ctx.out().ok(),
        false => ctx.out().null(),
    }
    Ok(Flow::Done)
}

/// Whether the condition of a SET holds. Replies the old value if it is to be had.
fn check(ctx: &mut Ctx<'_>, condition: Condition<'_>, get: bool) -> Result<bool, CmdError> {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let found = if get { ctx.store.read(db, key) } else { ctx.store.write(db, key) };
    if get {
        match found {
            Some(pos) => reply_string(ctx, pos)?,
            None => ctx.out().null(),
        }
    }
    Ok(match (condition, found) {
        (Condition::Always, _) => true,
        (Condition::Missing, found) => found.is_none(),
        (Condition::Present, found) => found.is_some(),
        (Condition::Equals(_), None) => false,
        (Condition::Equals(wanted), Some(pos)) => {
            text(ctx.store.entry(db, pos).value(), &mut [0; MAX_INT_LEN])? == wanted
        }
    })
}

/// Writes a string. One that is to expire in the past is not written, and what was there is gone.
fn write(ctx: &mut Ctx<'_>, db: usize, key: &[u8], value: &[u8], expiry: Expiry) {
    let store = &mut *ctx.store;
    if let Expiry::Set(Some(at_ms)) = expiry
        && store.is_past(at_ms)
    {
        if let Some(pos) = store.find(db, key) {
            store.expire(db, pos);
        }
        return;
    }
    store.set_string(db, key, value, expiry);
    store.changed(db, key, SET);
    if let Expiry::Set(Some(_)) = expiry {
        store.changed(db, key, EXPIRE);
    }
}

/// <https://valkey.io/commands/setex/>
pub(super) fn setex(ctx: &mut Ctx<'_>) -> Outcome {
    set_for(ctx, "setex", Unit::Seconds)
}

/// <https://valkey.io/commands/psetex/>
pub(super) fn psetex(ctx: &mut Ctx<'_>) -> Outcome {
    set_for(ctx, "psetex", Unit::Milliseconds)
}

fn set_for(ctx: &mut Ctx<'_>, command: &str, unit: Unit) -> Outcome {
    let args = ctx.args;
    let time = Time { text: args.at(2), unit, relative: true };
    let at_ms = time.at_ms(ctx.now_ms(), 1, command)?;
    write(ctx, ctx.session.db, args.at(1), args.at(3), Expiry::Set(Some(at_ms)));
    ctx.ok()
}

/// <https://valkey.io/commands/setnx/>
pub(super) fn setnx(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    if ctx.store.write(db, key).is_some() {
        return ctx.int(0);
    }
    write(ctx, db, key, ctx.args.at(2), Expiry::Set(None));
    ctx.int(1)
}

/// <https://valkey.io/commands/getset/>
pub(super) fn getset(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    check(ctx, Condition::Always, true)?;
    write(ctx, ctx.session.db, args.at(1), args.at(2), Expiry::Set(None));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/mset/>
pub(super) fn mset(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len().is_multiple_of(2) {
        return Err(CmdError::wrong_arity("mset"));
    }
    set_pairs(ctx);
    ctx.ok()
}

/// <https://valkey.io/commands/msetnx/>
pub(super) fn msetnx(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    if args.len().is_multiple_of(2) {
        return Err(CmdError::wrong_arity("msetnx"));
    }
    let mut taken = false;
    ctx.store.each_key(db, args.from(1).step_by(2), |store, _, key| {
        taken = taken || store.find_hashed(db, key).is_some();
    });
    if !taken {
        set_pairs(ctx);
    }
    ctx.int(i64::from(!taken))
}

fn set_pairs(ctx: &mut Ctx<'_>) {
    let (args, db) = (ctx.args, ctx.db());
    ctx.store.each_key(db, args.from(1).step_by(2), |store, pair, key| {
        store.set_string_hashed(db, key, args.at(2 * pair + 2), Expiry::Set(None));
        store.changed(db, key.key, SET);
    });
}

/// <https://valkey.io/commands/msetex/>
pub(super) fn msetex(ctx: &mut Ctx<'_>) -> Outcome {
    const BAD_COUNT: CmdError = CmdError::new("ERR invalid numkeys value or out of range");
    let (args, db) = (ctx.args, ctx.db());
    let count = int(args.at(1)).ok().filter(|n| (1..=i64::from(i32::MAX)).contains(n)).ok_or(BAD_COUNT)?;
    // The names stand at even places, each before its value.
    let end = 2 + 2 * count as usize;
    if end > args.len() {
        return Err(CmdError::SYNTAX);
    }
    let options = SetOptions::parse(ctx, end, &[])?;
    let expiry = options.expiry(ctx.now_ms(), "msetex")?;
    let names = || args.from(2).step_by(2).take(count as usize);
    let mut holds = true;
    ctx.store.each_key(db, names(), |store, _, key| {
        let found = store.find_hashed(db, key).is_some();
        holds &= match options.condition {
            Condition::Missing => !found,
            Condition::Present => found,
            Condition::Always | Condition::Equals(_) => true,
        };
    });
    if holds {
        names().enumerate().for_each(|(pair, key)| write(ctx, db, key, args.at(3 + 2 * pair), expiry));
    }
    ctx.int(holds.into())
}

/// <https://valkey.io/commands/delifeq/>
pub(super) fn delifeq(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let Some(pos) = ctx.store.write(db, key) else { return ctx.int(0) };
    let equal = text(ctx.store.entry(db, pos).value(), &mut [0; MAX_INT_LEN])? == ctx.args.at(2);
    if equal {
        ctx.store.remove_at(db, pos);
        ctx.store.changed(db, key, Event(Class::Generic, "del"));
    }
    ctx.int(equal.into())
}

/// <https://valkey.io/commands/getex/>
pub(super) fn getex(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.now_ms());
    let key = args.at(1);
    let mut ttl = Ttl::Unsaid;
    let mut i = 2;
    while i < args.len() {
        if ctx.is_word(i, "persist") && !matches!(ttl, Ttl::At(_)) {
            ttl = Ttl::Persist;
        } else {
            ttl = ttl.option(args.at(i), args.get(i + 1)).ok_or(CmdError::SYNTAX)?;
            i += 1;
        }
        i += 1;
    }
    let Some(pos) = ctx.store.read(db, key) else {
        ctx.out().null();
        return Ok(Flow::Done);
    };
    if !ctx.store.entry(db, pos).is_string() {
        return Err(CmdError::WRONG_TYPE);
    }
    let at_ms = match ttl {
        Ttl::At(time) => Some(time.at_ms(now_ms, 1, "getex")?),
        _ => None,
    };
    reply_string(ctx, pos)?;
    let store = &mut *ctx.store;
    match (ttl, at_ms) {
        (_, Some(at_ms)) if store.is_past(at_ms) => store.expire(db, pos),
        (_, Some(at_ms)) => {
            store.edit(db, pos).set_expire(Some(at_ms));
            store.changed(db, key, EXPIRE);
        }
        (Ttl::Persist, None) if store.entry(db, pos).expire_at_ms().is_some() => {
            store.edit(db, pos).set_expire(None);
            store.changed(db, key, Event(Class::Generic, "persist"));
        }
        _ => {}
    }
    Ok(Flow::Done)
}
