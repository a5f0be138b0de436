//! A member of a large set: its length and its bytes in one allocation.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem;
use std::ptr::{self, NonNull};
use std::slice;

use crate::ds::{size::rounded, table::Item};

const ALIGN: usize = 8;
/// In the place of a length that does not fit into a byte: it follows at `LONG_LEN_AT`.
const LONG: u8 = u8::MAX;
const LONG_LEN_AT: usize = 8;

/// A byte string behind a thin pointer. The block is `length (1) | bytes`, or, for a long one,
/// `255 (1) | nothing (7) | length (8) | bytes`.
pub(super) struct Member(NonNull<u8>);

// SAFETY: a member is the only owner of its block.
unsafe impl Send for Member {}

/// Where the bytes of a member of this length begin.
#[inline(always)]
fn bytes_at(len: usize) -> usize {
    if len < usize::from(LONG) { 1 } else { LONG_LEN_AT + size_of::<usize>() }
}

/// The heap bytes of a member of this length, as the allocator rounds them.
#[inline]
pub(super) fn member_bytes(len: usize) -> usize {
    rounded(bytes_at(len) + len)
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(member_bytes(len), ALIGN).expect("a member below 2^62 bytes")
}

impl Member {
    #[inline]
    pub(super) fn new(bytes: &[u8]) -> Member {
        let len = bytes.len();
        let layout = layout(len);
        // SAFETY: the layout's size is not 0.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block is new, aligned to 8, and has room for the length before the bytes and for the bytes.
        unsafe {
            if len < usize::from(LONG) {
                block.write(len as u8);
            } else {
                block.write(LONG);
                block.add(LONG_LEN_AT).cast::<usize>().write(len);
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), block.add(bytes_at(len)).as_ptr(), len);
        }
        Member(block)
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the block lives as long as `self`, and `new` wrote length and bytes to these places.
        unsafe {
            let len = match self.0.read() {
                LONG => self.0.add(LONG_LEN_AT).cast::<usize>().read(),
                short => short.into(),
            };
            slice::from_raw_parts(self.0.add(bytes_at(len)).as_ptr(), len)
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(self.bytes().len());
        // SAFETY: the block was allocated with this layout and is not used again.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

// SAFETY: the block's address is all a member consists of; it is aligned to 8, and allocators give addresses of user
// space, below 2^48.
unsafe impl Item for Member {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        self.bytes()
    }

    #[inline(always)]
    fn volatile(&self) -> bool {
        false
    }

    #[inline(always)]
    fn into_ptr(self) -> NonNull<u8> {
        let block = self.0;
        mem::forget(self);
        block
    }

    #[inline(always)]
    unsafe fn from_ptr(block: NonNull<u8>) -> Member {
        Member(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_all_lengths() {
        for len in (0..600).chain([65_535, 65_536, 1 << 20]) {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            assert_eq!(Member::new(&bytes).bytes(), bytes);
        }
        assert_eq!((member_bytes(7), member_bytes(16), member_bytes(254)), (8, 24, 256));
    }
}
