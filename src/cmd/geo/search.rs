//! Searching for places around one.

use super::{keys, place_arg, reply_distance, reply_place, unit_arg};
use crate::{
    base::{
        geohash::{Place, Shape, decode},
        num::parse_f64,
    },
    cmd::zsets,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    resp::error::shown,
    value::{ZSet, zset::ScoreBound},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("geosearch", -7, Group::Geo, geosearch)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "6.2.0",
            "The places inside of a circle or a box.",
            "O(N+log(M)) for N places in the cells around, of M",
        )
        .history(&[("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "from",
                ArgKind::OneOf(&[
                    Arg::new("member", ArgKind::String).token("FROMMEMBER"),
                    Arg::new(
                        "fromlonlat",
                        ArgKind::Block(&[
                            Arg::new("longitude", ArgKind::Double),
                            Arg::new("latitude", ArgKind::Double),
                        ]),
                    )
                    .token("FROMLONLAT"),
                ]),
            ),
            Arg::new(
                "by",
                ArgKind::OneOf(&[
                    Arg::new(
                        "circle",
                        ArgKind::Block(&[
                            Arg::new("radius", ArgKind::Double).token("BYRADIUS"),
                            Arg::new(
                                "unit",
                                ArgKind::OneOf(&[
                                    Arg::word("m", "M"),
                                    Arg::word("km", "KM"),
                                    Arg::word("ft", "FT"),
                                    Arg::word("mi", "MI"),
                                ]),
                            ),
                        ]),
                    ),
                    Arg::new(
                        "box",
                        ArgKind::Block(&[
                            Arg::new("width", ArgKind::Double).token("BYBOX"),
                            Arg::new("height", ArgKind::Double),
                            Arg::new(
                                "unit",
                                ArgKind::OneOf(&[
                                    Arg::word("m", "M"),
                                    Arg::word("km", "KM"),
                                    Arg::word("ft", "FT"),
                                    Arg::word("mi", "MI"),
                                ]),
                            ),
                        ]),
                    ),
                ]),
            ),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").optional(),
                ]),
            )
            .optional(),
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
        ]),
    CommandSpec::new("geosearchstore", -8, Group::Geo, geosearchstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::GEO])
        .keys(&[
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1),
            KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 2, 2, 1),
        ])
        .doc(
            "6.2.0",
            "Stores the places inside of a circle or a box.",
            "O(N+log(M)) for N places in the cells around, of M",
        )
        .history(&[("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("destination", 0),
            Arg::key("source", 1),
            Arg::new(
                "from",
                ArgKind::OneOf(&[
                    Arg::new("member", ArgKind::String).token("FROMMEMBER"),
                    Arg::new(
                        "fromlonlat",
                        ArgKind::Block(&[
                            Arg::new("longitude", ArgKind::Double),
                            Arg::new("latitude", ArgKind::Double),
                        ]),
                    )
                    .token("FROMLONLAT"),
                ]),
            ),
            Arg::new(
                "by",
                ArgKind::OneOf(&[
                    Arg::new(
                        "circle",
                        ArgKind::Block(&[
                            Arg::new("radius", ArgKind::Double).token("BYRADIUS"),
                            Arg::new(
                                "unit",
                                ArgKind::OneOf(&[
                                    Arg::word("m", "M"),
                                    Arg::word("km", "KM"),
                                    Arg::word("ft", "FT"),
                                    Arg::word("mi", "MI"),
                                ]),
                            ),
                        ]),
                    ),
                    Arg::new(
                        "box",
                        ArgKind::Block(&[
                            Arg::new("width", ArgKind::Double).token("BYBOX"),
                            Arg::new("height", ArgKind::Double),
                            Arg::new(
                                "unit",
                                ArgKind::OneOf(&[
                                    Arg::word("m", "M"),
                                    Arg::word("km", "KM"),
                                    Arg::word("ft", "FT"),
                                    Arg::word("mi", "MI"),
                                ]),
                            ),
                        ]),
                    ),
                ]),
            ),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").optional(),
                ]),
            )
            .optional(),
            Arg::word("storedist", "STOREDIST").optional(),
        ]),
    CommandSpec::new("georadius", -6, Group::Geo, georadius)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::GEO])
        .keys(keys::AROUND_PLACE)
        .find_keys(keys::around_place)
        .doc(
            "3.2.0",
            "The places around coordinates, as a reply or to be stored.",
            "O(N+log(M)) for N places in the cells around, of M",
        )
        .history(&[("6.2.0", "`ANY`."), ("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("longitude", ArgKind::Double),
            Arg::new("latitude", ArgKind::Double),
            Arg::new("radius", ArgKind::Double),
            Arg::new(
                "unit",
                ArgKind::OneOf(&[
                    Arg::word("m", "M"),
                    Arg::word("km", "KM"),
                    Arg::word("ft", "FT"),
                    Arg::word("mi", "MI"),
                ]),
            ),
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").since("6.2.0").optional(),
                ]),
            )
            .optional(),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
            Arg::new(
                "store",
                ArgKind::OneOf(&[
                    Arg::key("storekey", 1).token("STORE").display("key"),
                    Arg::key("storedistkey", 2).token("STOREDIST").display("key"),
                ]),
            )
            .optional(),
        ])
        .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
    CommandSpec::new("georadius_ro", -6, Group::Geo, georadius_ro)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("3.2.10", "The places around coordinates.", "O(N+log(M)) for N places in the cells around, of M")
        .history(&[("6.2.0", "`ANY`."), ("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("longitude", ArgKind::Double),
            Arg::new("latitude", ArgKind::Double),
            Arg::new("radius", ArgKind::Double),
            Arg::new(
                "unit",
                ArgKind::OneOf(&[
                    Arg::word("m", "M"),
                    Arg::word("km", "KM"),
                    Arg::word("ft", "FT"),
                    Arg::word("mi", "MI"),
                ]),
            ),
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").since("6.2.0").optional(),
                ]),
            )
            .optional(),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
        ])
        .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument"),
    CommandSpec::new("georadiusbymember", -5, Group::Geo, georadiusbymember)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::GEO])
        .keys(keys::AROUND_MEMBER)
        .find_keys(keys::around_member)
        .doc(
            "3.2.0",
            "The places around one of them, as a reply or to be stored.",
            "O(N+log(M)) for N places in the cells around, of M",
        )
        .history(&[("6.2.0", "`ANY`."), ("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", ArgKind::String),
            Arg::new("radius", ArgKind::Double),
            Arg::new(
                "unit",
                ArgKind::OneOf(&[
                    Arg::word("m", "M"),
                    Arg::word("km", "KM"),
                    Arg::word("ft", "FT"),
                    Arg::word("mi", "MI"),
                ]),
            ),
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").optional(),
                ]),
            )
            .optional(),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
            Arg::new(
                "store",
                ArgKind::OneOf(&[
                    Arg::key("storekey", 1).token("STORE").display("key"),
                    Arg::key("storedistkey", 2).token("STOREDIST").display("key"),
                ]),
            )
            .optional(),
        ])
        .deprecated(
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        ),
    CommandSpec::new("georadiusbymember_ro", -5, Group::Geo, georadiusbymember_ro)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::GEO])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("3.2.10", "The places around one of them.", "O(N+log(M)) for N places in the cells around, of M")
        .history(&[("6.2.0", "`ANY`."), ("7.0.0", "Units in upper case.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", ArgKind::String),
            Arg::new("radius", ArgKind::Double),
            Arg::new(
                "unit",
                ArgKind::OneOf(&[
                    Arg::word("m", "M"),
                    Arg::word("km", "KM"),
                    Arg::word("ft", "FT"),
                    Arg::word("mi", "MI"),
                ]),
            ),
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
            Arg::new(
                "count-block",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer).token("COUNT"),
                    Arg::word("any", "ANY").optional(),
                ]),
            )
            .optional(),
            Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]))
                .optional(),
        ])
        .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
];

/// Which of the commands it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Center and shape are named options.
    Search,
    SearchStore,
    /// GEORADIUS: coordinates and a radius in fixed places; only the first of the two may store.
    Radius,
    RadiusReadOnly,
    /// GEORADIUSBYMEMBER: the same with a member.
    ByMember,
    ByMemberReadOnly,
}

impl Form {
    fn is_search(self) -> bool {
        matches!(self, Form::Search | Form::SearchStore)
    }

    fn takes_store(self) -> bool {
        matches!(self, Form::Radius | Form::ByMember)
    }
}

/// In which order places are replied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// Where the result goes.
#[derive(Clone, Copy)]
struct Target<'a> {
    key: &'a [u8],
    /// The scores are distances.
    distances: bool,
}

/// What is asked for.
#[derive(Default)]
struct Query<'a> {
    center: Option<Center>,
    shape: Option<Shape>,
    /// The unit of distances.
    unit_m: f64,
    with_distance: bool,
    with_hash: bool,
    with_place: bool,
    /// Whatever is found first will do.
    any: bool,
    order: Option<Order>,
    /// Most places; 0: all.
    count: usize,
    target: Option<Target<'a>>,
}

/// How the place to search around was given.
#[derive(Clone, Copy)]
enum Center {
    Place(Place),
    Member(Place),
    /// A member of a key that is not there.
    Unknown,
}

/// A place that was found.
struct Found {
    member: Vec<u8>,
    score: f64,
    place: Place,
    distance_m: f64,
}

/// <https://valkey.io/commands/geosearch/>
fn geosearch(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::Search)
}

/// <https://valkey.io/commands/geosearchstore/>
fn geosearchstore(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::SearchStore)
}

/// <https://valkey.io/commands/georadius/>
fn georadius(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::Radius)
}

/// <https://valkey.io/commands/georadius_ro/>
fn georadius_ro(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::RadiusReadOnly)
}

/// <https://valkey.io/commands/georadiusbymember/>
fn georadiusbymember(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::ByMember)
}

/// <https://valkey.io/commands/georadiusbymember_ro/>
fn georadiusbymember_ro(ctx: &mut Ctx<'_>) -> Outcome {
    search(ctx, Form::ByMemberReadOnly)
}

impl<'a> Query<'a> {
    /// Reads what follows the source, which is `zset`.
    fn parse(ctx: &Ctx<'a>, form: Form, zset: Option<&ZSet>) -> Result<Query<'a>, CmdError> {
        let args = ctx.args;
        let mut query = Query { unit_m: 1.0, ..Query::default() };
        let first = match form {
            Form::Search => 2,
            Form::SearchStore => {
                query.target = Some(Target { key: args.at(1), distances: false });
                3
            }
            Form::Radius | Form::RadiusReadOnly => {
                query.center = Some(Center::Place(place_arg(ctx, 2)?));
                query.take_circle(ctx, 4)?;
                6
            }
            Form::ByMember | Form::ByMemberReadOnly => {
                query.center = Some(member_arg(ctx, 2, zset)?);
                if zset.is_some() {
                    query.take_circle(ctx, 3)?;
                }
                5
            }
        };
        query.parse_options(ctx, first, form, zset)?;
        Ok(query)
    }

    fn parse_options(
        &mut self,
        ctx: &Ctx<'a>,
        first: usize,
        form: Form,
        zset: Option<&ZSet>,
    ) -> Result<(), CmdError> {
        let args = ctx.args;
        let (mut by_radius, mut by_box) = (false, false);
        let mut i = first;
        while i < args.len() {
            let behind = args.len() - i - 1;
            if ctx.is_word(i, "withdist") {
                self.with_distance = true;
            } else if ctx.is_word(i, "withhash") {
                self.with_hash = true;
            } else if ctx.is_word(i, "withcoord") {
                self.with_place = true;
            } else if ctx.is_word(i, "any") {
                self.any = true;
            } else if ctx.is_word(i, "asc") {
                self.order = Some(Order::Ascending);
            } else if ctx.is_word(i, "desc") {
                self.order = Some(Order::Descending);
            } else if ctx.is_word(i, "count") && behind >= 1 {
                let count = usize::try_from(int(args.at(i + 1))?).ok().filter(|&n| n > 0);
                self.count = count.ok_or(CmdError::new("ERR COUNT must be > 0"))?;
                i += 1;
            } else if form.takes_store()
                && behind >= 1
                && (ctx.is_word(i, "store") || ctx.is_word(i, "storedist"))
            {
                self.target = Some(Target { key: args.at(i + 1), distances: ctx.is_word(i, "storedist") });
                i += 1;
            } else if form == Form::SearchStore && ctx.is_word(i, "storedist") {
                self.target = Some(Target { key: args.at(1), distances: true });
            } else if form.is_search()
                && ctx.is_word(i, "frommember")
                && behind >= 1
                && !matches!(self.center, Some(Center::Place(_)))
            {
                self.center = Some(member_arg(ctx, i + 1, zset)?);
                i += 1;
            } else if form.is_search()
                && ctx.is_word(i, "fromlonlat")
                && behind >= 2
                && !matches!(self.center, Some(Center::Member(_) | Center::Unknown))
            {
                self.center = Some(Center::Place(place_arg(ctx, i + 1)?));
                i += 2;
            } else if form.is_search() && ctx.is_word(i, "byradius") && behind >= 2 && !by_box {
                self.take_circle(ctx, i + 1)?;
                by_radius = true;
                i += 2;
            } else if form.is_search() && ctx.is_word(i, "bybox") && behind >= 3 && !by_radius {
                self.take_box(ctx, i + 1)?;
                by_box = true;
                i += 3;
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        self.check(ctx, form)
    }

    /// A radius and its unit at argument `i`.
    fn take_circle(&mut self, ctx: &Ctx<'_>, i: usize) -> Result<(), CmdError> {
        let radius = parse_f64(ctx.args.at(i)).ok_or(CmdError::new("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(CmdError::new("ERR radius cannot be negative"));
        }
        self.unit_m = unit_arg(ctx, i + 1)?;
        self.shape = Some(Shape::Circle { radius_m: radius * self.unit_m });
        Ok(())
    }

    /// Width, height and their unit at argument `i`.
    fn take_box(&mut self, ctx: &Ctx<'_>, i: usize) -> Result<(), CmdError> {
        let width = parse_f64(ctx.args.at(i)).ok_or(CmdError::new("ERR need numeric width"))?;
        let height = parse_f64(ctx.args.at(i + 1)).ok_or(CmdError::new("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(CmdError::new("ERR height or width cannot be negative"));
        }
        self.unit_m = unit_arg(ctx, i + 2)?;
        self.shape = Some(Shape::Box { width_m: width * self.unit_m, height_m: height * self.unit_m });
        Ok(())
    }

    /// What does not fit together.
    fn check(&self, ctx: &Ctx<'_>, form: Form) -> Result<(), CmdError> {
        if self.target.is_some() && (self.with_distance || self.with_hash || self.with_place) {
            let who = if form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(CmdError::with(format!(
                "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        let lacking = |what: &str| {
            CmdError::with([what.as_bytes(), b" can be specified for ", shown(ctx.args.at(0))].concat())
        };
        if form.is_search() && self.center.is_none() {
            return Err(lacking("ERR exactly one of FROMMEMBER or FROMLONLAT"));
        }
        if form.is_search() && self.shape.is_none() {
            return Err(lacking("ERR exactly one of BYRADIUS and BYBOX"));
        }
        if self.any && self.count == 0 {
            return Err(CmdError::new("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// The places inside, in the order in which they are replied.
    fn find(&self, zset: &ZSet) -> Vec<Found> {
        let (Some(Center::Place(center) | Center::Member(center)), Some(shape)) = (self.center, self.shape)
        else {
            return Vec::new();
        };
        let enough = if self.any { self.count } else { usize::MAX };
        let mut found = Vec::new();
        for (min, max) in shape.score_ranges(center) {
            let min = ScoreBound { score: min, exclusive: false };
            let range = zset.range_by_score(min, ScoreBound { score: max, exclusive: true });
            for (member, score) in zset.iter_from(range.start).take(range.len) {
                if found.len() >= enough {
                    break;
                }
                let place = decode(score);
                if let Some(distance_m) = shape.distance_m(center, place) {
                    found.push(Found { member: member.to_vec(), score, place, distance_m });
                }
            }
        }
        // The nearest of all are wanted where some are left out.
        let nearest = (self.count > 0 && !self.any).then_some(Order::Ascending);
        match self.order.or(nearest) {
            Some(Order::Ascending) => found.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m)),
            Some(Order::Descending) => found.sort_by(|a, b| b.distance_m.total_cmp(&a.distance_m)),
            None => {}
        }
        if self.count > 0 {
            found.truncate(self.count);
        }
        found
    }
}

/// The place of the member at argument `i`.
fn member_arg(ctx: &Ctx<'_>, i: usize, zset: Option<&ZSet>) -> Result<Center, CmdError> {
    let Some(zset) = zset else { return Ok(Center::Unknown) };
    let score = zset.score(ctx.args.at(i));
    let score = score.ok_or(CmdError::new("ERR could not decode requested zset member"))?;
    Ok(Center::Member(decode(score)))
}

fn search(ctx: &mut Ctx<'_>, form: Form) -> Outcome {
    let (args, db, cfg) = (ctx.args, ctx.db(), zsets::config(ctx));
    let source = args.at(if form == Form::SearchStore { 2 } else { 1 });
    let pos = ctx.store.read(db, source);
    let (query, found) = match pos {
        Some(pos) => {
            let entry = ctx.store.entry(db, pos);
            let zset = zsets::zset(&entry)?;
            let query = Query::parse(ctx, form, Some(zset))?;
            let found = query.find(zset);
            (query, found)
        }
        None => (Query::parse(ctx, form, None)?, Vec::new()),
    };
    if let Some(target) = query.target {
        let mut result = ZSet::new_indexed(&cfg);
        for one in &found {
            let score = if target.distances { one.distance_m / query.unit_m } else { one.score };
            result.insert(&one.member, score, &cfg);
        }
        result.make_pack_if_small(&cfg);
        let event = if form.is_search() { "geosearchstore" } else { "georadiusstore" };
        return zsets::store_result(ctx, target.key, result, event);
    }
    let out = &mut ctx.session.out;
    let more =
        [query.with_distance, query.with_hash, query.with_place].into_iter().filter(|&with| with).count();
    out.array(found.len());
    for one in &found {
        if more > 0 {
            out.array(1 + more);
        }
        out.bulk(&one.member);
        if query.with_distance {
            reply_distance(out, one.distance_m / query.unit_m);
        }
        if query.with_hash {
            out.int(one.score as i64);
        }
        if query.with_place {
            reply_place(out, one.place);
        }
    }
    Ok(Flow::Done)
}
