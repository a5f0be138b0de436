//! Floor 2: what a key can hold, its encodings, and the operations on them.
#![allow(unsafe_code)]

pub mod entry;
pub mod list;
mod types;

pub use self::entry::Entry;
pub use self::list::List;
pub use self::types::{Value, ValueMut, ValueRef};
