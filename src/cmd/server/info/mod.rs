//! INFO: <https://valkey.io/commands/info/>.

mod facts;
mod sections;

use crate::{
    base::num::write_i64,
    command::{Ctx, Flow, Outcome},
    state::stats::CommandStats,
};
use facts::Facts;
use sections::{Body, Figure, SECTIONS, Shown};
use std::io::Write;

/// What the sections shown by default usually take.
const USUAL_BYTES: usize = 8 << 10;

/// Whether a word asks for a section.
fn asks_for(word: &[u8], section: &sections::Section) -> bool {
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let among_several = match section.shown {
        Shown::ByDefault => is("default") || is("everything") || is("all"),
        Shown::WithAll => is("everything") || is("all"),
        Shown::ByName => false,
    };
    among_several || is(section.name)
}

/// <https://valkey.io/commands/info/>
pub(super) fn info(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    ctx.state.totals.recount_caller(ctx.session);
    let facts = Facts::of(ctx);
    let mut text = Vec::with_capacity(USUAL_BYTES);
    for section in SECTIONS {
        let wanted = match args.len() {
            1 => section.shown == Shown::ByDefault,
            _ => args.from(1).any(|word| asks_for(word, section)),
        };
        if !wanted {
            continue;
        }
        if !text.is_empty() {
            text.extend_from_slice(b"\r\n");
        }
        write!(text, "# {}\r\n", section.name).expect("a buffer takes it");
        match section.body {
            Body::Fields(fields) => {
                for (name, figure) in fields {
                    if matches!(figure, Figure::Perhaps(value) if value(&facts).is_none()) {
                        continue;
                    }
                    text.extend_from_slice(name.as_bytes());
                    text.push(b':');
                    match figure {
                        Figure::Fixed(value) => text.extend_from_slice(value.as_bytes()),
                        Figure::Int(value) => write_i64(&mut text, value(&facts)),
                        Figure::Perhaps(value) => write_i64(&mut text, value(&facts).unwrap_or_default()),
                        Figure::Text(value) => text.extend_from_slice(value(&facts).as_bytes()),
                    }
                    text.extend_from_slice(b"\r\n");
                }
            }
            Body::Lines(lines) => lines(&facts, &mut text),
        }
        if let Some(more) = section.more {
            more(&facts, &mut text);
        }
    }
    ctx.out().verbatim("txt", &text);
    Ok(Flow::Done)
}

/// One line for each command that was called.
fn command_lines(facts: &Facts<'_>, text: &mut Vec<u8>) {
    for (entry, stats) in facts.table.entries().iter().zip(&facts.state.stats.by_command) {
        let CommandStats { calls, duration_ns, rejected, failed, .. } = stats;
        if calls + rejected + failed == 0 {
            continue;
        }
        let usec = duration_ns / 1000;
        let per_call = *duration_ns as f64 / 1000.0 / (*calls).max(1) as f64;
        write!(
            text,
            "cmdstat_{}:calls={calls},usec={usec},usec_per_call={per_call:.2},rejected_calls={rejected},\
             failed_calls={failed}\r\n",
            entry.full_name
        )
        .expect("a buffer takes it");
    }
}

/// One line for each command whose durations were kept.
fn latency_lines(facts: &Facts<'_>, text: &mut Vec<u8>) {
    for (entry, stats) in facts.table.entries().iter().zip(&facts.state.stats.by_command) {
        let Some(histogram) = &stats.histogram else { continue };
        write!(text, "latency_percentiles_usec_{}:", entry.full_name).expect("a buffer takes it");
        for (i, percent) in facts.state.config.latency_percentiles.iter().enumerate() {
            let us = histogram.percentile(*percent) as f64 / 1000.0;
            let comma = if i > 0 { "," } else { "" };
            write!(text, "{comma}p{percent}={us:.3}").expect("a buffer takes it");
        }
        text.extend_from_slice(b"\r\n");
    }
}

/// One line for each code of errors that were answered.
fn error_lines(facts: &Facts<'_>, text: &mut Vec<u8>) {
    for (code, n) in &facts.state.stats.errors {
        write!(text, "errorstat_{}:count={n}\r\n", code.escape_ascii()).expect("a buffer takes it");
    }
}

/// One line for each place where the server listens.
fn listener_lines(facts: &Facts<'_>, text: &mut Vec<u8>) {
    let config = &facts.state.config;
    let mut number = 0;
    if facts.state.identity.tcp_port > 0 {
        write!(text, "listener0:name=tcp").expect("a buffer takes it");
        for bind in &config.bind {
            write!(text, ",bind={bind}").expect("a buffer takes it");
        }
        write!(text, ",port={}\r\n", facts.state.identity.tcp_port).expect("a buffer takes it");
        number += 1;
    }
    if !config.unixsocket.is_empty() {
        write!(text, "listener{number}:name=unix,bind={}\r\n", config.unixsocket).expect("a buffer takes it");
    }
}

/// One line for each database that has keys.
fn keyspace_lines(facts: &Facts<'_>, text: &mut Vec<u8>) {
    for db in 0..facts.store.databases() {
        let keys = facts.store.len(db);
        if keys == 0 {
            continue;
        }
        let expires = facts.store.volatile_len(db);
        let ttl_ms = facts.mean_ttl_ms(db);
        let with_items = facts.store.volatile_items_len(db);
        write!(
            text,
            "db{db}:keys={keys},expires={expires},avg_ttl={ttl_ms},keys_with_volatile_items={with_items}\r\n"
        )
        .expect("a buffer takes it");
    }
}
