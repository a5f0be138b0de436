//! Prefixes that clients are told of, and the keys that changed under them since they were told last.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Included, Unbounded},
    sync::Arc,
};

/// What is known of one prefix.
#[derive(Default)]
struct Prefix {
    /// The ids of those who are told.
    clients: BTreeSet<u64>,
    /// The keys that changed, each with the id of the client that did it last, 0 where that was none.
    changed: Changed,
}

pub type Changed = BTreeMap<Box<[u8]>, u64>;

/// All prefixes.
#[derive(Default)]
pub struct Prefixes {
    map: BTreeMap<Arc<[u8]>, Prefix>,
    /// Those with keys that changed, and some that are gone or were written down before, in no order.
    dirty: Vec<Arc<[u8]>>,
    /// Bytes of the prefixes, their clients, and the keys that changed.
    bytes: usize,
}

impl Prefixes {
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn mem_bytes(&self) -> usize {
        self.bytes
    }

    pub fn has_changed(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// A client is to be told of a prefix. Returns the name that both share.
    pub fn add(&mut self, prefix: &[u8], id: u64) -> Arc<[u8]> {
        let name = match self.map.get_key_value(prefix) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(prefix),
        };
        let found = self.map.entry(Arc::clone(&name)).or_insert_with(|| {
            self.bytes += prefix_bytes(prefix);
            Prefix::default()
        });
        if found.clients.insert(id) {
            self.bytes += CLIENT_BYTES;
        }
        name
    }

    /// A client is not to be told of a prefix any more.
    pub fn remove(&mut self, prefix: &[u8], id: u64) {
        let Some(found) = self.map.get_mut(prefix) else { return };
        if found.clients.remove(&id) {
            self.bytes -= CLIENT_BYTES;
        }
        if found.clients.is_empty() {
            self.bytes -=
                prefix_bytes(prefix) + found.changed.keys().map(|key| key_bytes(key)).sum::<usize>();
            self.map.remove(prefix);
        }
    }

    /// Notes that a client changed a key: under each prefix that it begins with.
    pub fn changed(&mut self, key: &[u8], author: u64) {
        // The greatest name up to the key is its longest prefix, or has all of its prefixes in common with it.
        let mut rest = key;
        while let Some((name, prefix)) =
            self.map.range_mut::<[u8], _>((Unbounded, Included(rest))).next_back()
        {
            let common = name.iter().zip(rest).take_while(|(a, b)| a == b).count();
            let mut shorter = common;
            if common == name.len() {
                if prefix.changed.is_empty() {
                    self.dirty.push(Arc::clone(name));
                }
                match prefix.changed.get_mut(key) {
                    Some(last) => *last = author,
                    None => {
                        self.bytes += key_bytes(key);
                        prefix.changed.insert(key.into(), author);
                    }
                }
                match common.checked_sub(1) {
                    Some(len) => shorter = len,
                    None => break,
                }
            }
            rest = &rest[..shorter];
        }
    }

    /// Hands over the keys that changed under each prefix, with the ids of those who are to be told, and forgets them.
    pub fn take_changed(&mut self, mut f: impl FnMut(&Changed, &BTreeSet<u64>)) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        for name in dirty {
            let Some(prefix) = self.map.get_mut(&name) else { continue };
            let changed = std::mem::take(&mut prefix.changed);
            if changed.is_empty() {
                continue;
            }
            self.bytes -= changed.keys().map(|key| key_bytes(key)).sum::<usize>();
            f(&changed, &prefix.clients);
        }
    }
}

const CLIENT_BYTES: usize = 2 * size_of::<u64>();

fn prefix_bytes(prefix: &[u8]) -> usize {
    prefix.len() + 2 * size_of::<usize>() + size_of::<(Arc<[u8]>, Prefix)>()
}

fn key_bytes(key: &[u8]) -> usize {
    key.len() + 2 * size_of::<(Box<[u8]>, u64)>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn word(rng: &mut Rng) -> Vec<u8> {
        (0..rng.below(6)).map(|_| b'a' + rng.below(3) as u8).collect()
    }

    #[test]
    fn keys_are_found_under_all_their_prefixes() {
        for seed in 0..256 {
            let mut rng = Rng::new(seed);
            let mut prefixes = Prefixes::default();
            let mut model: BTreeMap<Vec<u8>, BTreeSet<u64>> = BTreeMap::new();
            for _ in 0..60 {
                let (prefix, id) = (word(&mut rng), 1 + rng.below(3));
                if rng.below(4) == 0 {
                    prefixes.remove(&prefix, id);
                    if let Some(ids) = model.get_mut(&prefix) {
                        ids.remove(&id);
                    }
                    model.retain(|_, ids| !ids.is_empty());
                } else {
                    prefixes.add(&prefix, id);
                    model.entry(prefix).or_default().insert(id);
                }
                assert_eq!(prefixes.len(), model.len());
            }
            let keys: BTreeMap<Vec<u8>, u64> = (0..20).map(|n| (word(&mut rng), n)).collect();
            keys.iter().for_each(|(key, &author)| prefixes.changed(key, author));
            let mut told = Vec::new();
            prefixes.take_changed(|changed, ids| {
                told.push((changed.iter().map(|(k, &a)| (k.to_vec(), a)).collect::<Vec<_>>(), ids.clone()));
            });
            let expected: Vec<_> = model
                .iter()
                .map(|(prefix, ids)| {
                    let under = keys.iter().filter(|(key, _)| key.starts_with(prefix));
                    (under.map(|(k, &a)| (k.clone(), a)).collect::<Vec<_>>(), ids.clone())
                })
                .filter(|(keys, _)| !keys.is_empty())
                .collect();
            assert_eq!(told, expected, "seed {seed}");
            assert!(!prefixes.has_changed());
            for (prefix, ids) in &model {
                ids.iter().for_each(|&id| prefixes.remove(prefix, id));
            }
            assert_eq!(prefixes.mem_bytes(), 0, "seed {seed}");
        }
    }
}
