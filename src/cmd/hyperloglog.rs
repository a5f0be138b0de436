//! HyperLogLogs: how many different elements were seen, approximately.

use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    ds::{
        hyperloglog::{self as hll, Encoding, Invalid, REGISTERS, Run},
        table::Pos,
    },
    resp::error::shown,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{Entry, Value, ValueRef},
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("pfadd", -2, Group::HyperLogLog, pfadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HYPERLOGLOG])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.8.9", "Adds elements to a HyperLogLog, creating it where there is none.", "O(1) an element")
        .args(&[Arg::key("key", 0), Arg::new("element", ArgKind::String).multiple().optional()]),
    CommandSpec::new("pfcount", -2, Group::HyperLogLog, pfcount)
        .flags(&[Flags::READONLY, Flags::MAY_REPLICATE])
        .acl(&[Categories::HYPERLOGLOG])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS), 1, -1, 1)
            .notes("The estimate is kept in the value, which changes with it.")])
        .doc(
            "2.8.9",
            "Estimates how many different elements HyperLogLogs have seen, all together.",
            "O(N), with one key mostly O(1)",
        )
        .args(&[Arg::key("key", 0).multiple()]),
    CommandSpec::new("pfmerge", -2, Group::HyperLogLog, pfmerge)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::HYPERLOGLOG])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::INSERT), 1, 1, 1),
            KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 2, -1, 1),
        ])
        .doc("2.8.9", "Adds what HyperLogLogs have seen to another one.", "O(N)")
        .args(&[Arg::key("destkey", 0), Arg::key("sourcekey", 1).multiple().optional()]),
    CommandSpec::new("pfdebug", 3, Group::HyperLogLog, pfdebug)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::ADMIN])
        .acl(&[Categories::HYPERLOGLOG])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS), 2, 2, 1)])
        .doc("2.8.9", "Shows how a HyperLogLog is kept.", "N/A")
        .args(&[Arg::new("subcommand", ArgKind::String), Arg::key("key", 0)])
        .system(),
    CommandSpec::new("pfselftest", 1, Group::HyperLogLog, pfselftest)
        .flags(&[Flags::ADMIN])
        .acl(&[Categories::HYPERLOGLOG])
        .doc("2.8.9", "Checks that HyperLogLogs work.", "N/A")
        .system(),
];

const CHANGED: Event = Event(Class::String, "pfadd");
/// How many elements PFSELFTEST adds.
const SELF_TEST_ELEMENTS: u64 = 100_000;

impl From<Invalid> for CmdError {
    fn from(invalid: Invalid) -> CmdError {
        CmdError::new(match invalid {
            Invalid::Header => "WRONGTYPE Key is not a valid HyperLogLog string value.",
            Invalid::Registers => "INVALIDOBJ Corrupted HLL object detected",
        })
    }
}

/// The bytes of a HyperLogLog whose header is valid, and how it is kept.
fn checked(entry: &Entry) -> Result<(&[u8], Encoding), CmdError> {
    match entry.value() {
        ValueRef::Str(bytes) => Ok((bytes, hll::encoding(bytes)?)),
        ValueRef::Int(_) => Err(Invalid::Header.into()),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// Finds the HyperLogLog at a key, to be changed, or adds one. Says, too, whether it is new.
fn find_or_add(store: &mut Store, db: usize, key: &[u8]) -> Result<(Pos, bool), CmdError> {
    if let Some(pos) = store.write(db, key) {
        checked(&store.entry(db, pos))?;
        return Ok((pos, false));
    }
    store.insert(db, key, Value::Raw(hll::new()), None);
    let Some(pos) = store.find(db, key) else { unreachable!("it was added just now") };
    Ok((pos, true))
}

/// Up to how many bytes a HyperLogLog stays sparse.
fn sparse_max_bytes(ctx: &Ctx<'_>) -> usize {
    usize::try_from(ctx.state.config.hll_sparse_max_bytes).unwrap_or(usize::MAX)
}

/// <https://valkey.io/commands/pfadd/>
fn pfadd(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let (key, max_bytes) = (args.at(1), sparse_max_bytes(ctx));
    let (pos, is_new) = find_or_add(ctx.store, db, key)?;
    let mut changed = is_new;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    for element in args.from(2) {
        changed |= hll::add(bytes, element, max_bytes)?;
    }
    if changed {
        hll::forget_estimate(bytes);
    }
    drop(edit);
    if changed {
        ctx.store.changed(db, key, CHANGED);
    }
    ctx.int(changed.into())
}

/// <https://valkey.io/commands/pfcount/>
fn pfcount(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    if args.len() > 2 {
        let mut registers = [0; REGISTERS];
        for key in args.from(1) {
            if let Some(pos) = ctx.store.read(db, key) {
                hll::merge(checked(&ctx.store.entry(db, pos))?.0, &mut registers)?;
            }
        }
        return ctx.int(hll::estimate_of_registers(&registers) as i64);
    }
    let key = args.at(1);
    let Some(pos) = ctx.store.read(db, key) else { return ctx.int(0) };
    checked(&ctx.store.entry(db, pos))?;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    if let Some(estimate) = hll::last_estimate(bytes) {
        drop(edit);
        return ctx.int(estimate as i64);
    }
    let estimate = hll::estimate(bytes)?;
    hll::keep_estimate(bytes, estimate);
    drop(edit);
    ctx.store.changes.changed_without_event(db, key);
    ctx.int(estimate as i64)
}

/// <https://valkey.io/commands/pfmerge/>
fn pfmerge(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let (key, max_bytes) = (args.at(1), sparse_max_bytes(ctx));
    let mut registers = [0; REGISTERS];
    let mut any_dense = false;
    for source in args.from(1) {
        if let Some(pos) = ctx.store.read(db, source) {
            let entry = ctx.store.entry(db, pos);
            let (bytes, encoding) = checked(&entry)?;
            any_dense |= encoding == Encoding::Dense;
            hll::merge(bytes, &mut registers)?;
        }
    }
    let (pos, _) = find_or_add(ctx.store, db, key)?;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    if any_dense {
        hll::make_dense(bytes)?;
    }
    for (index, &value) in registers.iter().enumerate().filter(|(_, value)| **value > 0) {
        hll::raise(bytes, index, value, max_bytes)?;
    }
    hll::forget_estimate(bytes);
    drop(edit);
    ctx.store.changed(db, key, CHANGED);
    ctx.ok()
}

/// <https://valkey.io/commands/pfdebug/>
fn pfdebug(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(2), ctx.db());
    if ctx.is_word(1, "simd") {
        // There is one way to work with registers, whatever is said.
        let on = ctx.is_word(2, "on");
        if !on && !ctx.is_word(2, "off") {
            return Err(CmdError::new("ERR Argument must be ON or OFF"));
        }
        ctx.out().simple(if on { "enabled" } else { "disabled" });
        return Ok(Flow::Done);
    }
    let pos = ctx.store.write(db, key).ok_or(CmdError::new("ERR The specified key does not exist"))?;
    let encoding = checked(&ctx.store.entry(db, pos))?.1;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    let out = &mut ctx.session.out;
    let mut became_dense = false;
    match ctx.args.at(1).to_ascii_lowercase().as_slice() {
        b"getreg" => {
            became_dense = hll::make_dense(bytes)?;
            let registers = hll::registers(bytes)?;
            out.array(REGISTERS);
            registers.iter().for_each(|&value| out.int(value.into()));
        }
        b"decode" if encoding == Encoding::Dense => {
            return Err(CmdError::new("ERR HLL encoding is not sparse"));
        }
        b"decode" => {
            let runs = hll::runs(bytes).map(|run| match run {
                (Run::Zeros(len), 1) => format!("z:{len}"),
                (Run::Zeros(len), _) => format!("Z:{len}"),
                (Run::Values(value, len), _) => format!("v:{value},{len}"),
            });
            out.bulk(runs.collect::<Vec<_>>().join(" ").as_bytes());
        }
        b"encoding" => out.simple(if encoding == Encoding::Dense { "dense" } else { "sparse" }),
        b"todense" => {
            became_dense = hll::make_dense(bytes)?;
            out.int(became_dense.into());
        }
        _ => {
            let name = shown(ctx.args.at(1));
            return Err(CmdError::with([b"ERR Unknown PFDEBUG subcommand '", name, b"'"].concat()));
        }
    }
    drop(edit);
    if became_dense {
        ctx.store.changes.changed_quietly(db, key, None);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/pfselftest/>: that both encodings agree, and that their estimates are near.
fn pfselftest(ctx: &mut Ctx<'_>) -> Outcome {
    let max_bytes = sparse_max_bytes(ctx);
    let (mut sparse, mut dense) = (hll::new(), hll::new());
    hll::make_dense(&mut dense)?;
    let salt = ctx.state.rng.next_u64();
    let mut checkpoint = 1;
    for n in 1..=SELF_TEST_ELEMENTS {
        let element = (n ^ salt).to_le_bytes();
        hll::add(&mut sparse, &element, max_bytes)?;
        hll::add(&mut dense, &element, max_bytes)?;
        if n == checkpoint {
            let estimate = hll::estimate(&dense)?;
            if hll::estimate(&sparse)? != estimate {
                return Err(CmdError::new("ERR TESTFAILED dense/sparse disagree"));
            }
            let off = estimate.abs_diff(n);
            // Six standard errors.
            if off as f64 > (n as f64 * 0.05).max(1.0) {
                let text = format!("ERR TESTFAILED Too big error. card:{n} abserr:{off}");
                return Err(CmdError::with(text));
            }
            checkpoint *= 10;
        }
    }
    ctx.ok()
}
