//! MEMORY: where the memory goes.

mod doctor;

use crate::{
    command::{Arg, ArgKind, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome},
    resp::output::Output,
    state::memory::Memory,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("memory", Group::Server, SUBCOMMANDS).doc(
    "4.0.0",
    "Holds the commands about memory.",
    "Depends on the subcommand.",
)];

const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("doctor", 2, Group::Server, doctor::doctor)
        .doc("4.0.0", "Explains what is wrong with the use of memory.", "O(1)")
        .tips(TIPS),
    CommandSpec::new("help", 2, Group::Server, help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "4.0.0",
        "Explains the subcommands.",
        "O(1)",
    ),
    CommandSpec::new("malloc-stats", 2, Group::Server, malloc_stats)
        .flags(&[Flags::LOADING])
        .doc("4.0.0", "Answers what the allocator has to say.", "Depends on how much memory is allocated")
        .tips(TIPS),
    CommandSpec::new("purge", 2, Group::Server, purge)
        .flags(&[Flags::LOADING])
        .doc(
            "4.0.0",
            "Has the allocator give back what is free.",
            "Depends on how much memory is allocated, and could be slow",
        )
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new("stats", 2, Group::Server, stats)
        .doc("4.0.0", "Answers where the memory goes.", "O(1)")
        .tips(TIPS),
    CommandSpec::new("usage", -3, Group::Server, usage)
        .flags(&[Flags::READONLY])
        .keys(&[KeySpec::range(KeyFlags::RO, 2, 2, 1)])
        .doc("4.0.0", "Answers what a key and its value take.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).token("SAMPLES").optional()]),
];

/// <https://valkey.io/commands/memory-usage/>. The size of a value is known; nothing needs to be sampled.
fn usage(ctx: &mut Ctx<'_>) -> Outcome {
    let mut i = 3;
    while i < ctx.args.len() {
        if !ctx.is_word(i, "samples") || i + 1 == ctx.args.len() || ctx.int_arg(i + 1)? < 0 {
            return Err(CmdError::SYNTAX);
        }
        i += 2;
    }
    // Also of a key that has expired but is still there.
    let (db, key) = (ctx.db(), ctx.args.at(2));
    let table = ctx.store.table(db);
    match table.find(table.hash(key), key) {
        Some(pos) => {
            let bytes = table.get(pos).mem_bytes() + table.mem_bytes() / table.len().max(1);
            ctx.count(bytes)
        }
        None => {
            ctx.out().null();
            Ok(Flow::Done)
        }
    }
}

/// A figure of MEMORY STATS.
enum Figure {
    Bytes(i64),
    Ratio(f64),
}
use Figure::{Bytes, Ratio};

/// <https://valkey.io/commands/memory-stats/>
fn stats(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.totals.recount(ctx.session);
    let memory = Memory::of(ctx.state, ctx.store);
    let tables: Vec<usize> = (0..ctx.store.databases()).map(|db| ctx.store.table(db).mem_bytes()).collect();
    let keys: usize = (0..ctx.store.databases()).map(|db| ctx.store.len(db)).sum();
    let scripts = ctx.state.scripts.figures();
    let bytes = |n: usize| Bytes(n as i64);
    let head = [
        ("peak.allocated", bytes(memory.peak)),
        ("total.allocated", bytes(memory.used)),
        ("startup.allocated", Bytes(0)),
        ("replication.backlog", Bytes(0)),
        ("clients.slaves", Bytes(0)),
        ("clients.normal", bytes(memory.sessions)),
        ("cluster.links", Bytes(0)),
        ("aof.buffer", Bytes(0)),
        ("lua.caches", bytes(scripts.script_bytes)),
        ("functions.caches", bytes(scripts.function_bytes)),
    ];
    let percent = |part: usize, whole: usize| Ratio(part as f64 * 100.0 / whole.max(1) as f64);
    let tail = [
        ("overhead.db.hashtable.lut", bytes(tables.iter().sum())),
        ("overhead.db.hashtable.rehashing", Bytes(0)),
        ("overhead.total", bytes(memory.overhead)),
        ("db.dict.rehashing.count", Bytes(0)),
        ("keys.count", bytes(keys)),
        ("keys.bytes-per-key", bytes(memory.used / keys.max(1) * usize::from(keys > 0))),
        ("dataset.bytes", bytes(memory.dataset())),
        ("dataset.percentage", percent(memory.dataset(), memory.used)),
        ("peak.percentage", percent(memory.used, memory.peak)),
        ("allocator.allocated", bytes(memory.allocated)),
        ("allocator.active", bytes(memory.active)),
        ("allocator.resident", bytes(memory.resident)),
        ("allocator.muzzy", Bytes(0)),
        ("allocator-fragmentation.ratio", Ratio(memory.allocator_fragmentation().0)),
        ("allocator-fragmentation.bytes", Bytes(memory.allocator_fragmentation().1)),
        ("allocator-rss.ratio", Ratio(memory.allocator_rss().0)),
        ("allocator-rss.bytes", Bytes(memory.allocator_rss().1)),
        ("rss-overhead.ratio", Ratio(memory.rss_overhead().0)),
        ("rss-overhead.bytes", Bytes(memory.rss_overhead().1)),
        ("fragmentation", Ratio(memory.fragmentation().0)),
        ("fragmentation.bytes", Bytes(memory.fragmentation().1)),
    ];
    let out = ctx.out();
    out.map(head.len() + tables.len() + tail.len());
    head.iter().for_each(|figure| write_figure(out, figure));
    for (db, bytes) in tables.iter().enumerate() {
        out.bulk(format!("db.{db}").as_bytes());
        out.map(2);
        out.bulk(b"overhead.hashtable.main");
        out.count(*bytes);
        // An expiry stands in its entry.
        out.bulk(b"overhead.hashtable.expires");
        out.int(0);
    }
    tail.iter().for_each(|figure| write_figure(out, figure));
    Ok(Flow::Done)
}

fn write_figure(out: &mut Output, (name, figure): &(&str, Figure)) {
    out.bulk(name.as_bytes());
    match figure {
        Bytes(n) => out.int(*n),
        Ratio(ratio) => out.double(&ratio.to_string()),
    }
}

/// <https://valkey.io/commands/memory-malloc-stats/>
fn malloc_stats(ctx: &mut Ctx<'_>) -> Outcome {
    let report = (ctx.state.allocator.report)();
    let report = report.unwrap_or_else(|| "Stats not supported for the current allocator".into());
    ctx.out().verbatim("txt", report.as_bytes());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/memory-purge/>
fn purge(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.pool = Vec::new();
    (ctx.state.allocator.purge)();
    ctx.state.memory_sample = None;
    ctx.ok()
}

/// <https://valkey.io/commands/memory-help/>
fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "MEMORY",
        &[
            "DOCTOR",
            "    Return memory problems reports.",
            "MALLOC-STATS",
            "    Return internal statistics report from the memory allocator.",
            "PURGE",
            "    Attempt to purge dirty pages for reclamation by the allocator.",
            "STATS",
            "    Return information about the memory usage of the server.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return memory in bytes used by <key> and its value. Nested values are",
            "    sampled up to <count> times (default: 5, 0 means sample all).",
        ],
    )
}
