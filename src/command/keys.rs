//! Finds the keys among a command's arguments from its key specs: one function for COMMAND GETKEYS, access and blocking.
//!
//! Source: <https://valkey.io/topics/key-specs/>.

use super::spec::{BeginSearch, CommandSpec, FindKeys, KeyFlags, KeySpec};
use crate::resp::request::Args;

/// Why no keys were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoKeys {
    /// The command has none.
    None,
    /// The arguments do not fit.
    Invalid,
}

/// Whether a command has keys, as shard channels are not.
pub fn has_keys(spec: &CommandSpec) -> bool {
    key_specs(spec).next().is_some()
}

fn key_specs(spec: &CommandSpec) -> impl Iterator<Item = &'static KeySpec> + use<> {
    spec.keys.iter().filter(|key| !key.flags.has(KeyFlags::NOT_KEY))
}

/// The positions of all keys in `args`, with what the command does to each.
pub fn find(spec: &CommandSpec, args: Args<'_>) -> Result<Vec<(usize, KeyFlags)>, NoKeys> {
    let mut keys = key_specs(spec).peekable();
    if keys.peek().is_none() {
        return Err(NoKeys::None);
    }
    if let Some(find) = spec.key_finder {
        return find(args).ok_or(NoKeys::Invalid);
    }
    let mut found = Vec::new();
    for key in keys {
        find_one(key, args, &mut found).ok_or(NoKeys::Invalid)?;
    }
    Ok(found)
}

fn find_one(key: &KeySpec, args: Args<'_>, found: &mut Vec<(usize, KeyFlags)>) -> Option<()> {
    let first = match key.begin {
        BeginSearch::Index(i) => i as usize,
        BeginSearch::Keyword(word, from) => {
            let is_word = |i: &usize| args.at(*i).eq_ignore_ascii_case(word.as_bytes());
            let at = if from >= 0 {
                (from as usize..args.len()).find(is_word)
            } else {
                let last = args.len().checked_sub(from.unsigned_abs() as usize)?;
                (1..=last).rev().find(is_word)
            };
            match at {
                Some(at) => at + 1,
                None => return Some(()),
            }
        }
        BeginSearch::Unknown => return None,
    };
    if first >= args.len() {
        return None;
    }
    let (start, end, step) = match key.find {
        FindKeys::Range { last, step, limit } => {
            let last = if last >= 0 {
                first + last as usize
            } else {
                let last = args.len().checked_sub(last.unsigned_abs() as usize)?;
                if limit > 1 { first + (last + 1 - first) / limit as usize - 1 } else { last }
            };
            (first, last, step as usize)
        }
        FindKeys::KeyNum { count_at, first: offset, step } => {
            let count = args.get(first + count_at as usize)?;
            let count = crate::base::num::parse_i64(count).and_then(|n| usize::try_from(n).ok())?;
            if count == 0 {
                return None;
            }
            let start = first + offset as usize;
            (start, start.checked_add((count - 1).checked_mul(step as usize)?)?, step as usize)
        }
        FindKeys::Unknown => return None,
    };
    if end >= args.len() || end < start {
        return None;
    }
    found.extend((start..=end).step_by(step).map(|i| (i, key.flags)));
    Some(())
}
