//! DEBUG: what tests of a server call.

mod digest;
mod object;

use crate::{
    base::num::parse_i64,
    command::{CmdError, CommandSpec, Ctx, Flags, Flow, Group, Handler, Outcome},
    resp::Proto,
    state::config::parse_memory,
    value::{List, ValueRef},
};

use std::time::Duration;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("debug", -2, Group::Server, debug)
    .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::PROTECTED])
    .system()
    .doc("1.0.0", "Holds what tests of the server call.", "Depends on the subcommand.")];

/// A subcommand: name, least and largest number of arguments, handler.
type Subcommand = (&'static str, usize, usize, Handler);

const SUBCOMMANDS: &[Subcommand] = &[
    ("dict-resizing", 3, 3, ok),
    ("digest", 2, 2, digest),
    ("digest-value", 2, usize::MAX, digest_value),
    ("help", 2, 2, help),
    ("htstats", 3, 4, htstats),
    ("listpack", 3, 3, listpack),
    ("object", 3, 4, object::object),
    ("panic", 2, 2, panic),
    ("protocol", 3, 3, protocol),
    ("quicklist-packed-threshold", 3, 3, quicklist_packed_threshold),
    ("set-active-expire", 3, 3, set_active_expire),
    ("sleep", 3, 3, sleep),
];

/// <https://valkey.io/commands/debug/>
fn debug(ctx: &mut Ctx<'_>) -> Outcome {
    let n = ctx.args.len();
    let found =
        SUBCOMMANDS.iter().find(|(name, min, max, _)| ctx.is_word(1, name) && (*min..=*max).contains(&n));
    let Some((.., run)) = found else {
        let shown = ctx.args.at(1);
        let shown = String::from_utf8_lossy(&shown[..shown.len().min(128)]);
        return Err(CmdError::with(format!(
            "ERR unknown subcommand or wrong number of arguments for '{shown}'. Try DEBUG HELP."
        )));
    };
    run(ctx)
}

/// DICT-RESIZING: the table grows by bounded steps, which nothing needs to hold back.
fn ok(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.ok()
}

fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "DEBUG",
        &[
            "DICT-RESIZING <0|1>",
            "    Does nothing: tables grow by bounded steps.",
            "DIGEST",
            "    Output a hex signature representing the current DB content.",
            "DIGEST-VALUE <key> [<key> ...]",
            "    Output a hex signature of the values of all the specified keys.",
            "HTSTATS <dbid> [full]",
            "    Return hash table statistics of the specified database.",
            "LISTPACK <key>",
            "    Log the elements of the listpack of <key>.",
            "OBJECT <key> [fast]",
            "    Show low level info about `key` and associated value.",
            "PANIC",
            "    Crash the server simulating a panic.",
            "PROTOCOL <type>",
            "    Reply with a test value of the specified type. <type> can be: string,",
            "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
            "    true, false.",
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    Set from which size on an element is a node of its own. 0 restores the default.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Setting it to 0 disables expiring keys in background.",
            "SLEEP <seconds>",
            "    Stop the server for <seconds>. Decimals allowed.",
        ],
    )
}

/// The end of this server, as a defect would bring it about; whoever embeds it goes on.
fn panic(_: &mut Ctx<'_>) -> Outcome {
    panic!("called by DEBUG PANIC")
}

fn digest(ctx: &mut Ctx<'_>) -> Outcome {
    let digest = digest::of_all(ctx.store);
    ctx.out().simple(&digest);
    Ok(Flow::Done)
}

fn digest_value(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let db = ctx.db();
    let out = &mut ctx.session.out;
    out.array(args.len() - 2);
    for key in args.from(2) {
        out.simple(&digest::of_value(ctx.store, db, key));
    }
    Ok(Flow::Done)
}

/// The state of a database's table, in the lines of Valkey.
fn htstats(ctx: &mut Ctx<'_>) -> Outcome {
    let number = ctx.int_arg(2)?;
    let Some(db) = usize::try_from(number).ok().filter(|&db| db < ctx.store.databases()) else {
        return Err(CmdError::new("ERR Out of range database"));
    };
    let lines = |entries: usize, bytes: usize| match entries {
        0 => String::new(),
        _ => format!(
            "Hash table 0 stats (main hash table):\n table bytes: {bytes}\n number of entries: {entries}\n"
        ),
    };
    let text = format!(
        "[Dictionary HT]\n{}[Expires HT]\n{}",
        lines(ctx.store.len(db), ctx.store.table(db).mem_bytes()),
        // An expiry stands in its entry: there is no second table.
        lines(ctx.store.volatile_len(db), 0),
    );
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

/// Logs the elements of a list that is one pack.
fn listpack(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let pos = ctx.store.find(db, key).ok_or(CmdError::NO_SUCH_KEY)?;
    let entry = ctx.store.entry(db, pos);
    let ValueRef::List(List::Pack(pack)) = entry.value() else {
        return Err(CmdError::new("ERR Not a listpack encoded object."));
    };
    let journal = &ctx.state.journal;
    journal.notice(format_args!(
        "Listpack of '{}': {} elements, {} bytes",
        key.escape_ascii(),
        pack.len(),
        pack.lp_bytes()
    ));
    for (i, elem) in pack.iter().enumerate() {
        journal.notice(format_args!("{i}: {}", elem.to_vec().escape_ascii()));
    }
    ctx.out().simple("Listpack structure logged");
    Ok(Flow::Done)
}

/// A reply of each type, for tests of clients.
fn protocol(ctx: &mut Ctx<'_>) -> Outcome {
    let kind = ctx.args.at(2).to_ascii_lowercase();
    let out = ctx.out();
    let resp3 = out.proto == Proto::Resp3;
    match kind.as_slice() {
        b"string" => out.bulk(b"Hello World"),
        b"integer" => out.int(12345),
        b"double" => out.double("3.141"),
        b"bignum" => out.big_number("1234567999999999999999999999999999999"),
        b"null" => out.null(),
        b"array" => {
            out.array(3);
            (0..3).for_each(|i| out.int(i));
        }
        b"set" => {
            out.set(3);
            (0..3).for_each(|i| out.int(i));
        }
        b"map" => {
            out.map(3);
            for i in 0..3 {
                out.int(i);
                out.boolean(i == 1);
            }
        }
        b"attrib" => {
            if resp3 {
                out.attributes(1);
                out.bulk(b"key-popularity");
                out.array(2);
                out.bulk(b"key:123");
                out.int(90);
            }
            out.bulk(b"Some real reply following the attribute");
        }
        b"push" if !resp3 => return Err(CmdError::new("ERR RESP2 is not supported by this command")),
        b"push" => {
            // What is pushed comes behind the reply of the command that made it.
            out.bulk(b"Some real reply following the push reply");
            out.push(2);
            out.bulk(b"server-cpu-usage");
            out.int(42);
        }
        b"verbatim" => out.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => out.boolean(true),
        b"false" => out.boolean(false),
        _ => {
            return Err(CmdError::new(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(Flow::Done)
}

fn quicklist_packed_threshold(ctx: &mut Ctx<'_>) -> Outcome {
    let text = String::from_utf8_lossy(ctx.args.at(2));
    match parse_memory(&text).and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= u32::MAX as usize) {
        Some(bytes) => ctx.state.config.quicklist_packed_threshold = bytes,
        None => {
            return Err(CmdError::new(
                "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
            ));
        }
    }
    ctx.ok()
}

fn set_active_expire(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.config.active_expire = parse_i64(ctx.args.at(2)).unwrap_or(0) != 0;
    ctx.ok()
}

/// Whoever drives the engine stands still; what waits for the end of the command finds the time gone by.
fn sleep(ctx: &mut Ctx<'_>) -> Outcome {
    let text = std::str::from_utf8(ctx.args.at(2)).unwrap_or_default();
    let seconds: f64 = text.trim().parse().unwrap_or(0.0);
    // What is no number, or negative, becomes 0.
    (ctx.state.stand_still)(Duration::from_millis((seconds * 1000.0) as u64));
    ctx.ok()
}
