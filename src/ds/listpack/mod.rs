//! A sequence of small elements in one allocation, encoded as listpack entries.
//!
//! The bytes between header and end mark are those of the reference, so that files can take them as they are.
//! In memory the entries may have room on both sides: a push at either end moves nothing, and an empty pack
//! is a null pointer.

mod buffer;
mod entries;
mod entry;

#[cfg(test)]
mod tests;

pub use entries::{Entries, Iter, RevIter};
pub use entry::{Elem, Needle};

use buffer::Buffer;
use entry::{back_len_size, checked_body_len, decode, decode_back_len};

/// Bytes of the serialized header: total length and number of elements.
const HEADER_LEN: usize = 6;
/// The byte behind the last entry of a serialized pack.
const END: u8 = 0xff;
/// What the header's count says when the true one does not fit.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// A pack larger than this, in bytes, takes no more elements in the reference.
const MAX_SAFE_LEN: usize = 1 << 30;

/// Bytes that are no listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a well-formed listpack")
    }
}

impl std::error::Error for Corrupt {}

/// Elements in one allocation; six bytes wide.
#[derive(Clone, Default)]
pub struct Listpack {
    buffer: Buffer,
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Listpack {
    /// An empty pack, without an allocation.
    pub const fn new() -> Listpack {
        Listpack { buffer: Buffer::new() }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.count()
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the serialized form: what limits such as `list-max-listpack-size` count.
    #[inline]
    pub fn lp_bytes(&self) -> usize {
        HEADER_LEN + self.buffer.len() + 1
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.buffer.mem_bytes()
    }

    /// Whether `len` more bytes of elements keep the pack within the size that the reference calls safe (1
    /// GiB).
    pub fn is_safe_to_add(&self, len: usize) -> bool {
        self.lp_bytes().saturating_add(len) <= MAX_SAFE_LEN
    }

    /// The elements, for reading.
    #[inline]
    pub fn entries(&self) -> Entries<'_> {
        let (bytes, count) = self.buffer.bytes();
        Entries::new(bytes, count)
    }

    /// All elements.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        self.entries().iter()
    }

    /// Element `index`, walking from the nearer end.
    pub fn get(&self, index: usize) -> Option<Elem<'_>> {
        self.entries().get(index)
    }

    /// The first element.
    pub fn first(&self) -> Option<Elem<'_>> {
        self.iter().next()
    }

    /// The last element.
    pub fn last(&self) -> Option<Elem<'_>> {
        self.entries().rev_from(self.len()).next()
    }

    /// The index of the first element that is `value`.
    pub fn find(&self, value: &[u8]) -> Option<usize> {
        self.entries().find(value, 0).map(|(index, _)| index)
    }

    /// Adds `value` behind the last element.
    #[inline]
    pub fn push_back(&mut self, value: &[u8]) {
        self.insert_elem_at(self.buffer.len(), Elem::from_bytes(value));
    }

    /// Adds `value` before the first element.
    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        self.insert_elem_at(0, Elem::from_bytes(value));
    }

    /// Adds an element behind the last one.
    #[inline]
    pub fn push_elem_back(&mut self, elem: Elem<'_>) {
        self.insert_elem_at(self.buffer.len(), elem);
    }

    /// Adds elements behind the last one, all in one step.
    #[inline]
    pub fn extend_back<'e>(&mut self, elems: impl Iterator<Item = Elem<'e>> + Clone) {
        let (mut len, mut count) = (0, 0);
        for elem in elems.clone() {
            let body_len = elem.body_len();
            len += body_len + back_len_size(body_len);
            count += 1;
        }
        let mut gap = self.buffer.splice(self.buffer.len(), 0, len, count);
        for elem in elems {
            let body_len = elem.body_len();
            let (entry, rest) = gap.split_at_mut(body_len + back_len_size(body_len));
            elem.encode(entry, body_len);
            gap = rest;
        }
    }

    /// Gives back the room for more elements.
    pub fn shrink_to_fit(&mut self) {
        self.buffer.shrink_to_fit();
    }

    /// Adds an element before the first one.
    #[inline]
    pub fn push_elem_front(&mut self, elem: Elem<'_>) {
        self.insert_elem_at(0, elem);
    }

    /// Shows the first element to `f`, then removes it.
    #[inline]
    pub fn pop_front<R>(&mut self, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let (bytes, count) = self.buffer.bytes();
        if count == 0 {
            return None;
        }
        let (elem, body_len) = decode(bytes);
        let out = f(elem);
        self.buffer.splice(0, body_len + back_len_size(body_len), 0, -1);
        Some(out)
    }

    /// Shows the last element to `f`, then removes it.
    #[inline]
    pub fn pop_back<R>(&mut self, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let (bytes, count) = self.buffer.bytes();
        if count == 0 {
            return None;
        }
        let (body_len, size) = decode_back_len(bytes);
        let offset = bytes.len() - body_len - size;
        let out = f(decode(&bytes[offset..]).0);
        self.buffer.splice(offset, body_len + size, 0, -1);
        Some(out)
    }

    /// Puts `value` before element `index`, or at the end if there is none.
    pub fn insert(&mut self, index: usize, value: &[u8]) {
        self.insert_at(self.entries().seek(index), value);
    }

    /// Puts `value` before the element at `offset`, which may be the end. It is at `offset` then.
    pub fn insert_at(&mut self, offset: usize, value: &[u8]) {
        self.insert_elem_at(offset, Elem::from_bytes(value));
    }

    /// Puts an element before the one at `offset`, which may be the end.
    #[inline]
    pub fn insert_elem_at(&mut self, offset: usize, elem: Elem<'_>) {
        let body_len = elem.body_len();
        let gap = self.buffer.splice(offset, 0, body_len + back_len_size(body_len), 1);
        elem.encode(gap, body_len);
    }

    /// Writes `value` over element `index`; `false` if there is none.
    pub fn replace(&mut self, index: usize, value: &[u8]) -> bool {
        if index >= self.len() {
            return false;
        }
        self.replace_at(self.entries().seek(index), value);
        true
    }

    /// Writes `value` over the element at `offset`.
    pub fn replace_at(&mut self, offset: usize, value: &[u8]) {
        self.replace_elem_at(offset, Elem::from_bytes(value));
    }

    /// Writes an element over the one at `offset`.
    pub fn replace_elem_at(&mut self, offset: usize, elem: Elem<'_>) {
        let body_len = elem.body_len();
        let old_len = self.entries().entry_len(offset);
        let gap = self.buffer.splice(offset, old_len, body_len + back_len_size(body_len), 0);
        elem.encode(gap, body_len);
    }

    /// Removes the element at `offset`. The one behind it is at `offset` then.
    pub fn delete_at(&mut self, offset: usize) {
        let len = self.entries().entry_len(offset);
        self.buffer.splice(offset, len, 0, -1);
    }

    /// Removes the element at `offset` and those behind it, `n` in all, which there must be.
    pub fn delete_n_at(&mut self, offset: usize, n: usize) {
        let entries = self.entries();
        let end = (0..n).fold(offset, |at, _| entries.next(at));
        self.buffer.splice(offset, end - offset, 0, -(n as isize));
    }

    /// Removes the elements `start..start + n`, as far as they exist.
    pub fn delete_range(&mut self, start: usize, n: usize) {
        let start = start.min(self.len());
        let n = n.min(self.len() - start);
        if n == 0 {
            return;
        }
        let entries = self.entries();
        let from = entries.seek(start);
        // A short range is cheaper to walk than the rest of the pack.
        let to = if n <= 8 { (0..n).fold(from, |at, _| entries.next(at)) } else { entries.seek(start + n) };
        self.buffer.splice(from, to - from, 0, -(n as isize));
    }

    /// Removes the elements that are `value`, at most `limit` of them, the last ones if `from_tail`, in one
    /// pass. Returns how many went.
    pub fn delete_value(&mut self, value: &[u8], limit: usize, from_tail: bool) -> usize {
        let needle = Needle::new(value);
        let mut spare = 0;
        if from_tail {
            let found = self.iter().filter(|&elem| needle.matches(elem)).count();
            spare = found.saturating_sub(limit);
        }
        let (bytes, _) = self.buffer.bytes_mut();
        let (mut read, mut write, mut removed) = (0, 0, 0);
        while read < bytes.len() {
            let (elem, body_len) = decode(&bytes[read..]);
            let len = body_len + back_len_size(body_len);
            let found = removed < limit && needle.matches(elem);
            if found && spare == 0 {
                removed += 1;
            } else {
                spare -= usize::from(found);
                if removed > 0 {
                    bytes.copy_within(read..read + len, write);
                }
                write += len;
            }
            read += len;
        }
        let gone = read - write;
        if removed > 0 {
            self.buffer.splice(write, gone, 0, -(removed as isize));
        }
        removed
    }

    /// Moves the elements from `index` on to a pack of their own.
    pub fn split_off(&mut self, index: usize) -> Listpack {
        let entries = self.entries();
        let offset = entries.seek(index);
        let moved = self.len().saturating_sub(index);
        let mut tail = Listpack::new();
        let bytes = &entries.as_bytes()[offset..];
        if moved > 0 {
            tail.buffer.splice(0, 0, bytes.len(), moved as isize).copy_from_slice(bytes);
            let len = bytes.len();
            self.buffer.splice(offset, len, 0, -(moved as isize));
        }
        tail
    }

    /// Copies all elements of `other` behind the last one.
    pub fn append(&mut self, other: Entries<'_>) {
        if !other.is_empty() {
            let bytes = other.as_bytes();
            self.buffer
                .splice(self.buffer.len(), 0, bytes.len(), other.len() as isize)
                .copy_from_slice(bytes);
        }
    }

    /// A pack of entries that are known to be well formed.
    pub(crate) fn from_entries(entries: Entries<'_>) -> Listpack {
        let mut pack = Listpack::new();
        pack.append(entries);
        pack
    }

    /// The serialized form: header, entries, end mark.
    pub fn to_redis_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.lp_bytes());
        self.write_redis_bytes(&mut out);
        out
    }

    /// Appends the serialized form.
    pub fn write_redis_bytes(&self, out: &mut Vec<u8>) {
        self.entries().write_redis_bytes(out);
    }

    /// Takes over a serialized pack after checking every length in it.
    pub fn from_redis_bytes(bytes: &[u8]) -> Result<Listpack, Corrupt> {
        let [l0, l1, l2, l3, c0, c1, entries @ .., END] = bytes else { return Err(Corrupt) };
        if u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize != bytes.len() {
            return Err(Corrupt);
        }
        let (mut at, mut count) = (0, 0);
        while at < entries.len() {
            let body_len = checked_body_len(&entries[at..]).ok_or(Corrupt)?;
            let end = at + body_len + back_len_size(body_len);
            let back = entries.get(at + body_len..end).ok_or(Corrupt)?;
            // Read backwards, its first byte says that it ends.
            if back[0] & 0x80 != 0 || decode_back_len(back) != (body_len, back.len()) {
                return Err(Corrupt);
            }
            at = end;
            count += 1;
        }
        let told = u16::from_le_bytes([*c0, *c1]);
        if told != COUNT_UNKNOWN && usize::from(told) != count {
            return Err(Corrupt);
        }
        Ok(Listpack::from_entries(Entries::new(entries, count)))
    }
}
