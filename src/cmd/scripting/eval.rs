//! EVAL and its relatives.

use super::{
    run::{self, Program},
    shebang,
};
use crate::{
    command::{
        Arg, ArgKind, Args, CallFlags, Categories, CmdError, CommandSpec, Ctx, Flags, Group, KeyFlags,
        KeySpec, Outcome,
    },
    script::flags::ScriptFlags,
    state::{State, scripts::Digest},
};

/// EVAL and its relatives.
pub const COMMANDS: &[CommandSpec] = &[
    program("eval", |ctx| eval(ctx, false), CHANGES, body_flags)
        .keys(&[KeySpec::counted(READ_WRITE, 2)
            .notes("What a script does to its keys is not known beforehand: anything, for all we know.")])
        .doc("2.6.0", "Runs a script.", DEPENDS)
        .args(&eval_args("script")),
    program("eval_ro", |ctx| eval(ctx, true), READS, body_flags)
        .keys(&[KeySpec::counted(READ, 2)
            .notes("What a script reads of its keys is not known beforehand: all, for all we know.")])
        .doc("7.0.0", "Runs a script that only reads.", DEPENDS)
        .args(&eval_args("script")),
    program("evalsha", |ctx| evalsha(ctx, false), CHANGES, digest_flags)
        .keys(&[KeySpec::counted(READ_WRITE, 2)])
        .doc("2.6.0", "Runs a script by its digest.", DEPENDS)
        .args(&eval_args("sha1")),
    program("evalsha_ro", |ctx| evalsha(ctx, true), READS, digest_flags)
        .keys(&[KeySpec::counted(READ, 2)])
        .doc("7.0.0", "Runs a script that only reads by its digest.", DEPENDS)
        .args(&eval_args("sha1")),
];

pub(super) const READ_WRITE: KeyFlags = KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE);
pub(super) const READ: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
pub(super) const DEPENDS: &str = "Depends on the script.";
const CHANGES: Flags = Flags::MAY_REPLICATE;
const READS: Flags = Flags::READONLY;

/// A command that runs a script or function.
pub(super) const fn program(
    name: &'static str,
    handler: crate::command::Handler,
    kind: Flags,
    call_flags: CallFlags,
) -> CommandSpec {
    CommandSpec::new(name, -3, Group::Scripting, handler)
        .flags(&[Flags::NOSCRIPT, Flags::SKIP_MONITOR, Flags::NO_MANDATORY_KEYS, Flags::STALE, kind])
        .acl(&[Categories::SCRIPTING])
        .runs_program(call_flags)
}

/// The flags of a call of what says this of itself; `None` if it says nothing.
pub(super) fn declared_flags(flags: ScriptFlags) -> Option<Flags> {
    if flags.has(ScriptFlags::UNDECLARED) {
        return None;
    }
    Some(if flags.has(ScriptFlags::NO_WRITES) {
        Flags::READONLY
    } else if flags.has(ScriptFlags::ALLOW_OOM) {
        Flags::WRITE
    } else {
        Flags::WRITE.or(Flags::DENYOOM)
    })
}

fn body_flags(state: &State, args: Args<'_>) -> Option<Flags> {
    let body = args.get(1)?;
    let known = state.scripts.cache.get(&Digest::of(body)).map(|script| script.flags);
    declared_flags(known.or_else(|| Some(shebang::script_flags(body).ok()?.0))?)
}

fn digest_flags(state: &State, args: Args<'_>) -> Option<Flags> {
    let digits = args.get(1).filter(|digits| digits.len() == 40)?;
    declared_flags(state.scripts.cache.get(&Digest::parse(digits)?)?.flags)
}

/// The arguments of such a command; the first has this name.
pub(super) const fn eval_args(first: &'static str) -> [Arg; 4] {
    [
        Arg::new(first, ArgKind::String),
        Arg::new("numkeys", ArgKind::Integer),
        Arg::key("key", 0).optional().multiple(),
        Arg::new("arg", ArgKind::String).optional().multiple(),
    ]
}

pub(super) const NO_SCRIPT: CmdError = CmdError::new("NOSCRIPT No matching script.");

/// <https://valkey.io/commands/eval/>
fn eval(ctx: &mut Ctx<'_>, read_only: bool) -> Outcome {
    run::show_to_monitors(ctx);
    let keys = run::count_keys(ctx, ctx.int_arg(2)?)?;
    let body = ctx.args.at(1);
    let digest = Digest::of(body);
    if ctx.state.scripts.cache.get(&digest).is_none() {
        add(ctx, digest, body, false)?;
    }
    run_cached(ctx, digest, keys, read_only)
}

/// <https://valkey.io/commands/evalsha/>
fn evalsha(ctx: &mut Ctx<'_>, read_only: bool) -> Outcome {
    run::show_to_monitors(ctx);
    let digits = ctx.args.at(1);
    if digits.len() != 40 {
        return Err(NO_SCRIPT);
    }
    let keys = run::count_keys(ctx, ctx.int_arg(2)?)?;
    let digest = Digest::parse(digits).ok_or(NO_SCRIPT)?;
    run_cached(ctx, digest, keys, read_only)
}

/// Compiles a script and keeps it: for good, or until others take its place.
pub(super) fn add(ctx: &mut Ctx<'_>, digest: Digest, body: &[u8], for_good: bool) -> Result<(), CmdError> {
    let (flags, code) = shebang::script_flags(body)?;
    ctx.state
        .scripts
        .cache
        .add(digest, (body, code), flags, for_good)
        .map_err(|why| CmdError::with([b"ERR Error compiling script (new function): ", &*why].concat()))
}

fn run_cached(ctx: &mut Ctx<'_>, digest: Digest, keys: usize, read_only: bool) -> Outcome {
    let script = ctx.state.scripts.cache.get(&digest).ok_or(NO_SCRIPT)?;
    let program = Program {
        name: &digest.digits(),
        is_script: true,
        function: script.function,
        flags: script.flags,
        read_only,
        host: |state| &mut state.scripts.cache.host,
    };
    let outcome = run::run(ctx, &program, keys)?;
    ctx.state.scripts.cache.touch(&digest);
    Ok(outcome)
}
