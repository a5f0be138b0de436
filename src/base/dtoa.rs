//! Doubles as decimal text, digit for digit as the reference prints them.
//!
//! The digits are those of Grisu2 (Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010),
//! which always read back as the same double and are the shortest that do in all but one of a thousand cases; there the
//! reference prints one digit more, and so does this. That is why it is not one of the crates for shortest floats.

use super::num::{MAX_INT_LEN, i64_to_buf};

/// Longest text, in bytes: a sign, 17 digits, a point and an exponent; or a sign, 0, point, 6 zeros and 17 digits.
pub const MAX_LEN: usize = 32;

/// Most digits that Grisu2 gives.
const MAX_DIGITS: usize = 20;

/// A number `significand * 2^exponent`.
#[derive(Clone, Copy)]
struct Fp {
    significand: u64,
    exponent: i32,
}

impl Fp {
    /// The same number with its highest bit set.
    fn normalized(self) -> Fp {
        let shift = self.significand.leading_zeros();
        Fp { significand: self.significand << shift, exponent: self.exponent - shift as i32 }
    }

    /// The product, rounded to 64 bits.
    fn times(self, other: Fp) -> Fp {
        let product = u128::from(self.significand) * u128::from(other.significand);
        let rounded = (product + (1 << 63)) >> 64;
        Fp { significand: rounded as u64, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The first power of ten in [`POWERS`], and the step between two.
const FIRST_POWER: i32 = -348;
const POWER_STEP: i32 = 8;
/// With a power of ten the exponent comes to lie in this range, so that the integer part has 32 bits at most.
const EXPONENTS: std::ops::RangeInclusive<i32> = -60..=-32;

/// The 64 highest bits of 10^-348, 10^-340, ... 10^340, rounded to the nearest.
#[rustfmt::skip]
const POWERS: [u64; 87] = [
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea, 0x9a6bb0aa55653b2d,
    0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c,
    0xd3515c2831559a83, 0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57,
    0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584,
    0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
    0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf,
    0x8a08f0f8bf0f156b, 0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000,
    0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70,
    0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db,
    0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3,
    0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5,
    0x98165af37b2153df, 0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410,
    0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
    0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
];

/// A power of ten that brings a number with this exponent into [`EXPONENTS`], and which one it is.
fn power_for(exponent: i32) -> (Fp, i32) {
    // Where the search starts decides which of two that fit is taken; the 87, the size of the table, has no other sense.
    let approx = (f64::from(-(exponent + 87)) * std::f64::consts::LOG10_2) as i32;
    let mut index = (approx - FIRST_POWER) / POWER_STEP;
    loop {
        let k = FIRST_POWER + index * POWER_STEP;
        // The exponent of the highest bit of 10^k is the whole part of k * log2(10).
        let power = Fp { significand: POWERS[index as usize], exponent: ((k * 217_706) >> 16) - 63 };
        let product = exponent + power.exponent + 64;
        if product < *EXPONENTS.start() {
            index += 1;
        } else if product > *EXPONENTS.end() {
            index -= 1;
        } else {
            return (power, k);
        }
    }
}

/// Decimal digits of a positive finite double, and the power of ten of the last one.
fn digits(x: f64, buf: &mut [u8; MAX_DIGITS]) -> (usize, i32) {
    const HIDDEN: u64 = 1 << 52;
    let (fraction, biased) = (x.to_bits() & (HIDDEN - 1), (x.to_bits() >> 52 & 0x7ff) as i32);
    let value = match biased {
        0 => Fp { significand: fraction, exponent: -1074 },
        _ => Fp { significand: fraction | HIDDEN, exponent: biased - 1075 },
    };
    // Half way to the neighbours: whatever is between reads as `x`. The one below a power of two is nearer.
    let upper = Fp { significand: value.significand * 2 + 1, exponent: value.exponent - 1 }.normalized();
    let bits = if value.significand == HIDDEN { 2 } else { 1 };
    let lower = Fp { significand: (value.significand << bits) - 1, exponent: value.exponent - bits };
    let lower = Fp { significand: lower.significand << (lower.exponent - upper.exponent), ..upper };
    let (power, k) = power_for(upper.exponent);
    let value = value.normalized().times(power);
    let (mut upper, mut lower) = (upper.times(power), lower.times(power));
    // The products are off by one at most: what remains between is safe.
    upper.significand -= 1;
    lower.significand += 1;
    generate(upper, upper.significand - value.significand, upper.significand - lower.significand, -k, buf)
}

/// The digits of `upper`, as few as stay within `delta` below it, then moved towards the value, which is `distance` below.
fn generate(upper: Fp, distance: u64, delta: u64, k: i32, buf: &mut [u8; MAX_DIGITS]) -> (usize, i32) {
    let shift = -upper.exponent as u32;
    let one = 1u64 << shift;
    let (mut whole, mut part) = (upper.significand >> shift, upper.significand & (one - 1));
    let mut len = 0;
    let mut push = |digit: u64, len: &mut usize| {
        if digit > 0 || *len > 0 {
            buf[*len] = b'0' + digit as u8;
            *len += 1;
        }
    };
    let mut unit = 1_000_000_000;
    for kappa in (0..10).rev() {
        push(whole / unit, &mut len);
        whole %= unit;
        let rest = (whole << shift) + part;
        if rest <= delta {
            approach(&mut buf[len - 1], delta, rest, unit << shift, distance);
            return (len, k + kappa);
        }
        unit /= 10;
    }
    let (mut delta, mut scale, mut kappa) = (delta, 1u64, 0);
    loop {
        (part, delta, scale) = (part * 10, delta * 10, scale.wrapping_mul(10));
        kappa -= 1;
        push(part >> shift, &mut len);
        part &= one - 1;
        if part < delta {
            approach(&mut buf[len - 1], delta, part, one, distance.wrapping_mul(scale));
            return (len, k + kappa);
        }
    }
}

/// Lowers the last digit as long as that brings the number nearer to the value.
fn approach(digit: &mut u8, delta: u64, mut rest: u64, unit: u64, distance: u64) {
    while rest < distance
        && delta - rest >= unit
        && (rest + unit < distance || distance - rest > rest + unit - distance)
    {
        *digit -= 1;
        rest += unit;
    }
}

/// The integer that a double is, where it is one of at most 2^62 in size.
#[inline]
pub fn as_int(x: f64) -> Option<i64> {
    const LIMIT: f64 = (1i64 << 62) as f64;
    if !(-LIMIT..=LIMIT).contains(&x) {
        return None;
    }
    let n = x as i64;
    (n as f64 == x).then_some(n)
}

/// Formats `x` into `buf` and returns the text: integers up to 2^62 in full, other numbers as [`digits_to_buf`].
pub fn f64_to_buf(x: f64, buf: &mut [u8; MAX_LEN]) -> &str {
    match as_int(x) {
        Some(n) if n != 0 => {
            let len = copy(buf, i64_to_buf(n, &mut [0; MAX_INT_LEN]));
            text(buf, len)
        }
        _ => digits_to_buf(x, buf),
    }
}

/// Formats `x` into `buf` and returns the text: `inf`, `nan`, `-0`; numbers with their digits in place, or with an
/// exponent where that is much shorter.
pub fn digits_to_buf(x: f64, buf: &mut [u8; MAX_LEN]) -> &str {
    let len = if x.is_nan() {
        copy(buf, b"nan")
    } else if x == 0.0 {
        copy(buf, if x.is_sign_negative() { b"-0" } else { b"0" })
    } else if x.is_infinite() {
        copy(buf, if x < 0.0 { b"-inf" } else { b"inf" })
    } else {
        format(x, buf)
    };
    text(buf, len)
}

fn text(buf: &[u8; MAX_LEN], len: usize) -> &str {
    std::str::from_utf8(&buf[..len]).unwrap_or_default()
}

fn copy(buf: &mut [u8; MAX_LEN], text: &[u8]) -> usize {
    buf[..text.len()].copy_from_slice(text);
    text.len()
}

/// Appends to a buffer that is long enough.
struct Pen<'a> {
    buf: &'a mut [u8; MAX_LEN],
    len: usize,
}

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.buf[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn zeros(&mut self, n: usize) {
        self.put(&[b'0'; MAX_DIGITS][..n]);
    }
}

fn format(x: f64, buf: &mut [u8; MAX_LEN]) -> usize {
    let mut digits_buf = [0; MAX_DIGITS];
    let (n, k) = digits(x.abs(), &mut digits_buf);
    let digits = &digits_buf[..n];
    let negative = x < 0.0;
    let mut pen = Pen { buf, len: 0 };
    if negative {
        pen.put(b"-");
    }
    let exponent = k + n as i32 - 1;
    if k >= 0 && exponent.abs() < n as i32 + 7 {
        pen.put(digits);
        pen.zeros(k as usize);
    } else if k < 0 && (k > -7 || exponent.abs() < 4) {
        match usize::try_from(n as i32 + k) {
            Ok(whole @ 1..) => {
                pen.put(&digits[..whole]);
                pen.put(b".");
                pen.put(&digits[whole..]);
            }
            _ => {
                pen.put(b"0.");
                pen.zeros((-k) as usize - n);
                pen.put(digits);
            }
        }
    } else {
        let digits = &digits[..n.min(18 - usize::from(negative))];
        pen.put(&digits[..1]);
        if digits.len() > 1 {
            pen.put(b".");
            pen.put(&digits[1..]);
        }
        pen.put(if exponent < 0 { b"e-" } else { b"e+" });
        pen.put(i64_to_buf(exponent.abs().into(), &mut [0; MAX_INT_LEN]));
    }
    pen.len
}

/// A double with 17 significant digits, without trailing zeros, as C's `%.17g` prints it.
pub fn general(x: f64) -> String {
    if !x.is_finite() {
        return digits_to_buf(x, &mut [0; MAX_LEN]).to_owned();
    }
    let scientific = format!("{x:.16e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if (-4..17).contains(&exponent) {
        let decimals = (16 - exponent) as usize;
        let fixed = format!("{x:.decimals$}");
        return if decimals > 0 { trimmed(&fixed) } else { fixed };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

/// A double with at most 17 decimals, without trailing zeros, as C's `%.17f` prints it; a zero has no sign.
pub fn fixed(x: f64) -> String {
    if !x.is_finite() {
        return digits_to_buf(x, &mut [0; MAX_LEN]).to_owned();
    }
    let fixed = format!("{x:.17}");
    let trimmed = fixed.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn shown(x: f64) -> String {
        f64_to_buf(x, &mut [0; MAX_LEN]).to_owned()
    }

    #[test]
    fn forms() {
        let cases: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (0.1, "0.1"),
            (1e-5, "0.00001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (123.456, "123.456"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (-f64::MAX, "-1.7976931348623157e+308"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (4_611_686_018_427_387_904.0, "4611686018427387904"),
            (0.000_123_456_789_012_345_68, "1.2345678901234567e-4"),
        ];
        for &(x, wanted) in cases {
            assert_eq!(shown(x), wanted);
        }
        assert_eq!(digits_to_buf(1e17, &mut [0; MAX_LEN]), "1e+17");
    }

    #[test]
    fn forms_of_printf() {
        let cases: &[(f64, &str, &str)] = &[
            (0.0, "0", "0"),
            (-0.0, "-0", "0"),
            (100.0, "100", "100"),
            (0.1, "0.10000000000000001", "0.10000000000000001"),
            (-1.5, "-1.5", "-1.5"),
            (1e16, "10000000000000000", "10000000000000000"),
            (1e17, "1e+17", "100000000000000000"),
            (1.25e-5, "1.2500000000000001e-05", "0.0000125"),
            (5e-324, "4.9406564584124654e-324", "0"),
            (-823_611_480_893_525.9, "-823611480893525.88", "-823611480893525.875"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
        ];
        for &(x, in_general, in_fixed) in cases {
            assert_eq!((general(x).as_str(), fixed(x).as_str()), (in_general, in_fixed));
        }
    }

    #[test]
    fn every_double_reads_back() {
        let seed = 3;
        let mut rng = Rng::new(seed);
        for round in 0..200_000 {
            let bits = rng.next_u64();
            let x = match round % 4 {
                0 => f64::from_bits(bits),
                1 => (bits >> 20) as f64 / 1000.0,
                2 => -((bits >> rng.below(64)) as f64),
                _ => f64::from_bits(bits >> rng.below(64)),
            };
            if !x.is_nan() {
                assert_eq!(shown(x).parse().map(f64::to_bits), Ok(x.to_bits()), "seed {seed}, {x:e}");
            }
        }
    }
}
