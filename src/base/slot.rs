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

#[cfg(test)]
mod tests {
    use super::*;

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
