//! A cluster of one, and what tunes larger ones, which are not built.

use super::{
    super::{Param, param},
    kinds::*,
};
use std::net::{Ipv4Addr, Ipv6Addr};

pub const PARAMS: &[Param] = &[
    param("cluster-allow-pubsubshard-when-down", flag(|c| &mut c.cluster_allow_pubsubshard_when_down)),
    param("cluster-allow-reads-when-down", flag(|c| &mut c.cluster_allow_reads_when_down)),
    param("cluster-allow-replica-migration", stored_flag("yes")),
    param("cluster-announce-bus-port", int(|c| &mut c.cluster_announce_bus_port, 0, 65_535)),
    param("cluster-announce-client-ipv4", stored_checked_text("", check_ipv4)),
    param("cluster-announce-client-ipv6", stored_checked_text("", check_ipv6)),
    param("cluster-announce-hostname", checked_text(|c| &mut c.cluster_announce_hostname, check_hostname)),
    param("cluster-announce-human-nodename", stored_checked_text("", check_nodename)),
    param("cluster-announce-ip", text(|c| &mut c.cluster_announce_ip)),
    param("cluster-announce-port", int(|c| &mut c.cluster_announce_port, 0, 65_535)),
    param("cluster-announce-tls-port", stored_int("0", 0, 65_535)),
    param("cluster-blacklist-ttl", stored_int("60", 0, u64::MAX as i128)),
    param("cluster-config-file", stored_checked_text("nodes.conf", check_config_file)).immutable(),
    param("cluster-enabled", flag(|c| &mut c.cluster_enabled)).immutable(),
    param("cluster-link-sendbuf-limit", stored_memory("0", 0, u64::MAX as i128)),
    param("cluster-manual-failover-timeout", stored_int("5000", 1, INT_MAX)),
    param("cluster-migration-barrier", stored_int("1", 0, INT_MAX)),
    param("cluster-node-timeout", stored_int("15000", 0, LONG_MAX)),
    param("cluster-ping-interval", stored_int("0", 0, LONG_MAX)).hidden(),
    param("cluster-port", int(|c| &mut c.cluster_port, 0, 65_535)).immutable(),
    param("cluster-preferred-endpoint-type", choice(|c| &mut c.cluster_endpoint, ENDPOINT_TYPES)),
    param("cluster-replica-no-failover", stored_flag("no")).alias("cluster-slave-no-failover"),
    param("cluster-replica-validity-factor", stored_int("10", 0, INT_MAX))
        .alias("cluster-slave-validity-factor"),
    param("cluster-require-full-coverage", flag(|c| &mut c.cluster_require_full_coverage)),
    param("cluster-slot-stats-enabled", flag(|c| &mut c.cluster_slot_stats_enabled)),
];

/// `cluster-preferred-endpoint-type`, in the order of [`EndpointType`](super::super::EndpointType).
const ENDPOINT_TYPES: &[&str] = &["ip", "hostname", "unknown-endpoint"];

fn check_ipv4(text: &str) -> Result<(), String> {
    if text.is_empty() || text.parse::<Ipv4Addr>().is_ok() {
        Ok(())
    } else {
        Err("Invalid IPv4 address".into())
    }
}

fn check_ipv6(text: &str) -> Result<(), String> {
    if text.is_empty() || text.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err("Invalid IPv6 address".into())
    }
}

/// Bytes of a host name and the zero behind it.
const HOSTNAME_MAX_BYTES: usize = 256;

fn check_hostname(text: &str) -> Result<(), String> {
    if text.len() >= HOSTNAME_MAX_BYTES {
        return Err(format!("Hostnames must be less than {HOSTNAME_MAX_BYTES} characters"));
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
    }
}

fn check_nodename(text: &str) -> Result<(), String> {
    // These separate the fields of the cluster's own file.
    if !text.bytes().any(|b| b"!#$%&()*+:;<>?@[]^{|}~".contains(&b)) {
        Ok(())
    } else {
        Err("Announced human node name contained invalid character".into())
    }
}

fn check_config_file(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("cluster-config-file can't be empty".into()) } else { Ok(()) }
}
