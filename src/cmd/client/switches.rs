//! What a client says of itself: CLIENT NO-EVICT, NO-TOUCH, CAPA, IMPORT-SOURCE.

use crate::command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, Outcome};

pub(super) const ON_OR_OFF: &[Arg] =
    &[Arg::new("enabled", ArgKind::OneOf(&[Arg::word("on", "ON"), Arg::word("off", "OFF")]))];

/// A subcommand that any connection may call.
pub(super) const fn of_connection(spec: CommandSpec) -> CommandSpec {
    spec.flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE]).acl(&[Categories::CONNECTION])
}

pub(super) const CAPA: CommandSpec =
    of_connection(CommandSpec::new("capa", -3, Group::Connection, client_capa))
        .doc("8.0.0", "Says what the client is able to do.", "O(1)")
        .args(&[Arg::new("capability", ArgKind::String).multiple()]);

pub(super) const IMPORT_SOURCE: CommandSpec =
    of_connection(CommandSpec::new("import-source", 3, Group::Connection, client_import_source))
        .doc("8.1.0", "Says that the connection brings data in from elsewhere.", "O(1)")
        .args(ON_OR_OFF);

pub(super) const NO_EVICT: CommandSpec =
    of_connection(CommandSpec::new("no-evict", 3, Group::Connection, client_no_evict))
        .flags(&[Flags::ADMIN])
        .doc("7.0.0", "Keeps the connection when memory is short.", "O(1)")
        .args(ON_OR_OFF);

pub(super) const NO_TOUCH: CommandSpec =
    of_connection(CommandSpec::new("no-touch", 3, Group::Connection, client_no_touch))
        .doc("7.2.0", "Keeps reads of the connection from marking keys as used.", "O(1)")
        .args(ON_OR_OFF);

/// The word ON or OFF.
fn switch(ctx: &Ctx<'_>) -> Result<bool, CmdError> {
    match () {
        () if ctx.is_word(2, "on") => Ok(true),
        () if ctx.is_word(2, "off") => Ok(false),
        () => Err(CmdError::SYNTAX),
    }
}

/// <https://valkey.io/commands/client-no-evict/>
fn client_no_evict(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.no_evict = switch(ctx)?;
    ctx.ok()
}

/// <https://valkey.io/commands/client-no-touch/>
fn client_no_touch(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.session.no_touch = switch(ctx)?;
    ctx.ok()
}

/// <https://valkey.io/commands/client-import-source/>
fn client_import_source(ctx: &mut Ctx<'_>) -> Outcome {
    if !ctx.state.config.import_mode && !ctx.is_word(2, "off") {
        return Err(CmdError::new("ERR Server is not in import mode"));
    }
    ctx.session.import_source = switch(ctx)?;
    ctx.ok()
}

/// <https://valkey.io/commands/client-capa/>. What is not known is no error.
fn client_capa(ctx: &mut Ctx<'_>) -> Outcome {
    if (2..ctx.args.len()).any(|i| ctx.is_word(i, "redirect")) {
        ctx.session.can_redirect = true;
    }
    ctx.ok()
}
