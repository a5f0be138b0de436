//! LATENCY: what took long, as a whole and by command.

mod doctor;
mod graph;

use crate::{
    command::{Arg, ArgKind, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome, table::Entry},
    resp::{error::shown, output::Output},
    state::histogram::Histogram,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("latency", Group::Server, SUBCOMMANDS).doc(
    "2.8.13",
    "Holds the commands about what takes long.",
    "Depends on the subcommand.",
)];

const ADMIN: &[Flags] = &[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE];
const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("doctor", 2, Group::Server, doctor::doctor)
        .flags(ADMIN)
        .doc("2.8.13", "Explains what took long, and what may help.", "O(1)")
        .tips(TIPS),
    CommandSpec::new("graph", 3, Group::Server, graph::graph)
        .flags(ADMIN)
        .doc("2.8.13", "Draws the samples of an event.", "O(1)")
        .args(&[Arg::new("event", ArgKind::String)])
        .tips(TIPS),
    CommandSpec::new("help", 2, Group::Server, help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "2.8.13",
        "Explains the subcommands.",
        "O(1)",
    ),
    CommandSpec::new("histogram", -2, Group::Server, histogram)
        .flags(ADMIN)
        .doc("7.0.0", "Answers how the durations of commands are distributed.", "O(N)")
        .args(&[Arg::new("command", ArgKind::String).optional().multiple()])
        .tips(TIPS),
    CommandSpec::new("history", 3, Group::Server, history)
        .flags(ADMIN)
        .doc("2.8.13", "Answers the samples of an event.", "O(1)")
        .args(&[Arg::new("event", ArgKind::String)])
        .tips(TIPS),
    CommandSpec::new("latest", 2, Group::Server, latest)
        .flags(ADMIN)
        .doc("2.8.13", "Answers the last sample of every event.", "O(1)")
        .tips(TIPS),
    CommandSpec::new("reset", -2, Group::Server, reset)
        .flags(ADMIN)
        .doc("2.8.13", "Forgets the samples of events.", "O(1)")
        .args(&[Arg::new("event", ArgKind::String).optional().multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum"]),
];

/// <https://valkey.io/commands/latency-latest/>
fn latest(ctx: &mut Ctx<'_>) -> Outcome {
    let (events, out) = (&ctx.state.latency.events, &mut ctx.session.out);
    out.array(events.len());
    for (event, series) in events {
        let (at_s, ms) = series.samples.back().map_or((0, 0), |last| (last.at_s, last.ms));
        out.array(6);
        out.bulk(event.as_bytes());
        out.int(at_s);
        for n in [ms, series.max_ms, series.sum_ms, series.count] {
            out.int(n as i64);
        }
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/latency-history/>
fn history(ctx: &mut Ctx<'_>) -> Outcome {
    let event = std::str::from_utf8(ctx.args.at(2)).unwrap_or_default();
    let out = &mut ctx.session.out;
    let Some(series) = ctx.state.latency.events.get(event) else {
        out.array(0);
        return Ok(Flow::Done);
    };
    out.array(series.samples.len());
    for sample in &series.samples {
        out.array(2);
        out.int(sample.at_s);
        out.int(sample.ms as i64);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/latency-reset/>
fn reset(ctx: &mut Ctx<'_>) -> Outcome {
    let latency = &mut ctx.state.latency;
    let forgotten = if ctx.args.len() == 2 {
        std::mem::take(&mut latency.events).len()
    } else {
        ctx.args.from(2).filter(|event| latency.forget(event)).count()
    };
    ctx.count(forgotten)
}

/// <https://valkey.io/commands/latency-histogram/>
fn histogram(ctx: &mut Ctx<'_>) -> Outcome {
    let mut wanted: Vec<&Entry> = Vec::new();
    if ctx.args.len() == 2 {
        wanted.extend(ctx.table.entries());
    }
    for name in ctx.args.from(2) {
        let Some(entry) = ctx.table.find_full(name) else { continue };
        wanted.push(entry);
        wanted.extend(ctx.table.subcommands(entry));
    }
    let histogram_of = |entry: &&Entry| {
        let stats = &ctx.state.stats.by_command[ctx.table.id(entry) as usize];
        stats.histogram.as_deref().map(|histogram| (entry.full_name.clone(), histogram))
    };
    let found: Vec<(String, &Histogram)> = wanted.iter().filter_map(histogram_of).collect();
    let out = &mut ctx.session.out;
    out.map(found.len());
    for (name, histogram) in found {
        out.bulk(name.as_bytes());
        reply_histogram(out, histogram);
    }
    Ok(Flow::Done)
}

fn reply_histogram(out: &mut Output, histogram: &Histogram) {
    out.map(2);
    out.bulk(b"calls");
    out.int(histogram.total() as i64);
    out.bulk(b"histogram_usec");
    let limits = histogram.by_powers_of_two();
    out.map(limits.len());
    for (limit_ns, calls) in limits {
        // The end of the first of 128 parts of the next power of two, as Valkey's finer buckets have it.
        out.int(((limit_ns + limit_ns / 128 - 1) / 1000) as i64);
        out.int(calls as i64);
    }
}

/// The error for an event without samples.
fn no_samples(event: &[u8]) -> CmdError {
    CmdError::with([b"ERR No samples available for event '", shown(event), b"'"].concat())
}

/// <https://valkey.io/commands/latency-help/>
fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "LATENCY",
        &[
            "DOCTOR",
            "    Return a human readable latency analysis report.",
            "GRAPH <event>",
            "    Return an ASCII latency graph for the <event> class.",
            "HISTORY <event>",
            "    Return time-latency samples for the <event> class.",
            "LATEST",
            "    Return the latest latency samples for all events.",
            "RESET [<event> ...]",
            "    Reset latency data of one or more <event> classes.",
            "    (default: reset all data for all event classes)",
            "HISTOGRAM [COMMAND ...]",
            "    Return a cumulative distribution of latencies in the format of a histogram for the specified \
             command names.",
            "    If no commands are specified then all histograms are replied.",
        ],
    )
}
