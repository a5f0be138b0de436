//! The keys of GEORADIUS and GEORADIUSBYMEMBER.

use crate::command::{
    Args, BeginSearch, FindKeys, KeyFlags, KeySpec,
    keys::{Keys, find_described},
};

const SOURCE: KeySpec = KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1);

const STORED: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

/// The key behind a word among the options, which begin at `from`.
const fn behind(word: &'static str, from: i16) -> KeySpec {
    KeySpec {
        flags: STORED,
        begin: BeginSearch::Keyword(word, from),
        find: FindKeys::Range { last: 0, step: 1, limit: 0 },
        notes: "",
    }
}

pub(super) const AROUND_PLACE: &[KeySpec] = &[SOURCE, behind("STORE", 6), behind("STOREDIST", 6)];
pub(super) const AROUND_MEMBER: &[KeySpec] = &[SOURCE, behind("STORE", 5), behind("STOREDIST", 5)];

pub(super) fn around_place(args: Args<'_>) -> Option<Keys> {
    find(AROUND_PLACE, args, 6)
}

pub(super) fn around_member(args: Args<'_>) -> Option<Keys> {
    find(AROUND_MEMBER, args, 5)
}

/// The keys that the key specs tell of, and the one that is written: of several the last.
fn find(specs: &[KeySpec], args: Args<'_>, first_option: usize) -> Option<Keys> {
    let (mut written, mut i) = (None, first_option);
    while i + 1 < args.len() {
        let is = |word: &[u8]| args.at(i).eq_ignore_ascii_case(word);
        if is(b"store") || is(b"storedist") {
            written = Some(i + 1);
        }
        i += if is(b"store") || is(b"storedist") || is(b"count") { 2 } else { 1 };
    }
    let keys = find_described(specs, args).unwrap_or(Keys::one(1, SOURCE.flags));
    Some(match written {
        Some(at) if keys.iter().all(|(known, _)| known != at) => keys.and(at, at, STORED),
        _ => keys,
    })
}
