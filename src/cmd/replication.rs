//! Replication, as a primary without replicas answers: it cannot become anything else yet, and says so.

use crate::{
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::waiters::{BlockRequest, InVain},
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("role", 1, Group::Server, role)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::FAST])
        .acl(&[Categories::ADMIN, Categories::DANGEROUS])
        .doc("2.8.12", "Answers what the server is in replication.", "O(1)"),
    CommandSpec::new("wait", 3, Group::Generic, wait)
        .flags(&[Flags::BLOCKING])
        .acl(&[Categories::CONNECTION])
        .doc("3.0.0", "Waits until replicas have what the connection wrote.", "O(1)")
        .args(&[Arg::new("numreplicas", ArgKind::Integer), Arg::new("timeout", ArgKind::Integer)])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    CommandSpec::new("waitaof", 4, Group::Generic, waitaof)
        .flags(&[Flags::BLOCKING])
        .acl(&[Categories::CONNECTION])
        .doc("7.2.0", "Waits until what the connection wrote is in the log files.", "O(1)")
        .args(&[
            Arg::new("numlocal", ArgKind::Integer),
            Arg::new("numreplicas", ArgKind::Integer),
            Arg::new("timeout", ArgKind::Integer),
        ])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    CommandSpec::new("replicaof", 3, Group::Server, replicaof)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("5.0.0", "Makes the server a replica of another one, or a primary.", "O(1)")
        .args(TARGET_ARGS),
    CommandSpec::new("slaveof", 3, Group::Server, replicaof)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::STALE, Flags::NO_ASYNC_LOADING])
        .doc("1.0.0", "Makes the server a replica of another one, or a primary.", "O(1)")
        .args(TARGET_ARGS)
        .deprecated("5.0.0", "`REPLICAOF`"),
    CommandSpec::new("psync", -3, Group::Server, no_replicas)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::NO_MULTI])
        .doc("2.8.0", "Asks for what changed since a point in the stream.", "")
        .args(&[Arg::new("replicationid", ArgKind::String), Arg::new("offset", ArgKind::Integer)]),
    CommandSpec::new("sync", 1, Group::Server, no_replicas)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::NO_MULTI])
        .doc("1.0.0", "Asks for all data and for what changes.", ""),
    CommandSpec::new("replconf", -1, Group::Server, no_replicas)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::ALLOW_BUSY])
        .doc("3.0.0", "Tells a primary about its replica.", "O(1)")
        .system(),
    CommandSpec::new("failover", -1, Group::Server, failover)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::STALE])
        .doc("6.2.0", "Hands the role of primary over to a replica.", "O(1)")
        .args(&[
            Arg::new(
                "target",
                ArgKind::Block(&[
                    Arg::new("host", ArgKind::String),
                    Arg::new("port", ArgKind::Integer),
                    Arg::word("force", "FORCE").optional(),
                ]),
            )
            .token("TO")
            .optional(),
            Arg::word("abort", "ABORT").optional(),
            Arg::new("milliseconds", ArgKind::Integer).token("TIMEOUT").optional(),
        ]),
];

const TARGET_ARGS: &[Arg] = &[Arg::new(
    "args",
    ArgKind::OneOf(&[
        Arg::new(
            "host-port",
            ArgKind::Block(&[Arg::new("host", ArgKind::String), Arg::new("port", ArgKind::Integer)]),
        ),
        Arg::new("no-one", ArgKind::Block(&[Arg::word("no", "NO"), Arg::word("one", "ONE")])),
    ]),
)];

const UNBUILT: CmdError =
    CmdError::new("ERR replication is not built yet: this server is a primary without replicas");

/// <https://valkey.io/commands/role/>
fn role(ctx: &mut Ctx<'_>) -> Outcome {
    let out = ctx.out();
    out.array(3);
    out.bulk(b"master");
    out.int(0);
    out.array(0);
    Ok(Flow::Done)
}

/// Waits until `wanted` replicas have confirmed; no replica ever does.
fn wait_for_replicas(ctx: &mut Ctx<'_>, wanted: i64, deadline_ms: Option<i64>, in_vain: InVain) -> Outcome {
    if wanted <= 0 || !ctx.may_block {
        in_vain.write(ctx.out());
        return Ok(Flow::Done);
    }
    Ok(Flow::Blocked(Box::new(BlockRequest::without_keys(deadline_ms, in_vain))))
}

/// <https://valkey.io/commands/wait/>
fn wait(ctx: &mut Ctx<'_>) -> Outcome {
    let wanted = ctx.int_arg(1)?;
    let deadline_ms = ctx.deadline_ms_arg(2)?;
    wait_for_replicas(ctx, wanted, deadline_ms, InVain::Zero)
}

/// <https://valkey.io/commands/waitaof/>
fn waitaof(ctx: &mut Ctx<'_>) -> Outcome {
    let local =
        ctx.int_in(1, 0, 1, CmdError::new("ERR value is out of range, value must between 0 and 1"))?;
    let wanted = ctx.int_arg(2).ok().filter(|&n| n >= 0).ok_or(CmdError::MUST_BE_POSITIVE)?;
    let deadline_ms = ctx.deadline_ms_arg(3)?;
    if local > 0 {
        return Err(CmdError::new(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    wait_for_replicas(ctx, wanted, deadline_ms, InVain::TwoZeros)
}

/// <https://valkey.io/commands/replicaof/>
fn replicaof(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.cluster.is_some() {
        return Err(CmdError::new("ERR REPLICAOF not allowed in cluster mode."));
    }
    if ctx.is_word(1, "no") && ctx.is_word(2, "one") {
        return ctx.ok();
    }
    let port = ctx.int_arg(2).ok().filter(|port| (0..=65_535).contains(port));
    port.ok_or(CmdError::new("ERR Invalid master port"))?;
    Err(UNBUILT)
}

/// SYNC, PSYNC and REPLCONF: what a replica sends.
fn no_replicas(_: &mut Ctx<'_>) -> Outcome {
    Err(UNBUILT)
}

/// <https://valkey.io/commands/failover/>
fn failover(ctx: &mut Ctx<'_>) -> Outcome {
    let n = ctx.args.len();
    if n == 2 && ctx.is_word(1, "abort") {
        return Err(CmdError::new("ERR No failover in progress."));
    }
    let (mut timeout, mut target, mut force) = (false, false, false);
    let mut i = 1;
    while i < n {
        if ctx.is_word(i, "timeout") && i + 1 < n && !timeout {
            if ctx.int_arg(i + 1)? <= 0 {
                return Err(CmdError::new("ERR FAILOVER timeout must be greater than 0"));
            }
            timeout = true;
            i += 2;
        } else if ctx.is_word(i, "to") && i + 2 < n && !target {
            ctx.int_arg(i + 2)?;
            target = true;
            i += 3;
        } else if ctx.is_word(i, "force") && !force {
            force = true;
            i += 1;
        } else {
            return Err(CmdError::SYNTAX);
        }
    }
    Err(CmdError::new("ERR FAILOVER requires connected replicas."))
}
