//! CONFIG: the parameters while the server runs.

use crate::{
    command::{Arg, ArgKind, Args, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::config::{Access, SetError, params},
    store::StoreStats,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("config", Group::Server, CONFIG_SUBCOMMANDS)
    .doc("2.0.0", "Holds the commands about the parameters of the server.", "")];

const CONFIG_SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("get", -3, Group::Server, config_get)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.0.0", "Reads parameters.", "O(N)")
        .history(&[("7.0.0", "Several patterns.")])
        .args(&[Arg::new("parameter", ArgKind::String).multiple()]),
    CommandSpec::new("help", 2, Group::Server, config_help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "5.0.0",
        "Explains the subcommands.",
        "O(1)",
    ),
    CommandSpec::new("resetstat", 2, Group::Server, config_resetstat)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.0.0", "Sets the statistics back to zero.", "O(1)")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new("rewrite", 2, Group::Server, config_rewrite)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.8.0", "Writes the parameters into the configuration file.", "O(N)")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new("set", -4, Group::Server, config_set)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.0.0", "Changes parameters while the server runs.", "O(N)")
        .history(&[("7.0.0", "Several parameters.")])
        .args(&[Arg::new(
            "data",
            ArgKind::Block(&[Arg::new("parameter", ArgKind::String), Arg::new("value", ArgKind::String)]),
        )
        .multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .secrets(config_secrets),
];

/// The values of secret parameters.
fn config_secrets(args: Args<'_>) -> Vec<usize> {
    if args.len() % 2 == 1 {
        return Vec::new();
    }
    let is_secret = |i: &usize| params::find(args.at(*i)).is_some_and(|(_, param)| param.sensitive);
    (2..args.len()).step_by(2).filter(is_secret).map(|i| i + 1).collect()
}

/// <https://valkey.io/commands/config-get/>
fn config_get(ctx: &mut Ctx<'_>) -> Outcome {
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for pattern in ctx.args.from(2) {
        for pair in ctx.state.config.get(pattern) {
            if !found.iter().any(|(name, _)| name.eq_ignore_ascii_case(&pair.0)) {
                found.push(pair);
            }
        }
    }
    let out = ctx.out();
    out.map(found.len());
    for (name, value) in found {
        out.bulk(&name);
        out.bulk(&value);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/config-set/>
fn config_set(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    if args.len() % 2 == 1 {
        return Err(CmdError::SYNTAX);
    }
    let pairs: Vec<(&[u8], &[u8])> =
        (2..args.len()).step_by(2).map(|i| (args.at(i), args.at(i + 1))).collect();
    let access = Access { is_local: ctx.session.addr.is_local(), is_loading: false };
    match ctx.state.set_config(&pairs, access, ctx.store) {
        Ok(()) => ctx.ok(),
        Err(SetError::Unknown(name)) => Err(CmdError::with(format!(
            "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
        ))),
        Err(SetError::Refused { param, why }) => Err(CmdError::with(format!(
            "ERR CONFIG SET failed (possibly related to argument '{param}') - {why}"
        ))),
        Err(SetError::Loading) => Err(CmdError::new("LOADING Staywire is loading the dataset in memory")),
    }
}

/// <https://valkey.io/commands/config-rewrite/>
fn config_rewrite(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.rewrite_config(false)?;
    ctx.ok()
}

/// <https://valkey.io/commands/config-resetstat/>
fn config_resetstat(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.stats.reset();
    ctx.store.stats = StoreStats::default();
    ctx.state.scripts.reset_counters();
    if let Some(stats) = &mut ctx.state.slot_stats {
        stats.reset();
    }
    ctx.ok()
}

/// <https://valkey.io/commands/config-help/>
fn config_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "CONFIG",
        &[
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ],
    )
}
