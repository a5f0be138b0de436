//! Numbers as C writes and reads them.

use crate::base::num::parse_f64_loose;

/// Appends a number as `%.<digits>g` does.
pub(super) fn write_g(out: &mut Vec<u8>, x: f64, digits: usize) {
    if x.is_nan() {
        return out.extend_from_slice(if x.is_sign_negative() { b"-nan" } else { b"nan" });
    }
    if x.is_infinite() {
        return out.extend_from_slice(if x < 0.0 { b"-inf" } else { b"inf" });
    }
    let digits = digits.max(1);
    let text = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent >= -4 && exponent < digits as i32 {
        let decimals = (digits as i32 - 1 - exponent) as usize;
        return out.extend_from_slice(without_zeros(&format!("{x:.decimals$}")).as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.unsigned_abs();
    out.extend_from_slice(format!("{}e{sign}{exponent:02}", without_zeros(mantissa)).as_bytes());
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The number that a text starts with, as C's `strtod` finds it, and its length in bytes.
pub(super) fn read_number(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text, [b'+' | b'-', ..]));
    let body = &text[sign..];
    let starts_with =
        |word: &[u8]| body.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts_with(b"nan") {
        // In brackets a number of it may follow.
        let in_brackets = body.get(3).filter(|&&b| b == b'(').and_then(|_| {
            let inner = body[4..].iter().take_while(|&&b| b.is_ascii_alphanumeric() || b == b'_').count();
            (body.get(4 + inner) == Some(&b')')).then_some(inner + 2)
        });
        let len = sign + 3 + in_brackets.unwrap_or(0);
        return Some((if text[0] == b'-' { -f64::NAN } else { f64::NAN }, len));
    }
    let len = if starts_with(b"infinity") {
        8
    } else if starts_with(b"inf") {
        3
    } else {
        let is_hex = starts_with(b"0x")
            && (body.get(2).is_some_and(u8::is_ascii_hexdigit)
                || body.get(2) == Some(&b'.') && body.get(3).is_some_and(u8::is_ascii_hexdigit));
        if is_hex { 2 + float_len(&body[2..], true) } else { float_len(body, false) }
    };
    if len == 0 {
        return None;
    }
    Some((parse_f64_loose(&text[..sign + len])?, sign + len))
}

/// How long the digits, the point among them, and the exponent are; 0 where there is no digit.
fn float_len(text: &[u8], is_hex: bool) -> usize {
    let is_digit = |b: &u8| if is_hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    let count = |text: &[u8]| text.iter().take_while(|b| is_digit(b)).count();
    let whole = count(text);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let part = count(&text[len + 1..]);
        if whole + part > 0 {
            len += 1 + part;
        }
    }
    if len == 0 {
        return 0;
    }
    let marker = if is_hex { b'p' } else { b'e' };
    if text.get(len).is_some_and(|b| b.to_ascii_lowercase() == marker) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let digits = text[len + 1 + sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            len += 1 + sign + digits;
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_does() {
        let written = |x: f64, digits| {
            let mut out = Vec::new();
            write_g(&mut out, x, digits);
            String::from_utf8(out).expect("digits")
        };
        for (x, digits, wanted) in [
            (0.0, 14, "0"),
            (-0.0, 14, "-0"),
            (1.0, 14, "1"),
            (0.1, 14, "0.1"),
            (1e14, 14, "1e+14"),
            (123_456_789_012_345.0, 14, "1.2345678901234e+14"),
            (99_999_999_999_999.9, 14, "1e+14"),
            (1e-5, 14, "1e-05"),
            (0.0001, 14, "0.0001"),
            (1.5, 1, "2"),
            (2.5, 1, "2"),
            (1e300, 3, "1e+300"),
            (-1.0 / 3.0, 3, "-0.333"),
            (f64::INFINITY, 14, "inf"),
        ] {
            assert_eq!(written(x, digits), wanted);
        }
    }

    #[test]
    fn numbers_are_read_as_c_does() {
        for (text, wanted) in [
            ("12x", Some((12.0, 2))),
            ("1.5e3,", Some((1500.0, 5))),
            ("1e", Some((1.0, 1))),
            ("1.e", Some((1.0, 2))),
            (".5", Some((0.5, 2))),
            ("-", None),
            ("-.", None),
            ("0x1p4]", Some((16.0, 5))),
            ("0x", Some((0.0, 1))),
            ("-infinityx", Some((f64::NEG_INFINITY, 9))),
            ("1e999", Some((f64::INFINITY, 5))),
        ] {
            assert_eq!(read_number(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!(read_number(b"nan(12)]").map(|(x, len)| (x.is_nan(), len)), Some((true, 7)));
    }
}
