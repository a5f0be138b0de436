//! The file of users: ACL LOAD and ACL SAVE.

use super::users;
use crate::command::{CmdError, Ctx, Outcome};

const NO_FILE: CmdError = CmdError::new(
    "ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command \
     and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users in the \
     configuration.",
);

/// <https://valkey.io/commands/acl-load/>. Either all users of the file are taken, and no others, or nothing changes.
pub(super) fn acl_load(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    let found = ctx.state.read_acl_file();
    let found = found.map_err(|why| CmdError::with([b"ERR ", why.as_slice()].concat()))?;
    let gone: Vec<_> = {
        let names: std::collections::BTreeSet<&[u8]> = found.iter().map(|user| &*user.name).collect();
        let gone = ctx.state.acl.users().filter(|user| !names.contains(&*user.name));
        gone.filter_map(|user| ctx.state.acl.find(&user.name)).collect()
    };
    gone.into_iter().for_each(|id| users::delete(ctx, id));
    found.into_iter().for_each(|user| users::put(ctx, user));
    ctx.ok()
}

/// <https://valkey.io/commands/acl-save/>. The file is replaced as a whole, or not at all.
pub(super) fn acl_save(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.state.config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    if let Err(why) = ctx.state.write_acl_file() {
        ctx.state.journal.warn(format_args!("Writing ACL file for ACL SAVE: {why}"));
        return Err(CmdError::new(
            "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
        ));
    }
    ctx.ok()
}
