//! The types of values. A new type is one more variant in the three enums here and in their matches.

use super::List;
use crate::ds::size::rounded;

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
}

/// A value in an entry, to be changed in place.
#[derive(Debug)]
pub enum ValueMut<'a> {
    /// A string. It may have to move with its entry, so the entry's own methods change it.
    Str,
    /// A list.
    List(&'a mut List),
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
        }
    }

    /// The value to be changed.
    pub fn as_mut(&mut self) -> ValueMut<'_> {
        match self {
            Value::Int(_) | Value::Str(_) | Value::Raw(_) => ValueMut::Str,
            Value::List(list) => ValueMut::List(list),
        }
    }

    /// The encoding's name for OBJECT ENCODING.
    pub fn encoding(&self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Str(bytes) if bytes.len() <= EMBSTR_MAX => "embstr",
            Value::Str(_) | Value::Raw(_) => "raw",
            Value::List(list) => list.encoding(),
        }
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, parts: usize) -> bool {
        match self {
            Value::Int(_) | Value::Str(_) | Value::Raw(_) => true,
            Value::List(list) => list.free_some(parts),
        }
    }

    /// What the value owns in bytes of allocations, without `self`.
    pub fn mem_bytes(&self) -> usize {
        match self {
            Value::Int(_) => 0,
            Value::Str(bytes) => rounded(bytes.len()),
            Value::Raw(bytes) => rounded(bytes.capacity()),
            Value::List(list) => list.mem_bytes(),
        }
    }
}

impl ValueRef<'_> {
    /// In how many parts it would be freed: allocations, roughly.
    #[inline]
    pub fn parts(&self) -> usize {
        match self {
            ValueRef::Int(_) | ValueRef::Str(_) => 1,
            ValueRef::List(list) => list.node_count(),
        }
    }

    /// Whether clients can wait for a key with such a value.
    pub fn can_be_waited_for(&self) -> bool {
        match self {
            ValueRef::Int(_) | ValueRef::Str(_) => false,
            ValueRef::List(_) => true,
        }
    }

    /// The type's name for TYPE.
    pub fn type_name(&self) -> &'static str {
        match self {
            ValueRef::Int(_) | ValueRef::Str(_) => "string",
            ValueRef::List(_) => "list",
        }
    }

    /// A value of its own with the same content. Strings come as SET would store them.
    pub fn to_value(&self) -> Value {
        match *self {
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Str(bytes) => Value::Str(bytes.into()),
            ValueRef::List(list) => Value::List(list.clone()),
        }
    }
}
