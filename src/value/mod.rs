//! Floor 2: what a key can hold, its encodings, and the operations on them.
#![allow(unsafe_code)]

pub mod entry;
pub mod hash;
pub mod list;
pub mod set;
pub mod stream;
mod types;
pub mod zset;

pub use self::entry::Entry;
pub use self::hash::Hash;
pub use self::list::List;
pub use self::set::Set;
pub use self::stream::Stream;
pub use self::types::{Limits, Type, Value, ValueMut, ValueRef};
pub use self::zset::ZSet;
