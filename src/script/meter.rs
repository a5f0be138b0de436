//! The memory of a Lua state: counted, and bounded while scripts run.

use std::{
    alloc::{self, Layout},
    cell::Cell,
    ffi::c_void,
    ptr,
};

/// Most memory of a state, in bytes: a script that wants more gets an error.
pub const MEMORY_MAX_BYTES: usize = 1 << 30;

/// What a value takes in the array part of a table, in bytes.
const VALUE_BYTES: usize = 16;

/// How much may come of one value that a script encodes, though tables may stand in many places of it: no more than a
/// state could hold without that.
#[derive(Debug)]
pub struct Budget {
    left_bytes: usize,
}

impl Budget {
    pub fn new() -> Budget {
        Budget { left_bytes: MEMORY_MAX_BYTES }
    }

    /// Counts a value with so many bytes of text; false where that is too much.
    #[inline]
    pub fn spend(&mut self, text_bytes: usize) -> bool {
        match self.left_bytes.checked_sub(text_bytes + VALUE_BYTES) {
            Some(left_bytes) => self.left_bytes = left_bytes,
            None => return false,
        }
        true
    }
}

/// All blocks are aligned for any of Lua's values: doubles and pointers.
const ALIGN: usize = 8;

/// Counts what a state holds. While the host works, memory is never refused, as Lua would jump over the host's frames.
#[derive(Default, Debug)]
pub struct Meter {
    used_bytes: Cell<usize>,
    is_held: Cell<bool>,
}

impl Meter {
    /// What the state holds, in bytes.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.get()
    }

    /// Whether the state holds more than it may.
    pub fn is_full(&self) -> bool {
        self.used_bytes.get() >= MEMORY_MAX_BYTES
    }

    /// Whether the state holds most of what it may.
    pub fn is_short(&self) -> bool {
        self.used_bytes.get() >= MEMORY_MAX_BYTES / 4 * 3
    }

    /// The host works from here on; to be handed back to [`Meter::hold`].
    pub fn take(&self) -> bool {
        self.is_held.replace(true)
    }

    /// Lua works from here on.
    pub fn release(&self) -> bool {
        self.is_held.replace(false)
    }

    /// As it was before.
    pub fn hold(&self, held: bool) {
        self.is_held.set(held);
    }

    /// Allocates, moves or frees a block for Lua.
    ///
    /// # Safety
    /// `block` must be null, or of this function and `old_bytes` long.
    pub unsafe fn allocate(&self, block: *mut c_void, old_bytes: usize, new_bytes: usize) -> *mut c_void {
        let old_bytes = if block.is_null() { 0 } else { old_bytes };
        let used_bytes = self.used_bytes.get() - old_bytes;
        let layout = |bytes: usize| Layout::from_size_align(bytes, ALIGN);
        if new_bytes > old_bytes && !self.is_held.get() && used_bytes + new_bytes > MEMORY_MAX_BYTES {
            return ptr::null_mut();
        }
        let Ok(new) = layout(new_bytes) else { return ptr::null_mut() };
        // SAFETY: the block came from here with the length that Lua keeps of it, so its layout is the same again; no
        // block of no bytes is asked for.
        let moved = unsafe {
            match (old_bytes, new_bytes) {
                (0, 0) => ptr::null_mut(),
                (0, _) => alloc::alloc(new),
                (_, 0) => {
                    alloc::dealloc(block.cast(), Layout::from_size_align_unchecked(old_bytes, ALIGN));
                    ptr::null_mut()
                }
                _ => alloc::realloc(
                    block.cast(),
                    Layout::from_size_align_unchecked(old_bytes, ALIGN),
                    new_bytes,
                ),
            }
        };
        if moved.is_null() && new_bytes > 0 {
            if self.is_held.get() {
                alloc::handle_alloc_error(new);
            }
            return ptr::null_mut();
        }
        self.used_bytes.set(used_bytes + new_bytes);
        moved.cast()
    }
}
