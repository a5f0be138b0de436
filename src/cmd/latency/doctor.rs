//! LATENCY DOCTOR: the events in words, and what may help.

use crate::{
    command::{Ctx, Flow, Outcome},
    state::{State, commandlog::Reason},
};
use std::fmt::Write;

/// <https://valkey.io/commands/latency-doctor/>
pub(super) fn doctor(ctx: &mut Ctx<'_>) -> Outcome {
    let report = report(ctx.state, ctx.store.now_ms.div_euclid(1000));
    ctx.out().verbatim("txt", report.as_bytes());
    Ok(Flow::Done)
}

fn report(state: &State, now_s: i64) -> String {
    let events = &state.latency.events;
    if events.is_empty() {
        return match state.config.latency_monitor_ms {
            0 => "Nothing can be said: latency monitoring is disabled. \
                  \"CONFIG SET latency-monitor-threshold <milliseconds>\" enables it.\n"
                .into(),
            ms => format!("Nothing took {ms} ms or more since monitoring began.\n"),
        };
    }
    let mut text = String::from("Latency spikes were observed:\n\n");
    for (number, (event, series)) in events.iter().enumerate() {
        let summary = series.summary(now_s);
        writeln!(
            text,
            "{}. {event}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2} sec). Worst all time \
             event {}ms.",
            number + 1,
            summary.samples,
            summary.mean_ms,
            summary.deviation_ms,
            summary.period_s as f64 / summary.samples as f64,
            series.max_ms
        )
        .expect("a string takes it");
    }
    text.push_str("\nWhat may help:\n\n");
    for event in events.keys() {
        for line in advice(event, state) {
            writeln!(text, "- {line}").expect("a string takes it");
        }
    }
    text
}

/// What to do about an event.
fn advice(event: &str, state: &State) -> Vec<String> {
    let threshold_ms = state.config.latency_monitor_ms;
    let log = state.config.commandlog[Reason::Slow as usize];
    match event {
        "command" => {
            let mut lines = Vec::new();
            if log.threshold < 0 || log.max_len == 0 || log.threshold / 1000 > threshold_ms {
                lines.push(format!(
                    "The slow log misses such calls. CONFIG SET slowlog-log-slower-than {} lets it keep them.",
                    threshold_ms.saturating_mul(1000)
                ));
            }
            lines.push("SLOWLOG GET shows which calls took long; look for those that touch many elements.".into());
            lines
        }
        "fast-command" => vec![
            "Commands that are always quick took long, so the process did not get the processor. Look for other \
             load on this machine or its host; redis-cli --intrinsic-latency 100, run here, measures it."
                .into(),
        ],
        "expire-cycle" => vec![
            "Many keys expired at once. Spread their expiries, or set hz to 100 for smaller slices of work.".into(),
        ],
        _ => Vec::new(),
    }
}
