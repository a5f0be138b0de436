//! Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET match them.
//!
//! Source: <https://valkey.io/commands/keys/>: `*`, `?`, `[abc]`, `[^a]`, `[a-z]` and `\` before a special byte.

/// A pattern with more `*` than this, several in a row counting as one and one at its end not at all, matches nothing:
/// so deep goes Redis.
const STARS_MAX: usize = 1000;

/// The `*` of a pattern as [`STARS_MAX`] counts them.
fn stars(pattern: &[u8]) -> usize {
    let (mut n, mut p) = (0, 0);
    while p < pattern.len() {
        let is_star = pattern[p] == b'*';
        n += usize::from(is_star && pattern.get(p + 1).is_some_and(|&next| next != b'*'));
        p += match pattern[p] {
            b'\\' => 2,
            b'[' => class(pattern, p + 1, 0, |b| b).1 - p,
            _ => 1,
        };
    }
    n
}

/// Whether `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_case(pattern, text, false)
}

/// The same without regard to the case of ASCII letters.
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    matches_case(pattern, text, true)
}

/// An empty text matches the empty pattern alone, as in Redis: not even `*`, which callers may mean as "all".
///
/// Linear in practice and at most quadratic: on a mismatch only the last `*` is tried again, one byte further.
fn matches_case(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    if pattern.len() > STARS_MAX && stars(pattern) > STARS_MAX {
        return false;
    }
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t < text.len() {
            if let Some(next) = match_one(pattern, p, text[t], nocase) {
                p = next;
                t += 1;
                continue;
            }
        } else if p >= pattern.len() {
            return true;
        }
        match retry {
            Some((after_star, at)) if at < text.len() => {
                retry = Some((after_star, at + 1));
                (p, t) = (after_star, at + 1);
            }
            _ => return false,
        }
    }
}

/// Matches the pattern's element at `p` with one byte; returns where the next element begins.
fn match_one(pattern: &[u8], p: usize, byte: u8, nocase: bool) -> Option<usize> {
    let fold = |b: u8| if nocase { b.to_ascii_lowercase() } else { b };
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => {
            let (found, next) = class(pattern, p + 1, fold(byte), fold);
            found.then_some(next)
        }
        b'\\' if p + 1 < pattern.len() => (fold(pattern[p + 1]) == fold(byte)).then_some(p + 2),
        literal => (fold(literal) == fold(byte)).then_some(p + 1),
    }
}

/// A class from behind its `[`: whether it holds `byte`, and where it ends. One that is not closed ends with the pattern.
fn class(pattern: &[u8], mut p: usize, byte: u8, fold: impl Fn(u8) -> u8) -> (bool, usize) {
    let negated = pattern.get(p) == Some(&b'^');
    if negated {
        p += 1;
    }
    let mut found = false;
    loop {
        match pattern.get(p..).unwrap_or_default() {
            [] => break,
            [b'\\', literal, ..] => {
                found |= fold(*literal) == byte;
                p += 2;
            }
            [b']', ..] => {
                p += 1;
                break;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (fold(*low.min(high)), fold(*low.max(high)));
                found |= (low..=high).contains(&byte);
                p += 3;
            }
            [literal, ..] => {
                found |= fold(*literal) == byte;
                p += 1;
            }
        }
    }
    (found != negated, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_a_pattern() {
        let yes: &[(&str, &str)] = &[
            ("", ""),
            ("*", "abc"),
            ("abc*", "abc"),
            ("a*c", "abbbc"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            ("a\\*c", "a*c"),
            ("**a**", "xxaxx"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("a\\", "a\\"),
            ("*a*b*c", "xaxbxc"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        let no: &[(&str, &str)] = &[
            ("", "a"),
            ("a", ""),
            ("*", ""),
            ("h[^e]llo", "hello"),
            ("a\\*c", "abc"),
            ("?", ""),
            ("a*c", "abd"),
            ("[a-c]", "d"),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        assert!(matches_nocase(b"MaX*", b"maxclients") && matches_nocase(b"[A-C]", b"b"));
    }

    #[test]
    fn many_stars_end_soon() {
        let pattern = b"a*".repeat(1000);
        let text = b"a".repeat(60_000);
        assert!(!matches(&[pattern.as_slice(), b"b"].concat(), &text));
    }

    #[test]
    fn what_would_nest_too_deeply_matches_nothing() {
        let text = vec![b'a'; 3000];
        assert!(matches(&b"*?".repeat(1000), &text));
        assert!(!matches(&b"*?".repeat(1001), &text));
        assert!(matches(&[b"*?".repeat(1000), b"**".to_vec()].concat(), &text));
        assert!(matches(&[b"*".repeat(5000), b"a".to_vec()].concat(), &text));
    }
}
