//! The types of values. A new type is one more variant in the three enums here and in their matches.

use super::{Hash, List, Set, Stream, ZSet};
use super::{hash::HashConfig, list::ListConfig, set::SetConfig, zset::ZSetConfig};
use crate::base::num::{MAX_INT_LEN, i64_to_buf};
use crate::ds::size::rounded;

/// At which sizes values change their encodings, and how they are kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub list: ListConfig,
    pub hash: HashConfig,
    pub set: SetConfig,
    pub zset: ZSetConfig,
}

/// What kind of value a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    List,
    Set,
    ZSet,
    Hash,
    Stream,
}

impl Type {
    /// All types.
    pub const ALL: [Type; 6] = [Type::String, Type::List, Type::Set, Type::ZSet, Type::Hash, Type::Stream];

    /// The name for TYPE.
    pub const fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::List => "list",
            Type::Set => "set",
            Type::ZSet => "zset",
            Type::Hash => "hash",
            Type::Stream => "stream",
        }
    }

    /// Whether clients can wait for a key with such a value.
    pub const fn can_be_waited_for(self) -> bool {
        matches!(self, Type::List | Type::ZSet | Type::Stream)
    }
}

/// A value on its own, as it goes into an entry or has come out of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string that is the decimal text of this number.
    Int(i64),
    /// A string as SET stores it: its encoding is a matter of its length.
    Str(Box<[u8]>),
    /// A string that is long or has been edited in place: its encoding is always `raw`.
    Raw(Vec<u8>),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A sorted set.
    ZSet(ZSet),
    /// A hash.
    Hash(Hash),
    /// A stream, boxed as it is wide.
    Stream(Box<Stream>),
}

/// A value in an entry, to be read.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string that is the decimal text of this number.
    Int(i64),
    /// Any other string.
    Str(&'a [u8]),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A sorted set.
    ZSet(&'a ZSet),
    /// A hash.
    Hash(&'a Hash),
    /// A stream.
    Stream(&'a Stream),
}

/// A value in an entry, to be changed in place.
#[derive(Debug)]
pub enum ValueMut<'a> {
    /// A string. It may have to move with its entry, so the entry's own methods change it.
    Str,
    /// A list.
    List(&'a mut List),
    /// A set.
    Set(&'a mut Set),
    /// A sorted set.
    ZSet(&'a mut ZSet),
    /// A hash.
    Hash(&'a mut Hash),
    /// A stream.
    Stream(&'a mut Stream),
}

/// The longest string with the encoding `embstr`, in bytes.
pub const EMBSTR_MAX: usize = 44;

impl Value {
    /// The value as SET would store `bytes`.
    pub fn string(bytes: &[u8]) -> Value {
        match crate::base::num::parse_i64(bytes) {
            Some(number) => Value::Int(number),
            None => Value::Str(bytes.into()),
        }
    }

    /// The value to be read.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Int(number) => ValueRef::Int(*number),
            Value::Str(bytes) => ValueRef::Str(bytes),
            Value::Raw(bytes) => ValueRef::Str(bytes),
            Value::List(list) => ValueRef::List(list),
            Value::Set(set) => ValueRef::Set(set),
            Value::ZSet(zset) => ValueRef::ZSet(zset),
            Value::Hash(hash) => ValueRef::Hash(hash),
            Value::Stream(stream) => ValueRef::Stream(stream),
        }
    }

    /// The value to be changed.
    pub fn as_mut(&mut self) -> ValueMut<'_> {
        match self {
            Value::Int(_) | Value::Str(_) | Value::Raw(_) => ValueMut::Str,
            Value::List(list) => ValueMut::List(list),
            Value::Set(set) => ValueMut::Set(set),
            Value::ZSet(zset) => ValueMut::ZSet(zset),
            Value::Hash(hash) => ValueMut::Hash(hash),
            Value::Stream(stream) => ValueMut::Stream(stream),
        }
    }

    /// The encoding's name for OBJECT ENCODING.
    pub fn encoding(&self) -> &'static str {
        match self {
            Value::Raw(_) => "raw",
            value => value.as_ref().encoding(),
        }
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, parts: usize) -> bool {
        match self {
            Value::Int(_) | Value::Str(_) | Value::Raw(_) => true,
            Value::List(list) => list.free_some(parts),
            Value::Set(set) => set.free_some(parts),
            Value::ZSet(zset) => zset.free_some(parts),
            Value::Hash(hash) => hash.free_some(parts),
            Value::Stream(stream) => stream.free_some(parts),
        }
    }

    /// What the value owns in bytes of allocations, without `self`.
    pub fn mem_bytes(&self) -> usize {
        match self {
            Value::Raw(bytes) => rounded(bytes.capacity()),
            value => value.as_ref().mem_bytes(),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// In how many parts it would be freed: allocations, roughly.
    #[inline]
    pub fn parts(&self) -> usize {
        match self {
            ValueRef::Int(_) | ValueRef::Str(_) => 1,
            ValueRef::List(list) => list.node_count(),
            ValueRef::Set(set) => set.parts(),
            ValueRef::ZSet(zset) => zset.parts(),
            ValueRef::Hash(hash) => hash.parts(),
            ValueRef::Stream(stream) => stream.parts(),
        }
    }

    /// The encoding's name for OBJECT ENCODING, of a string as SET stores it.
    pub fn encoding(&self) -> &'static str {
        match self {
            ValueRef::Int(_) => "int",
            ValueRef::Str(bytes) if bytes.len() <= EMBSTR_MAX => "embstr",
            ValueRef::Str(_) => "raw",
            ValueRef::List(list) => list.encoding(),
            ValueRef::Set(set) => set.encoding(),
            ValueRef::ZSet(zset) => zset.encoding(),
            ValueRef::Hash(hash) => hash.encoding(),
            ValueRef::Stream(stream) => stream.encoding(),
        }
    }

    /// What it owns in bytes of allocations.
    pub fn mem_bytes(&self) -> usize {
        match self {
            ValueRef::Int(_) => 0,
            ValueRef::Str(bytes) => rounded(bytes.len()),
            ValueRef::List(list) => list.mem_bytes(),
            ValueRef::Set(set) => set.mem_bytes(),
            ValueRef::ZSet(zset) => zset.mem_bytes(),
            ValueRef::Hash(hash) => hash.mem_bytes(),
            ValueRef::Stream(stream) => rounded(size_of::<Stream>()) + stream.mem_bytes(),
        }
    }

    /// Its type.
    #[inline]
    pub fn kind(&self) -> Type {
        match self {
            ValueRef::Int(_) | ValueRef::Str(_) => Type::String,
            ValueRef::List(_) => Type::List,
            ValueRef::Set(_) => Type::Set,
            ValueRef::ZSet(_) => Type::ZSet,
            ValueRef::Hash(_) => Type::Hash,
            ValueRef::Stream(_) => Type::Stream,
        }
    }

    /// The bytes of a string. Those of a number are written into `digits`.
    #[inline]
    pub fn text<'d>(self, digits: &'d mut [u8; MAX_INT_LEN]) -> Option<&'d [u8]>
    where
        'a: 'd,
    {
        match self {
            ValueRef::Str(bytes) => Some(bytes),
            ValueRef::Int(number) => Some(i64_to_buf(number, digits)),
            _ => None,
        }
    }

    /// A value of its own with the same content. Strings come as SET would store them.
    pub fn to_value(&self) -> Value {
        match *self {
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Str(bytes) => Value::Str(bytes.into()),
            ValueRef::List(list) => Value::List(list.clone()),
            ValueRef::Set(set) => Value::Set(set.clone()),
            ValueRef::ZSet(zset) => Value::ZSet(zset.clone()),
            ValueRef::Hash(hash) => Value::Hash(hash.clone()),
            ValueRef::Stream(stream) => Value::Stream(Box::new(stream.clone())),
        }
    }
}
