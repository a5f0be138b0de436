//! What the server remembers of slow and large commands, and of latency.

use super::{
    super::{Config, Kind, Param, param},
    kinds::*,
};

/// Most percentiles that INFO shows of each command.
const PERCENTILES_MAX: usize = 64;

pub const PARAMS: &[Param] = &[
    param("commandlog-execution-slower-than", int(|c| &mut c.commandlog[0].threshold, -1, LONG_MAX))
        .alias("slowlog-log-slower-than"),
    param("commandlog-large-reply-max-len", int(|c| &mut c.commandlog[2].max_len, 0, LONG_MAX)),
    param("commandlog-large-request-max-len", int(|c| &mut c.commandlog[1].max_len, 0, LONG_MAX)),
    param("commandlog-reply-larger-than", int(|c| &mut c.commandlog[2].threshold, -1, LONG_MAX)),
    param("commandlog-request-larger-than", int(|c| &mut c.commandlog[1].threshold, -1, LONG_MAX)),
    param("commandlog-slow-execution-max-len", int(|c| &mut c.commandlog[0].max_len, 0, LONG_MAX))
        .alias("slowlog-max-len"),
    param("latency-monitor-threshold", int(|c| &mut c.latency_monitor_ms, 0, LONG_MAX)),
    param("latency-tracking", flag(|c| &mut c.latency_tracking)),
    param("latency-tracking-info-percentiles", Kind::Special { get: percentiles, set: set_percentiles })
        .many(),
];

fn percentiles(config: &Config) -> String {
    let texts: Vec<String> = config.latency_percentiles.iter().map(f64::to_string).collect();
    texts.join(" ")
}

fn set_percentiles(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    if args.len() > PERCENTILES_MAX {
        return Err("too many latency-tracking-info-percentiles parameters".into());
    }
    let mut list = Vec::new();
    // `""` stands for none.
    for arg in args.iter().filter(|arg| !arg.is_empty() || args.len() > 1) {
        let percent =
            crate::base::num::parse_f64(arg).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&percent) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        list.push(percent);
    }
    config.latency_percentiles = list;
    Ok(())
}
