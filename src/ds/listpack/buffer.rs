//! The allocation of a listpack: bytes with room on both sides, behind a thin pointer.
//!
//! Small buffers, which are nearly all, have a header of four `u16`; the others have four `u32`. The pointer's lowest
//! bit says which.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use crate::ds::size::rounded;

/// Alignment of every allocation, which leaves the pointer's lowest bits free.
const ALIGN: usize = 8;
const WIDE: usize = 1;
const SMALL_HEADER: usize = 8;
const WIDE_HEADER: usize = 16;
/// Largest allocation with a small header, in bytes.
const SMALL_MAX: usize = u16::MAX as usize;

/// The header, whichever its width. `head..tail` of the `cap` data bytes are in use.
#[derive(Clone, Copy, Debug)]
struct Meta {
    cap: u32,
    head: u32,
    tail: u32,
    count: u32,
}

/// The side on which room is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Head,
    Tail,
}

/// Bytes in one allocation and how many elements they are. Empty means no allocation.
#[derive(Default)]
pub(super) struct Buffer {
    /// Tagged with [`WIDE`]. `None` when empty.
    ptr: Option<NonNull<u8>>,
}

// SAFETY: a buffer owns its allocation, and shares it with nobody.
unsafe impl Send for Buffer {}
// SAFETY: through `&Buffer` the allocation is only read.
unsafe impl Sync for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

impl Clone for Buffer {
    /// Same contents, same capacity: what accounts for the one accounts for the other.
    fn clone(&self) -> Buffer {
        let Some(meta) = self.meta() else { return Buffer::new() };
        let mut copy = Buffer::allocate(self.alloc_size());
        copy.set_meta(meta);
        copy.bytes_mut().0.copy_from_slice(self.bytes().0);
        copy
    }
}

impl Buffer {
    pub(super) const fn new() -> Buffer {
        Buffer { ptr: None }
    }

    #[inline]
    fn is_wide(ptr: NonNull<u8>) -> bool {
        ptr.addr().get() & WIDE != 0
    }

    /// The allocation's start and the header's length.
    #[inline]
    fn base(ptr: NonNull<u8>) -> (*mut u8, usize) {
        if Buffer::is_wide(ptr) {
            (ptr.as_ptr().wrapping_sub(WIDE), WIDE_HEADER)
        } else {
            (ptr.as_ptr(), SMALL_HEADER)
        }
    }

    #[inline]
    fn meta(&self) -> Option<Meta> {
        let ptr = self.ptr?;
        let (base, header) = Buffer::base(ptr);
        Some(if header == SMALL_HEADER {
            // SAFETY: every allocation starts with an initialized header of its width and is aligned to 8.
            let [cap, head, tail, count] = unsafe { base.cast::<[u16; 4]>().read() };
            Meta { cap: cap.into(), head: head.into(), tail: tail.into(), count: count.into() }
        } else {
            // SAFETY: as above.
            let [cap, head, tail, count] = unsafe { base.cast::<[u32; 4]>().read() };
            Meta { cap, head, tail, count }
        })
    }

    /// Stores the header, which must fit the allocation's width. A small buffer's values do, since its elements take
    /// at least two bytes each.
    #[inline]
    fn set_meta(&mut self, meta: Meta) {
        let Some(ptr) = self.ptr else { return };
        let (base, header) = Buffer::base(ptr);
        debug_assert!(meta.head <= meta.tail && meta.tail <= meta.cap);
        if header == SMALL_HEADER {
            let small = [meta.cap as u16, meta.head as u16, meta.tail as u16, meta.count as u16];
            // SAFETY: the header belongs to the allocation, which `self` owns.
            unsafe { base.cast::<[u16; 4]>().write(small) };
        } else {
            let wide = [meta.cap, meta.head, meta.tail, meta.count];
            // SAFETY: as above.
            unsafe { base.cast::<[u32; 4]>().write(wide) };
        }
    }

    /// Where the data bytes start.
    #[inline]
    fn data(ptr: NonNull<u8>) -> *mut u8 {
        let (base, header) = Buffer::base(ptr);
        base.wrapping_add(header)
    }

    fn layout(size: usize) -> Layout {
        assert!(size <= u32::MAX as usize, "a listpack of 4 GiB");
        Layout::from_size_align(size, ALIGN).expect("a size below 4 GiB")
    }

    fn header_len(alloc_size: usize) -> usize {
        if alloc_size <= SMALL_MAX { SMALL_HEADER } else { WIDE_HEADER }
    }

    /// Bytes of the whole allocation; 0 when empty.
    #[inline]
    fn alloc_size(&self) -> usize {
        match (self.ptr, self.meta()) {
            (Some(ptr), Some(meta)) => Buffer::base(ptr).1 + meta.cap as usize,
            _ => 0,
        }
    }

    /// A buffer of `size` bytes in all, its data zeroed, so that every later slice of it is initialized.
    fn allocate(size: usize) -> Buffer {
        let layout = Buffer::layout(size);
        // SAFETY: the layout has a size, since each is at least a header.
        let base = unsafe { alloc::alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { alloc::handle_alloc_error(layout) };
        let header = Buffer::header_len(size);
        let ptr = if header == WIDE_HEADER { base.map_addr(|addr| addr | WIDE) } else { base };
        let mut buffer = Buffer { ptr: Some(ptr) };
        buffer.set_meta(Meta { cap: (size - header) as u32, head: 0, tail: 0, count: 0 });
        buffer
    }

    fn release(&mut self) {
        let size = self.alloc_size();
        if let Some(ptr) = self.ptr.take() {
            // SAFETY: the allocation was made with the layout of this size, and nothing points to it any more.
            unsafe { alloc::dealloc(Buffer::base(ptr).0, Buffer::layout(size)) };
        }
    }

    /// Number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.meta().map_or(0, |meta| meta.count as usize)
    }

    /// Bytes in use.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.meta().map_or(0, |meta| (meta.tail - meta.head) as usize)
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        rounded(self.alloc_size())
    }

    /// The bytes in use and the number of elements.
    #[inline]
    pub(super) fn bytes(&self) -> (&[u8], usize) {
        match (self.ptr, self.meta()) {
            (Some(ptr), Some(meta)) => {
                let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
                // SAFETY: `head..tail` lies within the data bytes, which are initialized, and borrowed with `self`.
                let bytes = unsafe { std::slice::from_raw_parts(start, (meta.tail - meta.head) as usize) };
                (bytes, meta.count as usize)
            }
            _ => (&[], 0),
        }
    }

    /// The bytes in use, to change in place, and the number of elements.
    pub(super) fn bytes_mut(&mut self) -> (&mut [u8], usize) {
        match (self.ptr, self.meta()) {
            (Some(ptr), Some(meta)) => {
                let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
                // SAFETY: as in `bytes`, and borrowed mutably.
                let bytes =
                    unsafe { std::slice::from_raw_parts_mut(start, (meta.tail - meta.head) as usize) };
                (bytes, meta.count as usize)
            }
            _ => (&mut [], 0),
        }
    }

    /// Replaces `del` bytes at `offset` by `ins` bytes, which the caller fills, and changes the count by `elements`.
    /// The one operation that moves, grows and shrinks.
    #[inline]
    pub(super) fn splice(&mut self, offset: usize, del: usize, ins: usize, elements: isize) -> &mut [u8] {
        let len = self.len();
        assert!(offset <= len && del <= len - offset, "a range outside of the pack");
        if ins > del {
            self.open(offset, del, ins - del);
        } else if del > ins {
            self.close(offset, del, del - ins);
        }
        let Some(mut meta) = self.meta() else { return &mut [] };
        meta.count =
            meta.count.checked_add_signed(elements as i32).expect("a count below the number of bytes");
        self.set_meta(meta);
        if meta.tail == meta.head {
            self.release();
            return &mut [];
        }
        if del > ins {
            self.shrink_if_sparse(meta);
        }
        &mut self.bytes_mut().0[offset..offset + ins]
    }

    /// Widens the `del` bytes at `offset` by `extra`, moving the shorter side if that has the room.
    #[inline]
    fn open(&mut self, offset: usize, del: usize, extra: usize) {
        let meta = self.meta().unwrap_or(Meta { cap: 0, head: 0, tail: 0, count: 0 });
        let (left, right) = (offset, (meta.tail - meta.head) as usize - offset - del);
        let (head_room, tail_room) = (meta.head as usize, (meta.cap - meta.tail) as usize);
        let prefer_head = left < right;
        // The other side will do if its move is not much longer.
        let near = |a: usize, b: usize| a <= 4 * b + 64;
        let side = if prefer_head && head_room >= extra
            || !prefer_head && tail_room < extra && head_room >= extra && near(left, right)
        {
            Side::Head
        } else if tail_room >= extra && (!prefer_head || near(right, left)) {
            Side::Tail
        } else {
            let side = if prefer_head { Side::Head } else { Side::Tail };
            self.make_room(side, extra);
            side
        };
        let (Some(ptr), Some(mut meta)) = (self.ptr, self.meta()) else { return };
        let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
        if side == Side::Head {
            // SAFETY: there are `extra` data bytes before the head, and `left` bytes behind it.
            unsafe { std::ptr::copy(start, start.sub(extra), left) };
            meta.head -= extra as u32;
        } else {
            // SAFETY: the `right` bytes end at the tail, and `extra` data bytes follow it.
            unsafe { std::ptr::copy(start.add(left + del), start.add(left + del + extra), right) };
            meta.tail += extra as u32;
        }
        self.set_meta(meta);
    }

    /// Narrows the `del` bytes at `offset` by `less`, moving the shorter side.
    #[inline]
    fn close(&mut self, offset: usize, del: usize, less: usize) {
        let (Some(ptr), Some(mut meta)) = (self.ptr, self.meta()) else { return };
        let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
        let (left, right) = (offset, (meta.tail - meta.head) as usize - offset - del);
        if left < right {
            // SAFETY: the `left` bytes move up by `less`, which is at most `del`: within the bytes in use.
            unsafe { std::ptr::copy(start, start.add(less), left) };
            meta.head += less as u32;
        } else {
            // SAFETY: the `right` bytes move down by `less`, which is at most `del`: within the bytes in use.
            unsafe { std::ptr::copy(start.add(left + del), start.add(left + del - less), right) };
            meta.tail -= less as u32;
        }
        self.set_meta(meta);
    }

    /// Makes room for `extra` bytes on `side`.
    #[cold]
    fn make_room(&mut self, side: Side, extra: usize) {
        let Some(meta) = self.meta() else {
            // Elements tend to come one by one from here on: the size class's rest is for them.
            *self = Buffer::with_data_len(extra);
            if side == Side::Head {
                let Some(meta) = self.meta() else { return };
                self.set_meta(Meta { head: meta.cap, tail: meta.cap, ..meta });
            }
            return;
        };
        let used = (meta.tail - meta.head) as usize;
        let free = meta.cap as usize - used;
        // Sliding must free enough to pay for itself; the other side keeps a quarter, lest the two take turns.
        if free >= extra + used / 8 {
            let spare = (free - extra) / 4;
            let head = if side == Side::Tail { spare } else { free - spare };
            self.slide(meta, head);
        } else {
            let size = self.alloc_size();
            let wanted = Buffer::size_for(used + extra).max(rounded(size + 1));
            self.reallocate(wanted, side);
        }
    }

    /// The allocation for `data_len` bytes of data: a whole size class.
    fn size_for(data_len: usize) -> usize {
        let small = rounded(SMALL_HEADER + data_len);
        if small <= SMALL_MAX { small } else { rounded(WIDE_HEADER + data_len) }
    }

    fn with_data_len(data_len: usize) -> Buffer {
        Buffer::allocate(Buffer::size_for(data_len))
    }

    fn slide(&mut self, mut meta: Meta, head: usize) {
        let Some(ptr) = self.ptr else { return };
        let used = meta.tail - meta.head;
        let data = Buffer::data(ptr);
        // SAFETY: both ranges lie within the data bytes: `head + used` is at most the capacity.
        unsafe { std::ptr::copy(data.add(meta.head as usize), data.add(head), used as usize) };
        meta.head = head as u32;
        meta.tail = meta.head + used;
        self.set_meta(meta);
    }

    /// Moves to an allocation of `size` bytes, with all room on `side`.
    fn reallocate(&mut self, size: usize, side: Side) {
        let (bytes, count) = self.bytes();
        let mut bigger = Buffer::allocate(size);
        let cap = (size - Buffer::header_len(size)) as u32;
        let len = bytes.len() as u32;
        let head = if side == Side::Tail { 0 } else { cap - len };
        bigger.set_meta(Meta { cap, head, tail: head + len, count: count as u32 });
        bigger.bytes_mut().0.copy_from_slice(bytes);
        *self = bigger;
    }

    /// Gives back a large unused part.
    #[inline]
    fn shrink_if_sparse(&mut self, meta: Meta) {
        let used = (meta.tail - meta.head) as usize;
        if meta.cap > 64 && used < meta.cap as usize / 4 {
            self.reallocate(Buffer::size_for(used + used / 2), Side::Tail);
        }
    }
}
