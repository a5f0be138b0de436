//! COMMAND: the table of commands, as clients read it.

mod docs;
mod info;

use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome, keys,
        table::{CommandId, Entry, Table},
    },
    resp::output::Output,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("command", -1, Group::Server, command)
    .subcommands(COMMAND_SUBCOMMANDS)
    .flags(&[Flags::LOADING, Flags::STALE])
    .acl(&[Categories::CONNECTION])
    .doc("2.8.13", "Describes all commands.", "O(N)")
    .tips(&["nondeterministic_output_order"])];

const COMMAND_SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("count", 2, Group::Server, command_count)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.8.13", "Counts the commands.", "O(1)"),
    CommandSpec::new("docs", -2, Group::Server, command_docs)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("7.0.0", "Documents commands.", "O(N)")
        .args(&[Arg::new("command-name", ArgKind::String).optional().multiple()])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("getkeys", -3, Group::Server, command_getkeys)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.8.13", "Finds the keys in a command with its arguments.", "O(N)")
        .args(&[
            Arg::new("command", ArgKind::String),
            Arg::new("arg", ArgKind::String).optional().multiple(),
        ]),
    CommandSpec::new("help", 2, Group::Server, command_help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("5.0.0", "Explains the subcommands.", "O(1)"),
    CommandSpec::new("info", -2, Group::Server, command_info)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("2.8.13", "Describes commands.", "O(N)")
        .args(&[Arg::new("command-name", ArgKind::String).optional().multiple()])
        .tips(&["nondeterministic_output_order"]),
];

/// <https://valkey.io/commands/command/>
fn command(ctx: &mut Ctx<'_>) -> Outcome {
    each(ctx, info::write);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-count/>
fn command_count(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.count(ctx.table.top_level().count())
}

/// <https://valkey.io/commands/command-info/>
fn command_info(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() == 2 {
        return command(ctx);
    }
    let (args, table) = (ctx.args, ctx.table);
    let out = ctx.out();
    out.array(args.len() - 2);
    for name in args.from(2) {
        match table.find_full(name) {
            Some(entry) => info::write(out, table, entry),
            None => out.null(),
        }
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-docs/>
fn command_docs(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, table) = (ctx.args, ctx.table);
    let entries: Vec<&Entry> = if args.len() == 2 {
        table.top_level().collect()
    } else {
        args.from(2).filter_map(|name| table.find_full(name)).collect()
    };
    let out = ctx.out();
    out.map(entries.len());
    for entry in entries {
        out.bulk(entry.full_name.as_bytes());
        docs::write(out, table, entry);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-getkeys/>
fn command_getkeys(ctx: &mut Ctx<'_>) -> Outcome {
    let (call, table) = (ctx.args.skip(2), ctx.table);
    let Ok(id) = table.lookup(call, CommandId::MAX) else {
        return Err(CmdError::new("ERR Invalid command specified"));
    };
    let entry = table.entry(id);
    if !keys::has_keys(entry.spec) {
        return Err(CmdError::new("ERR The command has no key arguments"));
    }
    if !entry.spec.arity_fits(call.len()) {
        return Err(CmdError::new("ERR Invalid number of arguments specified for command"));
    }
    let found = match keys::find(entry.spec, call) {
        Ok(found) => found,
        Err(_) if entry.spec.flags.has(Flags::NO_MANDATORY_KEYS) => Vec::new(),
        Err(_) => return Err(CmdError::new("ERR Invalid arguments specified for command")),
    };
    let out = ctx.out();
    out.array(found.len());
    for (at, _) in found {
        out.bulk(call.at(at));
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-help/>
fn command_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "COMMAND",
        &[
            "(no subcommand)",
            "    Return details about all commands.",
            "COUNT",
            "    Return the total number of commands in this server.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full command.",
            "INFO [<command-name> ...]",
            "    Return details about multiple commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
        ],
    )
}

/// Writes an array with one element for each command.
fn each(ctx: &mut Ctx<'_>, write: fn(&mut Output, &Table, &Entry)) {
    let table = ctx.table;
    let out = ctx.out();
    out.array(table.top_level().count());
    for entry in table.top_level() {
        write(out, table, entry);
    }
}
