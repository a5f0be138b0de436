//! CLUSTER and the commands that only make sense in one. This server stands alone, or is a cluster of one: it may own
//! slots or not, but never knows another node.
//!
//! Source: <https://valkey.io/topics/cluster-spec/>.

mod node;
mod owned;
mod slots;
mod stats;

use crate::{
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    resp::error::shown,
    state::cluster::Cluster,
};
use std::sync::Arc;

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::container("cluster", Group::Cluster, SUBCOMMANDS).doc(
        "3.0.0",
        "Holds the commands about a cluster of servers.",
        "",
    ),
    CommandSpec::new("readonly", 1, Group::Cluster, readonly)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("3.0.0", "Says that reads of a replica are welcome.", "O(1)"),
    CommandSpec::new("readwrite", 1, Group::Cluster, readwrite)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("3.0.0", "Takes READONLY back.", "O(1)"),
    CommandSpec::new("asking", 1, Group::Cluster, |ctx| in_cluster(ctx, asking))
        .flags(&[Flags::FAST])
        .acl(&[Categories::CONNECTION])
        .doc("3.0.0", "Says that the next command follows a redirection.", "O(1)"),
];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("addslots", -3, Group::Cluster, |ctx| in_cluster(ctx, owned::add))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Gives slots to the node.", "O(N)")
        .args(&[Arg::new("slot", ArgKind::Integer).multiple()]),
    CommandSpec::new("addslotsrange", -4, Group::Cluster, |ctx| in_cluster(ctx, owned::add_ranges))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("7.0.0", "Gives ranges of slots to the node.", "O(N)")
        .args(&[Arg::new(
            "range",
            ArgKind::Block(&[
                Arg::new("start-slot", ArgKind::Integer),
                Arg::new("end-slot", ArgKind::Integer),
            ]),
        )
        .multiple()]),
    CommandSpec::new("bumpepoch", 2, Group::Cluster, |ctx| in_cluster(ctx, owned::bump_epoch))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Moves the epoch of the configuration on.", "O(1)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("count-failure-reports", 3, Group::Cluster, |ctx| in_cluster(ctx, failure_reports))
        .flags(&[Flags::ADMIN, Flags::STALE])
        .doc("3.0.0", "Counts the reports that a node has failed.", "O(N)")
        .args(&[Arg::new("node-id", ArgKind::String)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("countkeysinslot", 3, Group::Cluster, |ctx| in_cluster(ctx, slots::count_keys))
        .flags(&[Flags::STALE])
        .doc("3.0.0", "Counts the keys of a slot.", "O(1)")
        .args(&[Arg::new("slot", ArgKind::Integer)]),
    CommandSpec::new("delslots", -3, Group::Cluster, |ctx| in_cluster(ctx, owned::del))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Takes slots away from the node.", "O(N)")
        .args(&[Arg::new("slot", ArgKind::Integer).multiple()]),
    CommandSpec::new("delslotsrange", -4, Group::Cluster, |ctx| in_cluster(ctx, owned::del_ranges))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("7.0.0", "Takes ranges of slots away from the node.", "O(N)")
        .args(&[Arg::new(
            "range",
            ArgKind::Block(&[
                Arg::new("start-slot", ArgKind::Integer),
                Arg::new("end-slot", ArgKind::Integer),
            ]),
        )
        .multiple()]),
    CommandSpec::new("failover", -2, Group::Cluster, |ctx| in_cluster(ctx, failover))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Makes a replica take the place of its primary.", "O(1)")
        .args(&[Arg::new(
            "options",
            ArgKind::OneOf(&[Arg::word("force", "FORCE"), Arg::word("takeover", "TAKEOVER")]),
        )
        .optional()]),
    CommandSpec::new("flushslots", 2, Group::Cluster, |ctx| in_cluster(ctx, owned::flush))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Takes all slots away from the node.", "O(1)"),
    CommandSpec::new("forget", 3, Group::Cluster, |ctx| in_cluster(ctx, forget))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Removes a node from the table of nodes.", "O(1)")
        .args(&[Arg::new("node-id", ArgKind::String)]),
    CommandSpec::new("getkeysinslot", 4, Group::Cluster, |ctx| in_cluster(ctx, slots::get_keys))
        .flags(&[Flags::STALE])
        .doc("3.0.0", "Answers keys of a slot.", "O(N)")
        .args(&[Arg::new("slot", ArgKind::Integer), Arg::new("count", ArgKind::Integer)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("help", 2, Group::Cluster, |ctx| in_cluster(ctx, help))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("5.0.0", "Explains the subcommands.", "O(1)"),
    CommandSpec::new("info", 2, Group::Cluster, |ctx| in_cluster(ctx, node::info))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("3.0.0", "Reports on the state of the cluster.", "O(1)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("keyslot", 3, Group::Cluster, |ctx| in_cluster(ctx, slots::key_slot))
        .flags(&[Flags::STALE])
        .doc("3.0.0", "Answers the slot of a key.", "O(N)")
        .args(&[Arg::new("key", ArgKind::String)]),
    CommandSpec::new("links", 2, Group::Cluster, |ctx| in_cluster(ctx, node::links))
        .flags(&[Flags::STALE])
        .doc("7.0.0", "Describes the connections between the nodes.", "O(N)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("meet", -4, Group::Cluster, |ctx| in_cluster(ctx, fixed))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Makes the node known to another one.", "O(1)")
        .args(&[
            Arg::new("ip", ArgKind::String),
            Arg::new("port", ArgKind::Integer),
            Arg::new("cluster-bus-port", ArgKind::Integer).since("4.0.0").optional(),
        ])
        .history(&[("4.0.0", "Added the optional `cluster_bus_port` argument.")]),
    CommandSpec::new("myid", 2, Group::Cluster, |ctx| in_cluster(ctx, node::my_id))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("3.0.0", "Answers the name of the node.", "O(1)"),
    CommandSpec::new("myshardid", 2, Group::Cluster, |ctx| in_cluster(ctx, node::my_shard_id))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("7.2.0", "Answers the name of the shard that the node belongs to.", "O(1)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("nodes", 2, Group::Cluster, |ctx| in_cluster(ctx, node::nodes))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("3.0.0", "Describes the nodes of the cluster.", "O(N)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("replicas", 3, Group::Cluster, |ctx| in_cluster(ctx, replicas))
        .flags(&[Flags::ADMIN, Flags::STALE])
        .doc("5.0.0", "Lists the replicas of a node.", "O(N)")
        .args(&[Arg::new("node-id", ArgKind::String)])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("replicate", 3, Group::Cluster, |ctx| in_cluster(ctx, replicate))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Makes the node the replica of another one.", "O(1)")
        .args(&[Arg::new("node-id", ArgKind::String)]),
    CommandSpec::new("reset", -2, Group::Cluster, |ctx| in_cluster(ctx, owned::reset))
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::STALE])
        .doc("3.0.0", "Makes the node forget the cluster.", "O(N)")
        .args(&[Arg::new(
            "reset-type",
            ArgKind::OneOf(&[Arg::word("hard", "HARD"), Arg::word("soft", "SOFT")]),
        )
        .optional()]),
    CommandSpec::new("saveconfig", 2, Group::Cluster, |ctx| in_cluster(ctx, saveconfig))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Writes the configuration of the cluster to its file.", "O(1)"),
    CommandSpec::new("set-config-epoch", 3, Group::Cluster, |ctx| in_cluster(ctx, owned::set_epoch))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("3.0.0", "Sets the epoch of a new node.", "O(1)")
        .args(&[Arg::new("config-epoch", ArgKind::Integer)]),
    CommandSpec::new("setslot", -4, Group::Cluster, |ctx| in_cluster(ctx, fixed))
        .flags(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING, Flags::MAY_REPLICATE])
        .doc("3.0.0", "Says who serves a slot, and where it moves.", "O(1)")
        .args(&[
            Arg::new("slot", ArgKind::Integer),
            Arg::new(
                "subcommand",
                ArgKind::OneOf(&[
                    Arg::new("importing", ArgKind::String).token("IMPORTING").display("node-id"),
                    Arg::new("migrating", ArgKind::String).token("MIGRATING").display("node-id"),
                    Arg::new("node", ArgKind::String).token("NODE").display("node-id"),
                    Arg::word("stable", "STABLE"),
                ]),
            ),
            Arg::new("timeout", ArgKind::Integer).token("TIMEOUT").since("8.0.0").optional(),
        ])
        .history(&[("8.0.0", "`TIMEOUT`.")]),
    CommandSpec::new("shards", 2, Group::Cluster, |ctx| in_cluster(ctx, node::shards))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("7.0.0", "Tells which shards serve which slots.", "O(N)")
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("slaves", 3, Group::Cluster, |ctx| in_cluster(ctx, replicas))
        .flags(&[Flags::ADMIN, Flags::STALE])
        .doc("3.0.0", "Lists the replicas of a node.", "O(N)")
        .args(&[Arg::new("node-id", ArgKind::String)])
        .tips(&["nondeterministic_output"])
        .deprecated("5.0.0", "`CLUSTER REPLICAS`"),
    CommandSpec::new("slot-stats", -4, Group::Cluster, |ctx| in_cluster(ctx, stats::stats))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("8.0.0", "Reports on the use of slots.", "O(N)")
        .args(&[Arg::new(
            "filter",
            ArgKind::OneOf(&[
                Arg::new(
                    "slotsrange",
                    ArgKind::Block(&[
                        Arg::new("start-slot", ArgKind::Integer),
                        Arg::new("end-slot", ArgKind::Integer),
                    ]),
                )
                .token("SLOTSRANGE"),
                Arg::new(
                    "orderby",
                    ArgKind::Block(&[
                        Arg::new("metric", ArgKind::String),
                        Arg::new("limit", ArgKind::Integer).token("LIMIT").optional(),
                        Arg::new(
                            "order",
                            ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]),
                        )
                        .optional(),
                    ]),
                )
                .token("ORDERBY"),
            ]),
        )])
        .tips(&["nondeterministic_output", "request_policy:all_shards"]),
    CommandSpec::new("slots", 2, Group::Cluster, |ctx| in_cluster(ctx, node::slots))
        .flags(&[Flags::LOADING, Flags::STALE])
        .doc("3.0.0", "Tells which nodes serve which slots.", "O(N)")
        .history(&[("4.0.0", "Added node IDs."), ("7.0.0", "Added additional networking metadata field.")])
        .tips(&["nondeterministic_output"]),
];

/// Runs what only a cluster answers.
fn in_cluster(ctx: &mut Ctx<'_>, f: fn(&mut Ctx<'_>, &Cluster) -> Outcome) -> Outcome {
    match ctx.state.cluster.as_ref().map(Arc::clone) {
        Some(cluster) => f(ctx, &cluster),
        None => Err(CmdError::new("ERR This instance has cluster support disabled")),
    }
}

/// What needs another node.
fn fixed(_: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    Err(CmdError::new("ERR This node is a cluster of one, and stays so"))
}

/// Refuses what is not the name of the node.
fn check_node(ctx: &Ctx<'_>, cluster: &Cluster) -> Result<(), CmdError> {
    let name = ctx.args.at(2);
    if name == cluster.node_id.as_bytes() {
        return Ok(());
    }
    Err(CmdError::with([b"ERR Unknown node ", shown(name)].concat()))
}

/// <https://valkey.io/commands/cluster-count-failure-reports/>
fn failure_reports(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    check_node(ctx, cluster)?;
    ctx.int(0)
}

/// <https://valkey.io/commands/cluster-failover/>
fn failover(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(ctx.wrong_subcommand());
    }
    if ctx.args.len() == 3 && !ctx.is_word(2, "force") && !ctx.is_word(2, "takeover") {
        return Err(CmdError::SYNTAX);
    }
    Err(CmdError::new("ERR You should send CLUSTER FAILOVER to a replica"))
}

/// <https://valkey.io/commands/cluster-forget/>
fn forget(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    check_node(ctx, cluster)?;
    Err(CmdError::new("ERR I tried hard but I can't forget myself..."))
}

/// <https://valkey.io/commands/cluster-replicas/>
fn replicas(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    check_node(ctx, cluster)?;
    ctx.out().array(0);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/cluster-replicate/>
fn replicate(ctx: &mut Ctx<'_>, cluster: &Cluster) -> Outcome {
    check_node(ctx, cluster)?;
    Err(CmdError::new("ERR Can't replicate myself"))
}

/// <https://valkey.io/commands/cluster-saveconfig/>: there is nothing to save.
fn saveconfig(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.ok()
}

/// <https://valkey.io/commands/asking/>: no slot moves, so nothing is asked for.
fn asking(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.ok()
}

/// <https://valkey.io/commands/cluster-help/>
fn help(ctx: &mut Ctx<'_>, _: &Cluster) -> Outcome {
    ctx.help(
        "CLUSTER",
        &[
            "ADDSLOTS <slot> [<slot> ...]",
            "    The node owns these slots from here on.",
            "ADDSLOTSRANGE <start> <end> [<start> <end> ...]",
            "    Likewise, all from <start> to <end>.",
            "BUMPEPOCH",
            "    The epoch of the configuration moves on.",
            "COUNTKEYSINSLOT <slot>",
            "    How many keys <slot> has.",
            "DELSLOTS <slot> [<slot> ...]",
            "    Nobody owns these slots from here on.",
            "DELSLOTSRANGE <start> <end> [<start> <end> ...]",
            "    Likewise, all from <start> to <end>.",
            "FLUSHSLOTS",
            "    Nobody owns any slot from here on.",
            "GETKEYSINSLOT <slot> <count>",
            "    Names of keys of <slot>.",
            "INFO",
            "    The state of the cluster.",
            "KEYSLOT <key>",
            "    The slot of <key>.",
            "MYID",
            "    The name of the node.",
            "MYSHARDID",
            "    The name of the node's shard.",
            "NODES",
            "    The nodes, each in a line:",
            "    <id> <ip:port@bus-port[,hostname]> <flags> <primary> <pings> <pongs> <epoch> <link> <slot> ...",
            "REPLICAS <node-id>",
            "    The replicas of a node.",
            "RESET [HARD|SOFT]",
            "    The node owns nothing; with HARD it takes new names, too.",
            "SET-CONFIG-EPOCH <epoch>",
            "    The epoch of a new node.",
            "SLOTS",
            "    Ranges of slots: start, end, and addresses, ports and names of who serves them.",
            "SLOT-STATS",
            "    How the slots are used.",
            "SHARDS",
            "    The shards with their slots and nodes.",
        ],
    )
}

/// <https://valkey.io/commands/readonly/>
fn readonly(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.readonly = true;
    ctx.ok()
}

/// <https://valkey.io/commands/readwrite/>
fn readwrite(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.readonly = false;
    ctx.ok()
}
