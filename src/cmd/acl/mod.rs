//! ACL: users and what they may do.
//!
//! Source: <https://valkey.io/topics/acl/>.

mod files;
mod log;
pub mod refusals;
mod users;

use crate::{
    command::{
        Arg, ArgKind, Args, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome, access, ctx::int,
        table::CommandId,
    },
    resp::error::shown,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("acl", Group::Server, ACL_SUBCOMMANDS).doc(
    "6.0.0",
    "Holds the commands about users and what they may do.",
    "",
)];

/// A subcommand for whoever administers the server.
const fn admin(name: &'static str, arity: i16, handler: crate::command::Handler) -> CommandSpec {
    any(name, arity, handler).flags(&[Flags::ADMIN])
}

/// A subcommand for anyone.
const fn any(name: &'static str, arity: i16, handler: crate::command::Handler) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, handler).flags(&[
        Flags::NOSCRIPT,
        Flags::LOADING,
        Flags::STALE,
    ])
}

const USERNAME: Arg = Arg::new("username", ArgKind::String);
const TO_ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

const ACL_SUBCOMMANDS: &[CommandSpec] = &[
    any("cat", -2, acl_cat)
        .doc("6.0.0", "Lists the categories of commands, or the commands of one.", "O(1)")
        .args(&[Arg::new("category", ArgKind::String).optional()]),
    admin("deluser", -3, users::acl_deluser)
        .doc("6.0.0", "Deletes users, and closes their connections.", "O(1) a user")
        .args(&[USERNAME.multiple()])
        .tips(TO_ALL_NODES)
        .secrets(all_arguments),
    admin("dryrun", -4, acl_dryrun)
        .doc("7.0.0", "Tells whether a user may run a command, without running it.", "O(1)")
        .args(&[
            USERNAME,
            Arg::new("command", ArgKind::String),
            Arg::new("arg", ArgKind::String).optional().multiple(),
        ]),
    any("genpass", -2, acl_genpass).doc("6.0.0", "Makes up a password.", "O(1)").args(&[Arg::new(
        "bits",
        ArgKind::Integer,
    )
    .optional()]),
    admin("getuser", 3, users::acl_getuser)
        .doc("6.0.0", "Describes the rules of a user.", "O(N)")
        .history(&[
            ("6.2.0", "Patterns of channels."),
            ("7.0.0", "Selectors; patterns of keys and channels are shown as rules."),
        ])
        .args(&[USERNAME])
        .secrets(all_arguments),
    CommandSpec::new("help", 2, Group::Server, acl_help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "6.0.0",
        "Explains the subcommands.",
        "O(1)",
    ),
    admin("list", 2, users::acl_list).doc("6.0.0", "Describes all users as a file does.", "O(N)"),
    admin("load", 2, files::acl_load).doc("6.0.0", "Reads the users from their file.", "O(N)"),
    admin("log", -2, log::acl_log)
        .doc("6.0.0", "Lists what was refused.", "O(N)")
        .history(&[("7.2.0", "Each entry has an id and the times of its first and last refusal.")])
        .args(&[Arg::new(
            "operation",
            ArgKind::OneOf(&[Arg::new("count", ArgKind::Integer), Arg::word("reset", "RESET")]),
        )
        .optional()]),
    admin("save", 2, files::acl_save)
        .doc("6.0.0", "Writes the users to their file.", "O(N)")
        .tips(TO_ALL_NODES),
    admin("setuser", -3, users::acl_setuser)
        .doc("6.0.0", "Makes or changes a user.", "O(N)")
        .history(&[("6.2.0", "Patterns of channels."), ("7.0.0", "Selectors and permissions by key.")])
        .args(&[USERNAME, Arg::new("rule", ArgKind::String).optional().multiple()])
        .tips(TO_ALL_NODES)
        .secrets(all_arguments),
    admin("users", 2, users::acl_users).doc("6.0.0", "Lists the names of all users.", "O(N)"),
    any("whoami", 2, acl_whoami).doc("6.0.0", "Answers whose rules hold for the connection.", "O(1)"),
];

/// Names and rules alike.
fn all_arguments(args: Args<'_>) -> Vec<usize> {
    (2..args.len()).collect()
}

/// The error for arguments beyond those that a subcommand takes.
fn misused(ctx: &Ctx<'_>) -> CmdError {
    let word = String::from_utf8_lossy(shown(ctx.args.at(1)));
    CmdError::with(format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try ACL HELP."))
}

/// <https://valkey.io/commands/acl-whoami/>
fn acl_whoami(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.out.bulk(&ctx.state.acl[ctx.session.user].name);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-cat/>
fn acl_cat(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(misused(ctx));
    }
    let catalog = &ctx.state.acl.catalog;
    let Some(name) = ctx.args.get(2) else {
        let names = catalog.categories();
        ctx.session.out.array(names.len());
        names.for_each(|name| ctx.session.out.bulk(name.as_bytes()));
        return Ok(Flow::Done);
    };
    let category = catalog.category(shown(name)).ok_or_else(|| {
        let name = shown(name);
        CmdError::with([b"ERR Unknown category '", &name[..name.len().min(128)], b"'"].concat())
    })?;
    ctx.session.out.array(catalog.members(category).count());
    catalog.members(category).for_each(|(_, item)| ctx.session.out.bulk(item.full_name.as_bytes()));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-genpass/>
fn acl_genpass(ctx: &mut Ctx<'_>) -> Outcome {
    const MAX_BITS: i64 = 4096;
    if ctx.args.len() > 3 {
        return Err(misused(ctx));
    }
    let bits = ctx.args.get(2).map_or(Ok(256), int)?;
    if !(1..=MAX_BITS).contains(&bits) {
        return Err(CmdError::with(format!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to \
             {MAX_BITS}"
        )));
    }
    let digits = (bits as usize).div_ceil(4);
    let words = std::iter::repeat_with(|| format!("{:016x}", ctx.state.rng.next_u64()));
    let password: String = words.take(digits.div_ceil(16)).collect();
    ctx.out().bulk(&password.as_bytes()[..digits]);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-dryrun/>
fn acl_dryrun(ctx: &mut Ctx<'_>) -> Outcome {
    let (name, call) = (ctx.args.at(2), ctx.args.skip(3));
    let text = |bytes| String::from_utf8_lossy(shown(bytes)).into_owned();
    let user = ctx.state.acl.find(name);
    let user = user.ok_or_else(|| CmdError::with(format!("ERR User '{}' not found", text(name))))?;
    let id = ctx.table.lookup(call, CommandId::MAX);
    let id = id.map_err(|_| CmdError::with(format!("ERR Command '{}' not found", text(call.at(0)))))?;
    let entry = ctx.table.entry(id);
    if !entry.spec.arity_fits(call.len()) {
        return Err(CmdError::wrong_arity(&entry.full_name));
    }
    let user = &ctx.state.acl[user];
    match access::check(user, ctx.table, id, call) {
        Ok(()) => ctx.session.out.ok(),
        Err(denied) => ctx.session.out.bulk(&refusals::full_sentence(user, entry, call, denied)),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-help/>
fn acl_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "ACL",
        &[
            "CAT [<category>]",
            "    The categories of commands, or the commands of <category>.",
            "DELUSER <username> [<username> ...]",
            "    Delete users and close their connections.",
            "DRYRUN <username> <command> [<arg> ...]",
            "    Whether the user may run the command, without running it.",
            "GETUSER <username>",
            "    The rules of a user.",
            "GENPASS [<bits>]",
            "    Make up a password, of 256 bits or as many as are given.",
            "LIST",
            "    All users, each as a line of a file.",
            "LOAD",
            "    Read the users from the ACL file.",
            "LOG [<count> | RESET]",
            "    What was refused.",
            "SAVE",
            "    Write the users to the ACL file.",
            "SETUSER <username> <attribute> [<attribute> ...]",
            "    Make or change a user.",
            "USERS",
            "    The names of all users.",
            "WHOAMI",
            "    The name of the connection's user.",
        ],
    )
}
