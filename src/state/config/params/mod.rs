//! All parameters, by subject. Those that are not built stand with what they are about.

mod cluster;
mod keyspace;
mod kinds;
mod monitoring;
mod network;
mod persistence;
mod process;
mod replication;
mod security;

pub use network::DEFAULT_BIND;
pub use process::{OomScore, ShutdownFlags};
pub use security::ALL_CHANNELS;

use super::Param;
use crate::base::glob;
use std::sync::LazyLock;

/// The one table, in parts.
pub const PARAMS: &[&[Param]] = &[
    network::PARAMS,
    security::PARAMS,
    keyspace::PARAMS,
    monitoring::PARAMS,
    process::PARAMS,
    persistence::PARAMS,
    replication::PARAMS,
    cluster::PARAMS,
];

/// All names and aliases in order, each with its parameter.
static NAMES: LazyLock<Vec<(&'static str, &'static Param)>> = LazyLock::new(|| {
    let mut names: Vec<_> = all()
        .flat_map(|param| std::iter::once(param.name).chain(param.alias).map(move |name| (name, param)))
        .collect();
    names.sort_by_key(|(name, _)| *name);
    names
});

/// Longer names are those of nothing.
const NAME_MAX_BYTES: usize = 64;

/// All parameters.
pub fn all() -> impl Iterator<Item = &'static Param> {
    PARAMS.iter().copied().flatten()
}

/// The parameter of a name or alias, in any case, and that name or alias.
pub fn find(name: &[u8]) -> Option<(&'static str, &'static Param)> {
    let mut buf = [0; NAME_MAX_BYTES];
    let lower = buf.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let at = NAMES.binary_search_by(|(known, _)| known.as_bytes().cmp(lower)).ok()?;
    Some(NAMES[at])
}

/// The names and aliases that a pattern matches, in order, without what is hidden.
pub fn matching(pattern: &[u8]) -> impl Iterator<Item = (&'static str, &'static Param)> {
    NAMES
        .iter()
        .copied()
        .filter(|(name, param)| !param.hidden && glob::matches_nocase(pattern, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_stand_once() {
        for (name, param) in NAMES.iter() {
            let (known, found) = find(name.to_uppercase().as_bytes()).expect(name);
            assert!(known == *name && std::ptr::eq(found, *param), "{name}");
        }
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(find(b"nosuch").is_none() && find(&[b'x'; 1000]).is_none());
    }
}
