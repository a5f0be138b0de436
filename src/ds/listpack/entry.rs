//! One entry of a listpack: an encoding byte, the value, and the length of both once more behind them (the
//! back length), so that a pack can be walked from either end. The format is the one published with the
//! listpack specification (Sanfilippo, 2017), integers little-endian.

use crate::base::num;

/// An element as it is stored: canonical decimals of 64 bits are integers, everything else is bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem<'a> {
    /// An integer, kept in 1 to 9 bytes.
    Int(i64),
    /// Any other string.
    Bytes(&'a [u8]),
}

impl<'a> Elem<'a> {
    /// How `value` will be stored.
    #[inline]
    pub fn from_bytes(value: &'a [u8]) -> Elem<'a> {
        num::parse_i64(value).map_or(Elem::Bytes(value), Elem::Int)
    }

    /// Appends the element as the client knows it.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match *self {
            Elem::Int(n) => num::write_i64(out, n),
            Elem::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// Shows the element as the client knows it to `f`.
    #[inline]
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match *self {
            Elem::Int(n) => f(num::i64_to_buf(n, &mut [0; num::MAX_INT_LEN])),
            Elem::Bytes(bytes) => f(bytes),
        }
    }

    /// The element as the client knows it.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }

    /// The length in bytes of the element as the client knows it.
    pub fn text_len(&self) -> usize {
        match *self {
            Elem::Int(n) => num::digits10(n.unsigned_abs()) + usize::from(n < 0),
            Elem::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the client's `value` is this element. To compare with many, use a [`Needle`].
    pub fn eq_bytes(&self, value: &[u8]) -> bool {
        Needle::new(value).matches(*self)
    }

    /// Bytes of the entry without its back length.
    #[inline]
    pub(super) fn body_len(&self) -> usize {
        match *self {
            Elem::Int(n) => match n {
                0..=127 => 1,
                -4096..=4095 => 2,
                -0x8000..=0x7fff => 3,
                -0x80_0000..=0x7f_ffff => 4,
                -0x8000_0000..=0x7fff_ffff => 5,
                _ => 9,
            },
            Elem::Bytes(bytes) => match bytes.len() {
                n @ ..64 => 1 + n,
                n @ ..4096 => 2 + n,
                n => 5 + n,
            },
        }
    }

    /// Writes the entry to `out`, which has exactly its length.
    #[inline]
    pub(super) fn encode(&self, out: &mut [u8], body_len: usize) {
        let (body, back) = out.split_at_mut(body_len);
        match *self {
            Elem::Int(n) => {
                let le = n.to_le_bytes();
                match body {
                    [a] => *a = le[0],
                    [a, b] => (*a, *b) = (0xc0 | (le[1] & 0x1f), le[0]),
                    _ => {
                        body[0] = match body_len {
                            3 => INT16,
                            4 => INT24,
                            5 => INT32,
                            _ => INT64,
                        };
                        body[1..].copy_from_slice(&le[..body_len - 1]);
                    }
                }
            }
            Elem::Bytes(bytes) => {
                let len = bytes.len();
                let header = body_len - len;
                match header {
                    1 => body[0] = 0x80 | len as u8,
                    2 => (body[0], body[1]) = (0xe0 | (len >> 8) as u8, len as u8),
                    _ => {
                        body[0] = STR32;
                        body[1..5].copy_from_slice(&(len as u32).to_le_bytes());
                    }
                }
                body[header..].copy_from_slice(bytes);
            }
        }
        let mut rest = body_len;
        for (i, byte) in back.iter_mut().enumerate().rev() {
            *byte = (rest & 0x7f) as u8 | if i > 0 { 0x80 } else { 0 };
            rest >>= 7;
        }
    }
}

const STR32: u8 = 0xf0;
const INT16: u8 = 0xf1;
const INT24: u8 = 0xf2;
const INT32: u8 = 0xf3;
const INT64: u8 = 0xf4;

/// A value to look for: parsed once, compared with many elements.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    bytes: &'a [u8],
    int: Option<i64>,
}

impl<'a> Needle<'a> {
    /// Prepares to look for `value`.
    pub fn new(value: &'a [u8]) -> Needle<'a> {
        Needle { bytes: value, int: num::parse_i64(value) }
    }

    /// Whether `elem` is the value.
    #[inline]
    pub fn matches(&self, elem: Elem<'_>) -> bool {
        match elem {
            Elem::Int(n) => self.int == Some(n),
            // A pack from elsewhere may hold a number as a string.
            Elem::Bytes(bytes) => bytes == self.bytes,
        }
    }
}

/// Bytes that the back length of a body takes. The limits, one short of a power of two, are the format's.
#[inline]
pub(super) fn back_len_size(body_len: usize) -> usize {
    match body_len {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

fn int_from<const N: usize>(bytes: &[u8]) -> i64 {
    let mut le = [0; 8];
    le[8 - N..].copy_from_slice(&bytes[..N]);
    i64::from_le_bytes(le) >> (64 - 8 * N)
}

/// The element whose entry starts at `bytes`, and the length of its body. Panics if `bytes` ends too soon.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> (Elem<'_>, usize) {
    let first = bytes[0];
    if first < 0x80 {
        return (Elem::Int(i64::from(first)), 1);
    }
    let (header, len) = match first {
        0x80..0xc0 => (1, usize::from(first & 0x3f)),
        0xc0..0xe0 => {
            let raw = (i64::from(first & 0x1f) << 8) | i64::from(bytes[1]);
            return (Elem::Int((raw << 51) >> 51), 2);
        }
        0xe0..=0xef => (2, usize::from(first & 0x0f) << 8 | usize::from(bytes[1])),
        INT16 => return (Elem::Int(int_from::<2>(&bytes[1..])), 3),
        INT24 => return (Elem::Int(int_from::<3>(&bytes[1..])), 4),
        INT32 => return (Elem::Int(int_from::<4>(&bytes[1..])), 5),
        INT64 => return (Elem::Int(int_from::<8>(&bytes[1..])), 9),
        _ => (5, u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) as usize),
    };
    (Elem::Bytes(&bytes[header..header + len]), header + len)
}

/// The length of the body of the entry at the start of `bytes`, without a look at its value.
#[inline]
pub(super) fn body_len(bytes: &[u8]) -> usize {
    match bytes[0] {
        0..0x80 => 1,
        first @ 0x80..0xc0 => 1 + usize::from(first & 0x3f),
        0xc0..0xe0 => 2,
        _ => decode(bytes).1,
    }
}

/// The length of the body at the start of `bytes`, if its encoding exists and it ends within `bytes`.
pub(super) fn checked_body_len(bytes: &[u8]) -> Option<usize> {
    let len = match *bytes.first()? {
        0..0x80 => 1,
        first @ 0x80..0xc0 => 1 + usize::from(first & 0x3f),
        0xc0..0xe0 => 2,
        first @ 0xe0..=0xef => 2 + (usize::from(first & 0x0f) << 8 | usize::from(*bytes.get(1)?)),
        STR32 => 5 + u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?) as usize,
        INT16 => 3,
        INT24 => 4,
        INT32 => 5,
        INT64 => 9,
        _ => return None,
    };
    (len <= bytes.len()).then_some(len)
}

/// The length of the body that ends where `bytes` ends, from the back length there, and the size of the
/// latter.
#[inline]
pub(super) fn decode_back_len(bytes: &[u8]) -> (usize, usize) {
    let (mut len, mut shift, mut size) = (0, 0, 0);
    for &byte in bytes.iter().rev().take(5) {
        len |= usize::from(byte & 0x7f) << shift;
        size += 1;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    (len, size)
}
