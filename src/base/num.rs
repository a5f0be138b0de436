//! Numbers as clients write them: strict, fast, and with the same answers as the reference.

use rustc_apfloat::ieee::Double;
use rustc_apfloat::{Float, Round, Status};

/// Longest decimal form of an `i64` ("-9223372036854775808") or a `u64`, in bytes.
pub const MAX_INT_LEN: usize = 20;

/// "00" to "99", so that two digits cost one division.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// Parses the canonical decimal form of an `i64`: what formatting the result gives back, byte for byte.
///
/// No spaces, no `+`, no leading zeros, no `-0`.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => match parse_u64(digits)? {
            0 => None,
            n if n <= i64::MIN.unsigned_abs() => Some((n as i64).wrapping_neg()),
            _ => None,
        },
        digits => i64::try_from(parse_u64(digits)?).ok(),
    }
}

/// The number that a text begins with, as C's `atoi` reads it; 0 where there is none.
pub fn leading_int(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().map_while(|b| b.is_ascii_digit().then(|| i64::from(b - b'0')));
    let digits = digits.map(|digit| if is_negative { -digit } else { digit });
    digits.fold(0i64, |n, digit| n.saturating_mul(10).saturating_add(digit)) as i32
}

/// Parses the canonical decimal form of a `u64`, as strictly as [`parse_i64`].
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    let (&first, rest) = text.split_first()?;
    let mut n = u64::from(first.wrapping_sub(b'0'));
    if n > 9 || (n == 0 && !rest.is_empty()) || text.len() > MAX_INT_LEN {
        return None;
    }
    // 19 digits cannot overflow; only the twentieth needs the checks.
    let (plain, last) = rest.split_at(rest.len().min(18));
    for &c in plain {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = n * 10 + u64::from(digit);
    }
    if let [c] = *last {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = n.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(n)
}

/// How many decimal digits `n` has; 1 for 0.
#[inline]
pub fn digits10(n: u64) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Formats `n` at the end of `buf` and returns the text.
#[inline]
pub fn u64_to_buf(mut n: u64, buf: &mut [u8; MAX_INT_LEN]) -> &[u8] {
    let mut at = MAX_INT_LEN;
    while n >= 100 {
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    if n >= 10 {
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[n as usize]);
    } else {
        at -= 1;
        buf[at] = b'0' + n as u8;
    }
    &buf[at..]
}

/// Formats `n` at the end of `buf` and returns the text.
#[inline]
pub fn i64_to_buf(n: i64, buf: &mut [u8; MAX_INT_LEN]) -> &[u8] {
    let len = u64_to_buf(n.unsigned_abs(), buf).len();
    let mut at = MAX_INT_LEN - len;
    if n < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    &buf[at..]
}

/// Appends `n` in decimal.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, n: i64) {
    if (0..10).contains(&n) {
        out.push(b'0' + n as u8);
    } else {
        out.extend_from_slice(i64_to_buf(n, &mut [0; MAX_INT_LEN]));
    }
}

/// Appends `n` in decimal.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(u64_to_buf(n, &mut [0; MAX_INT_LEN]));
}

/// Parses a double as C's `strtod` does, if all of `text` is the number: decimal with or without exponent, a
/// leading `+`, `inf` and `infinity` in any case, hexadecimal floats.
///
/// No spaces, no NaN, and no number that is too large, or too close to 0, for a double.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    // Scores are integers more often than not; those of so many digits are exact.
    if text.len() <= 15
        && let Some(n) = parse_i64(text)
    {
        return Some(n as f64);
    }
    match float_form(text)? {
        FloatForm::Infinity => Some(if text[0] == b'-' { f64::NEG_INFINITY } else { f64::INFINITY }),
        FloatForm::Decimal { zero } => {
            let x: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            (x.is_finite() && (zero || x != 0.0)).then_some(x)
        }
        FloatForm::Hex { zero } => {
            let parsed = Double::from_str_r(&hex_with_exponent(text), Round::NearestTiesToEven).ok()?;
            let x = f64::from_bits(parsed.value.to_bits() as u64);
            (!parsed.status.contains(Status::OVERFLOW) && (zero || x != 0.0)).then_some(x)
        }
    }
}

/// Parses a double as plain C code does: what comes behind a zero byte is not seen, nothing is 0, space may stand in
/// front, and what is too large or too close to 0 becomes infinity or 0. No NaN.
pub fn parse_f64_loose(text: &[u8]) -> Option<f64> {
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    let number = text.trim_ascii_start();
    let number = number.strip_prefix(b"\x0b").unwrap_or(number);
    if text.is_empty() {
        return Some(0.0);
    }
    match float_form(number)? {
        FloatForm::Infinity => parse_f64(number),
        FloatForm::Decimal { .. } => std::str::from_utf8(number).ok()?.parse().ok(),
        FloatForm::Hex { .. } => {
            let parsed = Double::from_str_r(&hex_with_exponent(number), Round::NearestTiesToEven).ok()?;
            Some(f64::from_bits(parsed.value.to_bits() as u64))
        }
    }
}

/// How a text that `strtod` would take whole is written.
pub(super) enum FloatForm {
    Infinity,
    /// `zero`: all digits of the significand are 0.
    Decimal {
        zero: bool,
    },
    Hex {
        zero: bool,
    },
}

/// Checks the syntax that `strtod` accepts, NaN excepted.
pub(super) fn float_form(text: &[u8]) -> Option<FloatForm> {
    let body = match text {
        [b'+' | b'-', body @ ..] => body,
        body => body,
    };
    if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
        return Some(FloatForm::Infinity);
    }
    let hex = matches!(body, [b'0', b'x' | b'X', ..]);
    let body = if hex { &body[2..] } else { body };
    let (mut digits, mut dots, mut zero, mut at) = (0, 0, true, 0);
    while let Some(&c) = body.get(at) {
        match c {
            b'.' => dots += 1,
            _ if c.is_ascii_digit() || (hex && c.is_ascii_hexdigit()) => {
                digits += 1;
                zero &= c == b'0';
            }
            _ => break,
        }
        at += 1;
    }
    if digits == 0 || dots > 1 {
        return None;
    }
    let exponent_marker = if hex { b'p' } else { b'e' };
    match &body[at..] {
        [] => {}
        [marker, exponent @ ..] if marker.to_ascii_lowercase() == exponent_marker => {
            let exponent = match exponent {
                [b'+' | b'-', exponent @ ..] => exponent,
                exponent => exponent,
            };
            if exponent.is_empty() || !exponent.iter().all(u8::is_ascii_digit) {
                return None;
            }
        }
        _ => return None,
    }
    Some(if hex { FloatForm::Hex { zero } } else { FloatForm::Decimal { zero } })
}

/// The text of a hexadecimal float, checked by [`float_form`], as `rustc_apfloat` wants it: the exponent is a
/// must there.
pub(super) fn hex_with_exponent(text: &[u8]) -> String {
    let mut hex = String::from_utf8_lossy(text).into_owned();
    if !hex.contains(['p', 'P']) {
        hex.push_str("p0");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    #[test]
    fn leading_numbers_are_read_as_by_atoi() {
        let cases: [(&[u8], i32); 11] = [
            (b"-99999999999999999999", 0),
            (b"1", 1),
            (b" 12x", 12),
            (b"+3", 3),
            (b"-4.5", -4),
            (b"1e3", 1),
            (b"", 0),
            (b"x", 0),
            (b"--1", 0),
            (b"4294967297", 1),
            (b"99999999999999999999", -1),
        ];
        for (text, n) in cases {
            assert_eq!(leading_int(text), n, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn integers_are_strict() {
        for good in ["0", "7", "-1", "10", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(parse_i64(good.as_bytes()), good.parse().ok(), "{good}");
        }
        for bad in [
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
            "9223372036854775808",
            "-9223372036854775809",
        ] {
            assert_eq!(parse_i64(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"99999999999999999999"), None);
        assert_eq!(parse_u64(b"184467440737095516150"), None);
        assert_eq!(parse_u64(b"-1"), None);
    }

    #[test]
    fn integers_round_trip_at_every_length() {
        let seed = 11;
        let mut rng = Rng::new(seed);
        for round in 0..20_000 {
            let n = (rng.next_u64() >> rng.below(64)) as i64;
            let n = if round % 2 == 0 { n } else { n.wrapping_neg() };
            let mut out = Vec::new();
            write_i64(&mut out, n);
            assert_eq!(out, n.to_string().as_bytes(), "seed {seed}");
            assert_eq!(parse_i64(&out), Some(n), "seed {seed}");
            let mut buf = [0; MAX_INT_LEN];
            let text = u64_to_buf(n as u64, &mut buf);
            assert_eq!(text, (n as u64).to_string().as_bytes(), "seed {seed}");
            assert_eq!(digits10(n as u64), text.len(), "seed {seed}");
            assert_eq!(parse_u64(text), Some(n as u64), "seed {seed}");
        }
        let mut buf = [0; MAX_INT_LEN];
        assert_eq!(i64_to_buf(i64::MIN, &mut buf), b"-9223372036854775808");
        assert_eq!(digits10(0), 1);
    }

    #[test]
    fn doubles_as_strtod_takes_them() {
        let good: &[(&str, f64)] = &[
            ("1", 1.0),
            ("+1.5", 1.5),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
            ("+infinity", f64::INFINITY),
            ("0x10", 16.0),
            ("-0x1.8p3", -12.0),
            ("0X.8", 0.5),
            ("0e999", 0.0),
            ("0x0p-9999", 0.0),
            ("4.9e-324", 5e-324),
            ("0x1p-1074", 5e-324),
            ("1.7976931348623157e308", f64::MAX),
        ];
        for &(text, x) in good {
            assert_eq!(parse_f64(text.as_bytes()), Some(x), "{text}");
        }
        let bad = [
            "",
            " 1",
            "1 ",
            "nan",
            "-nan",
            "nan(1)",
            "1e",
            "1e+",
            ".",
            "e5",
            "1..2",
            "0x",
            "0x.",
            "0x1p",
            "0x1e+1p",
            "1e400",
            "-1e400",
            "1e-400",
            "0x1p2000",
            "0x1p-2000",
            "1a",
            "--1",
            "in",
            "infin",
            "1_000",
        ];
        for text in bad {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
        assert!(parse_f64(b"-0").is_some_and(|x| x.is_sign_negative()));
        let loose: &[(&[u8], Option<f64>)] = &[
            (b"", Some(0.0)),
            (b"\0x", Some(0.0)),
            (b" \t1.5\0x", Some(1.5)),
            (b"1e400", Some(f64::INFINITY)),
            (b"-1e400", Some(f64::NEG_INFINITY)),
            (b"1e-400", Some(0.0)),
            (b"0x1p-2000", Some(0.0)),
            (b"0x1p2000", Some(f64::INFINITY)),
            (b"-inf", Some(f64::NEG_INFINITY)),
            (b" ", None),
            (b"1 ", None),
            (b"nan", None),
        ];
        for &(text, wanted) in loose {
            assert_eq!(parse_f64_loose(text), wanted, "{text:?}");
        }
    }
}
