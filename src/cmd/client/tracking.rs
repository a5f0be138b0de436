//! Client-side caching: CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO.

use super::{list, switches::of_connection};
use crate::{
    command::{Arg, ArgKind, CmdError, CommandSpec, Ctx, Flow, Group, Outcome},
    resp::error::shown,
    state::tracking::{Mode, PREFIXES_MAX, Redirect, Tracker},
};

pub(super) const CACHING: CommandSpec =
    of_connection(CommandSpec::new("caching", 3, Group::Connection, client_caching))
        .doc("6.0.0", "Says whether the keys of the next command are tracked.", "O(1)")
        .args(&[Arg::new("mode", ArgKind::OneOf(&[Arg::word("yes", "YES"), Arg::word("no", "NO")]))]);

pub(super) const GETREDIR: CommandSpec =
    of_connection(CommandSpec::new("getredir", 2, Group::Connection, client_getredir)).doc(
        "6.0.0",
        "Answers which connection is told of changed keys.",
        "O(1)",
    );

pub(super) const TRACKING: CommandSpec =
    of_connection(CommandSpec::new("tracking", -3, Group::Connection, client_tracking))
        .doc(
            "6.0.0",
            "Says whether and how the connection is told of changed keys.",
            "O(1). Some options may introduce additional complexity.",
        )
        .args(&[
            Arg::new("status", ArgKind::OneOf(&[Arg::word("on", "ON"), Arg::word("off", "OFF")])),
            Arg::new("client-id", ArgKind::Integer).token("REDIRECT").optional(),
            Arg::new("prefix", ArgKind::String).token("PREFIX").optional().multiple_token(),
            Arg::word("bcast", "BCAST").optional(),
            Arg::word("optin", "OPTIN").optional(),
            Arg::word("optout", "OPTOUT").optional(),
            Arg::word("noloop", "NOLOOP").optional(),
        ]);

pub(super) const TRACKINGINFO: CommandSpec =
    of_connection(CommandSpec::new("trackinginfo", 2, Group::Connection, client_trackinginfo)).doc(
        "6.2.0",
        "Describes how the connection is told of changed keys.",
        "O(1)",
    );

/// The options of CLIENT TRACKING.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<Redirect>,
    prefixes: Vec<&'a [u8]>,
    bcast: bool,
    optin: bool,
    optout: bool,
    noloop: bool,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Ctx<'a>) -> Result<Options<'a>, CmdError> {
        let mut options = Options::default();
        let mut i = 3;
        while i < ctx.args.len() {
            let value = ctx.args.get(i + 1);
            match value {
                Some(_) if ctx.is_word(i, "redirect") => {
                    if options.redirect.is_some() {
                        return Err(CmdError::new("ERR A client can only redirect to a single other client"));
                    }
                    options.redirect = Some(find_client(ctx, ctx.int_arg(i + 1)?)?);
                    i += 1;
                }
                Some(prefix) if ctx.is_word(i, "prefix") => {
                    options.prefixes.push(prefix);
                    i += 1;
                }
                _ if ctx.is_word(i, "bcast") => options.bcast = true,
                _ if ctx.is_word(i, "optin") => options.optin = true,
                _ if ctx.is_word(i, "optout") => options.optout = true,
                _ if ctx.is_word(i, "noloop") => options.noloop = true,
                _ => return Err(CmdError::SYNTAX),
            }
            i += 1;
        }
        Ok(options)
    }

    /// The mode that they choose, which must fit the one that the client is in.
    fn mode(&self, current: Option<&Tracker>) -> Result<Mode, CmdError> {
        if !self.bcast && !self.prefixes.is_empty() {
            return Err(CmdError::new("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        if current.is_some_and(|tracker| (tracker.mode == Mode::Broadcast) != self.bcast) {
            return Err(CmdError::new(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            ));
        }
        if self.bcast && (self.optin || self.optout) {
            return Err(CmdError::new("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if self.optin && self.optout {
            return Err(CmdError::new("ERR You can't specify both OPTIN mode and OPTOUT mode"));
        }
        let current = current.map(|tracker| tracker.mode);
        if self.optin && current == Some(Mode::OptOut) || self.optout && current == Some(Mode::OptIn) {
            return Err(CmdError::new(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            ));
        }
        Ok(match () {
            () if self.bcast => Mode::Broadcast,
            () if self.optin => Mode::OptIn,
            () if self.optout => Mode::OptOut,
            () => Mode::Read,
        })
    }
}

/// The client with an id.
fn find_client(ctx: &Ctx<'_>, id: i64) -> Result<Redirect, CmdError> {
    let own = (ctx.session.id as i64 == id).then_some(ctx.session.key);
    let found = own.or_else(|| {
        let has_id = |session: &crate::state::session::Session| session.id as i64 == id;
        let mut sessions = ctx.state.sessions.iter();
        sessions.find(|(_, session)| session.as_deref().is_some_and(has_id)).map(|(key, _)| key)
    });
    let key = found.ok_or(CmdError::new("ERR The client ID you want redirect to does not exist"))?;
    Ok(Redirect { id: id as u64, key })
}

/// Refuses prefixes of which a key could have two.
fn check_prefixes(current: Option<&Tracker>, prefixes: &[&[u8]]) -> Result<(), CmdError> {
    let existing = current.map_or(0, |tracker| tracker.prefixes().len());
    if existing + prefixes.len() > PREFIXES_MAX {
        return Err(CmdError::new("ERR too many prefixes"));
    }
    let error = |prefix: &[u8], what: &str, other: &[u8]| {
        let (prefix, other) = (shown(prefix), shown(other));
        let parts: [&[u8]; 7] = [
            b"ERR Prefix '",
            prefix,
            b"' overlaps with ",
            what.as_bytes(),
            b" prefix '",
            other,
            b"'. Prefixes for a single client must not overlap.",
        ];
        CmdError::with(parts.concat())
    };
    let provided = first_overlap(prefixes);
    for (i, prefix) in prefixes.iter().enumerate() {
        if let Some(other) = current.and_then(|tracker| tracker.overlapping(prefix)) {
            return Err(error(prefix, "an existing", other));
        }
        if let Some((_, other)) = provided.filter(|(first, _)| *first == i) {
            return Err(error(prefix, "another provided", prefixes[other]));
        }
    }
    Ok(())
}

/// The first two of some prefixes of which a key could have both.
fn first_overlap(prefixes: &[&[u8]]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..prefixes.len()).collect();
    order.sort_by_key(|&i| prefixes[i]);
    // In this order all that begins with a prefix follows it.
    let (mut shortest, mut first) = (*order.first()?, None);
    for &i in &order[1..] {
        if prefixes[i].starts_with(prefixes[shortest]) {
            let earlier = i.min(shortest);
            first = Some(first.map_or(earlier, |first: usize| first.min(earlier)));
        } else {
            shortest = i;
        }
    }
    let (first, overlaps) = (first?, |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a));
    (first + 1..prefixes.len()).find(|&i| overlaps(prefixes[first], prefixes[i])).map(|i| (first, i))
}

/// <https://valkey.io/commands/client-tracking/>
fn client_tracking(ctx: &mut Ctx<'_>) -> Outcome {
    let options = Options::parse(ctx)?;
    if ctx.is_word(2, "off") {
        ctx.state.tracking.disable(ctx.session);
        return ctx.ok();
    }
    if !ctx.is_word(2, "on") {
        return Err(CmdError::SYNTAX);
    }
    let current = ctx.session.tracker.as_deref();
    let mode = options.mode(current)?;
    let mut prefixes = options.prefixes;
    check_prefixes(current, &prefixes)?;
    if options.bcast && prefixes.is_empty() {
        prefixes.push(b"");
    }
    let how = Tracker::new(mode, options.redirect, options.noloop);
    ctx.state.tracking.enable(ctx.session, how, prefixes);
    // For what else its transaction does.
    ctx.store.changes.interest.tracking = true;
    ctx.ok()
}

/// <https://valkey.io/commands/client-caching/>
fn client_caching(ctx: &mut Ctx<'_>) -> Outcome {
    let (yes, no) = (ctx.is_word(2, "yes"), ctx.is_word(2, "no"));
    let Some(tracker) = ctx.session.tracker.as_deref_mut() else {
        return Err(CmdError::new(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        ));
    };
    match tracker.mode {
        Mode::OptIn if yes => tracker.caching = true,
        Mode::OptOut if no => tracker.caching = true,
        _ if yes => {
            return Err(CmdError::new(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        _ if no => {
            return Err(CmdError::new(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
        _ => return Err(CmdError::SYNTAX),
    }
    ctx.ok()
}

/// <https://valkey.io/commands/client-getredir/>
fn client_getredir(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.int(list::redirect(ctx.session))
}

/// <https://valkey.io/commands/client-trackinginfo/>
fn client_trackinginfo(ctx: &mut Ctx<'_>) -> Outcome {
    let redirect = list::redirect(ctx.session);
    let session = &mut *ctx.session;
    let tracker = session.tracker.as_deref();
    let mut flags = vec![if tracker.is_some() { "on" } else { "off" }];
    if let Some(tracker) = tracker {
        let (mode, caching) = match tracker.mode {
            Mode::Read => (None, None),
            Mode::Broadcast => (Some("bcast"), None),
            Mode::OptIn => (Some("optin"), Some("caching-yes")),
            Mode::OptOut => (Some("optout"), Some("caching-no")),
        };
        flags.extend(mode);
        flags.extend(caching.filter(|_| tracker.caching));
        flags.extend(tracker.noloop.then_some("noloop"));
        flags.extend(tracker.redirect_broken.then_some("broken_redirect"));
    }
    let out = &mut session.out;
    out.map(3);
    out.bulk(b"flags");
    out.set(flags.len());
    flags.iter().for_each(|flag| out.bulk(flag.as_bytes()));
    out.bulk(b"redirect");
    out.int(redirect);
    out.bulk(b"prefixes");
    match tracker {
        Some(tracker) => {
            out.array(tracker.prefixes().len());
            tracker.prefixes().iter().for_each(|prefix| out.bulk(prefix));
        }
        None => out.array(0),
    }
    Ok(Flow::Done)
}
