//! Writing the parts of which values are made.

use crate::{
    base::num::{MAX_INT_LEN, i64_to_buf, parse_i64},
    ds::listpack::Elem,
};

/// Strings from this length on are compressed where that makes them shorter.
const COMPRESS_FROM_BYTES: usize = 21;
/// Strings up to this length are looked at whether they are numbers.
const NUMBER_MAX_BYTES: usize = 11;

/// Bytes that are being written.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// `rdbcompression no`.
    pub uncompressed: bool,
    /// What only ourselves will read: streams as their third form, which tells when consumers were last served.
    pub newest: bool,
}

impl Writer {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes as they are, without their length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A length or count, in 1 to 9 bytes.
    pub fn count(&mut self, n: usize) {
        match n {
            0..=0x3f => self.byte(n as u8),
            0x40..=0x3fff => self.raw(&(0x4000 | n as u16).to_be_bytes()),
            _ => match u32::try_from(n) {
                Ok(n) => {
                    self.byte(0x80);
                    self.raw(&n.to_be_bytes());
                }
                Err(_) => {
                    self.byte(0x81);
                    self.raw(&(n as u64).to_be_bytes());
                }
            },
        }
    }

    /// A number of 64 bits, written as a length.
    pub fn u64(&mut self, n: u64) {
        self.count(n as usize);
    }

    /// The decimal text of a number: as a number where that is short.
    pub fn int(&mut self, number: i64) {
        if !self.short_int(number) {
            let mut digits = [0; MAX_INT_LEN];
            self.plain(i64_to_buf(number, &mut digits));
        }
    }

    /// A number of at most 32 bits in place of its text; false where it is longer.
    fn short_int(&mut self, number: i64) -> bool {
        if let Ok(n) = i8::try_from(number) {
            self.raw(&[0xc0, n as u8]);
        } else if let Ok(n) = i16::try_from(number) {
            self.byte(0xc1);
            self.raw(&n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(number) {
            self.byte(0xc2);
            self.raw(&n.to_le_bytes());
        } else {
            return false;
        }
        true
    }

    /// A string: as a number or compressed where that makes it shorter.
    pub fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= NUMBER_MAX_BYTES
            && let Some(number) = parse_i64(bytes)
            && self.short_int(number)
        {
            return;
        }
        if bytes.len() >= COMPRESS_FROM_BYTES
            && !self.uncompressed
            && let Ok(packed) = lzf::compress(bytes)
            && packed.len() <= bytes.len() - 4
        {
            self.byte(0xc3);
            self.count(packed.len());
            self.count(bytes.len());
            return self.raw(&packed);
        }
        self.plain(bytes);
    }

    /// An element of a listpack.
    pub fn elem(&mut self, elem: Elem<'_>) {
        match elem {
            Elem::Int(number) => self.int(number),
            Elem::Bytes(bytes) => self.string(bytes),
        }
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// A time or another number of 64 bits.
    pub fn i64(&mut self, n: i64) {
        self.raw(&n.to_le_bytes());
    }

    /// A double as its bits.
    pub fn double(&mut self, n: f64) {
        self.raw(&n.to_le_bytes());
    }
}

/// How many bytes a value takes without the number of its encoding: DEBUG OBJECT's `serializedlength`.
pub fn saved_len(value: crate::value::ValueRef<'_>) -> usize {
    let mut out = Writer::default();
    super::write_value(&mut out, value);
    out.bytes.len().saturating_sub(1)
}
