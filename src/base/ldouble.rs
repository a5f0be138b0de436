//! The 80-bit arithmetic of INCRBYFLOAT and HINCRBYFLOAT.
//!
//! The reference adds with C's `long double`, which on x86-64 is the x87 extended format. Emulating that
//! format gives every architecture the answers that clients have seen for years: 0.1 + 0.2 is 0.3.

use rustc_apfloat::ieee::{Double, X87DoubleExtended};
use rustc_apfloat::{Float, FloatConvert, Round, Status};

use super::num::{FloatForm, float_form, hex_with_exponent};

/// Longer texts are no numbers, whatever they say. In bytes, as in the reference.
const MAX_TEXT_LEN: usize = 5 * 1024 - 1;

/// Decimals that an answer keeps.
const DECIMALS: usize = 17;

/// Why an increment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncrError {
    /// One of the two is no number, or none that the format holds.
    NotAFloat,
    /// The sum is infinite, or no number at all.
    NaNOrInfinity,
}

/// `current + increment` in decimal: at most 17 decimals, without trailing zeros.
pub fn incr_by_float(current: &[u8], increment: &[u8]) -> Result<Vec<u8>, IncrError> {
    let sum = (parse(current)? + parse(increment)?).value;
    if sum.is_finite() { Ok(format(sum)) } else { Err(IncrError::NaNOrInfinity) }
}

/// Whether `text` is a finite number.
pub fn check(text: &[u8]) -> Result<(), IncrError> {
    if parse(text)?.is_finite() { Ok(()) } else { Err(IncrError::NaNOrInfinity) }
}

/// A number that the format holds as the nearest double: infinite where it is beyond those.
pub fn to_f64(text: &[u8]) -> Option<f64> {
    let number = parse(text).ok()?;
    let mut loses = false;
    let double: Double = number.convert_r(Round::NearestTiesToEven, &mut loses).value;
    let double = f64::from_bits(double.to_bits() as u64);
    // Not 0 where it is not.
    Some(if double == 0.0 && !number.is_zero() { f64::MIN_POSITIVE.copysign(double) } else { double })
}

/// Parses what C's `strtold` takes, if it is all of `text`, neither NaN nor out of range.
fn parse(text: &[u8]) -> Result<X87DoubleExtended, IncrError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(IncrError::NotAFloat);
    }
    let (zero, text) = match float_form(text).ok_or(IncrError::NotAFloat)? {
        FloatForm::Infinity => {
            let infinity = X87DoubleExtended::INFINITY;
            return Ok(if text[0] == b'-' { -infinity } else { infinity });
        }
        FloatForm::Decimal { zero } => (zero, String::from_utf8_lossy(text).into_owned()),
        FloatForm::Hex { zero } => (zero, hex_with_exponent(text)),
    };
    if zero {
        return Ok(X87DoubleExtended::ZERO);
    }
    let parsed =
        X87DoubleExtended::from_str_r(&text, Round::NearestTiesToEven).map_err(|_| IncrError::NotAFloat)?;
    if parsed.status.contains(Status::OVERFLOW) || parsed.value.is_zero() {
        return Err(IncrError::NotAFloat);
    }
    Ok(parsed.value)
}

/// `printf("%.17Lf")` without trailing zeros and without a lone dot; a negative zero loses its sign.
fn format(x: X87DoubleExtended) -> Vec<u8> {
    let bits = x.to_bits();
    let significand = bits as u64;
    let exponent = ((bits >> 64) & 0x7fff) as i32;
    // The significand has its leading bit written out; subnormal numbers share the exponent of the smallest
    // normal.
    let shift = exponent.max(1) - 16383 - 63;
    let mut digits = if shift >= 0 {
        shifted_left_decimal(significand, shift as u32)
    } else {
        scaled(significand, -shift as u32)
    };
    if shift < 0 {
        while digits.len() <= DECIMALS {
            digits.insert(0, b'0');
        }
        digits.insert(digits.len() - DECIMALS, b'.');
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.last() == Some(&b'.') {
            digits.pop();
        }
    }
    if x.is_negative() && digits != b"0" {
        digits.insert(0, b'-');
    }
    digits
}

/// `significand / 2^shift * 10^17` in decimal, rounded half to even. The product fits: 64 + 57 bits.
fn scaled(significand: u64, shift: u32) -> Vec<u8> {
    let product = u128::from(significand) * 10u128.pow(DECIMALS as u32);
    if shift >= 128 {
        return b"0".to_vec();
    }
    let quotient = product >> shift;
    let rest = product & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let up = rest > half || (rest == half && quotient & 1 == 1);
    (quotient + u128::from(up)).to_string().into_bytes()
}

/// `significand * 2^shift` in decimal: up to 4,933 digits, so on limbs of 18 digits, lowest first.
fn shifted_left_decimal(significand: u64, mut shift: u32) -> Vec<u8> {
    const LIMB: u128 = 1_000_000_000_000_000_000;
    let mut limbs = vec![(u128::from(significand) % LIMB) as u64, (u128::from(significand) / LIMB) as u64];
    while shift > 0 {
        let step = shift.min(60);
        let mut carry = 0;
        for limb in &mut limbs {
            let product = (u128::from(*limb) << step) + carry;
            *limb = (product % LIMB) as u64;
            carry = product / LIMB;
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
        shift -= step;
    }
    while limbs.len() > 1 && limbs.last() == Some(&0) {
        limbs.pop();
    }
    let mut text = limbs.pop().unwrap_or(0).to_string();
    for limb in limbs.iter().rev() {
        text.push_str(&format!("{limb:018}"));
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(current: &str, increment: &str) -> Result<String, IncrError> {
        incr_by_float(current.as_bytes(), increment.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn what_is_no_float() {
        let long = "1".repeat(MAX_TEXT_LEN + 1);
        for text in ["", " 1", "1 ", "abc", "nan", "1e5000", "1e-5000", "0x", "1e", long.as_str()] {
            assert_eq!(sum(text, "1"), Err(IncrError::NotAFloat), "{text}");
            assert_eq!(sum("1", text), Err(IncrError::NotAFloat), "{text}");
        }
        for (a, b) in [("inf", "1"), ("inf", "-inf"), ("1e4932", "1e4932"), ("1", "-Infinity")] {
            assert_eq!(sum(a, b), Err(IncrError::NaNOrInfinity), "{a} {b}");
        }
    }

    /// Answers of a real server on x86-64.
    #[test]
    fn known_answers() {
        let known = [
            ("0.1", "0.2", "0.3"),
            ("3", "1.1", "4.1"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "-3", "0"),
            ("-0", "-0", "0"),
            ("-1.5", "1.5", "0"),
            ("0", "1e-17", "0.00000000000000001"),
            ("0", "5e-18", "0"),
            ("0", "4e-18", "0"),
            ("0", "1.5e-17", "0.00000000000000002"),
            ("0", "-4e-18", "0"),
            ("0", "-6e-18", "-0.00000000000000001"),
            ("1", "1e-20", "1"),
            ("1.23456789012345678", "0", "1.23456789012345678"),
            ("1e18", "0.1", "1000000000000000000.125"),
            ("1e17", "0.01", "100000000000000000.0078125"),
            ("123456789", "0.123456789", "123456789.12345678899873747"),
            ("9223372036854775807", "1", "9223372036854775808"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551616", "1", "18446744073709551616"),
            ("1e25", "1", "10000000000000000000000000"),
            ("1e30", "0", "1000000000000000000024696061952"),
            ("-1e22", "0.5", "-10000000000000000000000"),
            ("0x10", "0x.8", "16.5"),
            ("0X1p-4", "0", "0.0625"),
            ("+1.5", "+1", "2.5"),
            (".5", "5.", "5.5"),
            ("1E3", "1e-3", "1000.001"),
            ("3.0000000000000000001", "0", "3"),
            ("0.3", "-0.1", "0.2"),
            ("1.1", "2.2", "3.3"),
            ("1e-10", "1e-15", "0.000000000100001"),
            ("1e-4950", "0", "0"),
            ("0x1p64", "-1", "18446744073709551615"),
            ("0x1p65", "-1", "36893488147419103232"),
            ("17179869184", "1.5", "17179869185.5"),
            ("1.000000000000000001", "1e-18", "1"),
            ("999999999999999999.99", "0.01", "1000000000000000000"),
            ("4.9", "0.0000000001", "4.9000000001"),
            ("0e99", "7", "7"),
        ];
        for (current, increment, answer) in known {
            assert_eq!(sum(current, increment).as_deref(), Ok(answer), "{current} {increment}");
        }
    }

    #[test]
    fn the_largest_number_has_all_its_digits() {
        let largest = sum("0x1.fffffffffffffffep16383", "0").unwrap();
        assert_eq!(largest.len(), 4933);
        assert!(largest.starts_with(
            "118973149535723176502126385303097020516906332229462420044032373389173700552297072"
        ));
        assert!(largest.ends_with("08849149662444156604419552086811989770240"), "{largest}");
    }
}
