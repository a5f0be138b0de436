//! BITFIELD: integers of any width within a string.

use super::{CHANGED, make_room, offset};
use crate::{
    base::num::{MAX_INT_LEN, parse_i64},
    command::{
        Arg, ArgKind, Args, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec,
        Outcome, keys::Keys,
    },
    ds::bits,
    resp::error::shown,
};

const TYPE: Arg = Arg::new("encoding", ArgKind::String);
const OFFSET: Arg = Arg::new("offset", ArgKind::Integer);

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("bitfield", -2, Group::Bitmap, bitfield)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(
            KeyFlags::RW.or(KeyFlags::UPDATE).or(KeyFlags::ACCESS).or(KeyFlags::VARIABLE_FLAGS),
            1,
            1,
            1,
        )
        .notes("It reads the key and may change it.")])
        .find_keys(field_keys)
        .doc("3.2.0", "Reads and changes integers of any width within a string.", "O(1) an operation")
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "operation",
                ArgKind::OneOf(&[
                    Arg::new("get-block", ArgKind::Block(&[TYPE, OFFSET])).token("GET"),
                    Arg::new(
                        "write",
                        ArgKind::Block(&[
                            Arg::new(
                                "overflow-block",
                                ArgKind::OneOf(&[
                                    Arg::word("wrap", "WRAP"),
                                    Arg::word("sat", "SAT"),
                                    Arg::word("fail", "FAIL"),
                                ]),
                            )
                            .token("OVERFLOW")
                            .optional(),
                            Arg::new(
                                "write-operation",
                                ArgKind::OneOf(&[
                                    Arg::new(
                                        "set-block",
                                        ArgKind::Block(&[TYPE, OFFSET, Arg::new("value", ArgKind::Integer)]),
                                    )
                                    .token("SET"),
                                    Arg::new(
                                        "incrby-block",
                                        ArgKind::Block(&[
                                            TYPE,
                                            OFFSET,
                                            Arg::new("increment", ArgKind::Integer),
                                        ]),
                                    )
                                    .token("INCRBY"),
                                ]),
                            ),
                        ]),
                    ),
                ]),
            )
            .multiple()
            .optional(),
        ]),
    CommandSpec::new("bitfield_ro", -2, Group::Bitmap, bitfield_ro)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.0.0", "Reads integers of any width within a string.", "O(1) an operation")
        .args(&[
            Arg::key("key", 0),
            Arg::new("get-block", ArgKind::Block(&[TYPE, OFFSET])).token("GET").multiple_token().optional(),
        ]),
];

/// What BITFIELD does to its key: only GET leaves it as it is.
fn field_keys(args: Args<'_>) -> Option<Keys> {
    let (mut i, mut writes) = (2, false);
    while i < args.len() && !writes {
        let (left, is) = (args.len() - 1 - i, |word: &[u8]| args.at(i).eq_ignore_ascii_case(word));
        i += match () {
            () if is(b"get") && left >= 2 => 3,
            () if is(b"overflow") && left >= 1 => 2,
            () => {
                writes = true;
                0
            }
        };
    }
    let way = if writes { KeyFlags::RW.or(KeyFlags::UPDATE) } else { KeyFlags::RO };
    Some(Keys::one(1, way.or(KeyFlags::ACCESS)))
}

/// What becomes of a number that does not fit into its field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    /// It loses the bits that are too many.
    Wrap,
    /// It becomes the nearest that fits.
    Saturate,
    /// Nothing is written.
    Fail,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

/// A field and what is to be done with it.
struct Operation {
    at: u64,
    width: u32,
    signed: bool,
    action: Action,
    overflow: Overflow,
}

impl Operation {
    /// The number of the bits in the field.
    fn decode(&self, bits: u64) -> i128 {
        let above = 64 - self.width;
        if self.signed { (((bits << above) as i64) >> above).into() } else { bits.into() }
    }

    fn read(&self, bytes: &[u8]) -> i128 {
        self.decode(bits::get_field(bytes, self.at, self.width))
    }

    /// The smallest and the greatest number that fit.
    fn bounds(&self) -> (i128, i128) {
        if self.signed {
            (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
        } else {
            (0, (1 << self.width) - 1)
        }
    }

    /// `number` as it can be stored, if it is to be.
    fn fit(&self, number: i128) -> Option<i128> {
        let (min, max) = self.bounds();
        if (min..=max).contains(&number) {
            return Some(number);
        }
        match self.overflow {
            Overflow::Wrap => Some(self.decode(number as u64 & (u64::MAX >> (64 - self.width)))),
            Overflow::Saturate => Some(number.clamp(min, max)),
            Overflow::Fail => None,
        }
    }

    /// Does a write. Returns what it answers, and whether the field changed.
    fn write(&self, bytes: &mut [u8]) -> Option<(i128, bool)> {
        let old = self.read(bytes);
        let wanted = match self.action {
            Action::Get => old,
            // To an unsigned field a negative number is a large one.
            Action::Set(value) if !self.signed => (value as u64).into(),
            // So far below that Valkey's own arithmetic wraps: it saturates at the other end.
            Action::Set(value)
                if self.overflow == Overflow::Saturate
                    && self.width < 64
                    && i128::from(value) < self.bounds().1 - i128::from(i64::MAX) =>
            {
                self.bounds().1
            }
            Action::Set(value) => value.into(),
            Action::Add(increment) => old + i128::from(increment),
        };
        let new = self.fit(wanted)?;
        bits::set_field(bytes, self.at, self.width, new as u64);
        Some((if matches!(self.action, Action::Add(_)) { new } else { old }, new != old))
    }
}

/// `i8`, `u63` and the like: whether it is signed, and its width.
fn field_type(text: &[u8]) -> Result<(bool, u32), CmdError> {
    let width = |text: &[u8], max| parse_i64(shown(text)).filter(|width| (1..=max).contains(width));
    let found = match text {
        [b'i', rest @ ..] => width(rest, 64).map(|width| (true, width as u32)),
        [b'u', rest @ ..] => width(rest, 63).map(|width| (false, width as u32)),
        _ => None,
    };
    found.ok_or(CmdError::new(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    ))
}

fn parse(ctx: &Ctx<'_>) -> Result<Vec<Operation>, CmdError> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut i = 2;
    while i < ctx.args.len() {
        let rest = ctx.args.len() - i - 1;
        if ctx.is_word(i, "overflow") && rest >= 1 {
            overflow = [("wrap", Overflow::Wrap), ("sat", Overflow::Saturate), ("fail", Overflow::Fail)]
                .into_iter()
                .find(|(name, _)| ctx.is_word(i + 1, name))
                .ok_or(CmdError::new("ERR Invalid OVERFLOW type specified"))?
                .1;
            i += 2;
            continue;
        }
        let action: Option<fn(i64) -> Action> = match () {
            () if ctx.is_word(i, "get") && rest >= 2 => None,
            () if ctx.is_word(i, "set") && rest >= 3 => Some(Action::Set),
            () if ctx.is_word(i, "incrby") && rest >= 3 => Some(Action::Add),
            () => return Err(CmdError::SYNTAX),
        };
        let (signed, width) = field_type(ctx.args.at(i + 1))?;
        let at = match ctx.args.at(i + 2) {
            [b'#', number @ ..] => offset(ctx, number, width.into())?,
            text => offset(ctx, text, 1)?,
        };
        let action_at = i + 3;
        let action = match action {
            Some(action) => action(ctx.int_arg(action_at)?),
            None => Action::Get,
        };
        i += if matches!(action, Action::Get) { 3 } else { 4 };
        operations.push(Operation { at, width, signed, action, overflow });
    }
    Ok(operations)
}

/// <https://valkey.io/commands/bitfield/>
fn bitfield(ctx: &mut Ctx<'_>) -> Outcome {
    let operations = parse(ctx)?;
    let writes = operations.iter().filter(|operation| !matches!(operation.action, Action::Get));
    let Some(last) = writes.map(|operation| operation.at + u64::from(operation.width) - 1).max() else {
        return get_all(ctx, &operations);
    };
    let (key, db) = (ctx.args.at(1), ctx.db());
    let (pos, grew) = make_room(ctx.store, db, key, last)?;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    let out = &mut ctx.session.out;
    out.array(operations.len());
    let mut any_changed = false;
    for operation in &operations {
        if let Action::Get = operation.action {
            out.int(operation.read(bytes) as i64);
        } else if let Some((answer, changed)) = operation.write(bytes) {
            out.int(answer as i64);
            any_changed |= grew || changed;
        } else {
            out.null();
        }
    }
    drop(edit);
    if any_changed {
        ctx.store.changed(db, key, CHANGED);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/bitfield_ro/>
fn bitfield_ro(ctx: &mut Ctx<'_>) -> Outcome {
    let operations = parse(ctx)?;
    if operations.iter().any(|operation| !matches!(operation.action, Action::Get)) {
        return Err(CmdError::new("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    get_all(ctx, &operations)
}

fn get_all(ctx: &mut Ctx<'_>, operations: &[Operation]) -> Outcome {
    let db = ctx.db();
    let entry = ctx.store.read(db, ctx.args.at(1)).map(|pos| ctx.store.entry(db, pos));
    let mut digits = [0; MAX_INT_LEN];
    let bytes = match &entry {
        Some(entry) => entry.value().text(&mut digits).ok_or(CmdError::WRONG_TYPE)?,
        None => &[],
    };
    let out = &mut ctx.session.out;
    out.array(operations.len());
    operations.iter().for_each(|operation| out.int(operation.read(bytes) as i64));
    Ok(Flow::Done)
}
