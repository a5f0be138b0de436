//! COMMAND: the table of commands, as clients read it.

mod docs;
mod info;

use crate::{
    base::glob,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, Outcome, keys,
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
    CommandSpec::new("getkeysandflags", -3, Group::Server, command_getkeysandflags)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("7.0.0", "Finds the keys in a command with its arguments, and what it does to them.", "O(N)")
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
        .history(&[("7.0.0", "No name stands for all.")])
        .args(&[Arg::new("command-name", ArgKind::String).optional().multiple()])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("list", -2, Group::Server, command_list)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::CONNECTION])
        .doc("7.0.0", "Lists the names of commands and subcommands.", "O(N)")
        .args(&[Arg::new(
            "filterby",
            ArgKind::OneOf(&[
                Arg::new("module-name", ArgKind::String).token("MODULE"),
                Arg::new("category", ArgKind::String).token("ACLCAT"),
                Arg::new("pattern", ArgKind::Pattern).token("PATTERN"),
            ]),
        )
        .token("FILTERBY")
        .optional()])
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
    each_key(ctx, |out, key, _| out.bulk(key))
}

/// <https://valkey.io/commands/command-getkeysandflags/>
fn command_getkeysandflags(ctx: &mut Ctx<'_>) -> Outcome {
    each_key(ctx, |out, key, flags| {
        out.array(2);
        out.bulk(key);
        info::words(out, flags.names());
    })
}

/// Writes an array with one element for each key of a command that is given with its arguments.
fn each_key(ctx: &mut Ctx<'_>, write: fn(&mut Output, &[u8], KeyFlags)) -> Outcome {
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
    let found = keys::find(entry.spec, call).unwrap_or_default();
    let count = found.iter().count();
    if count == 0 && !entry.spec.flags.has(Flags::NO_MANDATORY_KEYS) {
        return Err(CmdError::new("ERR Invalid arguments specified for command"));
    }
    let out = ctx.out();
    out.array(count);
    for (at, flags) in found.iter() {
        write(out, call.at(at), flags);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-list/>
fn command_list(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let is_wanted: fn(&Entry, &[u8]) -> bool = match args.len() {
        2 => |_, _| true,
        5 if ctx.is_word(2, "filterby") => match args.at(3).to_ascii_lowercase().as_slice() {
            // There are no modules.
            b"module" => |_, _| false,
            b"aclcat" => |entry, wanted| {
                let mut names = entry.spec.all_categories().names();
                names.any(|name| name.as_bytes()[1..].eq_ignore_ascii_case(wanted))
            },
            b"pattern" => |entry, pattern| glob::matches_nocase(pattern, entry.full_name.as_bytes()),
            _ => return Err(CmdError::SYNTAX),
        },
        _ => return Err(CmdError::SYNTAX),
    };
    let filter = args.get(4).unwrap_or_default();
    let found: Vec<&Entry> = ctx
        .table
        .entries()
        .iter()
        .filter(|entry| !entry.name.is_empty() && is_wanted(entry, filter))
        .collect();
    let out = ctx.out();
    out.array(found.len());
    found.iter().for_each(|entry| out.bulk(entry.full_name.as_bytes()));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/command-help/>
fn command_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "COMMAND",
        &[
            "(no subcommand)",
            "    What clients need to know of all commands.",
            "COUNT",
            "    How many commands there are.",
            "LIST",
            "    The names of all commands and subcommands.",
            "INFO [<command-name> ...]",
            "    What clients need to know of some commands, or of all.",
            "DOCS [<command-name> ...]",
            "    Documents some commands, or all.",
            "GETKEYS <full-command>",
            "    The keys in a command with its arguments.",
            "GETKEYSANDFLAGS <full-command>",
            "    The same, with what the command does to each key.",
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
