//! The binary's allocator: jemalloc, asked for size classes that fit most entries (see `.cargo/config.toml`).

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// jemalloc with a quantum of 8 bytes. It takes for granted that an alignment of 16 needs no asking, which holds for sizes
/// that are multiples of 16 alone: so sizes are multiples of their alignment here. (The tables of `std`, for one, want 52
/// bytes aligned to 16.)
pub struct Allocator;

// SAFETY: each call is handed on with a layout that is at least as large, and that is the same whenever the caller's is.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; padding keeps a size that is not 0.
        unsafe { Jemalloc.alloc(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { Jemalloc.alloc_zeroed(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise; the block was allocated with the padded layout.
        unsafe { Jemalloc.dealloc(ptr, layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let new_size = new_size.next_multiple_of(layout.align());
        // SAFETY: as in `dealloc`; the caller promises that the new size, padded, is no more than `isize::MAX`.
        unsafe { Jemalloc.realloc(ptr, layout.pad_to_align(), new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alignment_is_kept() {
        for align in [1, 2, 4, 8, 16, 32] {
            for size in 1..=200 {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: the layout has a size; the blocks are used within it, and freed once.
                unsafe {
                    let blocks: Vec<*mut u8> = (0..20).map(|_| Allocator.alloc(layout)).collect();
                    for &block in &blocks {
                        assert!(!block.is_null() && block.addr().is_multiple_of(align), "{size} {align}");
                        block.write_bytes(1, size);
                    }
                    for block in blocks {
                        let moved = Allocator.realloc(block, layout, size + 3);
                        assert!(moved.addr().is_multiple_of(align) && *moved.add(size - 1) == 1);
                        Allocator.dealloc(moved, Layout::from_size_align(size + 3, align).unwrap());
                    }
                }
            }
        }
    }
}
