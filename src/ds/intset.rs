//! A sorted sequence of different integers in one allocation, each as wide as the widest needs.
//!
//! The bytes are those of the reference, so that files can take them as they are: the width and the number of elements
//! as `u32`, then the elements, all little-endian. The width grows with the elements and never shrinks.

use std::alloc::{self, Layout};
use std::cmp::Ordering;
use std::fmt;
use std::ptr::NonNull;

use crate::ds::size::rounded;
use crate::ds::thin::Ptr48;

/// Bytes of width and number of elements.
const HEADER: usize = 8;
const ALIGN: usize = 8;

/// Bytes that are no intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a well-formed intset")
    }
}

impl std::error::Error for Corrupt {}

/// Integers in ascending order; six bytes wide. A set that was never added to has no allocation.
#[derive(Default)]
pub struct Intset {
    /// Points to `HEADER + len * width` bytes, in a block of that size as the allocator rounds it.
    block: Ptr48,
}

// SAFETY: an intset owns its block, and shares it with nobody.
unsafe impl Send for Intset {}
// SAFETY: through `&Intset` the block is only read.
unsafe impl Sync for Intset {}

/// The bytes of one element of a set in which `value` stands.
fn width_for(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

/// Element `at` of elements that are `width` bytes wide.
#[inline]
fn read(elements: &[u8], width: usize, at: usize) -> i64 {
    let bytes = &elements[at * width..][..width];
    match *bytes {
        [a, b] => i16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => unreachable!("widths are 2, 4 and 8"),
    }
}

#[inline]
fn write(elements: &mut [u8], width: usize, at: usize, value: i64) {
    elements[at * width..][..width].copy_from_slice(&value.to_le_bytes()[..width]);
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(rounded(len), ALIGN).expect("a size below 2^62 bytes")
}

impl Intset {
    /// An empty set, without an allocation.
    pub const fn new() -> Intset {
        Intset { block: Ptr48::NULL }
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.header().1
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        rounded(self.bytes().len())
    }

    /// Width and number of the elements.
    #[inline]
    fn header(&self) -> (usize, usize) {
        let Some(block) = self.block.get() else { return (2, 0) };
        // SAFETY: a block starts with its header, which was written when it was made.
        let [width, len] = unsafe { block.cast::<[u32; 2]>().read() };
        (u32::from_le(width) as usize, u32::from_le(len) as usize)
    }

    /// The whole block: header and elements.
    #[inline]
    fn bytes(&self) -> &[u8] {
        let Some(block) = self.block.get() else { return &[] };
        let (width, len) = self.header();
        // SAFETY: so many bytes belong to the block and are initialized.
        unsafe { std::slice::from_raw_parts(block.as_ptr(), HEADER + len * width) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let Some(block) = self.block.get() else { return &mut [] };
        let (width, len) = self.header();
        // SAFETY: as in `bytes`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), HEADER + len * width) }
    }

    #[inline]
    fn elements(&self) -> &[u8] {
        self.bytes().get(HEADER..).unwrap_or_default()
    }

    fn elements_mut(&mut self) -> &mut [u8] {
        self.bytes_mut().get_mut(HEADER..).unwrap_or_default()
    }

    /// Makes the block one for `len` elements of `width` bytes. The bytes that it had stay as far as they fit, new ones
    /// are 0.
    fn resize(&mut self, width: usize, len: usize) {
        let (old_bytes, bytes) = (self.bytes().len(), HEADER + len * width);
        let (old, new) = (layout(old_bytes), layout(bytes));
        let block = match self.block.get() {
            Some(block) if old.size() == new.size() => block.as_ptr(),
            // SAFETY: the block was allocated with this layout, and the new size is not 0.
            Some(block) => unsafe { alloc::realloc(block.as_ptr(), old, new.size()) },
            // SAFETY: the size is not 0.
            None => unsafe { alloc::alloc(new) },
        };
        let Some(block) = NonNull::new(block) else { alloc::handle_alloc_error(new) };
        if bytes > old_bytes {
            // SAFETY: these bytes are in the block, behind the old ones.
            unsafe { block.add(old_bytes).write_bytes(0, bytes - old_bytes) };
        }
        // SAFETY: a header fits, and the block is aligned to 8.
        unsafe { block.cast::<[u32; 2]>().write([(width as u32).to_le(), (len as u32).to_le()]) };
        self.block = Ptr48::new(block);
    }

    /// The element at `index` in ascending order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        let (width, len) = self.header();
        (index < len).then(|| read(self.elements(), width, index))
    }

    /// All elements in ascending order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { elements: self.elements(), width: self.header().0 }
    }

    /// The smallest element.
    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    /// The greatest element.
    pub fn max(&self) -> Option<i64> {
        self.get(self.len().wrapping_sub(1))
    }

    /// Where `value` is, or where it belongs.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (width, len) = self.header();
        let elements = self.elements();
        // Elements often come in ascending order.
        if len > 0 && value > read(elements, width, len - 1) {
            return Err(len);
        }
        let (mut from, mut to) = (0, len);
        while from < to {
            let middle = from.midpoint(to);
            match read(elements, width, middle).cmp(&value) {
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(from)
    }

    /// Whether `value` is in the set.
    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Adds `value`; `false` if it was there.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(at) = self.search(value) else { return false };
        let (width, len) = self.header();
        if width_for(value) > width {
            self.widen(width_for(value));
        }
        let width = self.header().0;
        self.resize(width, len + 1);
        let elements = self.elements_mut();
        elements.copy_within(at * width..len * width, (at + 1) * width);
        write(elements, width, at, value);
        true
    }

    /// Gives all elements another width.
    fn widen(&mut self, width: usize) {
        let (old_width, len) = self.header();
        self.resize(width, len);
        let elements = self.elements_mut();
        for at in (0..len).rev() {
            let value = read(elements, old_width, at);
            write(elements, width, at, value);
        }
    }

    /// Takes `value` out; `false` if it was not there.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(at) = self.search(value) else { return false };
        let (width, len) = self.header();
        self.elements_mut().copy_within((at + 1) * width.., at * width);
        self.resize(width, len - 1);
        true
    }

    /// Keeps the elements for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let (width, len) = self.header();
        let elements = self.elements_mut();
        let mut kept = 0;
        for at in 0..len {
            let value = read(elements, width, at);
            if keep(value) {
                write(elements, width, kept, value);
                kept += 1;
            }
        }
        if kept < len {
            self.resize(width, kept);
        }
    }

    /// The bytes as files have them.
    pub fn to_redis_bytes(&self) -> Vec<u8> {
        match self.block.get() {
            Some(_) => self.bytes().to_vec(),
            None => [2u32.to_le_bytes(), 0u32.to_le_bytes()].concat(),
        }
    }

    /// Takes over bytes from a file after checking width, length and order.
    pub fn from_redis_bytes(bytes: &[u8]) -> Result<Intset, Corrupt> {
        let [w0, w1, w2, w3, l0, l1, l2, l3, elements @ ..] = bytes else { return Err(Corrupt) };
        let width = u32::from_le_bytes([*w0, *w1, *w2, *w3]) as usize;
        let len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        if !matches!(width, 2 | 4 | 8) || len.checked_mul(width) != Some(elements.len()) {
            return Err(Corrupt);
        }
        if (1..len).any(|at| read(elements, width, at - 1) >= read(elements, width, at)) {
            return Err(Corrupt);
        }
        let mut set = Intset::new();
        set.resize(width, len);
        set.elements_mut().copy_from_slice(elements);
        Ok(set)
    }
}

impl Clone for Intset {
    fn clone(&self) -> Intset {
        let mut copy = Intset::new();
        if self.block.get().is_some() {
            let (width, len) = self.header();
            copy.resize(width, len);
            copy.bytes_mut().copy_from_slice(self.bytes());
        }
        copy
    }
}

impl Drop for Intset {
    fn drop(&mut self) {
        if let Some(block) = self.block.get() {
            let layout = layout(self.bytes().len());
            // SAFETY: the block was allocated with this layout and is not used again.
            unsafe { alloc::dealloc(block.as_ptr(), layout) };
        }
    }
}

impl fmt::Debug for Intset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Elements in ascending order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    elements: &'a [u8],
    width: usize,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        if self.elements.is_empty() {
            return None;
        }
        let value = read(self.elements, self.width, 0);
        self.elements = &self.elements[self.width..];
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn it_holds_what_an_ordered_set_holds() {
        for seed in 0..40 {
            println!("seed {seed}");
            let mut rng = Rng::new(seed);
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            let mut width = 2;
            let range = [10, 300, 5000][seed as usize % 3];
            for step in 0..2000 {
                let wide = [0, 0, 20, 40][rng.below(4) as usize] * u32::from(step > 500);
                let value = ((rng.below(range) << wide) as i64) - ((range / 2) << wide) as i64;
                if rng.below(3) > 0 {
                    assert_eq!(set.insert(value), model.insert(value));
                    width = width.max(width_for(value));
                } else {
                    assert_eq!(set.remove(value), model.remove(&value));
                }
                if rng.below(200) == 0 {
                    let bit = rng.below(4);
                    set.retain(|value| value as u64 >> bit & 1 == 0);
                    model.retain(|&value| value as u64 >> bit & 1 == 0);
                }
                assert_eq!(set.len(), model.len());
                assert_eq!(set.contains(value), model.contains(&value));
            }
            assert!(set.iter().eq(model.iter().copied()));
            assert_eq!((set.min(), set.max()), (model.first().copied(), model.last().copied()));
            for (at, &value) in model.iter().enumerate() {
                assert_eq!(set.get(at), Some(value));
            }
            assert_eq!(set.get(model.len()), None);
            assert!(set.clone().iter().eq(set.iter()));
            let bytes = set.to_redis_bytes();
            assert_eq!(bytes.len(), 8 + width * model.len());
            assert_eq!(set.mem_bytes(), rounded(bytes.len()));
            let read = Intset::from_redis_bytes(&bytes).unwrap();
            assert!(read.iter().eq(set.iter()));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_reference() {
        let mut set = Intset::new();
        assert_eq!(set.to_redis_bytes(), [2, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(set.mem_bytes(), 0);
        set.insert(-1);
        set.insert(258);
        assert_eq!(set.to_redis_bytes(), [2, 0, 0, 0, 2, 0, 0, 0, 255, 255, 2, 1]);
        set.insert(-0x8000_0000);
        set.remove(-1);
        assert_eq!(set.to_redis_bytes(), [4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 128, 2, 1, 0, 0]);
        for value in [i64::MIN, i64::MAX] {
            set.insert(value);
            assert!(set.contains(value));
        }
        assert_eq!(set.len(), 4);
    }

    #[test]
    fn corrupt_bytes_are_refused() {
        let good = [2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 2, 0];
        assert!(Intset::from_redis_bytes(&good).is_ok());
        for len in 0..good.len() {
            assert!(Intset::from_redis_bytes(&good[..len]).is_err());
        }
        for (at, byte) in [(0, 3), (0, 4), (0, 0), (4, 1), (4, 3), (7, 255), (8, 2), (8, 3), (11, 128)] {
            let mut bad = good;
            bad[at] = byte;
            assert!(Intset::from_redis_bytes(&bad).is_err(), "{at}");
        }
    }
}
