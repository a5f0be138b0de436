//! Users: made, changed, shown and deleted.

use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    resp::output::Output,
    state::{
        acl::{DEFAULT_NAME, DEFAULT_USER, Selector, User, UserId, has_spaces},
        session::{Closing, Session},
    },
};

/// <https://valkey.io/commands/acl-setuser/>
pub(super) fn acl_setuser(ctx: &mut Ctx<'_>) -> Outcome {
    let (name, rules) = (ctx.args.at(2), ctx.args.from(3));
    if has_spaces(name) {
        return Err(CmdError::new("ERR Usernames can't contain spaces or null characters"));
    }
    let all_channels = ctx.state.config.opens_channels();
    let next = ctx.state.acl.changed(name, rules, all_channels);
    put(ctx, next.map_err(|why| CmdError::with([b"ERR ", why.as_slice()].concat()))?);
    ctx.ok()
}

/// Puts a user into the place of the one with its name. Connections that subscribed to what it may no longer are
/// closed.
pub(super) fn put(ctx: &mut Ctx<'_>, next: User) {
    if let Some(id) = ctx.state.acl.find(&next.name)
        && next.may_lose_channels(&ctx.state.acl[id])
    {
        close_if(ctx, |session| {
            let subscriptions = session.subscriptions.as_deref();
            session.user == id && subscriptions.is_some_and(|subs| !next.allows_subscriptions(subs))
        });
    }
    ctx.state.acl.put(next);
}

/// Deletes a user. Its connections are the default user's until they are closed, and not logged in.
pub(super) fn delete(ctx: &mut Ctx<'_>, id: UserId) {
    close_if(ctx, |session| {
        let is_theirs = session.user == id;
        if is_theirs {
            session.user = DEFAULT_USER;
            session.authenticated = false;
        }
        is_theirs
    });
    ctx.state.acl.remove(id);
}

/// Closes the connections that a condition picks: the one that asks once it was answered.
fn close_if(ctx: &mut Ctx<'_>, mut f: impl FnMut(&mut Session) -> bool) {
    for (key, session) in &mut ctx.state.sessions {
        if session.as_deref_mut().is_some_and(&mut f) {
            ctx.effects.closed.push((key, Closing::Now));
        }
    }
    if f(ctx.session) {
        ctx.session.close(Closing::AfterReply);
    }
}

/// <https://valkey.io/commands/acl-deluser/>
pub(super) fn acl_deluser(ctx: &mut Ctx<'_>) -> Outcome {
    let names = ctx.args.from(2);
    if names.clone().any(|name| name == DEFAULT_NAME) {
        return Err(CmdError::new("ERR The 'default' user cannot be removed"));
    }
    let mut deleted = 0;
    for name in names {
        if let Some(id) = ctx.state.acl.find(name) {
            delete(ctx, id);
            deleted += 1;
        }
    }
    ctx.count(deleted)
}

/// <https://valkey.io/commands/acl-users/>
pub(super) fn acl_users(ctx: &mut Ctx<'_>) -> Outcome {
    let users = ctx.state.acl.users();
    ctx.session.out.array(users.len());
    users.for_each(|user| ctx.session.out.bulk(&user.name));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-list/>
pub(super) fn acl_list(ctx: &mut Ctx<'_>) -> Outcome {
    let users = ctx.state.acl.users();
    ctx.session.out.array(users.len());
    users.for_each(|user| ctx.session.out.bulk(&user.line()));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/acl-getuser/>
pub(super) fn acl_getuser(ctx: &mut Ctx<'_>) -> Outcome {
    let (acl, out) = (&ctx.state.acl, &mut ctx.session.out);
    let Some(id) = acl.find(ctx.args.at(2)) else {
        out.null();
        return Ok(Flow::Done);
    };
    let user = &acl[id];
    out.map(6);
    out.bulk(b"flags");
    out.set(user.flags().count());
    user.flags().for_each(|flag| out.bulk(flag.as_bytes()));
    out.bulk(b"passwords");
    let hashes = user.password_hashes();
    out.array(hashes.len());
    hashes.for_each(|hash| out.bulk(hash.as_bytes()));
    let (own, more) = user.selectors().split_first().expect("a user has a selector");
    write_selector(out, own);
    out.bulk(b"selectors");
    out.array(more.len());
    for selector in more {
        out.map(3);
        write_selector(out, selector);
    }
    Ok(Flow::Done)
}

/// The three fields of a selector.
fn write_selector(out: &mut Output, selector: &Selector) {
    let mut field = |name: &str, write: fn(&Selector, &mut Vec<u8>)| {
        let mut text = Vec::new();
        write(selector, &mut text);
        out.bulk(name.as_bytes());
        out.bulk(&text);
    };
    field("commands", Selector::write_commands);
    field("keys", Selector::write_keys);
    field("channels", Selector::write_channels);
}
