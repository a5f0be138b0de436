//! The slots of a cluster: to which of them a key belongs.
//!
//! Source: <https://valkey.io/topics/cluster-spec/>.

use crc::{CRC_16_XMODEM, Crc, Table};

/// How many there are.
pub const SLOTS: u16 = 16384;

static CRC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

fn of_tag(tag: &[u8]) -> u16 {
    CRC.checksum(tag) % SLOTS
}

/// The slot of a key: of what stands between the first `{` and the next `}`, if that is something, or of all of it.
pub fn of_key(key: &[u8]) -> u16 {
    let inside = memchr::memchr(b'{', key).and_then(|open| {
        let tag = &key[open + 1..];
        memchr::memchr(b'}', tag).map(|close| &tag[..close])
    });
    of_tag(inside.filter(|tag| !tag.is_empty()).unwrap_or(key))
}

/// The slot of every key that a pattern matches; `None` where that is not plain to see.
pub fn of_pattern(pattern: &[u8]) -> Option<u16> {
    // What stands in the tag, and before it, must be plain; what follows does not count.
    let is_special = |b: &u8| b"*?[\\".contains(b);
    let special = pattern.iter().position(is_special).unwrap_or(pattern.len());
    let plain = &pattern[..special];
    let open = memchr::memchr(b'{', plain);
    let tag = open.and_then(|open| {
        let rest = &plain[open + 1..];
        memchr::memchr(b'}', rest).map(|close| &rest[..close])
    });
    match tag {
        Some(tag) if !tag.is_empty() => Some(of_tag(tag)),
        _ if special == pattern.len() => Some(of_tag(pattern)),
        _ => None,
    }
}

/// A set of slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotSet {
    words: [u64; SLOTS as usize / 64],
    len: u16,
}

impl SlotSet {
    /// None of them.
    pub fn new() -> SlotSet {
        SlotSet { words: [0; SLOTS as usize / 64], len: 0 }
    }

    /// All of them.
    pub fn all() -> SlotSet {
        SlotSet { words: [u64::MAX; SLOTS as usize / 64], len: SLOTS }
    }

    /// How many it has.
    pub fn len(&self) -> u16 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it has this one.
    pub fn contains(&self, slot: u16) -> bool {
        let (at, bit) = SlotSet::place(slot);
        self.words[at] & bit != 0
    }

    /// Adds one; false where it was there.
    pub fn insert(&mut self, slot: u16) -> bool {
        let is_new = !self.contains(slot);
        let (at, bit) = SlotSet::place(slot);
        self.words[at] |= bit;
        self.len += u16::from(is_new);
        is_new
    }

    /// Takes one away; false where it was not there.
    pub fn remove(&mut self, slot: u16) -> bool {
        let was_there = self.contains(slot);
        let (at, bit) = SlotSet::place(slot);
        self.words[at] &= !bit;
        self.len -= u16::from(was_there);
        was_there
    }

    /// The runs of neighbours, each by its first and its last, in order.
    pub fn runs(&self) -> Vec<(u16, u16)> {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for slot in (0..SLOTS).filter(|&slot| self.contains(slot)) {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == slot => *last = slot,
                _ => runs.push((slot, slot)),
            }
        }
        runs
    }

    fn place(slot: u16) -> (usize, u64) {
        (usize::from(slot / 64), 1 << (slot % 64))
    }
}

impl Default for SlotSet {
    fn default() -> SlotSet {
        SlotSet::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_is_like_a_plain_one() {
        let mut rng = crate::base::rng::Rng::new(1);
        let (mut set, mut model) = (SlotSet::new(), BTreeSet::new());
        for _ in 0..20_000 {
            let slot = rng.below(u64::from(SLOTS)) as u16;
            if rng.below(3) == 0 {
                assert_eq!(set.remove(slot), model.remove(&slot));
            } else {
                assert_eq!(set.insert(slot), model.insert(slot));
            }
            assert_eq!(set.contains(slot), model.contains(&slot));
            assert_eq!((usize::from(set.len()), set.is_empty()), (model.len(), model.is_empty()));
        }
        let runs = set.runs();
        assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        assert_eq!(runs.iter().flat_map(|&(first, last)| first..=last).collect::<BTreeSet<_>>(), model);
        assert_eq!(SlotSet::all().runs(), [(0, SLOTS - 1)]);
        assert_eq!(SlotSet::new().runs(), []);
    }

    #[test]
    fn keys_and_patterns() {
        for (key, slot) in [("foo", 12182), ("{a}b", 15495), ("x{a}b{c}", 15495), ("a", 15495), ("", 0)] {
            assert_eq!(of_key(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(of_key(b"{}a"), CRC.checksum(b"{}a") % SLOTS);
        for (pattern, slot) in [
            ("{a}*", Some(15495)),
            ("w{a}[bc]", Some(15495)),
            ("foo", Some(12182)),
            ("*{a}", None),
            ("{a*}", None),
            ("{}*", None),
            ("a\\*", None),
        ] {
            assert_eq!(of_pattern(pattern.as_bytes()), slot, "{pattern}");
        }
    }
}
