//! Adding places and looking at them one by one.

use super::{place_arg, reply_distance, reply_place, unit_arg};
use crate::{
    base::geohash::{self, Place, decode, distance_m},
    cmd::zsets::{self, Options},
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    resp::output::Output,
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("geoadd", -5, Group::Geo, geoadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("3.2.0", "Adds places to a sorted set, or moves those that it has.", "O(log(N)) for each place")
        .history(&[("6.2.0", "`CH`, `NX` and `XX`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("condition", ArgKind::OneOf(&[Arg::word("nx", "NX"), Arg::word("xx", "XX")]))
                .since("6.2.0")
                .optional(),
            Arg::word("change", "CH").since("6.2.0").optional(),
            Arg::new(
                "data",
                ArgKind::Block(&[
                    Arg::new("longitude", ArgKind::Double),
                    Arg::new("latitude", ArgKind::Double),
                    Arg::new("member", ArgKind::String),
                ]),
            )
            .multiple(),
        ]),
    CommandSpec::new("geodist", -4, Group::Geo, geodist)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("3.2.0", "The distance of two places.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("member1", ArgKind::String),
            Arg::new("member2", ArgKind::String),
            Arg::new(
                "unit",
                ArgKind::OneOf(&[
                    Arg::word("m", "M"),
                    Arg::word("km", "KM"),
                    Arg::word("ft", "FT"),
                    Arg::word("mi", "MI"),
                ]),
            )
            .optional(),
        ]),
    CommandSpec::new("geohash", -2, Group::Geo, geohash)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("3.2.0", "The geohashes of places, as text.", "O(1) for each place")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).optional().multiple()]),
    CommandSpec::new("geopos", -2, Group::Geo, geopos)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("3.2.0", "The coordinates of places.", "O(1) for each place")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).optional().multiple()]),
];

/// <https://valkey.io/commands/geoadd/>
fn geoadd(ctx: &mut Ctx<'_>) -> Outcome {
    let mut options = Options::default();
    let mut first = 2;
    loop {
        if ctx.is_word(first, "nx") {
            options.only_new = true;
        } else if ctx.is_word(first, "xx") {
            options.only_existing = true;
        } else if ctx.is_word(first, "ch") {
            options.count_changed = true;
        } else {
            break;
        }
        first += 1;
    }
    let args = ctx.args;
    let rest = args.len() - first;
    if !rest.is_multiple_of(3) || options.only_new && options.only_existing {
        return Err(CmdError::SYNTAX);
    }
    let mut places = Vec::with_capacity(rest / 3);
    for i in (first..args.len()).step_by(3) {
        places.push((geohash::encode(place_arg(ctx, i)?) as f64, args.at(i + 2)));
    }
    if places.is_empty() {
        return Err(CmdError::SYNTAX);
    }
    zsets::add(ctx, options, places.len(), |i| places[i])
}

/// <https://valkey.io/commands/geodist/>
fn geodist(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let unit_m = match args.len() {
        4 => 1.0,
        5 => unit_arg(ctx, 4)?,
        _ => return Err(CmdError::SYNTAX),
    };
    let found = zsets::read(ctx.store, ctx.session.db, args.at(1), |zset| {
        Some((decode(zset.score(args.at(2))?), decode(zset.score(args.at(3))?)))
    })?;
    match found.flatten() {
        Some((a, b)) => reply_distance(ctx.out(), distance_m(a, b) / unit_m),
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/geohash/>
fn geohash(ctx: &mut Ctx<'_>) -> Outcome {
    each_place(ctx, |out, place| match place {
        Some(place) => out.bulk(&geohash::text(place)),
        None => out.null(),
    })
}

/// <https://valkey.io/commands/geopos/>
fn geopos(ctx: &mut Ctx<'_>) -> Outcome {
    each_place(ctx, |out, place| match place {
        Some(place) => reply_place(out, place),
        None => out.null_array(),
    })
}

/// Replies an array with what `f` makes of each member's place.
fn each_place(ctx: &mut Ctx<'_>, f: impl Fn(&mut Output, Option<Place>)) -> Outcome {
    let (args, out) = (ctx.args, &mut ctx.session.out);
    let members = args.len() - 2;
    let found = zsets::read(ctx.store, ctx.session.db, args.at(1), |zset| {
        out.array(members);
        args.from(2).for_each(|member| f(out, zset.score(member).map(decode)));
    })?;
    if found.is_none() {
        out.array(members);
        (0..members).for_each(|_| f(out, None));
    }
    Ok(Flow::Done)
}
