//! Values as files and CONFIG write them: yes and no, numbers, sizes, names.

use super::Unit;
use crate::base::num::parse_i64;

/// `yes` or `no`, in any case.
pub(super) fn parse_bool(text: &[u8]) -> Result<bool, String> {
    if text.eq_ignore_ascii_case(b"yes") {
        Ok(true)
    } else if text.eq_ignore_ascii_case(b"no") {
        Ok(false)
    } else {
        Err("argument must be 'yes' or 'no'".into())
    }
}

/// The place of a name, in any case.
pub(super) fn parse_enum(text: &[u8], names: &[&str]) -> Result<usize, String> {
    let at = names.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(text));
    at.ok_or_else(|| one_of(names))
}

/// The error for a name that is none of these.
pub(super) fn one_of(names: &[&str]) -> String {
    format!("argument(s) must be one of the following: {}", names.join(", "))
}

/// A text that can be the name of something.
pub(super) fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "argument is not valid text".into())
}

/// An integer within bounds, in its unit.
pub(super) fn parse_int(text: &[u8], unit: Unit, min: i128, max: i128) -> Result<i128, String> {
    let (n, why) = match unit {
        Unit::Plain => (parse_i64(text).map(i128::from), "argument couldn't be parsed into an integer"),
        Unit::Octal => (parse_octal(text), "argument couldn't be parsed as an octal number"),
        Unit::Memory => (parse_bytes(text), "argument must be a memory value"),
        Unit::MemoryOrPercent => {
            (parse_bytes(text).or_else(|| parse_percent(text)), "argument must be a memory or percent value")
        }
    };
    let n = n.ok_or(why)?;
    if (min..=max).contains(&n) {
        return Ok(n);
    }
    Err(match unit {
        Unit::MemoryOrPercent if n < 0 => format!("percentage argument must be less or equal to {}", -min),
        Unit::Octal => format!("argument must be between {min:o} and {max:o} inclusive"),
        _ => format!("argument must be between {min} and {max} inclusive"),
    })
}

/// The opposite of [`parse_int`].
pub(super) fn show_int(n: i128, unit: Unit) -> String {
    match unit {
        Unit::MemoryOrPercent if n < 0 => format!("{}%", -n),
        Unit::Octal => format!("{n:o}"),
        _ => n.to_string(),
    }
}

/// As a file writes it: bytes in the largest unit that divides them.
pub(super) fn show_bytes(n: i128) -> String {
    let units = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    match units.iter().find(|(unit, _)| n != 0 && n % unit == 0) {
        Some((unit, name)) => format!("{}{name}", n / unit),
        None => n.to_string(),
    }
}

/// An integer as C's `strtol` reads it, if that is all: what is too large is the largest there is, and nothing is zero.
pub(super) fn parse_long(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if !digits.iter().all(u8::is_ascii_digit) || digits.is_empty() != text.is_empty() {
        return None;
    }
    let n = digits.iter().fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add((digit - b'0').into()));
    Some(if text.starts_with(b"-") { -n } else { n })
}

fn parse_octal(text: &[u8]) -> Option<i128> {
    i64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok().map(i128::from)
}

fn parse_percent(text: &[u8]) -> Option<i128> {
    let n = parse_i64(text.strip_suffix(b"%")?)?;
    (n >= 0).then_some(-i128::from(n))
}

/// Bytes with a unit: `1024`, `1k` (1000), `1kb` (1024), `m`, `mb`, `g`, `gb`. As in Valkey, no digits are zero.
fn parse_bytes(text: &[u8]) -> Option<i128> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    let unit: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let digits = std::str::from_utf8(digits).ok()?;
    // What is too large is the largest there is.
    let n: u64 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    Some(n.saturating_mul(unit).into())
}

/// Words as a line of a file has them; none are `""`.
pub(super) fn words_or_empty(words: &[String]) -> Vec<u8> {
    if words.is_empty() { b"\"\"".to_vec() } else { words.join(" ").into_bytes() }
}

/// A text in quotes, so that a file reads it as one word.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &b in text {
        match b {
            b'"' | b'\\' => quoted.extend([b'\\', b]),
            b'\n' => quoted.extend(b"\\n"),
            b'\r' => quoted.extend(b"\\r"),
            b'\t' => quoted.extend(b"\\t"),
            0x07 => quoted.extend(b"\\a"),
            0x08 => quoted.extend(b"\\b"),
            b' '..=b'~' => quoted.push(b),
            _ => quoted.extend(format!("\\x{b:02x}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

/// The same as a number that is kept in a field.
pub fn parse_memory(text: &[u8]) -> Option<i64> {
    i64::try_from(parse_bytes(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_units() {
        assert_eq!(parse_memory(b"2gb"), Some(2 << 30));
        assert_eq!(parse_memory(b"3K"), Some(3000));
        assert_eq!(parse_memory(b""), Some(0));
        assert_eq!(parse_memory(b"1x"), None);
        assert_eq!(parse_memory(b"-1"), None);
        assert_eq!(parse_memory(b"9999999999gb"), None);
        assert_eq!(parse_bytes(b"18446744073709551616"), Some(u64::MAX.into()));
    }

    #[test]
    fn bytes_are_written_in_the_largest_unit() {
        for (n, text) in [(0, "0"), (1 << 20, "1mb"), (3 << 30, "3gb"), (1536, "1536"), (2048, "2kb")] {
            assert_eq!(show_bytes(n), text);
        }
    }

    #[test]
    fn longs_are_read_as_by_strtol() {
        for (text, n) in [("", 0), ("007", 7), ("+5", 5), ("-5", -5), ("99999999999999999999", i64::MAX)] {
            assert_eq!(parse_long(text.as_bytes()), Some(n), "{text}");
        }
        for text in ["x", "5x", "-", "+", "--5", " 5", "5 "] {
            assert_eq!(parse_long(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn percents_are_negative() {
        let parse = |text: &[u8]| parse_int(text, Unit::MemoryOrPercent, -100, i64::MAX.into());
        assert_eq!((parse(b"5%"), parse(b"1kb")), (Ok(-5), Ok(1024)));
        assert_eq!(show_int(-5, Unit::MemoryOrPercent), "5%");
        assert_eq!(parse(b"101%"), Err("percentage argument must be less or equal to 100".into()));
        assert_eq!(parse(b"x"), Err("argument must be a memory or percent value".into()));
    }
}
