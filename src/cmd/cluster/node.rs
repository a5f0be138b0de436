//! The node as its cluster's clients are told of it.

use crate::{
    command::{Ctx, Flow, Outcome},
    resp::output::Output,
    state::{
        cluster::Cluster,
        config::{Config, EndpointType},
        session::Address,
    },
};

/// What is between the port for clients and the one for nodes, where nobody says.
const BUS_PORT_OFFSET: i64 = 10_000;

/// How the node can be reached.
struct Endpoint {
    ip: String,
    hostname: String,
    port: i64,
    bus_port: i64,
    preferred: EndpointType,
}

impl Endpoint {
    /// As the parameters say, or else where the client reached it.
    fn of(ctx: &Ctx<'_>) -> Endpoint {
        let Config { cluster_announce_ip, cluster_announce_hostname, .. } = &ctx.state.config;
        let config = &ctx.state.config;
        let ip = match &ctx.session.local_addr {
            _ if !cluster_announce_ip.is_empty() => cluster_announce_ip.clone(),
            Address::Tcp(addr) => addr.ip().to_canonical().to_string(),
            _ => String::new(),
        };
        let first = |ports: [i64; 3]| ports.into_iter().find(|&port| port != 0).unwrap_or(0);
        let port = ctx.state.identity.tcp_port.into();
        Endpoint {
            ip,
            hostname: cluster_announce_hostname.clone(),
            port: first([config.cluster_announce_port, port, 0]),
            bus_port: first([config.cluster_announce_bus_port, config.cluster_port, port + BUS_PORT_OFFSET]),
            preferred: config.endpoint_type(),
        }
    }

    /// The name by which clients are to connect.
    fn write_preferred(&self, out: &mut Output) {
        match self.preferred {
            EndpointType::Ip => out.bulk(self.ip.as_bytes()),
            EndpointType::Hostname if self.hostname.is_empty() => out.bulk(b"?"),
            EndpointType::Hostname => out.bulk(self.hostname.as_bytes()),
            EndpointType::Unknown => out.null(),
        }
    }

    /// The names that are not the preferred one.
    fn others(&self) -> Vec<(&'static str, &str)> {
        let mut others = Vec::new();
        if self.preferred != EndpointType::Ip {
            others.push(("ip", self.ip.as_str()));
        }
        if self.preferred != EndpointType::Hostname && !self.hostname.is_empty() {
            others.push(("hostname", self.hostname.as_str()));
        }
        others
    }
}

/// The line of the node in CLUSTER NODES.
pub(super) fn line(ctx: &Ctx<'_>, cluster: &Cluster) -> String {
    let Endpoint { ip, hostname, port, bus_port, .. } = Endpoint::of(ctx);
    let comma = if hostname.is_empty() { "" } else { "," };
    let runs = cluster.slots.runs().into_iter().map(|(first, last)| match first == last {
        true => format!(" {first}"),
        false => format!(" {first}-{last}"),
    });
    format!(
        "{} {ip}:{port}@{bus_port}{comma}{hostname} myself,master - 0 0 {} connected{}\n",
        cluster.node_id,
        cluster.epoch,
        runs.collect::<String>()
    )
}

/// <https://valkey.io/commands/cluster-nodes/>
pub(super) fn nodes(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let text = line(ctx, cluster);
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-info/>
pub(super) fn info(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let is_up = cluster.is_up(ctx.state.config.cluster_require_full_coverage);
    let slots = u64::from(cluster.slots.len());
    let figures = [
        ("cluster_slots_assigned", slots),
        ("cluster_slots_ok", slots),
        ("cluster_slots_pfail", 0),
        ("cluster_slots_fail", 0),
        ("cluster_known_nodes", 1),
        ("cluster_size", slots.min(1)),
        ("cluster_current_epoch", cluster.epoch),
        ("cluster_my_epoch", cluster.epoch),
        ("cluster_stats_messages_sent", 0),
        ("cluster_stats_messages_received", 0),
        ("total_cluster_links_buffer_limit_exceeded", 0),
    ];
    let lines = figures.map(|(name, value)| format!("{name}:{value}\r\n")).concat();
    let state = if is_up { "ok" } else { "fail" };
    ctx.out().verbatim("txt", format!("cluster_state:{state}\r\n{lines}").as_bytes());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-myid/>
pub(super) fn my_id(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    ctx.out().bulk(cluster.node_id.as_bytes());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-myshardid/>
pub(super) fn my_shard_id(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    ctx.out().bulk(cluster.shard_id.as_bytes());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-links/>: there is nobody to be linked to.
pub(super) fn links(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.out().array(0);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-slots/>
pub(super) fn slots(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let endpoint = Endpoint::of(ctx);
    let others = endpoint.others();
    let runs = cluster.slots.runs();
    let out = ctx.out();
    out.array(runs.len());
    for (first, last) in runs {
        out.array(3);
        out.int(first.into());
        out.int(last.into());
        out.array(4);
        endpoint.write_preferred(out);
        out.int(endpoint.port);
        out.bulk(cluster.node_id.as_bytes());
        out.map(others.len());
        for (name, value) in &others {
            out.bulk(name.as_bytes());
            out.bulk(value.as_bytes());
        }
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-shards/>
pub(super) fn shards(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    let endpoint = Endpoint::of(ctx);
    let runs = cluster.slots.runs();
    let out = ctx.out();
    out.array(1);
    out.map(2);
    out.bulk(b"slots");
    out.array(2 * runs.len());
    for slot in runs.into_iter().flat_map(|(first, last)| [first, last]) {
        out.int(slot.into());
    }
    out.bulk(b"nodes");
    out.array(1);
    let has_hostname = !endpoint.hostname.is_empty();
    out.map(if has_hostname { 8 } else { 7 });
    out.bulk(b"id");
    out.bulk(cluster.node_id.as_bytes());
    out.bulk(b"port");
    out.int(endpoint.port);
    out.bulk(b"ip");
    out.bulk(endpoint.ip.as_bytes());
    out.bulk(b"endpoint");
    endpoint.write_preferred(out);
    if has_hostname {
        out.bulk(b"hostname");
        out.bulk(endpoint.hostname.as_bytes());
    }
    for (name, value) in [("role", "master"), ("replication-offset", ""), ("health", "online")] {
        out.bulk(name.as_bytes());
        if value.is_empty() { out.int(0) } else { out.bulk(value.as_bytes()) }
    }
    Ok(Flow::Done)
}
