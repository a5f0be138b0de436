//! Lists.

use std::collections::VecDeque;

use crate::ds::size::rounded;

/// A list of byte strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub Box<VecDeque<Vec<u8>>>);

impl List {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the list owns in bytes of allocations, without `self`.
    pub fn mem_bytes(&self) -> usize {
        let elements: usize = self.0.iter().map(|element| rounded(element.capacity())).sum();
        rounded(size_of::<VecDeque<Vec<u8>>>()) + rounded(self.0.capacity() * size_of::<Vec<u8>>()) + elements
    }

    /// The encoding's name for OBJECT ENCODING.
    pub fn encoding(&self) -> &'static str {
        "listpack"
    }
}
