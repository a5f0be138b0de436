//! Reading the parts of which values are made.

use super::Broken;
use crate::base::num::{MAX_INT_LEN, i64_to_buf};
use std::borrow::Cow;

/// Three compressed bytes stand for so many at most.
const LZF_RUN_MAX: usize = 264;

/// Bytes that are being read.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A length, or the mark of a string that is not written plainly.
enum Length {
    Plain(u64),
    Marked(u8),
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Whether everything was read.
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Broken> {
        let end = self.at.checked_add(n).ok_or(Broken::Truncated)?;
        let part = self.bytes.get(self.at..end).ok_or(Broken::Truncated)?;
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Broken::Truncated)
    }

    pub fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.array::<1>()?[0])
    }

    fn length(&mut self) -> Result<Length, Broken> {
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(first & 0x3f)),
            1 => Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            2 => match first {
                0x80 => Length::Plain(u32::from_be_bytes(self.array()?).into()),
                0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
                _ => return Err(Broken::Corrupt),
            },
            _ => Length::Marked(first & 0x3f),
        })
    }

    /// A length or count. It may be larger than what follows: nothing must be allocated for it.
    pub fn count(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.u64()?).map_err(|_| Broken::Corrupt)
    }

    /// A number written as a length.
    pub fn u64(&mut self) -> Result<u64, Broken> {
        match self.length()? {
            Length::Plain(n) => Ok(n),
            Length::Marked(_) => Err(Broken::Corrupt),
        }
    }

    /// A string, whichever way it is written.
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        let number = match self.length()? {
            Length::Plain(n) => {
                let n = usize::try_from(n).map_err(|_| Broken::Corrupt)?;
                return self.take(n).map(Cow::Borrowed);
            }
            Length::Marked(0) => i64::from(i8::from_le_bytes(self.array()?)),
            Length::Marked(1) => i64::from(i16::from_le_bytes(self.array()?)),
            Length::Marked(2) => i64::from(i32::from_le_bytes(self.array()?)),
            Length::Marked(3) => return self.compressed().map(Cow::Owned),
            Length::Marked(_) => return Err(Broken::Corrupt),
        };
        let mut digits = [0; MAX_INT_LEN];
        Ok(Cow::Owned(i64_to_buf(number, &mut digits).to_vec()))
    }

    fn compressed(&mut self) -> Result<Vec<u8>, Broken> {
        let packed_len = self.count()?;
        let len = self.count()?;
        let packed = self.take(packed_len)?;
        if len == 0 || len > packed_len.saturating_mul(LZF_RUN_MAX / 3) {
            return Err(Broken::Corrupt);
        }
        let bytes = lzf::decompress(packed, len).map_err(|_| Broken::Corrupt)?;
        if bytes.len() == len { Ok(bytes) } else { Err(Broken::Corrupt) }
    }

    /// A time or another number of 64 bits.
    pub fn i64(&mut self) -> Result<i64, Broken> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A double as its bits.
    pub fn double(&mut self) -> Result<f64, Broken> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A double as text, as versions before 8 wrote it.
    pub fn text_double(&mut self) -> Result<f64, Broken> {
        match self.byte()? {
            255 => Ok(f64::NEG_INFINITY),
            254 => Ok(f64::INFINITY),
            253 => Ok(f64::NAN),
            n => {
                let text = std::str::from_utf8(self.take(n.into())?).map_err(|_| Broken::Corrupt)?;
                text.trim().parse().map_err(|_| Broken::Corrupt)
            }
        }
    }
}
