//! One bucket's entries in one heap block.
//!
//! A block is `header (8) | tags (one byte an entry) | words (7 bytes an entry) | 1`. A word is 45 bits of a pointer,
//! whose other bits are 0, 10 more bits of the hash, and a flag; it is read and written as the lower 7 bytes of 8, and
//! so one more byte stands at the end. A block's size is always a size class of the allocator (`rounded`), and it holds as many entries as fit, so that nothing is lost to
//! rounding. A group without entries has no block.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

use crate::ds::size::rounded;

/// Words with this bit set are of entries that expire.
pub(super) const VOLATILE: u64 = 1 << 55;
const PTR_BITS: u32 = 45;
/// Items are aligned to 8 bytes and below 2^48.
const PTR_SHIFT: u32 = 3;
const PTR_MASK: u64 = (1 << PTR_BITS) - 1;
const CHECK_SHIFT: u32 = PTR_BITS;
/// Which bits of the hash are kept beside a pointer. A bucket's number is made of the bits from 0 up, so these
/// tell, without touching the entry, to which half it goes when a group of a level from 9 to 18 splits (16
/// thousand to 16 million entries; others hash the key again), and those above the level tell entries of a group apart.
const CHECK_BITS: std::ops::Range<u32> = 9..19;
const CHECK_MASK: u64 = (1 << (CHECK_BITS.end - CHECK_BITS.start)) - 1;

/// The byte of a hash that is compared first.
#[inline(always)]
pub(super) fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// The word for an entry at `ptr`.
#[inline(always)]
pub(super) fn word(hash: u64, ptr: NonNull<u8>, volatile: bool) -> u64 {
    let check = (hash >> CHECK_BITS.start & CHECK_MASK) << CHECK_SHIFT;
    rewrite(check, ptr, volatile)
}

/// `old` with another pointer and flag: the same key, moved.
#[inline(always)]
pub(super) fn rewrite(old: u64, ptr: NonNull<u8>, volatile: bool) -> u64 {
    let address = ptr.as_ptr().expose_provenance() as u64;
    assert_eq!(address & !(PTR_MASK << PTR_SHIFT), 0, "addresses have 48 bits, of which the last 3 are 0");
    (old & CHECK_MASK << CHECK_SHIFT) | address >> PTR_SHIFT | if volatile { VOLATILE } else { 0 }
}

/// The pointer in a word.
#[inline(always)]
pub(super) fn pointer(word: u64) -> NonNull<u8> {
    let ptr = ptr::with_exposed_provenance_mut(((word & PTR_MASK) << PTR_SHIFT) as usize);
    // SAFETY: words are only made of non-null pointers.
    unsafe { NonNull::new_unchecked(ptr) }
}

/// Whether a word's kept bits agree with `hash`.
#[inline(always)]
pub(super) fn agrees(word: u64, hash: u64) -> bool {
    (word >> CHECK_SHIFT ^ hash >> CHECK_BITS.start) & CHECK_MASK == 0
}

/// Bit `level` of the hash behind `word`, if it is among the kept ones.
#[inline]
pub(super) fn kept_bit(word: u64, level: u32) -> Option<bool> {
    CHECK_BITS.contains(&level).then(|| word >> (CHECK_SHIFT + level - CHECK_BITS.start) & 1 == 1)
}

/// Before the tags in a block.
#[repr(C, align(8))]
struct Header {
    /// The last snapshot that has this group's entries.
    epoch: u32,
    len: u8,
    cap: u8,
    volatile: u8,
}

const HEADER: usize = size_of::<Header>();
/// The most entries a group can hold. Groups have 16 to 64 on average; that a keyed hash should throw 255 into one
/// is less likely than 1 in 10^60.
pub(super) const MAX_LEN: usize = u8::MAX as usize;
const MIN_BLOCK: usize = 32;
/// Bytes of a word in a block.
const WORD: usize = 7;
const WORD_MASK: u64 = (1 << (8 * WORD)) - 1;

/// Where the words of a block for `cap` entries begin.
#[inline(always)]
const fn words_at(cap: usize) -> usize {
    HEADER + cap
}

/// The bytes that a block for `cap` entries needs.
#[inline]
const fn needed(cap: usize) -> usize {
    words_at(cap) + cap * WORD + 1
}

/// The size of the block for at least `len` entries.
#[inline]
const fn block_size(len: usize) -> usize {
    let size = rounded(needed(len));
    if size < MIN_BLOCK { MIN_BLOCK } else { size }
}

/// How many entries fit into `size` bytes.
const fn capacity(size: usize) -> usize {
    let cap = (size - HEADER - 1) / (1 + WORD);
    if cap > MAX_LEN { MAX_LEN } else { cap }
}

/// A bucket's entries as words. It owns its block, but not what the words point to.
pub(super) struct Group(Option<NonNull<Header>>);

impl Group {
    pub(super) const EMPTY: Group = Group(None);

    fn with_capacity(len: usize, epoch: u32) -> Group {
        assert!(len <= MAX_LEN, "too many entries of one hash");
        let layout = Self::layout(len);
        // SAFETY: the layout's size is not 0.
        let block = unsafe { alloc_zeroed(layout) }.cast::<Header>();
        let Some(block) = NonNull::new(block) else { handle_alloc_error(layout) };
        let cap = capacity(layout.size()) as u8;
        // SAFETY: the block is ours, aligned, and larger than a header.
        unsafe { block.write(Header { epoch, len: 0, cap, volatile: 0 }) };
        Group(Some(block))
    }

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(block_size(len), align_of::<Header>()).expect("a small block")
    }

    #[inline(always)]
    fn header(&self) -> Option<&Header> {
        // SAFETY: the block lives as long as `self`, and its header was written when it was made.
        self.0.map(|block| unsafe { block.as_ref() })
    }

    #[inline(always)]
    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as in `header`; only `self` leads to the block.
        self.0.as_mut().map(|block| unsafe { block.as_mut() }).expect("a group with entries")
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.header().map_or(0, |header| usize::from(header.len))
    }

    /// How many of the words have the `VOLATILE` flag.
    #[inline]
    pub(super) fn volatile_len(&self) -> usize {
        self.header().map_or(0, |header| usize::from(header.volatile))
    }

    fn cap(&self) -> usize {
        self.header().map_or(0, |header| usize::from(header.cap))
    }

    /// The block's size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.header().map_or(0, |header| block_size(usize::from(header.cap)))
    }

    /// The last snapshot that has these entries, or `None` if there are none.
    pub(super) fn epoch(&self) -> Option<u32> {
        self.header().map(|header| header.epoch)
    }

    pub(super) fn set_epoch(&mut self, epoch: u32) {
        self.header_mut().epoch = epoch;
    }

    #[inline(always)]
    fn tags(&self) -> *const u8 {
        self.0.map_or(ptr::null(), |block| block.as_ptr().cast::<u8>().wrapping_add(HEADER))
    }

    #[inline(always)]
    fn words(&self) -> *mut u8 {
        self.0.map_or(ptr::null_mut(), |block| block.as_ptr().cast::<u8>().wrapping_add(words_at(self.cap())))
    }

    /// Writes a word.
    ///
    /// # Safety
    /// `slot` must be below the capacity.
    #[inline(always)]
    unsafe fn write_word(&mut self, slot: usize, word: u64) {
        // SAFETY: there are `cap` words of so many bytes.
        unsafe { ptr::copy_nonoverlapping(word.to_le_bytes().as_ptr(), self.words().add(slot * WORD), WORD) }
    }

    fn tag(&self, slot: usize) -> u8 {
        assert!(slot < self.len());
        // SAFETY: `slot < len <= cap`, and there are `cap` tags.
        unsafe { *self.tags().add(slot) }
    }

    #[inline(always)]
    pub(super) fn word(&self, slot: usize) -> u64 {
        assert!(slot < self.len(), "a position outlived a change");
        // SAFETY: `slot < len <= cap`, there are `cap` words, and a byte behind the last.
        let bytes = unsafe { self.words().add(slot * WORD).cast::<[u8; 8]>().read() };
        u64::from_le_bytes(bytes) & WORD_MASK
    }

    /// All words, in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|slot| self.word(slot))
    }

    /// Where the words begin, for a prefetch.
    #[inline]
    pub(super) fn word_address(&self, slot: usize) -> *const u8 {
        self.words().wrapping_add(slot * WORD)
    }

    /// The block, for a prefetch.
    #[inline]
    pub(super) fn address(&self) -> *const u8 {
        self.0.map_or(ptr::null(), |block| block.as_ptr().cast())
    }

    /// The first slot with this tag whose word pleases `is_it`.
    #[inline(always)]
    pub(super) fn find(&self, tag: u8, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        let len = self.len();
        let mut base = 0;
        while base < len {
            let mut found = self.matches(base, tag);
            while found != 0 {
                let slot = base + found.trailing_zeros() as usize;
                if is_it(slot) {
                    return Some(slot);
                }
                found &= found - 1;
            }
            base += 64;
        }
        None
    }

    /// Which of the 64 tags from `base` on equal `tag`, one bit each. `base` must be below the group's length.
    #[inline(always)]
    fn matches(&self, base: usize, tag: u8) -> u64 {
        let (len, tags) = (self.len(), self.tags());
        debug_assert!(base < len);
        // What is read behind the last tag is masked below. Reading four times without looking at the length is
        // faster than a loop whose end the processor has to guess.
        let found = if self.cap() >= 8 {
            // SAFETY: `base < cap` and `cap >= 8`, so `base + 64 <= 8 * cap`, and a block has at least `8 * cap`
            // bytes from its first tag on; all were zeroed or written.
            unsafe {
                let tags = tags.add(base);
                u64::from(equal16(tags, tag))
                    | u64::from(equal16(tags.add(16), tag)) << 16
                    | u64::from(equal16(tags.add(32), tag)) << 32
                    | u64::from(equal16(tags.add(48), tag)) << 48
            }
        } else {
            // SAFETY: even the smallest block has 24 bytes behind its header, and `base` is 0 here.
            u64::from(unsafe { equal16(tags, tag) })
        };
        let rest = len - base;
        found & if rest < 64 { (1 << rest) - 1 } else { u64::MAX }
    }

    /// Appends an entry; the group keeps its epoch, or takes `epoch` if it was empty. Returns the slot.
    #[inline]
    pub(super) fn push(&mut self, tag: u8, word: u64, epoch: u32) -> usize {
        let slot = self.len();
        if slot == self.cap() {
            self.resize(slot + 1, epoch);
        }
        // SAFETY: `slot < cap` now.
        unsafe {
            self.tags().cast_mut().add(slot).write(tag);
            self.write_word(slot, word);
        }
        let header = self.header_mut();
        header.len += 1;
        header.volatile += u8::from(word & VOLATILE != 0);
        slot
    }

    /// Puts another word into `slot`.
    #[inline]
    pub(super) fn set_word(&mut self, slot: usize, word: u64) {
        let old = self.word(slot);
        // SAFETY: `word()` has checked the slot.
        unsafe { self.write_word(slot, word) };
        if (old ^ word) & VOLATILE != 0 {
            let header = self.header_mut();
            // One of the two has the flag, so the count cannot go below 0 or above the length.
            header.volatile = if word & VOLATILE != 0 { header.volatile + 1 } else { header.volatile - 1 };
        }
    }

    /// Takes the word out of `slot`; the last entry moves there.
    pub(super) fn swap_remove(&mut self, slot: usize) -> u64 {
        let word = self.word(slot);
        let last = self.len() - 1;
        let moved = self.word(last);
        // SAFETY: both slots are below the length.
        unsafe {
            let tags = self.tags().cast_mut();
            tags.add(slot).write(*tags.add(last));
            self.write_word(slot, moved);
        }
        let header = self.header_mut();
        header.len -= 1;
        header.volatile -= u8::from(word & VOLATILE != 0);
        // A block may be one class too large, so that entries that come and go do not move it each time.
        if last == 0 || block_size(last + last / 4 + 2) < self.bytes() {
            self.resize(last, 0);
        }
        word
    }

    /// Moves the entries whose bit `slot` of `goes` says so into a group of their own. Both get blocks that fit.
    pub(super) fn split(&mut self, goes: impl Fn(usize) -> bool) -> Group {
        let (mut stay, mut go) = ([0u8; MAX_LEN], [0u8; MAX_LEN]);
        let (mut stays, mut gone) = (0, 0);
        for slot in 0..self.len() {
            // Both are written and one is kept: there is no branch to mispredict.
            let goes = goes(slot);
            stay[stays] = slot as u8;
            go[gone] = slot as u8;
            stays += usize::from(!goes);
            gone += usize::from(goes);
        }
        let Some(epoch) = self.epoch() else { return Group::EMPTY };
        let other = self.gather(&go[..gone], epoch);
        *self = self.gather(&stay[..stays], epoch);
        other
    }

    /// A new group of the entries in `slots`.
    fn gather(&self, slots: &[u8], epoch: u32) -> Group {
        let mut group = Group::EMPTY;
        if !slots.is_empty() {
            group = Group::with_capacity(slots.len(), epoch);
            for &slot in slots {
                group.push(self.tag(slot.into()), self.word(slot.into()), epoch);
            }
        }
        group
    }

    /// Moves all entries of `other` to the end of this group.
    pub(super) fn append(&mut self, other: Group) {
        let Some(epoch) = other.epoch() else { return };
        self.resize(self.len() + other.len(), epoch);
        for slot in 0..other.len() {
            self.push(other.tag(slot), other.word(slot), epoch);
        }
    }

    /// Moves the entries into a block that fits `len`, which must not be less than there are.
    fn resize(&mut self, len: usize, epoch: u32) {
        let mut group = Group::EMPTY;
        if len > 0 {
            group = Group::with_capacity(len, self.epoch().unwrap_or(epoch));
            let count = self.len();
            assert!(count <= len);
            // SAFETY: `count` entries are in this block and fit into the other, a different one; with none, no
            // block is looked at.
            unsafe {
                if count > 0 {
                    ptr::copy_nonoverlapping(self.tags(), group.tags().cast_mut(), count);
                    ptr::copy_nonoverlapping(self.words(), group.words(), count * WORD);
                }
            }
            let volatile = self.volatile_len() as u8;
            let header = group.header_mut();
            (header.len, header.volatile) = (count as u8, volatile);
        }
        *self = group;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(block) = self.0 {
            // `block_size(capacity(size)) == size` for every class, see the test.
            let layout = Self::layout(self.cap());
            // SAFETY: the block was allocated with this layout and is not used again.
            unsafe { dealloc(block.as_ptr().cast(), layout) };
        }
    }
}

/// Which of the 16 bytes at `bytes` equal `byte`, one bit each.
///
/// # Safety
/// 16 initialised bytes must be readable.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn equal16(bytes: *const u8, byte: u8) -> u16 {
    use core::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    // SAFETY: SSE2 is part of x86_64; the caller vouches for the bytes, and the load needs no alignment.
    unsafe {
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(bytes.cast()), _mm_set1_epi8(byte as i8))) as u16
    }
}

#[cfg(not(target_arch = "x86_64"))]
use equal16_portable as equal16;

/// The same in plain arithmetic on 8 bytes at a time.
///
/// # Safety
/// 16 initialised bytes must be readable.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
unsafe fn equal16_portable(bytes: *const u8, byte: u8) -> u16 {
    const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let mut found = 0;
    for half in [1, 0] {
        // SAFETY: the caller vouches for the bytes.
        let eight = unsafe { bytes.cast::<[u8; 8]>().add(half).read() };
        let differ = u64::from_le_bytes(eight) ^ u64::from_ne_bytes([byte; 8]);
        // The top bit of each byte that is 0, without carries between bytes; then one bit a byte, gathered.
        let zero = !(((differ & LOW7) + LOW7) | differ | LOW7);
        let bits = (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        found = found << 8 | bits as u16;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    #[test]
    fn a_block_is_a_whole_size_class() {
        for len in 1..=MAX_LEN {
            let size = block_size(len);
            assert_eq!(size, rounded(size));
            let cap = capacity(size);
            assert!(cap >= len);
            assert_eq!(block_size(cap), size, "{len}");
            assert!(needed(cap) <= size);
        }
    }

    #[test]
    fn both_comparisons_of_16_bytes_agree() {
        let mut rng = Rng::new(1);
        for _ in 0..10_000 {
            let bytes: [u8; 16] = std::array::from_fn(|_| (rng.below(4) * 0x55 + rng.below(2)) as u8);
            let byte = bytes[rng.below(16) as usize];
            // SAFETY: the array has 16 bytes.
            let (fast, plain) =
                unsafe { (equal16(bytes.as_ptr(), byte), equal16_portable(bytes.as_ptr(), byte)) };
            let want = (0..16).filter(|&i| bytes[i] == byte).fold(0, |bits, i| bits | 1 << i);
            assert_eq!((fast, plain), (want, want), "{bytes:?} {byte}");
        }
    }
}
