//! COMMAND DOCS: <https://valkey.io/commands/command-docs/>.

use super::info::words;
use crate::{
    command::{
        Arg, ArgKind, Behaviour,
        table::{Entry, Table},
    },
    resp::output::Output,
};

/// Documents one command, as a map.
pub(super) fn write(out: &mut Output, table: &Table, entry: &Entry) {
    let spec = entry.spec;
    let subcommands = table.subcommands(entry);
    let system = spec.behaviour.has(Behaviour::SYSTEM).then_some("syscmd");
    let doc_flags = spec.deprecated.map(|_| "deprecated").into_iter().chain(system);
    let is_flagged = doc_flags.clone().next().is_some();
    let present = [
        !spec.complexity.is_empty(),
        is_flagged,
        spec.deprecated.is_some(),
        spec.deprecated.is_some(),
        !spec.history.is_empty(),
        !spec.args.is_empty(),
        !subcommands.is_empty(),
    ];
    out.map(3 + present.iter().filter(|is| **is).count());
    text(out, "summary", spec.summary);
    text(out, "since", spec.since);
    text(out, "group", spec.group.name());
    if !spec.complexity.is_empty() {
        text(out, "complexity", spec.complexity);
    }
    if is_flagged {
        out.bulk(b"doc_flags");
        words(out, doc_flags);
    }
    if let Some((since, by)) = spec.deprecated {
        text(out, "deprecated_since", since);
        text(out, "replaced_by", by);
    }
    if !spec.history.is_empty() {
        out.bulk(b"history");
        out.set(spec.history.len());
        for (since, what) in spec.history {
            out.array(2);
            out.bulk(since.as_bytes());
            out.bulk(what.as_bytes());
        }
    }
    if !spec.args.is_empty() {
        out.bulk(b"arguments");
        write_args(out, spec.args);
    }
    if !subcommands.is_empty() {
        out.bulk(b"subcommands");
        out.map(subcommands.len());
        for sub in subcommands {
            out.bulk(sub.full_name.as_bytes());
            write(out, table, sub);
        }
    }
}

fn text(out: &mut Output, name: &str, value: &str) {
    out.bulk(name.as_bytes());
    out.bulk(value.as_bytes());
}

/// Arguments: <https://valkey.io/topics/command-arguments/>.
fn write_args(out: &mut Output, args: &[Arg]) {
    out.array(args.len());
    for arg in args {
        write_arg(out, arg);
    }
}

fn write_arg(out: &mut Output, arg: &Arg) {
    let (kind, key_spec, parts) = match arg.kind {
        ArgKind::String => ("string", None, None),
        ArgKind::Integer => ("integer", None, None),
        ArgKind::Double => ("double", None, None),
        ArgKind::Key(spec) => ("key", Some(spec), None),
        ArgKind::Pattern => ("pattern", None, None),
        ArgKind::KeyPattern(spec) => ("pattern", Some(spec), None),
        ArgKind::UnixTime => ("unix-time", None, None),
        ArgKind::PureToken => ("pure-token", None, None),
        ArgKind::OneOf(parts) => ("oneof", None, Some(parts)),
        ArgKind::Block(parts) => ("block", None, Some(parts)),
    };
    let has_flags = arg.flags.names().next().is_some();
    let present = [
        key_spec.is_some(),
        arg.token.is_some(),
        arg.summary.is_some(),
        arg.since.is_some(),
        arg.deprecated.is_some(),
        has_flags,
    ];
    // Either the text to show or the parts come as a third.
    out.map(3 + present.iter().filter(|is| **is).count());
    text(out, "name", arg.name);
    text(out, "type", kind);
    if parts.is_none() {
        text(out, "display_text", arg.display.unwrap_or(arg.name));
    }
    if let Some(spec) = key_spec {
        out.bulk(b"key_spec_index");
        out.int(spec.into());
    }
    if let Some(token) = arg.token {
        text(out, "token", token);
    }
    if let Some(summary) = arg.summary {
        text(out, "summary", summary);
    }
    if let Some(since) = arg.since {
        text(out, "since", since);
    }
    if let Some(since) = arg.deprecated {
        text(out, "deprecated_since", since);
    }
    if has_flags {
        out.bulk(b"flags");
        words(out, arg.flags.names());
    }
    if let Some(parts) = parts {
        out.bulk(b"arguments");
        write_args(out, parts);
    }
}
