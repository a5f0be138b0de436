//! Where the server listens, and what connections may cost.

use super::{
    super::{CLIENT_CLASSES, Config, Kind, Neglect, OutputLimit, Param, Place, Unit, param, values},
    kinds::*,
};

pub const PARAMS: &[Param] = &[
    param("bind", Kind::Special { get: |c| c.bind.join(" "), set: set_bind })
        .many()
        .written(|c| if c.bind == DEFAULT_BIND { Vec::new() } else { vec![values::words_or_empty(&c.bind)] }),
    param("bind-source-addr", stored_text("")),
    param("client-output-buffer-limit", Kind::Special { get: output_limits, set: set_output_limits })
        .many()
        .written(|c| CLIENT_CLASSES.iter().zip(&c.output_limits).map(written_limit).collect()),
    param("client-query-buffer-limit", memory(|c| &mut c.query_buffer_max_bytes, 1 << 20, LONG_MAX)),
    param("max-new-connections-per-cycle", stored_int("10", 1, 1000)),
    param("max-new-tls-connections-per-cycle", stored_int("1", 1, 1000)),
    param("maxclients", int(|c| &mut c.maxclients, 1, UINT_MAX)),
    param("maxmemory-clients", memory_or_percent(|c| &mut c.maxmemory_clients, -100, LONG_MAX)),
    param("port", int(|c| &mut c.port, 0, 65_535)),
    param("proto-max-bulk-len", memory(|c| &mut c.bulk_max_bytes, 1 << 20, LONG_MAX)),
    param("rdma-bind", fixed_text("", NO_RDMA)).many(),
    param("rdma-completion-vector", stored_int("-1", -1, 1024)).immutable(),
    param("rdma-port", fixed_int("0", 0, 65_535, Unit::Plain, NO_RDMA)),
    param("rdma-rx-size", stored_int("1048576", 65_536, 16_777_216)).immutable(),
    param("socket-mark-id", stored_int("0", 0, UINT_MAX)).immutable(),
    param("tcp-backlog", int(|c| &mut c.tcp_backlog, 0, INT_MAX)).immutable(),
    param("tcp-keepalive", int(|c| &mut c.tcp_keepalive_s, 0, INT_MAX)),
    param("timeout", int(|c| &mut c.timeout_s, 0, INT_MAX)),
    param("unixsocket", text(|c| &mut c.unixsocket)).immutable(),
    param("unixsocketgroup", text(|c| &mut c.unixsocketgroup)).immutable(),
    param(
        "unixsocketperm",
        Kind::Int { place: Place::Field(|c| &mut c.unixsocketperm), min: 0, max: 0o777, unit: Unit::Octal },
    )
    .immutable(),
];

const NO_RDMA: Neglect = Neglect::Refused("No RDMA building support.");

/// Most addresses that `bind` may name.
pub const BIND_MAX: usize = 16;

fn set_bind(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    if args.len() > BIND_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let words: Vec<&str> = args.iter().map(|arg| values::text(arg)).collect::<Result<_, _>>()?;
    // `bind ""` listens on no TCP address.
    config.bind = words.into_iter().filter(|word| !word.is_empty()).map(str::to_string).collect();
    Ok(())
}

/// Every address of both protocols, of which the second need not be there.
pub const DEFAULT_BIND: [&str; 2] = ["*", "-::*"];

fn written_limit((class, limit): (&&str, &OutputLimit)) -> Vec<u8> {
    let class = if *class == "slave" { "replica" } else { class };
    let bytes = |n: u64| values::show_bytes(n.into());
    format!("{class} {} {} {}", bytes(limit.hard_bytes), bytes(limit.soft_bytes), limit.soft_seconds).into()
}

fn output_limits(config: &Config) -> String {
    let one = |(class, limit): (&&str, &OutputLimit)| {
        format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    };
    CLIENT_CLASSES.iter().zip(&config.output_limits).map(one).collect::<Vec<_>>().join(" ")
}

fn set_output_limits(config: &mut Config, args: &[&[u8]]) -> Result<(), String> {
    if !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    for limit in args.chunks_exact(4) {
        let class = match limit[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let bytes = |text: &[u8]| values::parse_memory(text).and_then(|n| u64::try_from(n).ok());
        let seconds = crate::base::num::parse_i64(limit[3]).filter(|&s| s >= 0);
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) =
            (bytes(limit[1]), bytes(limit[2]), seconds)
        else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_string()
            );
        };
        config.output_limits[class] = OutputLimit { hard_bytes, soft_bytes, soft_seconds };
    }
    Ok(())
}
