//! CONFIG: the parameters while the server runs.

use crate::{
    command::{Arg, ArgKind, Args, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    state::{config::SetError, stats::Stats},
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

/// Parameters whose values are secrets.
const SECRETS: [&[u8]; 7] = [
    b"requirepass",
    b"masterauth",
    b"primaryauth",
    b"masteruser",
    b"primaryuser",
    b"tls-key-file-pass",
    b"tls-client-key-file-pass",
];

/// The values of secret parameters.
fn config_secrets(args: Args<'_>) -> Vec<usize> {
    if args.len() % 2 == 1 {
        return Vec::new();
    }
    let is_secret = |i: &usize| SECRETS.iter().any(|name| args.at(*i).eq_ignore_ascii_case(name));
    (2..args.len()).step_by(2).filter(is_secret).map(|i| i + 1).collect()
}

/// <https://valkey.io/commands/config-get/>
fn config_get(ctx: &mut Ctx<'_>) -> Outcome {
    let mut found: Vec<(&[u8], String)> = Vec::new();
    for pattern in ctx.args.from(2) {
        let is_name = !pattern.iter().any(|b| b"[*?".contains(b));
        for (name, value) in ctx.state.config.get(pattern) {
            // A name is answered in the letters in which it was asked for.
            let name = if is_name { pattern } else { name.as_bytes() };
            if !found.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                found.push((name, value));
            }
        }
    }
    let out = ctx.out();
    out.map(found.len());
    for (name, value) in found {
        out.bulk(name);
        out.bulk(value.as_bytes());
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
    match ctx.state.config.set_all(&pairs) {
        Ok(changed) => {
            for param in changed {
                if !ctx.effects.config_changed.contains(&param.name) {
                    ctx.effects.config_changed.push(param.name);
                }
            }
            ctx.ok()
        }
        Err(SetError::Unknown(name)) => Err(CmdError::with(format!(
            "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
        ))),
        Err(SetError::Refused { param, why }) => Err(CmdError::with(format!(
            "ERR CONFIG SET failed (possibly related to argument '{param}') - {why}"
        ))),
    }
}

/// <https://valkey.io/commands/config-resetstat/>
fn config_resetstat(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.stats = Stats::new(ctx.table.entries().len());
    ctx.store.stats = StoreStats::default();
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
        ],
    )
}
