//! FCALL and FCALL_RO.

use super::{
    eval::{READ, READ_WRITE, declared_flags, eval_args, program},
    run::{self, Program},
};
use crate::{
    command::{Args, CmdError, CommandSpec, Ctx, Flags, KeySpec, Outcome},
    state::State,
};

const DEPENDS: &str = "Depends on the function.";

/// FCALL and FCALL_RO.
pub const COMMANDS: &[CommandSpec] = &[
    program("fcall", |ctx| fcall(ctx, false), Flags::MAY_REPLICATE, function_flags)
        .keys(&[KeySpec::counted(READ_WRITE, 2)
            .notes("What a function does to its keys is not known beforehand: anything, for all we know.")])
        .doc("7.0.0", "Calls a function.", DEPENDS)
        .args(&eval_args("function")),
    program("fcall_ro", |ctx| fcall(ctx, true), Flags::READONLY, function_flags)
        .keys(&[KeySpec::counted(READ, 2)
            .notes("What a function reads of its keys is not known beforehand: all, for all we know.")])
        .doc("7.0.0", "Calls a function that only reads.", DEPENDS)
        .args(&eval_args("function")),
];

fn function_flags(state: &State, args: Args<'_>) -> Option<Flags> {
    declared_flags(state.scripts.libraries.function(args.get(1)?)?.flags)
}

/// <https://valkey.io/commands/fcall/>
fn fcall(ctx: &mut Ctx<'_>, read_only: bool) -> Outcome {
    run::show_to_monitors(ctx);
    let found = ctx.state.scripts.libraries.function(ctx.args.at(1));
    let callable = found.ok_or(CmdError::new("ERR Function not found"))?.clone();
    let keys = ctx.int_arg(2).map_err(|_| CmdError::new("ERR Bad number of keys provided"))?;
    let keys = run::count_keys(ctx, keys)?;
    let program = Program {
        name: &callable.name,
        is_script: false,
        function: callable.function,
        flags: callable.flags,
        read_only,
        host: |state| &mut state.scripts.libraries.host,
    };
    run::run(ctx, &program, keys)
}
