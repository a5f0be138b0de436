//! LATENCY GRAPH: the samples of an event as columns of characters, oldest first, with their age below.

use super::no_samples;
use crate::{
    command::{Ctx, Flow, Outcome},
    state::latency::Series,
};
use std::fmt::Write;

/// Columns side by side.
const COLUMNS: usize = 80;
const ROWS: u64 = 4;
/// The tops of a column: a low, a middle and a high one to each row.
const TOPS: [char; 3] = ['_', 'o', '#'];

/// <https://valkey.io/commands/latency-graph/>
pub(super) fn graph(ctx: &mut Ctx<'_>) -> Outcome {
    let event = ctx.args.at(2);
    let name = std::str::from_utf8(event).unwrap_or_default();
    let series = ctx.state.latency.events.get(name).ok_or_else(|| no_samples(event))?;
    let text = draw(name, series, ctx.now_ms().div_euclid(1000));
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

fn draw(event: &str, series: &Series, now_s: i64) -> String {
    let (low, high) = series.range();
    let mut text = format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", series.max_ms);
    writeln!(text, "{}", "-".repeat(COLUMNS)).expect("a string takes it");
    let samples: Vec<(u64, Vec<char>)> = series
        .samples
        .iter()
        .map(|sample| (level(sample.ms, low, high), age(now_s - sample.at_s).chars().collect()))
        .collect();
    for columns in samples.chunks(COLUMNS) {
        for row in (0..ROWS).rev() {
            let cell = |&(level, _): &(u64, Vec<char>)| match level / TOPS.len() as u64 {
                top if top > row => '|',
                top if top == row => TOPS[(level % TOPS.len() as u64) as usize],
                _ => ' ',
            };
            push_row(&mut text, columns.iter().map(cell));
        }
        text.push('\n');
        let longest = columns.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
        for i in 0..longest {
            push_row(&mut text, columns.iter().map(|(_, label)| label.get(i).copied().unwrap_or(' ')));
        }
    }
    text
}

fn push_row(text: &mut String, cells: impl Iterator<Item = char>) {
    let row: String = cells.collect();
    text.push_str(row.trim_end());
    text.push('\n');
}

/// Where the top of a column is, between the least and the largest sample.
fn level(ms: u64, low: u64, high: u64) -> u64 {
    let levels = ROWS * TOPS.len() as u64 - 1;
    ((ms - low) as f64 * levels as f64 / (high - low).max(1) as f64) as u64
}

/// How long ago it was, in its largest unit.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::latency::Latency;

    #[test]
    fn columns_have_their_height_and_age() {
        let mut latency = Latency::default();
        for (ms, at_s) in [(100, 0), (150, 100), (200, 3700), (210, 3741)] {
            latency.add("command", ms, at_s);
        }
        let text = draw("command", &latency.events["command"], 3750);
        let rule = "-".repeat(80);
        let wanted = format!(
            "command - high 210 ms, low 100 ms (all time high 210 ms)\n{rule}\n  o#\n  ||\n #||\n_|||\n\n1159\nhh0s\n  s"
        );
        assert_eq!(text.trim_end(), wanted);
    }
}
