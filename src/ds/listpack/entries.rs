//! Reading a listpack's entries, wherever their bytes are.

use super::entry::{Elem, Needle, back_len_size, body_len, decode, decode_back_len};
use super::{COUNT_UNKNOWN, END, HEADER_LEN};

/// The entries of a pack, without header and end mark. Offsets are in bytes, from the first entry on.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Entries<'a> {
    /// Entries that are known to be well formed.
    pub(crate) fn new(bytes: &'a [u8], count: usize) -> Entries<'a> {
        Entries { bytes, count }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Bytes of the serialized form of a pack with these entries.
    pub fn redis_bytes_len(&self) -> usize {
        HEADER_LEN + self.bytes.len() + 1
    }

    /// Appends the serialized form of a pack with these entries: header, entries, end mark.
    pub fn write_redis_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.redis_bytes_len() as u32).to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.count).unwrap_or(COUNT_UNKNOWN).to_le_bytes());
        out.extend_from_slice(self.bytes);
        out.push(END);
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The offset past the last entry, which is that of no element.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The element at `offset`, which must be that of an entry.
    #[inline]
    pub fn elem(&self, offset: usize) -> Elem<'a> {
        decode(&self.bytes[offset..]).0
    }

    /// The whole length in bytes of the entry at `offset`.
    #[inline]
    pub fn entry_len(&self, offset: usize) -> usize {
        let body_len = body_len(&self.bytes[offset..]);
        body_len + back_len_size(body_len)
    }

    /// The entry behind the one at `offset`, or the end.
    #[inline]
    pub fn next(&self, offset: usize) -> usize {
        offset + self.entry_len(offset)
    }

    /// The entry before `offset`, which may be the end. `None` at the first.
    #[inline]
    pub fn prev(&self, offset: usize) -> Option<usize> {
        if offset == 0 {
            return None;
        }
        let (body_len, size) = decode_back_len(&self.bytes[..offset]);
        Some(offset - body_len - size)
    }

    /// The offset of element `index`, walking from the nearer end; the end's offset if there is no such
    /// element.
    pub fn seek(&self, index: usize) -> usize {
        if index >= self.count {
            return self.end();
        }
        if index <= self.count / 2 {
            let mut offset = 0;
            for _ in 0..index {
                offset = self.next(offset);
            }
            offset
        } else {
            let mut offset = self.end();
            for _ in index..self.count {
                offset = self.prev(offset).unwrap_or(0);
            }
            offset
        }
    }

    /// Element `index`.
    pub fn get(&self, index: usize) -> Option<Elem<'a>> {
        (index < self.count).then(|| self.elem(self.seek(index)))
    }

    /// The elements from `index` on, forwards.
    #[inline]
    pub fn iter_from(&self, index: usize) -> Iter<'a> {
        Iter { rest: &self.bytes[self.seek(index)..] }
    }

    /// The elements from the one at `offset` on, which may be the end.
    #[inline]
    pub fn iter_at(&self, offset: usize) -> Iter<'a> {
        Iter { rest: &self.bytes[offset..] }
    }

    /// All elements.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.bytes }
    }

    /// The elements from the one before `index` back to the first; from the last, if `index` is the length.
    #[inline]
    pub fn rev_from(&self, index: usize) -> RevIter<'a> {
        RevIter { rest: &self.bytes[..self.seek(index)] }
    }

    /// Calls `f` with the elements `start..start + n`, from the last to the first if `rev`.
    #[inline]
    pub fn for_range(&self, start: usize, n: usize, rev: bool, mut f: impl FnMut(Elem<'a>)) {
        let start = start.min(self.count);
        let n = n.min(self.count - start);
        if rev {
            self.rev_from(start + n).take(n).for_each(&mut f);
        } else {
            self.iter_from(start).take(n).for_each(&mut f);
        }
    }

    /// The first element from `from` on that is `value`: its index and offset.
    pub fn find(&self, value: &[u8], from: usize) -> Option<(usize, usize)> {
        self.find_every(value, from, 1)
    }

    /// Like [`Entries::find`], but looks only at every `step`th element, as for the keys in a pack of pairs.
    pub fn find_every(&self, value: &[u8], from: usize, step: usize) -> Option<(usize, usize)> {
        let needle = Needle::new(value);
        let (mut index, mut offset) = (from, self.seek(from));
        while offset < self.end() {
            let (elem, body_len) = decode(&self.bytes[offset..]);
            if needle.matches(elem) {
                return Some((index, offset));
            }
            offset += body_len + back_len_size(body_len);
            for _ in 1..step {
                if offset < self.end() {
                    offset = self.next(offset);
                }
            }
            index += step;
        }
        None
    }
}

/// Elements forwards.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (elem, body_len) = decode(self.rest);
        self.rest = &self.rest[body_len + back_len_size(body_len)..];
        Some(elem)
    }
}

/// Elements backwards.
#[derive(Clone, Debug)]
pub struct RevIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RevIter<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (body_len, size) = decode_back_len(self.rest);
        let (before, entry) = self.rest.split_at(self.rest.len() - body_len - size);
        self.rest = before;
        Some(decode(entry).0)
    }
}
