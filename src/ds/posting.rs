//! A posting of an inverted index: a key and the set of numbers that are filed under it, in one allocation.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem;
use std::ptr::{self, NonNull};
use std::slice;

use super::{size::rounded, table::Item};

/// With fewer numbers nobody looks which of them are dead.
const PURGED_FROM: usize = 16;

/// What stands before the numbers; the key is behind them.
#[derive(Clone, Copy)]
struct Head {
    key_len: u32,
    /// Numbers in use, never 0. There is room for the next power of two.
    numbers: u32,
}

/// A key with at least one number, behind a thin pointer. The block is `head (8) | numbers (8 each) | key`.
pub struct Posting(NonNull<u8>);

// SAFETY: a posting is the only owner of its block.
unsafe impl Send for Posting {}

/// The place of the key, and the block's size, where there is room for `numbers`.
fn layout(numbers: usize, key_len: usize) -> (usize, Layout) {
    let key_at = size_of::<Head>() + numbers.next_power_of_two() * size_of::<u64>();
    let layout = Layout::from_size_align(rounded(key_at + key_len), align_of::<u64>());
    (key_at, layout.expect("a block below 2^62 bytes"))
}

impl Posting {
    /// A key with one number. A key has less than 4 GiB.
    pub fn new(key: &[u8], number: u64) -> Posting {
        Posting::with(key, &[number])
    }

    fn with(key: &[u8], numbers: &[u64]) -> Posting {
        let head = Head {
            key_len: u32::try_from(key.len()).expect("a key below 4 GiB"),
            numbers: u32::try_from(numbers.len()).expect("fewer numbers than clients"),
        };
        let (key_at, layout) = layout(numbers.len(), key.len());
        // SAFETY: the layout's size is not 0.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block is new, aligned to 8, and has room for head, numbers and key at these places.
        unsafe {
            block.cast::<Head>().write(head);
            let first = block.add(size_of::<Head>()).cast::<u64>().as_ptr();
            ptr::copy_nonoverlapping(numbers.as_ptr(), first, numbers.len());
            ptr::copy_nonoverlapping(key.as_ptr(), block.add(key_at).as_ptr(), key.len());
        }
        Posting(block)
    }

    fn head(&self) -> Head {
        // SAFETY: `with` wrote it there, and the block lives as long as `self`.
        unsafe { self.0.cast::<Head>().read() }
    }

    fn first(&self) -> *mut u64 {
        // SAFETY: the numbers begin behind the head, inside the block.
        unsafe { self.0.add(size_of::<Head>()).cast::<u64>().as_ptr() }
    }

    /// The numbers in ascending order.
    pub fn numbers(&self) -> &[u64] {
        // SAFETY: so many numbers were written there, and the block lives as long as `self`.
        unsafe { slice::from_raw_parts(self.first(), self.head().numbers as usize) }
    }

    /// Adds a number; false where it is there already. Before the block grows, the numbers that are not `live` are
    /// dropped, so that it holds few more than twice as many as there are of these.
    pub fn insert(&mut self, number: u64, live: impl Fn(u64) -> bool) -> bool {
        let numbers = self.numbers();
        let Err(at) = numbers.binary_search(&number) else { return false };
        let len = numbers.len();
        if len.is_power_of_two() {
            let is_kept = |number: &u64| len < PURGED_FROM || live(*number);
            let mut all: Vec<u64> = numbers.iter().copied().filter(is_kept).collect();
            let at = all.partition_point(|&other| other < number);
            all.insert(at, number);
            *self = Posting::with(self.key(), &all);
            return true;
        }
        // SAFETY: `len` is no power of two, so the block has room for one more number behind it.
        unsafe {
            let place = self.first().add(at);
            ptr::copy(place, place.add(1), len - at);
            place.write(number);
            self.0.cast::<Head>().write(Head { numbers: len as u32 + 1, ..self.head() });
        }
        true
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.layout().1.size()
    }

    fn layout(&self) -> (usize, Layout) {
        let head = self.head();
        layout(head.numbers as usize, head.key_len as usize)
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        let (_, layout) = self.layout();
        // SAFETY: the block was allocated with this layout, which depends on the power of two alone and not on how much
        // of it is used, and is not used again.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

// SAFETY: the block's address is all a posting consists of; it is aligned to 8, and allocators give addresses of user
// space, below 2^48.
unsafe impl Item for Posting {
    fn key(&self) -> &[u8] {
        let (key_at, _) = self.layout();
        // SAFETY: `with` wrote the key there, and the block lives as long as `self`.
        unsafe { slice::from_raw_parts(self.0.add(key_at).as_ptr(), self.head().key_len as usize) }
    }

    fn volatile(&self) -> bool {
        false
    }

    fn into_ptr(self) -> NonNull<u8> {
        let block = self.0;
        mem::forget(self);
        block
    }

    unsafe fn from_ptr(block: NonNull<u8>) -> Posting {
        Posting(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn holds_what_a_set_holds() {
        for seed in 0..64 {
            let mut rng = Rng::new(seed);
            let key = vec![b'k'; rng.below(40) as usize];
            let first = rng.below(100);
            let mut posting = Posting::new(&key, first);
            let mut model = BTreeSet::from([first]);
            for _ in 0..rng.below(300) {
                let number = rng.below(200);
                assert_eq!(posting.insert(number, |_| true), model.insert(number), "seed {seed}");
                assert!(posting.numbers().iter().eq(&model) && posting.key() == key, "seed {seed}");
                assert!(posting.mem_bytes() >= 8 + 8 * model.len() + key.len());
            }
        }
    }

    #[test]
    fn forgets_the_dead_when_it_grows() {
        let mut posting = Posting::new(b"key", 0);
        for number in 1..10_000 {
            posting.insert(number, |other| other % 1000 == 0);
            assert!(posting.numbers().len() <= 32, "{number}");
        }
    }
}
