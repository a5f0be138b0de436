//! SORT: the elements of a collection in an order of the client's choice.

mod lookup;

use crate::{
    base::{num::parse_f64, slot},
    command::{
        Arg, ArgKind, Args, BeginSearch, Categories, CmdError, CommandSpec, Ctx, FindKeys, Flags, Flow,
        Group, KeyFlags, KeySpec, Outcome, access, keys::Keys, table::CommandId,
    },
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        List, Value, ValueMut, ValueRef,
        list::{Elem, End},
    },
};
use lookup::Pattern;
use std::cmp::Ordering;

const SOURCE: KeySpec = KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1);

const BY_AND_GET: KeySpec = KeySpec {
    flags: KeyFlags::RO.or(KeyFlags::ACCESS),
    begin: BeginSearch::Unknown,
    find: FindKeys::Unknown,
    notes: "The keys of BY and GET depend on the elements that are sorted.",
};

const DESTINATION: KeySpec = KeySpec {
    flags: KeyFlags::OW.or(KeyFlags::UPDATE),
    begin: BeginSearch::Unknown,
    find: FindKeys::Unknown,
    notes: "The key behind STORE, which may stand anywhere.",
};

const BY: Arg = Arg::new("by-pattern", ArgKind::KeyPattern(1)).token("BY").display("pattern").optional();
const LIMIT: Arg = Arg::new(
    "limit",
    ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
)
.token("LIMIT")
.optional();
const GET: Arg = Arg::new("get-pattern", ArgKind::KeyPattern(1))
    .token("GET")
    .display("pattern")
    .optional()
    .multiple_token();
const ORDER: Arg =
    Arg::new("order", ArgKind::OneOf(&[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")])).optional();
const SORTING: Arg = Arg::word("sorting", "ALPHA").optional();
const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements and M the number of those returned; O(N) without sorting.";

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("sort", -2, Group::Generic, sort)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SET, Categories::SORTEDSET, Categories::LIST, Categories::DANGEROUS])
        .keys(&[SOURCE, BY_AND_GET, DESTINATION])
        .find_keys(sort_keys)
        .doc("1.0.0", "Sorts a list, a set or a sorted set, and may store the result.", COMPLEXITY)
        .args(&[
            Arg::key("key", 0),
            BY,
            LIMIT,
            GET,
            ORDER,
            SORTING,
            Arg::key("destination", 2).token("STORE").optional(),
        ]),
    CommandSpec::new("sort_ro", -2, Group::Generic, sort_ro)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET, Categories::SORTEDSET, Categories::LIST, Categories::DANGEROUS])
        .keys(&[SOURCE, BY_AND_GET])
        .find_keys(|_| Some(Keys::one(1, SOURCE.flags)))
        .doc("7.0.0", "Sorts a list, a set or a sorted set without changing anything.", COMPLEXITY)
        .args(&[Arg::key("key", 0), BY, LIMIT, GET, ORDER, SORTING]),
];

/// The key that is sorted, and the last one behind STORE.
fn sort_keys(args: Args<'_>) -> Option<Keys> {
    let source = Keys::one(1, SOURCE.flags);
    let mut keys = source;
    let mut i = 2;
    while i < args.len() {
        let is = |word: &str| args.at(i).eq_ignore_ascii_case(word.as_bytes());
        if is("limit") {
            i += 2;
        } else if is("get") || is("by") {
            i += 1;
        } else if is("store") && i + 1 < args.len() {
            i += 1;
            keys = source.and(i, i, DESTINATION.flags);
        }
        i += 1;
    }
    Some(keys)
}

/// <https://valkey.io/commands/sort/>
fn sort(ctx: &mut Ctx<'_>) -> Outcome {
    run(ctx, true)
}

/// <https://valkey.io/commands/sort_ro/>
fn sort_ro(ctx: &mut Ctx<'_>) -> Outcome {
    run(ctx, false)
}

/// What SORT was asked for.
#[derive(Default)]
struct Options<'a> {
    by: Option<Pattern<'a>>,
    /// BY a pattern that names one key: the elements keep their order.
    unsorted: bool,
    descending: bool,
    alpha: bool,
    offset: i64,
    /// Negative: no limit.
    count: i64,
    get: Vec<Pattern<'a>>,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Ctx<'a>, may_store: bool) -> Result<Options<'a>, CmdError> {
        let args = ctx.args;
        let mut options = Options { count: -1, ..Options::default() };
        let may_read_all = may_read_all_keys(ctx);
        let mut i = 2;
        while i < args.len() {
            let left = args.len() - 1 - i;
            if ctx.is_word(i, "asc") {
                options.descending = false;
            } else if ctx.is_word(i, "desc") {
                options.descending = true;
            } else if ctx.is_word(i, "alpha") {
                options.alpha = true;
            } else if ctx.is_word(i, "limit") && left >= 2 {
                (options.offset, options.count) = (ctx.int_arg(i + 1)?, ctx.int_arg(i + 2)?);
                i += 2;
            } else if ctx.is_word(i, "store") && left >= 1 && may_store {
                options.store = Some(args.at(i + 1));
                i += 1;
            } else if ctx.is_word(i, "by") && left >= 1 {
                let pattern = Pattern::new(args.at(i + 1));
                options.unsorted |= !pattern.varies();
                if pattern.varies() && leaves_slot(ctx, args.at(i + 1)) {
                    return Err(elsewhere("BY"));
                }
                if pattern.varies() && !may_read_all {
                    return Err(denied("BY"));
                }
                options.by = Some(pattern);
                i += 1;
            } else if ctx.is_word(i, "get") && left >= 1 {
                if args.at(i + 1) != b"#" && leaves_slot(ctx, args.at(i + 1)) {
                    return Err(elsewhere("GET"));
                }
                if !may_read_all {
                    return Err(denied("GET"));
                }
                options.get.push(Pattern::new(args.at(i + 1)));
                i += 1;
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        Ok(options)
    }

    /// Which of `len` elements are wanted.
    fn range(&self, len: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.offset.max(0)).unwrap_or(usize::MAX).min(len);
        let n = usize::try_from(self.count).unwrap_or(len);
        start..start.saturating_add(n).min(len)
    }
}

/// The patterns of BY and GET may lead to any key.
fn may_read_all_keys(ctx: &Ctx<'_>) -> bool {
    let user = &ctx.state.acl[ctx.session.user];
    user.unrestricted
        || ctx
            .table
            .lookup(ctx.args, CommandId::MAX)
            .is_ok_and(|id| access::may_read_all_keys(user, ctx.table, id, ctx.args))
}

/// Whether a pattern may lead to keys of another slot of a cluster than that of the key that is sorted.
fn leaves_slot(ctx: &Ctx<'_>, pattern: &[u8]) -> bool {
    ctx.state.cluster.is_some() && slot::of_pattern(pattern) != Some(slot::of_key(ctx.args.at(1)))
}

fn elsewhere(option: &str) -> CmdError {
    CmdError::with(format!(
        "ERR {option} option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots."
    ))
}

fn denied(option: &str) -> CmdError {
    CmdError::with(format!("ERR {option} option of SORT denied due to insufficient ACL permissions."))
}

fn run(ctx: &mut Ctx<'_>, may_store: bool) -> Outcome {
    let db = ctx.db();
    let mut options = Options::parse(ctx, may_store)?;
    let (elements, range) = read(ctx, &mut options)?;
    let elements = if options.unsorted { elements } else { sorted(ctx.store, db, elements, &options)? };
    let wanted = elements.get(range).unwrap_or_default();
    match options.store {
        Some(key) => store(ctx, key, wanted, &options.get),
        None => reply(ctx, wanted, &options.get),
    }
}

/// The elements to be sorted, and which of the sorted ones are wanted. Without sorting a list or a sorted set yields
/// just those.
fn read(
    ctx: &mut Ctx<'_>,
    options: &mut Options<'_>,
) -> Result<(Vec<Vec<u8>>, std::ops::Range<usize>), CmdError> {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else { return Ok((Vec::new(), 0..0)) };
    if matches!(ctx.store.entry(db, pos).value(), ValueRef::ZSet(zset) if zset.as_pack().is_some()) {
        // As in Valkey, where sorting reads the larger encoding alone; the name of the encoding shows it.
        let cfg = ctx.state.config.zset(ctx.store.seed);
        if let ValueMut::ZSet(zset) = ctx.store.edit(db, pos).value_mut() {
            zset.make_indexed(&cfg);
        }
    }
    let entry = ctx.store.entry(db, pos);
    let mut elements = Vec::new();
    let mut add = |elem: Elem<'_>| elements.push(elem.to_vec());
    let len = match entry.value() {
        ValueRef::List(list) => list.len(),
        ValueRef::Set(set) => set.len(),
        ValueRef::ZSet(zset) => zset.len(),
        _ => return Err(CmdError::WRONG_TYPE),
    };
    let range = options.range(len);
    if let ValueRef::Set(set) = entry.value() {
        set.iter().for_each(add);
        if options.unsorted && (options.store.is_some() || ctx.session.in_script.is_some()) {
            // What is stored, or a script sees, must not hang on the order of a hash table.
            (options.unsorted, options.alpha, options.by) = (false, true, None);
        }
        return Ok((elements, range));
    }
    let (start, n) = if options.unsorted { (range.start, range.len()) } else { (0, len) };
    let rev = options.unsorted && options.descending;
    let first = if rev { len - start - n } else { start };
    match entry.value() {
        ValueRef::List(list) => list.for_range(first, n, rev, add),
        ValueRef::ZSet(zset) => zset.for_range(first, n, rev, |member, _| add(member)),
        _ => unreachable!("the type was checked"),
    }
    Ok((elements, if options.unsorted { 0..n } else { range }))
}

/// What an element is sorted by.
enum Weight {
    Number(f64),
    /// `None`, where there is no such key, comes first.
    Text(Option<Vec<u8>>),
    /// Its own bytes.
    Itself,
}

fn sorted(
    store: &mut Store,
    db: usize,
    elements: Vec<Vec<u8>>,
    options: &Options<'_>,
) -> Result<Vec<Vec<u8>>, CmdError> {
    const NOT_NUMBERS: CmdError = CmdError::new("ERR One or more scores can't be converted into double");
    let (mut weighed, mut all_are_numbers) = (Vec::with_capacity(elements.len()), true);
    for element in elements {
        let found = match &options.by {
            Some(pattern) => pattern.find(store, db, &element),
            None if options.alpha => None,
            None => Some(element.clone()),
        };
        let weight = match found {
            _ if options.alpha && options.by.is_none() => Weight::Itself,
            text if options.alpha => Weight::Text(text),
            // What has no weight weighs nothing.
            None => Weight::Number(0.0),
            Some(text) => Weight::Number(number(&text).unwrap_or_else(|| {
                // The others are looked up nevertheless.
                all_are_numbers = false;
                0.0
            })),
        };
        weighed.push((weight, element));
    }
    if !all_are_numbers {
        return Err(NOT_NUMBERS);
    }
    weighed.sort_by(|a, b| {
        let order = match (&a.0, &b.0) {
            (Weight::Number(x), Weight::Number(y)) => {
                x.partial_cmp(y).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
            }
            (Weight::Text(x), Weight::Text(y)) => x.cmp(y),
            _ => a.1.cmp(&b.1),
        };
        if options.descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// A weight as C's `strtod` reads it, up to a zero byte: nothing at all is 0, and space may stand in front.
fn number(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let space = text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\x0b').count();
    parse_f64(&text[space..])
}

fn reply(ctx: &mut Ctx<'_>, elements: &[Vec<u8>], get: &[Pattern<'_>]) -> Outcome {
    let db = ctx.db();
    let out = &mut ctx.session.out;
    out.array(elements.len() * get.len().max(1));
    for element in elements {
        if get.is_empty() {
            out.bulk(element);
        }
        for pattern in get {
            match pattern.find(ctx.store, db, element) {
                Some(text) => out.bulk(&text),
                None => out.null(),
            }
        }
    }
    Ok(Flow::Done)
}

/// Stores the result as a list, in which what was not found is empty.
fn store(ctx: &mut Ctx<'_>, key: &[u8], elements: &[Vec<u8>], get: &[Pattern<'_>]) -> Outcome {
    let (db, cfg) = (ctx.db(), ctx.state.config.list());
    let mut list = List::new();
    for element in elements {
        if get.is_empty() {
            list.push(End::Right, element, &cfg);
        }
        for pattern in get {
            let text = pattern.find(ctx.store, db, element).unwrap_or_default();
            list.push(End::Right, &text, &cfg);
        }
    }
    let len = list.len();
    if len > 0 {
        ctx.store.set_value(db, key, Value::List(list));
        ctx.store.changed(db, key, Event(Class::List, "sortstore"));
    } else if ctx.store.clear(db, key) {
        ctx.store.changed(db, key, Event(Class::Generic, "del"));
    }
    ctx.count(len)
}
