//! Pointers of six bytes. With a tag beside one an enum of them takes one word, as `Box` cannot.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

/// A nullable address below 2^48, which is where allocators put things; aligned to 2 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Ptr48([u16; 3]);

impl Ptr48 {
    /// No address.
    pub const NULL: Ptr48 = Ptr48([0; 3]);

    /// # Panics
    /// If the address is not below 2^48.
    #[inline]
    pub fn new(ptr: NonNull<u8>) -> Ptr48 {
        let address = ptr.as_ptr().expose_provenance() as u64;
        assert_eq!(address >> 48, 0, "an address of user space");
        Ptr48([address as u16, (address >> 16) as u16, (address >> 32) as u16])
    }

    /// The pointer, with the provenance that it had.
    #[inline(always)]
    pub fn get(self) -> Option<NonNull<u8>> {
        let [low, middle, high] = self.0.map(u64::from);
        NonNull::new(ptr::with_exposed_provenance_mut((high << 32 | middle << 16 | low) as usize))
    }
}

/// An owned value on the heap: a `Box` of six bytes.
pub struct Thin<T> {
    ptr: Ptr48,
    owns: PhantomData<Box<T>>,
}

const _: () = assert!(size_of::<Thin<u64>>() == 6);

impl<T> Thin<T> {
    /// Moves a value to the heap.
    pub fn new(value: T) -> Thin<T> {
        let ptr = NonNull::from(Box::leak(Box::new(value)));
        Thin { ptr: Ptr48::new(ptr.cast()), owns: PhantomData }
    }

    #[inline(always)]
    fn as_ptr(&self) -> *mut T {
        self.ptr.get().map_or(ptr::null_mut(), |ptr| ptr.cast().as_ptr())
    }
}

impl<T> Deref for Thin<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the pointer is that of a box, which `self` owns, and is never null.
        unsafe { &*self.as_ptr() }
    }
}

impl<T> DerefMut for Thin<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and `self` is borrowed exclusively.
        unsafe { &mut *self.as_ptr() }
    }
}

impl<T> Drop for Thin<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, and is not used again.
        drop(unsafe { Box::from_raw(self.as_ptr()) });
    }
}

impl<T: Clone> Clone for Thin<T> {
    fn clone(&self) -> Thin<T> {
        Thin::new((**self).clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Thin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn owns_what_it_points_to() {
        let counted = Rc::new(7);
        let mut first = Thin::new((Rc::clone(&counted), vec![1]));
        first.1.push(2);
        let second = first.clone();
        drop(first);
        assert_eq!((*second.0, &second.1[..], Rc::strong_count(&counted)), (7, &[1, 2][..], 2));
        drop(second);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn an_enum_of_them_is_one_word() {
        #[expect(dead_code, reason = "only its size counts")]
        enum Either {
            One(Thin<u64>),
            Other(Ptr48),
        }
        assert_eq!(size_of::<Either>(), 8);
        assert_eq!(Ptr48::NULL.get(), None);
    }
}
