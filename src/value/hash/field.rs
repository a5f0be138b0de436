//! A field with its value in one allocation.
//!
//! The block is `flags (1) | expiry (8, if any) | two lengths (1 byte each, 4 if one is long) | field | value`. A field
//! of 12 bytes with a value of 5 takes 24 bytes, with an expiry 32. The block's size is always a size class, so a value
//! that fits into the same class is written in place.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};
use std::slice;

use crate::ds::size::rounded;
use crate::ds::table::Item;

const EXPIRES: u8 = 1;
const WIDE: u8 = 2;

/// The shape of a block: what its size and the places in it follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    expires: bool,
    /// The lengths have four bytes each.
    wide: bool,
    name_len: usize,
    value_len: usize,
}

impl Shape {
    fn new(name_len: usize, value_len: usize, expires: bool) -> Shape {
        let max = u32::MAX as usize;
        assert!(name_len <= max && value_len <= max, "the protocol's strings are below 4 GiB");
        let wide = name_len.max(value_len) > usize::from(u8::MAX);
        Shape { expires, wide, name_len, value_len }
    }

    #[inline(always)]
    fn lengths_at(&self) -> usize {
        1 + if self.expires { 8 } else { 0 }
    }

    #[inline(always)]
    fn name_at(&self) -> usize {
        self.lengths_at() + if self.wide { 8 } else { 2 }
    }

    #[inline(always)]
    fn value_at(&self) -> usize {
        self.name_at() + self.name_len
    }

    #[inline(always)]
    fn block_size(&self) -> usize {
        rounded(self.value_at() + self.value_len)
    }

    fn layout(&self) -> Layout {
        Layout::from_size_align(self.block_size(), 8).expect("a field below 2^62 bytes")
    }
}

/// A field of a hash. See the module for the layout.
pub(super) struct Field(NonNull<u8>);

// SAFETY: a field is the only owner of its block, which holds nothing but bytes.
unsafe impl Send for Field {}

// SAFETY: the block's address is all a field consists of; it is aligned to 8 bytes, and allocators give addresses of
// user space, below 2^48.
unsafe impl Item for Field {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        self.name()
    }

    #[inline(always)]
    fn volatile(&self) -> bool {
        self.flags() & EXPIRES != 0
    }

    #[inline(always)]
    fn into_ptr(self) -> NonNull<u8> {
        let block = self.0;
        mem::forget(self);
        block
    }

    #[inline(always)]
    unsafe fn from_ptr(ptr: NonNull<u8>) -> Field {
        Field(ptr)
    }
}

impl Field {
    /// A field that expires at a Unix time in milliseconds, or never.
    #[inline]
    pub(super) fn new(name: &[u8], value: &[u8], expire_at_ms: Option<i64>) -> Field {
        let shape = Shape::new(name.len(), value.len(), expire_at_ms.is_some());
        let layout = shape.layout();
        // SAFETY: the layout's size is not 0.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let mut field = Field(block);
        field.write_head(&shape, expire_at_ms);
        // SAFETY: the block is as large as its shape says, and new, so that neither text is in it.
        unsafe {
            ptr::copy_nonoverlapping(name.as_ptr(), field.at(shape.name_at()), name.len());
            ptr::copy_nonoverlapping(value.as_ptr(), field.at(shape.value_at()), value.len());
        }
        field
    }

    /// The field's name.
    #[inline(always)]
    pub(super) fn name(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the shape says where the name is in the block, and it was written when the block was made.
        unsafe { slice::from_raw_parts(self.at(shape.name_at()), shape.name_len) }
    }

    /// The field's value.
    #[inline]
    pub(super) fn value(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: as for the name.
        unsafe { slice::from_raw_parts(self.at(shape.value_at()), shape.value_len) }
    }

    /// When the field expires, in milliseconds of Unix time.
    #[inline]
    pub(super) fn expire_at_ms(&self) -> Option<i64> {
        let expires = self.flags() & EXPIRES != 0;
        // SAFETY: with the flag there are 8 bytes at this place, always written.
        expires.then(|| unsafe { self.at(1).cast::<i64>().read_unaligned() })
    }

    /// Whether its time has come.
    #[inline]
    pub(super) fn is_expired(&self, now_ms: i64) -> bool {
        self.expire_at_ms().is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// Writes another value and another expiry.
    #[inline]
    pub(super) fn set(&mut self, value: &[u8], expire_at_ms: Option<i64>) {
        let old = self.shape();
        let new = Shape::new(old.name_len, value.len(), expire_at_ms.is_some());
        if new.name_at() == old.name_at() && new.block_size() == old.block_size() {
            self.write_head(&new, expire_at_ms);
            // SAFETY: the block is as large as the new shape says; `value` cannot be in a block that is borrowed
            // exclusively.
            unsafe { ptr::copy_nonoverlapping(value.as_ptr(), self.at(new.value_at()), value.len()) };
        } else {
            *self = Field::new(self.name(), value, expire_at_ms);
        }
    }

    /// Sets or removes the expiry.
    pub(super) fn set_expire(&mut self, expire_at_ms: Option<i64>) {
        let shape = self.shape();
        if shape.expires == expire_at_ms.is_some() {
            self.write_head(&shape, expire_at_ms);
        } else {
            *self = Field::new(self.name(), self.value(), expire_at_ms);
        }
    }

    /// The block's size in bytes.
    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        self.shape().block_size()
    }

    #[inline(always)]
    fn at(&self, offset: usize) -> *mut u8 {
        self.0.as_ptr().wrapping_add(offset)
    }

    #[inline(always)]
    fn flags(&self) -> u8 {
        // SAFETY: the block lives as long as the field, and its first byte is always written.
        unsafe { self.0.read() }
    }

    #[inline(always)]
    fn shape(&self) -> Shape {
        let flags = self.flags();
        let mut shape =
            Shape { expires: flags & EXPIRES != 0, wide: flags & WIDE != 0, name_len: 0, value_len: 0 };
        let lengths = self.at(shape.lengths_at());
        // SAFETY: there are two lengths of the width that the flag tells at this place, always written.
        unsafe {
            if shape.wide {
                shape.name_len = lengths.cast::<u32>().read_unaligned() as usize;
                shape.value_len = lengths.add(4).cast::<u32>().read_unaligned() as usize;
            } else {
                shape.name_len = lengths.read().into();
                shape.value_len = lengths.add(1).read().into();
            }
        }
        shape
    }

    /// Writes flags, expiry and lengths. The block must have the size of this shape.
    #[inline]
    fn write_head(&mut self, shape: &Shape, expire_at_ms: Option<i64>) {
        let flags = if shape.expires { EXPIRES } else { 0 } | if shape.wide { WIDE } else { 0 };
        let lengths = self.at(shape.lengths_at());
        // SAFETY: the head is the first part of a block of this shape, whose lengths were checked when it was made.
        unsafe {
            self.0.write(flags);
            if let Some(at_ms) = expire_at_ms {
                self.at(1).cast::<i64>().write_unaligned(at_ms);
            }
            if shape.wide {
                lengths.cast::<u32>().write_unaligned(shape.name_len as u32);
                lengths.add(4).cast::<u32>().write_unaligned(shape.value_len as u32);
            } else {
                lengths.write(shape.name_len as u8);
                lengths.add(1).write(shape.value_len as u8);
            }
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let layout = self.shape().layout();
        // SAFETY: the block was allocated with this layout and is not used again.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("name", &self.name().escape_ascii().to_string())
            .field("value", &self.value().escape_ascii().to_string())
            .field("expire_at_ms", &self.expire_at_ms())
            .finish()
    }
}
