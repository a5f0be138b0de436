//! A member with its score in one allocation.
//!
//! The block is `score (8) | length (1) | bytes`, and for a long member `score (8) | 255 (1) | length (8) | bytes`.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cmp::Ordering;
use std::ptr::{self, NonNull};
use std::slice;

use crate::ds::{size::rounded, table::Item};

/// Where the length stands.
const LEN_AT: usize = 8;
/// Where the bytes of a short member start.
const SHORT_AT: usize = LEN_AT + 1;
/// Where the bytes of a long member start.
const LONG_AT: usize = SHORT_AT + 8;
/// In the place of a length: a long one follows.
const LONG: u8 = u8::MAX;

/// The owner of a member's block. The table of a sorted set owns all of its members.
pub(super) struct Member(NonNull<u8>);

// SAFETY: a member is the only owner of its block.
unsafe impl Send for Member {}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(self.bytes().len());
        // SAFETY: the block was made with this layout, and its owner is gone with this.
        unsafe { dealloc(self.0.as_ptr(), layout) }
    }
}

// SAFETY: allocators give addresses of user space, below 2^48, and the layout asks for an alignment of 8. The address is
// all that a member consists of.
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
        let ptr = self.0;
        std::mem::forget(self);
        ptr
    }

    #[inline(always)]
    unsafe fn from_ptr(ptr: NonNull<u8>) -> Member {
        Member(ptr)
    }
}

/// Where the bytes of a member of this length start.
fn bytes_at(len: usize) -> usize {
    if len < LONG.into() { SHORT_AT } else { LONG_AT }
}

/// Bytes of the block for a member of this length.
fn block_size(len: usize) -> usize {
    rounded(bytes_at(len) + len)
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(block_size(len), 8).expect("a member below 2^62 bytes")
}

impl Member {
    pub(super) fn new(bytes: &[u8], score: f64) -> Member {
        let layout = layout(bytes.len());
        // SAFETY: the layout has a size.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block is as large as the layout of this length says, aligned to 8, and new.
        unsafe {
            block.cast::<f64>().write(score);
            if bytes.len() < LONG.into() {
                block.add(LEN_AT).write(bytes.len() as u8);
            } else {
                block.add(LEN_AT).write(LONG);
                block.add(SHORT_AT).cast::<u64>().write_unaligned(bytes.len() as u64);
            }
            let to = block.add(bytes_at(bytes.len())).as_ptr();
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        Member(block)
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the block was filled when it was made, and lives as long as its owner, who is borrowed.
        unsafe {
            let len = self.0.add(LEN_AT).read();
            let (at, len) = match len {
                LONG => (LONG_AT, self.0.add(SHORT_AT).cast::<u64>().read_unaligned() as usize),
                len => (SHORT_AT, len.into()),
            };
            slice::from_raw_parts(self.0.add(at).as_ptr(), len)
        }
    }

    #[inline(always)]
    pub(super) fn score(&self) -> f64 {
        // SAFETY: every block starts with a score.
        unsafe { self.0.cast::<f64>().read() }
    }

    pub(super) fn set_score(&mut self, score: f64) {
        // SAFETY: as above, and the owner is borrowed mutably.
        unsafe { self.0.cast::<f64>().write(score) }
    }

    pub(super) fn mem_bytes(&self) -> usize {
        block_size(self.bytes().len())
    }

    /// What the tree keeps of the member. It is good as long as the member is, and its score is the same.
    pub(super) fn slot(&self) -> Slot {
        Slot { score: self.score(), member: self.0 }
    }
}

/// A member as the tree sees it: the score at hand, so that comparisons seldom need the block, which it does not own.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub score: f64,
    member: NonNull<u8>,
}

// SAFETY: a slot is sent with the table that owns its member.
unsafe impl Send for Slot {}

impl Slot {
    /// The member's bytes.
    ///
    /// # Safety
    /// The member must live as long as the result is used.
    #[inline]
    pub(super) unsafe fn bytes<'a>(self) -> &'a [u8] {
        let member = std::mem::ManuallyDrop::new(Member(self.member));
        // SAFETY: the caller's promise; the owner made here is never dropped.
        unsafe { &*ptr::from_ref(member.bytes()) }
    }

    /// How it stands to a score and member.
    ///
    /// # Safety
    /// The slot's member must live.
    #[inline]
    pub(super) unsafe fn order(self, score: f64, member: &[u8]) -> Ordering {
        // What can be foretold is asked first, so that a search jumps by the answer rather than on a guess.
        if self.score != score {
            return if self.score < score { Ordering::Less } else { Ordering::Greater };
        }
        // SAFETY: the caller's promise.
        unsafe { self.bytes() }.cmp(member)
    }
}
