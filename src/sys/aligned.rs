//! The allocator of the binary: jemalloc with size classes of 8 bytes, see `.cargo/config.toml`.

use std::alloc::{GlobalAlloc, Layout};
use tikv_jemallocator::Jemalloc;

/// jemalloc, asked for sizes that are multiples of the alignment. The crate takes for granted that every block is
/// aligned to 16 bytes, which those of 40 and 56 bytes are not; what has an alignment of 16 and not such a size, as the
/// tables of the standard library, must not come to lie in one of them.
pub struct Aligned;

// SAFETY: the same allocator with a layout at least as large; each block goes back with the layout it was made with,
// since `pad_to_align` is a function of the layout.
unsafe impl GlobalAlloc for Aligned {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; see above.
        unsafe { Jemalloc.alloc(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { Jemalloc.dealloc(block, layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let new_size = new_size.next_multiple_of(layout.align());
        // SAFETY: as above; the new size is padded like any other.
        unsafe { Jemalloc.realloc(block, layout.pad_to_align(), new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::Aligned;
    use std::alloc::{GlobalAlloc, Layout};

    #[test]
    fn every_alignment_is_kept() {
        for align in [1, 8, 16, 32, 64, 4096] {
            for size in 1..200 {
                let layout = Layout::from_size_align(size, align).expect("a small layout");
                // Several, since one may be aligned by chance.
                // SAFETY: the layout has a size.
                let blocks: Vec<_> = (0..8).map(|_| unsafe { Aligned.alloc(layout) }).collect();
                for block in blocks {
                    assert!(!block.is_null() && block.addr().is_multiple_of(align), "{size} bytes, {align}");
                    // SAFETY: made above with this layout.
                    unsafe { Aligned.dealloc(block, layout) };
                }
            }
        }
    }
}
