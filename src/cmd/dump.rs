//! DUMP and RESTORE: values as bytes that other servers read.

use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    persist::rdb::{self, RestoreError},
    store::changes::{Class, Event},
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("dump", 2, Group::Generic, dump)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::KEYSPACE])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "2.6.0",
            "Answers the value of a key as bytes that RESTORE takes.",
            "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of objects that \
             make up the value and M their average size.",
        )
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("restore", -4, Group::Generic, restore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc(
            "2.6.0",
            "Makes a key of what DUMP answered.",
            "O(1) to create the key and additional O(N*M) to read the value, where N is the number of objects that \
             make it up and M their average size.",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::new("ttl", ArgKind::Integer),
            Arg::new("serialized-value", ArgKind::String),
            Arg::word("replace", "REPLACE").since("3.0.0").optional(),
            Arg::word("absttl", "ABSTTL").since("5.0.0").optional(),
            Arg::new("seconds", ArgKind::Integer).token("IDLETIME").since("5.0.0").optional(),
            Arg::new("frequency", ArgKind::Integer).token("FREQ").since("5.0.0").optional(),
        ])
        .history(&[("3.0.0", "REPLACE."), ("5.0.0", "ABSTTL."), ("5.0.0", "IDLETIME and FREQ.")]),
];

/// <https://valkey.io/commands/dump/>
fn dump(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    match ctx.store.read(db, key) {
        Some(pos) => {
            let payload = rdb::dump(ctx.store.entry(db, pos).value());
            ctx.out().bulk(&payload);
        }
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}

/// What RESTORE is told beside the value.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_s: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(ctx: &Ctx<'_>) -> Result<Options, CmdError> {
        let mut options = Options::default();
        let mut i = 4;
        while i < ctx.args.len() {
            let has_value = i + 1 < ctx.args.len();
            if ctx.is_word(i, "replace") {
                options.replace = true;
            } else if ctx.is_word(i, "absttl") {
                options.absolute = true;
            } else if ctx.is_word(i, "idletime") && has_value && options.frequency.is_none() {
                i += 1;
                let invalid = CmdError::new("ERR Invalid IDLETIME value, must be >= 0");
                options.idle_s = Some(ctx.int_in(i, 0, i64::MAX, invalid)?);
            } else if ctx.is_word(i, "freq") && has_value && options.idle_s.is_none() {
                i += 1;
                let invalid = CmdError::new("ERR Invalid FREQ value, must be >= 0 and <= 255");
                options.frequency = Some(ctx.int_in(i, 0, 255, invalid)? as u8);
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        Ok(options)
    }
}

/// <https://valkey.io/commands/restore/>
fn restore(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, payload, db) = (ctx.args.at(1), ctx.args.at(3), ctx.db());
    let options = Options::parse(ctx)?;
    if !options.replace && ctx.store.find(db, key).is_some() {
        return Err(CmdError::new("BUSYKEY Target key name already exists."));
    }
    let ttl_ms = ctx.int_in(2, 0, i64::MAX, CmdError::new("ERR Invalid TTL value, must be >= 0"))?;
    let config = &ctx.state.config;
    let limits = config.limits(ctx.store.seed);
    let value =
        rdb::restore(payload, !config.skip_checksum_validation, &limits).map_err(|why| match why {
            RestoreError::Footer => CmdError::new("ERR DUMP payload version or checksum are wrong"),
            RestoreError::Body(_) => CmdError::new("ERR Bad data format"),
        })?;
    let store = &mut *ctx.store;
    let base_ms = if options.absolute { 0 } else { store.now_ms };
    // Beyond what a number of 64 bits holds the time is long past, as in Valkey.
    let expire_at_ms = (ttl_ms > 0).then(|| ttl_ms.wrapping_add(base_ms));
    let replaced = options.replace && store.clear(db, key);
    if expire_at_ms.is_some_and(|at_ms| at_ms <= store.now_ms) {
        // Its time has come already: it takes the place of the old one for no moment.
        if replaced {
            store.changed(db, key, Event(Class::Generic, "del"));
        }
        return ctx.ok();
    }
    store.insert(db, key, value, expire_at_ms);
    if let Some(pos) = store.find(db, key) {
        let entry = store.entry(db, pos);
        if let Some(idle_s) = options.idle_s {
            store.lru.set_idle_s(&entry, idle_s);
        }
        if let Some(frequency) = options.frequency {
            store.lru.set_frequency(&entry, frequency);
        }
    }
    store.changed(db, key, Event(Class::Generic, "restore"));
    ctx.ok()
}
