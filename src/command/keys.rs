//! Finds the keys among a command's arguments from its key specs: one function for COMMAND GETKEYS, access and blocking.
//!
//! Source: <https://valkey.io/topics/key-specs/>.

use super::spec::{BeginSearch, CommandSpec, FindKeys, KeyFlags, KeySpec};
use crate::{
    base::num::{leading_int, parse_i64},
    resp::request::Args,
};

/// Why no keys were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoKeys {
    /// The command has none.
    None,
    /// The arguments do not fit.
    Invalid,
}

/// Whether a command has keys, as shard channels are not.
#[inline]
pub fn has_keys(spec: &CommandSpec) -> bool {
    spec.keys.iter().any(|key| is_key(&key))
}

fn is_key(key: &&KeySpec) -> bool {
    !key.flags.has(KeyFlags::NOT_KEY)
}

/// Most runs of arguments that a command's keys make.
const RUNS_MAX: usize = 4;

/// Arguments at equal distances that are keys.
#[derive(Clone, Copy, Default, Debug)]
struct Run {
    first: usize,
    last: usize,
    step: usize,
    flags: KeyFlags,
}

/// Where the keys of one call stand, and what it does to each.
#[derive(Clone, Copy, Default, Debug)]
pub struct Keys {
    runs: [Run; RUNS_MAX],
    len: usize,
}

impl Keys {
    /// One key.
    pub fn one(at: usize, flags: KeyFlags) -> Keys {
        Keys::default().and(at, at, flags)
    }

    /// The same and all arguments from `first` to `last`.
    pub fn and(mut self, first: usize, last: usize, flags: KeyFlags) -> Keys {
        self.add(Run { first, last, step: 1, flags });
        self
    }

    fn add(&mut self, run: Run) {
        self.runs[self.len] = run;
        self.len += 1;
    }

    /// The places of the keys and what the command does to them.
    pub fn iter(&self) -> impl Iterator<Item = (usize, KeyFlags)> + Clone + '_ {
        self.runs[..self.len]
            .iter()
            .flat_map(|run| (run.first..=run.last).step_by(run.step).map(|at| (at, run.flags)))
    }
}

/// The keys in `args`.
pub fn find(spec: &CommandSpec, args: Args<'_>) -> Result<Keys, NoKeys> {
    if !has_keys(spec) {
        return Err(NoKeys::None);
    }
    match spec.key_finder {
        Some(find) => find(args),
        None => find_described(spec.keys, args),
    }
    .ok_or(NoKeys::Invalid)
}

/// The keys in `args` and, where it has none, the shard channels: what decides about a slot of a cluster.
pub fn find_with_channels(spec: &CommandSpec, args: Args<'_>) -> Keys {
    let mut found = Keys::default();
    if has_keys(spec) {
        return find(spec, args).unwrap_or(found);
    }
    for key in spec.keys {
        if let Some(Some(run)) = find_one(key, args) {
            found.add(run);
        }
    }
    found
}

/// The keys that key specs alone tell of.
pub fn find_described(specs: &[KeySpec], args: Args<'_>) -> Option<Keys> {
    let mut found = Keys::default();
    let mut is_exact = true;
    for key in specs.iter().filter(is_key) {
        if let Some(run) = find_one(key, args)? {
            found.add(run);
        }
        is_exact &= has_exact_count(key, args);
    }
    if !is_exact {
        // Of these Valkey knows only where they stand.
        found.runs.iter_mut().for_each(|run| run.flags = KeyFlags::default());
    }
    Some(found)
}

/// Whether the number of keys, where a spec asks for one, is well formed.
fn has_exact_count(key: &KeySpec, args: Args<'_>) -> bool {
    let (BeginSearch::Index(first), FindKeys::KeyNum { count_at, .. }) = (key.begin, key.find) else {
        return true;
    };
    args.get((first + count_at) as usize).is_none_or(|count| parse_i64(count).is_some())
}

/// The run of keys that one spec tells of, if it is there at all; `None` where the arguments do not fit.
fn find_one(key: &KeySpec, args: Args<'_>) -> Option<Option<Run>> {
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
                None => return Some(None),
            }
        }
        BeginSearch::Unknown => return None,
    };
    if first >= args.len() {
        return None;
    }
    let (first, last, step) = match key.find {
        FindKeys::Range { last, step, limit } => {
            let last = if last >= 0 {
                first + last as usize
            } else {
                let last = args.len().checked_sub(last.unsigned_abs() as usize)?;
                if limit > 1 { (first + (last + 1 - first) / limit as usize).checked_sub(1)? } else { last }
            };
            (first, last, step as usize)
        }
        FindKeys::KeyNum { count_at, first: offset, step } => {
            let count = args.get(first + count_at as usize)?;
            // Where the number is not well formed Valkey takes what it begins with; the command itself refuses it.
            let count = parse_i64(count).unwrap_or_else(|| leading_int(count).into());
            let count = usize::try_from(count).ok()?;
            if count == 0 {
                return None;
            }
            let start = first + offset as usize;
            (start, start.checked_add((count - 1).checked_mul(step as usize)?)?, step as usize)
        }
        FindKeys::Unknown => return None,
    };
    if last >= args.len() || last < first {
        return None;
    }
    Some(Some(Run { first, last, step, flags: key.flags }))
}
