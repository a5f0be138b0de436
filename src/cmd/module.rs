//! MODULE: there are no modules.

use crate::command::{Arg, ArgKind, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("module", Group::Server, SUBCOMMANDS).doc(
    "4.0.0",
    "Holds the commands about modules.",
    "",
)];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("help", 2, Group::Server, module_help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "5.0.0",
        "Explains the subcommands.",
        "O(1)",
    ),
    CommandSpec::new("list", 2, Group::Server, module_list)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT])
        .doc("4.0.0", "Lists the modules that are loaded.", "O(N)")
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("load", -3, Group::Server, module_load)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::PROTECTED])
        .doc("4.0.0", "Loads a module.", "O(1)")
        .args(&[Arg::new("path", ArgKind::String), Arg::new("arg", ArgKind::String).optional().multiple()]),
    CommandSpec::new("loadex", -3, Group::Server, module_load)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::PROTECTED])
        .doc("7.0.0", "Loads a module and sets its parameters.", "O(1)")
        .args(&[
            Arg::new("path", ArgKind::String),
            Arg::new(
                "configs",
                ArgKind::Block(&[Arg::new("name", ArgKind::String), Arg::new("value", ArgKind::String)]),
            )
            .token("CONFIG")
            .optional()
            .multiple_token(),
            Arg::new("args", ArgKind::String).token("ARGS").optional().multiple(),
        ]),
    CommandSpec::new("unload", 3, Group::Server, module_unload)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::NO_ASYNC_LOADING, Flags::PROTECTED])
        .doc("4.0.0", "Unloads a module.", "O(1)")
        .args(&[Arg::new("name", ArgKind::String)]),
];

/// <https://valkey.io/commands/module-list/>
fn module_list(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.out().array(0);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/module-load/>, <https://valkey.io/commands/module-loadex/>
fn module_load(_: &mut Ctx<'_>) -> Outcome {
    Err(CmdError::new("ERR Error loading the extension. This server runs no modules."))
}

/// <https://valkey.io/commands/module-unload/>
fn module_unload(_: &mut Ctx<'_>) -> Outcome {
    Err(CmdError::new("ERR Error unloading module: no such module with that name"))
}

/// <https://valkey.io/commands/module-help/>
fn module_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "MODULE",
        &[
            "LIST",
            "    List the modules that are loaded.",
            "LOAD <path> [<arg> ...]",
            "    Load a module from a file.",
            "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
            "    Load a module from a file and set its parameters.",
            "UNLOAD <name>",
            "    Unload a module.",
        ],
    )
}
