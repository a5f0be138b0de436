//! The allocation of a listpack: bytes with room on both sides, behind a thin pointer.
//!
//! The header is four numbers: of a byte each in tiny allocations, of two in small ones, of four in the others. The
//! pointer's lowest bits say which.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use crate::ds::size::rounded;
use crate::ds::thin::Ptr48;

/// Alignment of every allocation, which leaves the pointer's lowest bits free.
const ALIGN: usize = 8;

/// A width of header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Width {
    Tiny,
    Small,
    Wide,
}

impl Width {
    /// Of an allocation with so many bytes.
    #[inline]
    fn of(alloc_size: usize) -> Width {
        match alloc_size {
            // Its data is shorter by the header, so that a byte counts it.
            0..=256 => Width::Tiny,
            257..=0xffff => Width::Small,
            _ => Width::Wide,
        }
    }

    #[inline]
    fn header(self) -> usize {
        4 << self.tag()
    }

    /// The pointer's lowest bits.
    #[inline]
    fn tag(self) -> usize {
        self as usize
    }
}

/// The header, whichever its width. `head..tail` of the `cap` data bytes are in use.
#[derive(Clone, Copy, Debug)]
struct Meta {
    cap: u32,
    head: u32,
    tail: u32,
    count: u32,
}

impl Meta {
    const EMPTY: Meta = Meta { cap: 0, head: 0, tail: 0, count: 0 };

    #[inline]
    fn room(&self, side: Side) -> usize {
        match side {
            Side::Head => self.head as usize,
            Side::Tail => (self.cap - self.tail) as usize,
        }
    }
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
    /// Tagged with the [`Width`]. Null when empty.
    ptr: Ptr48,
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
        Buffer { ptr: Ptr48::NULL }
    }

    /// The allocation's start and the width of its header.
    #[inline]
    fn base(ptr: NonNull<u8>) -> (*mut u8, Width) {
        let width = match ptr.addr().get() % ALIGN {
            0 => Width::Tiny,
            1 => Width::Small,
            _ => Width::Wide,
        };
        (ptr.as_ptr().wrapping_sub(width.tag()), width)
    }

    #[inline]
    fn meta(&self) -> Option<Meta> {
        let (base, width) = Buffer::base(self.ptr.get()?);
        // SAFETY: every allocation starts with an initialized header of its width and is aligned to 8.
        let [cap, head, tail, count] = unsafe {
            match width {
                Width::Tiny => base.cast::<[u8; 4]>().read().map(u32::from),
                Width::Small => base.cast::<[u16; 4]>().read().map(u32::from),
                Width::Wide => base.cast::<[u32; 4]>().read(),
            }
        };
        Some(Meta { cap, head, tail, count })
    }

    /// Stores the header, which must fit the allocation's width. A small buffer's values do, since its
    /// elements take at least two bytes each.
    #[inline]
    fn set_meta(&mut self, meta: Meta) {
        let Some(ptr) = self.ptr.get() else { return };
        let (base, width) = Buffer::base(ptr);
        debug_assert!(meta.head <= meta.tail && meta.tail <= meta.cap);
        let numbers = [meta.cap, meta.head, meta.tail, meta.count];
        // SAFETY: the header belongs to the allocation, which `self` owns.
        unsafe {
            match width {
                Width::Tiny => base.cast::<[u8; 4]>().write(numbers.map(|number| number as u8)),
                Width::Small => base.cast::<[u16; 4]>().write(numbers.map(|number| number as u16)),
                Width::Wide => base.cast::<[u32; 4]>().write(numbers),
            }
        }
    }

    /// Where the data bytes start.
    #[inline]
    fn data(ptr: NonNull<u8>) -> *mut u8 {
        let (base, width) = Buffer::base(ptr);
        base.wrapping_add(width.header())
    }

    fn layout(size: usize) -> Layout {
        assert!(size <= u32::MAX as usize, "a listpack of 4 GiB");
        Layout::from_size_align(size, ALIGN).expect("a size below 4 GiB")
    }

    /// Bytes of the whole allocation; 0 when empty.
    #[inline]
    fn alloc_size(&self) -> usize {
        match (self.ptr.get(), self.meta()) {
            (Some(ptr), Some(meta)) => Buffer::base(ptr).1.header() + meta.cap as usize,
            _ => 0,
        }
    }

    /// A buffer of `size` bytes in all, its data zeroed, so that every later slice of it is initialized.
    fn allocate(size: usize) -> Buffer {
        let layout = Buffer::layout(size);
        // SAFETY: the layout has a size, since each is at least a header.
        let base = unsafe { alloc::alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { alloc::handle_alloc_error(layout) };
        let width = Width::of(size);
        let mut buffer = Buffer { ptr: Ptr48::new(base.map_addr(|addr| addr | width.tag())) };
        buffer.set_meta(Meta { cap: (size - width.header()) as u32, head: 0, tail: 0, count: 0 });
        buffer
    }

    fn release(&mut self) {
        let size = self.alloc_size();
        if let Some(ptr) = std::mem::take(&mut self.ptr).get() {
            // SAFETY: the allocation was made with the layout of this size, and nothing points to it any
            // more.
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

    /// Heap bytes: every allocation is a whole size class.
    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        self.alloc_size()
    }

    /// The bytes in use and the number of elements.
    #[inline]
    pub(super) fn bytes(&self) -> (&[u8], usize) {
        match (self.ptr.get(), self.meta()) {
            (Some(ptr), Some(meta)) => {
                let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
                // SAFETY: `head..tail` lies within the data bytes, which are initialized, and borrowed with
                // `self`.
                let bytes = unsafe { std::slice::from_raw_parts(start, (meta.tail - meta.head) as usize) };
                (bytes, meta.count as usize)
            }
            _ => (&[], 0),
        }
    }

    /// The bytes in use, to change in place, and the number of elements.
    pub(super) fn bytes_mut(&mut self) -> (&mut [u8], usize) {
        match (self.ptr.get(), self.meta()) {
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

    /// Replaces `del` bytes at `offset` by `ins` bytes, which the caller fills, and changes the count by
    /// `elements`. The one operation that moves, grows and shrinks.
    #[inline]
    pub(super) fn splice(&mut self, offset: usize, del: usize, ins: usize, elements: isize) -> &mut [u8] {
        let mut meta = self.meta().unwrap_or(Meta::EMPTY);
        let len = (meta.tail - meta.head) as usize;
        assert!(offset <= len && del <= len - offset, "a range outside of the pack");
        if ins > del {
            meta = self.open(meta, offset, len - offset - del, ins - del);
        } else if del > ins {
            meta = self.close(meta, offset, len - offset - del, del - ins);
        }
        meta.count =
            meta.count.checked_add_signed(elements as i32).expect("a count below the number of bytes");
        self.set_meta(meta);
        if del > ins {
            if meta.tail == meta.head {
                self.release();
                return &mut [];
            }
            if meta.cap > 64 && meta.tail - meta.head < meta.cap / 4 {
                meta = self.give_back(meta);
            }
        }
        let Some(ptr) = self.ptr.get().filter(|_| ins > 0) else { return &mut [] };
        let gap = Buffer::data(ptr).wrapping_add(meta.head as usize + offset);
        // SAFETY: `offset + ins` is at most the bytes in use, which start at the head, and `self` is borrowed
        // mutably.
        unsafe { std::slice::from_raw_parts_mut(gap, ins) }
    }

    /// Widens by `extra` what is between `left` and `right` bytes. Moves the shorter of the two if there is
    /// room on its side, or the other if that is not much longer. Returns the header to store.
    #[inline]
    fn open(&mut self, mut meta: Meta, left: usize, right: usize, extra: usize) -> Meta {
        let nearer = if left < right { Side::Head } else { Side::Tail };
        let farther = if nearer == Side::Head { Side::Tail } else { Side::Head };
        let side = if meta.room(nearer) >= extra {
            nearer
        } else if meta.room(farther) >= extra && left.max(right) <= 4 * left.min(right) + 64 {
            farther
        } else {
            meta = self.make_room(meta, nearer, extra);
            nearer
        };
        let Some(ptr) = self.ptr.get() else { return meta };
        let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
        if side == Side::Head {
            // SAFETY: there are `extra` data bytes before the head, and `left` bytes behind it.
            unsafe { shift(start, start.sub(extra), left) };
            Meta { head: meta.head - extra as u32, ..meta }
        } else {
            let from = (meta.tail - meta.head) as usize - right;
            // SAFETY: the `right` bytes end at the tail, and `extra` data bytes follow it.
            unsafe { shift(start.add(from), start.add(from + extra), right) };
            Meta { tail: meta.tail + extra as u32, ..meta }
        }
    }

    /// Narrows by `less` what is between `left` and `right` bytes, moving the shorter. Returns the header to
    /// store.
    #[inline]
    fn close(&mut self, meta: Meta, left: usize, right: usize, less: usize) -> Meta {
        let Some(ptr) = self.ptr.get() else { return meta };
        let start = Buffer::data(ptr).wrapping_add(meta.head as usize);
        if left < right {
            // SAFETY: between the two there are at least `less` bytes: the `left` bytes stay within those in
            // use.
            unsafe { shift(start, start.add(less), left) };
            Meta { head: meta.head + less as u32, ..meta }
        } else {
            let from = (meta.tail - meta.head) as usize - right;
            // SAFETY: as above, for the `right` bytes.
            unsafe { shift(start.add(from), start.add(from - less), right) };
            Meta { tail: meta.tail - less as u32, ..meta }
        }
    }

    /// Makes room for `extra` bytes on `side`. Returns the header, which is stored too.
    #[cold]
    fn make_room(&mut self, meta: Meta, side: Side, extra: usize) -> Meta {
        let used = (meta.tail - meta.head) as usize;
        let free = meta.cap as usize - used;
        // Sliding must free enough to pay for itself; the other side keeps a quarter, lest the two take
        // turns.
        if free >= extra + used / 8 && self.ptr.get().is_some() {
            let spare = (free - extra) / 4;
            self.slide(meta, if side == Side::Tail { spare } else { free - spare });
        } else {
            let size = self.alloc_size();
            self.reallocate(Buffer::size_for(used + extra).max(rounded(size + 1)), side);
        }
        self.meta().unwrap_or(meta)
    }

    /// The allocation for `data_len` bytes of data: a whole size class.
    fn size_for(data_len: usize) -> usize {
        let fits = |width: &Width| Width::of(rounded(width.header() + data_len)) <= *width;
        let width = [Width::Tiny, Width::Small].into_iter().find(fits).unwrap_or(Width::Wide);
        rounded(width.header() + data_len)
    }

    /// Moves to the smallest allocation that holds what is in use.
    pub(super) fn shrink_to_fit(&mut self) {
        let size = Buffer::size_for(self.len());
        if size < self.alloc_size() {
            self.reallocate(size, Side::Tail);
        }
    }

    fn slide(&mut self, mut meta: Meta, head: usize) {
        let Some(ptr) = self.ptr.get() else { return };
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
        let cap = (size - Width::of(size).header()) as u32;
        let len = bytes.len() as u32;
        let head = if side == Side::Tail { 0 } else { cap - len };
        bigger.set_meta(Meta { cap, head, tail: head + len, count: count as u32 });
        bigger.bytes_mut().0.copy_from_slice(bytes);
        *self = bigger;
    }

    /// Gives back most of an allocation that is mostly unused. Returns the new header, which is stored too.
    #[cold]
    fn give_back(&mut self, meta: Meta) -> Meta {
        let used = (meta.tail - meta.head) as usize;
        self.reallocate(Buffer::size_for(used + used / 2), Side::Tail);
        self.meta().unwrap_or(meta)
    }
}

/// Moves `len` bytes. At the ends of a pack there is nothing to move, which is not worth a call.
///
/// # Safety
///
/// As for [`std::ptr::copy`].
#[inline]
unsafe fn shift(from: *const u8, to: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: the caller's promise.
        unsafe { std::ptr::copy(from, to, len) };
    }
}
