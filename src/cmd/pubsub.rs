//! Messages: publishing, subscribing, and looking into both.
//!
//! Source: <https://valkey.io/topics/pubsub/>.

use crate::{
    command::{
        Arg, ArgKind, Channels, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    resp::output::Output,
    state::{
        pubsub::{Kind, PubSub, SUBSCRIPTIONS_MAX, Subscriptions},
        session::Session,
    },
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("publish", 3, Group::PubSub, publish)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE, Flags::FAST, Flags::MAY_REPLICATE])
        .channels(Channels::First)
        .doc("2.0.0", "Sends a message to the subscribers of a channel.", "O(N+M)")
        .args(&[Arg::new("channel", ArgKind::String), Arg::new("message", ArgKind::String)]),
    CommandSpec::new("spublish", 3, Group::PubSub, spublish)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE, Flags::FAST, Flags::MAY_REPLICATE])
        .keys(&[KeySpec::range(KeyFlags::NOT_KEY, 1, 1, 1)])
        .channels(Channels::First)
        .doc("7.0.0", "Sends a message to the subscribers of a shard channel.", "O(N)")
        .args(&[Arg::new("shardchannel", ArgKind::String), Arg::new("message", ArgKind::String)]),
    CommandSpec::new("subscribe", -2, Group::PubSub, subscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .channels(Channels::All)
        .doc("2.0.0", "Starts to receive the messages of channels.", "O(N)")
        .args(&[Arg::new("channel", ArgKind::String).multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::new("unsubscribe", -1, Group::PubSub, unsubscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.0.0", "Stops to receive the messages of channels.", "O(N)")
        .args(&[Arg::new("channel", ArgKind::String).optional().multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::new("psubscribe", -2, Group::PubSub, psubscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .channels(Channels::Patterns)
        .doc("2.0.0", "Starts to receive the messages of channels that match patterns.", "O(N)")
        .args(&[Arg::new("pattern", ArgKind::Pattern).multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::new("punsubscribe", -1, Group::PubSub, punsubscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .doc("2.0.0", "Stops to receive the messages of channels that match patterns.", "O(N)")
        .args(&[Arg::new("pattern", ArgKind::Pattern).optional().multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::new("ssubscribe", -2, Group::PubSub, ssubscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .keys(&[KeySpec::range(KeyFlags::NOT_KEY, 1, -1, 1)])
        .channels(Channels::All)
        .doc("7.0.0", "Starts to receive the messages of shard channels.", "O(N)")
        .args(&[Arg::new("shardchannel", ArgKind::String).multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::new("sunsubscribe", -1, Group::PubSub, sunsubscribe)
        .flags(&[Flags::PUBSUB, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .keys(&[KeySpec::range(KeyFlags::NOT_KEY, 1, -1, 1)])
        .doc("7.0.0", "Stops to receive the messages of shard channels.", "O(N)")
        .args(&[Arg::new("shardchannel", ArgKind::String).optional().multiple()])
        .while_subscribed()
        .always_heard(),
    CommandSpec::container("pubsub", Group::PubSub, PUBSUB_SUBCOMMANDS).doc(
        "2.8.0",
        "Holds the commands that look into publishing and subscribing.",
        "",
    ),
];

const PUBSUB_SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("channels", -2, Group::PubSub, pubsub_channels)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE])
        .doc("2.8.0", "Lists the channels that have subscribers.", "O(N)")
        .args(&[Arg::new("pattern", ArgKind::Pattern).optional()]),
    CommandSpec::new("help", 2, Group::PubSub, pubsub_help).flags(&[Flags::LOADING, Flags::STALE]).doc(
        "6.2.0",
        "Explains the subcommands.",
        "O(1)",
    ),
    CommandSpec::new("numpat", 2, Group::PubSub, pubsub_numpat)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE])
        .doc("2.8.0", "Counts the patterns subscribed to.", "O(1)"),
    CommandSpec::new("numsub", -2, Group::PubSub, pubsub_numsub)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE])
        .doc("2.8.0", "Counts the subscribers of channels.", "O(N)")
        .args(&[Arg::new("channel", ArgKind::String).optional().multiple()]),
    CommandSpec::new("shardchannels", -2, Group::PubSub, pubsub_shardchannels)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE])
        .doc("7.0.0", "Lists the shard channels that have subscribers.", "O(N)")
        .args(&[Arg::new("pattern", ArgKind::Pattern).optional()]),
    CommandSpec::new("shardnumsub", -2, Group::PubSub, pubsub_shardnumsub)
        .flags(&[Flags::PUBSUB, Flags::LOADING, Flags::STALE])
        .doc("7.0.0", "Counts the subscribers of shard channels.", "O(N)")
        .args(&[Arg::new("shardchannel", ArgKind::String).optional().multiple()]),
];

/// <https://valkey.io/commands/publish/>
fn publish(ctx: &mut Ctx<'_>) -> Outcome {
    send(ctx, Kind::Channel)
}

/// <https://valkey.io/commands/spublish/>
fn spublish(ctx: &mut Ctx<'_>) -> Outcome {
    send(ctx, Kind::Shard)
}

/// Replies how many will receive the message; the engine delivers it after the command.
fn send(ctx: &mut Ctx<'_>, kind: Kind) -> Outcome {
    let (channel, message) = (ctx.args.at(1), ctx.args.at(2));
    let reach = ctx.state.pubsub.reach(kind, channel);
    if reach > 0 {
        ctx.effects.publish(kind, channel, message);
    }
    ctx.count(reach)
}

/// <https://valkey.io/commands/subscribe/>
fn subscribe(ctx: &mut Ctx<'_>) -> Outcome {
    begin(ctx, Kind::Channel, "subscribe")
}

/// <https://valkey.io/commands/psubscribe/>
fn psubscribe(ctx: &mut Ctx<'_>) -> Outcome {
    begin(ctx, Kind::Pattern, "psubscribe")
}

/// <https://valkey.io/commands/ssubscribe/>
fn ssubscribe(ctx: &mut Ctx<'_>) -> Outcome {
    // Its replies are no replies, which a transaction counts on. The older two may all the same, as they always did.
    if !ctx.may_block {
        return Err(CmdError::new("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    begin(ctx, Kind::Shard, "ssubscribe")
}

/// <https://valkey.io/commands/unsubscribe/>
fn unsubscribe(ctx: &mut Ctx<'_>) -> Outcome {
    end(ctx, Kind::Channel, "unsubscribe")
}

/// <https://valkey.io/commands/punsubscribe/>
fn punsubscribe(ctx: &mut Ctx<'_>) -> Outcome {
    end(ctx, Kind::Pattern, "punsubscribe")
}

/// <https://valkey.io/commands/sunsubscribe/>
fn sunsubscribe(ctx: &mut Ctx<'_>) -> Outcome {
    end(ctx, Kind::Shard, "sunsubscribe")
}

fn begin(ctx: &mut Ctx<'_>, kind: Kind, word: &str) -> Outcome {
    let key = ctx.session.key;
    let subs = ctx.session.subscriptions.get_or_insert_default();
    if subs.count() + ctx.args.len() > SUBSCRIPTIONS_MAX {
        return Err(CmdError::new("ERR too many subscriptions"));
    }
    for name in ctx.args.from(1) {
        ctx.state.pubsub.subscribe(subs, key, kind, name);
        confirm(&mut ctx.session.out, word, Some(name), counted_with(subs, kind));
    }
    Ok(Flow::Done)
}

fn end(ctx: &mut Ctx<'_>, kind: Kind, word: &str) -> Outcome {
    let key = ctx.session.key;
    let out = &mut ctx.session.out;
    let mut subs = ctx.session.subscriptions.take().unwrap_or_default();
    if ctx.args.len() > 1 {
        for name in ctx.args.from(1) {
            ctx.state.pubsub.unsubscribe(&mut subs, key, kind, name);
            confirm(out, word, Some(name), counted_with(&subs, kind));
        }
    } else if subs.count_of(kind) == 0 {
        confirm(out, word, None, counted_with(&subs, kind));
    } else {
        for name in subs.names(kind) {
            ctx.state.pubsub.unsubscribe(&mut subs, key, kind, &name);
            confirm(out, word, Some(&name), counted_with(&subs, kind));
        }
    }
    if subs.count() > 0 {
        ctx.session.subscriptions = Some(subs);
    }
    Ok(Flow::Done)
}

/// Ends those subscriptions of a session to shard channels that `ends` names, and tells it.
pub fn end_shards(session: &mut Session, pubsub: &mut PubSub, ends: impl Fn(&[u8]) -> bool) {
    let Some(mut subs) = session.subscriptions.take() else { return };
    for name in subs.names(Kind::Shard).iter().filter(|name| ends(name)) {
        pubsub.unsubscribe(&mut subs, session.key, Kind::Shard, name);
        confirm(&mut session.out, "sunsubscribe", Some(name), counted_with(&subs, Kind::Shard));
    }
    if subs.count() > 0 {
        session.subscriptions = Some(subs);
    }
}

/// Tells a client that it subscribed or not any more, and how many subscriptions it has.
fn confirm(out: &mut Output, word: &str, name: Option<&[u8]>, subscriptions: usize) {
    out.push(3);
    out.bulk(word.as_bytes());
    match name {
        Some(name) => out.bulk(name),
        None => out.null(),
    }
    out.count(subscriptions);
}

/// The subscriptions that a confirmation counts: channels and patterns together, shard channels alone.
fn counted_with(subs: &Subscriptions, kind: Kind) -> usize {
    match kind {
        Kind::Shard => subs.count_of(Kind::Shard),
        Kind::Channel | Kind::Pattern => subs.count_of(Kind::Channel) + subs.count_of(Kind::Pattern),
    }
}

/// <https://valkey.io/commands/pubsub-channels/>
fn pubsub_channels(ctx: &mut Ctx<'_>) -> Outcome {
    list(ctx, Kind::Channel)
}

/// <https://valkey.io/commands/pubsub-shardchannels/>
fn pubsub_shardchannels(ctx: &mut Ctx<'_>) -> Outcome {
    list(ctx, Kind::Shard)
}

fn list(ctx: &mut Ctx<'_>, kind: Kind) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(ctx.wrong_subcommand());
    }
    let pattern = ctx.args.get(2);
    let out = &mut ctx.session.out;
    match pattern {
        None => out.array(ctx.state.pubsub.count(kind)),
        Some(_) => out.array(ctx.state.pubsub.list(kind, pattern).count()),
    }
    for name in ctx.state.pubsub.list(kind, pattern) {
        out.bulk(name);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/pubsub-numsub/>
fn pubsub_numsub(ctx: &mut Ctx<'_>) -> Outcome {
    count_receivers(ctx, Kind::Channel)
}

/// <https://valkey.io/commands/pubsub-shardnumsub/>
fn pubsub_shardnumsub(ctx: &mut Ctx<'_>) -> Outcome {
    count_receivers(ctx, Kind::Shard)
}

fn count_receivers(ctx: &mut Ctx<'_>, kind: Kind) -> Outcome {
    let names = ctx.args.from(2);
    let out = &mut ctx.session.out;
    out.array(2 * names.len());
    for name in names {
        out.bulk(name);
        out.count(ctx.state.pubsub.receivers(kind, name));
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/pubsub-numpat/>
fn pubsub_numpat(ctx: &mut Ctx<'_>) -> Outcome {
    let patterns = ctx.state.pubsub.count(Kind::Pattern);
    ctx.count(patterns)
}

/// <https://valkey.io/commands/pubsub-help/>
fn pubsub_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "PUBSUB",
        &[
            "CHANNELS [<pattern>]",
            "    The channels with subscribers, all or those that match <pattern>.",
            "NUMPAT",
            "    How many patterns have subscribers.",
            "NUMSUB [<channel> ...]",
            "    How many subscribe to each channel; patterns do not count.",
            "SHARDCHANNELS [<pattern>]",
            "    The shard channels with subscribers, all or those that match <pattern>.",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    How many subscribe to each shard channel.",
        ],
    )
}
