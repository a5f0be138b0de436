//! Integers written as text.

/// The number that `text` is, if `text` is exactly what printing that number gives: no plus sign, no leading
/// zeros, no blanks, no `-0`.
#[inline]
pub fn canonical_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    // 19 digits are below 2^64, so the sum cannot overflow.
    let mut magnitude = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[cfg(test)]
mod tests {
    use super::canonical_i64;

    #[test]
    fn only_what_printing_gives() {
        for n in
            [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, 1_000_000_000_000_000_000]
        {
            assert_eq!(canonical_i64(n.to_string().as_bytes()), Some(n));
        }
        let not = [
            "",
            "-",
            "+1",
            "-0",
            "00",
            "01",
            "-01",
            " 1",
            "1 ",
            "1a",
            "a",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
            "9999999999999999999",
            "10000000000000000000",
            "--1",
        ];
        for text in not {
            assert_eq!(canonical_i64(text.as_bytes()), None, "{text}");
        }
    }
}
