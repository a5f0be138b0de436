//! COMMAND INFO: <https://valkey.io/commands/command/>.

use crate::{
    command::{
        BeginSearch, FindKeys, KeySpec,
        table::{Entry, Table},
    },
    resp::output::Output,
};

/// Describes one command in ten elements.
pub(super) fn write(out: &mut Output, table: &Table, entry: &Entry) {
    let spec = entry.spec;
    let (first, last, step) = spec.legacy_range();
    out.array(10);
    out.bulk(entry.full_name.as_bytes());
    out.int(i64::from(spec.arity));
    words(out, spec.shown_flags().names());
    out.int(first);
    out.int(last);
    out.int(step);
    words(out, spec.all_categories().names());
    out.set(spec.tips.len());
    for tip in spec.tips {
        out.bulk(tip.as_bytes());
    }
    out.set(spec.keys.len());
    for key in spec.keys {
        write_key(out, key);
    }
    let subcommands = table.subcommands(entry);
    if subcommands.is_empty() {
        return out.set(0);
    }
    out.array(subcommands.len());
    for sub in subcommands {
        write(out, table, sub);
    }
}

/// A set of names, as simple strings.
pub(super) fn words(out: &mut Output, names: impl Iterator<Item = &'static str> + Clone) {
    out.set(names.clone().count());
    for name in names {
        out.simple(name);
    }
}

/// Where keys stand: <https://valkey.io/topics/key-specs/>.
fn write_key(out: &mut Output, key: &KeySpec) {
    out.map(if key.notes.is_empty() { 3 } else { 4 });
    if !key.notes.is_empty() {
        out.bulk(b"notes");
        out.bulk(key.notes.as_bytes());
    }
    out.bulk(b"flags");
    words(out, key.flags.names());
    out.bulk(b"begin_search");
    match key.begin {
        BeginSearch::Index(at) => part(out, "index", &[("index", at.into())]),
        BeginSearch::Keyword(word, from) => {
            part(out, "keyword", &[("keyword", Number::Word(word)), ("startfrom", from.into())]);
        }
        BeginSearch::Unknown => part(out, "unknown", &[]),
    }
    out.bulk(b"find_keys");
    match key.find {
        FindKeys::Range { last, step, limit } => {
            part(out, "range", &[("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())])
        }
        FindKeys::KeyNum { count_at, first, step } => part(
            out,
            "keynum",
            &[("keynumidx", count_at.into()), ("firstkey", first.into()), ("keystep", step.into())],
        ),
        FindKeys::Unknown => part(out, "unknown", &[]),
    }
}

/// What a field of a key spec holds.
enum Number {
    Int(i64),
    Word(&'static str),
}

impl From<i16> for Number {
    fn from(n: i16) -> Number {
        Number::Int(n.into())
    }
}

impl From<u16> for Number {
    fn from(n: u16) -> Number {
        Number::Int(n.into())
    }
}

fn part(out: &mut Output, kind: &str, fields: &[(&str, Number)]) {
    out.map(2);
    out.bulk(b"type");
    out.bulk(kind.as_bytes());
    out.bulk(b"spec");
    out.map(fields.len());
    for (name, value) in fields {
        out.bulk(name.as_bytes());
        match value {
            Number::Int(n) => out.int(*n),
            Number::Word(word) => out.bulk(word.as_bytes()),
        }
    }
}
