//! A key with its value in one allocation.
//!
//! The block is `header (8) | expiry (8, if any) | length of a long key (8, if it is one) | payload | key | text`.
//! The payload is nothing for a short string, whose bytes are the text at the end; a word for an integer or a
//! collection; and a `Vec` for a string that is long or has been edited. A key of 16 bytes with a string of 16 bytes
//! takes 40 bytes, with an expiry 48. The block's size is always a size class, so whatever fits into the same class is
//! changed in place.

#[cfg(test)]
mod tests;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};
use std::slice;

use super::{Hash, List, Set, Stream, Type, Value, ValueMut, ValueRef, ZSet};
use crate::base::num::parse_i64;
use crate::ds::size::rounded;
use crate::ds::table::Item;

/// The longest string that is stored in the entry's own block, in bytes.
pub const INLINE_MAX: usize = 1024;
/// A key from this length on has it in a word of its own.
const LONG_KEY: usize = 1 << 16;

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing: the value is the text at the end.
    Text,
    /// An `i64`.
    Int,
    /// A `Vec<u8>`.
    Raw,
    List,
    Set,
    ZSet,
    Hash,
    /// A `Box<Stream>`.
    Stream,
}

impl Kind {
    const ALL: [Kind; 8] =
        [Kind::Text, Kind::Int, Kind::Raw, Kind::List, Kind::Set, Kind::ZSet, Kind::Hash, Kind::Stream];

    /// The payload's size in bytes, a multiple of 8.
    #[inline(always)]
    fn payload_size(self) -> usize {
        match self {
            Kind::Text => 0,
            Kind::Raw => size_of::<Vec<u8>>(),
            _ => 8,
        }
    }
}

const _: () = {
    assert!(size_of::<List>() == 8 && size_of::<Set>() == 8);
    assert!(size_of::<ZSet>() == 8 && size_of::<Hash>() == 8);
};

/// The shape of a block: what its size and the places in it follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    kind: Kind,
    expires: bool,
    long_key: bool,
    /// A text with the encoding `raw`, whatever its length.
    raw: bool,
    key_len: usize,
    text_len: usize,
}

#[repr(C, align(8))]
struct Header {
    /// The 24 low bits are the LRU or LFU clock.
    clock: Cell<[u8; 3]>,
    /// See `KIND_MASK`, `EXPIRES`, `LONG` and `RAW`.
    flags: u8,
    /// Unless the key is a long one.
    key_len: u16,
    text_len: u16,
}

const HEADER: usize = size_of::<Header>();
const KIND_MASK: u8 = 7;
const EXPIRES: u8 = 1 << 3;
const LONG: u8 = 1 << 4;
const RAW: u8 = 1 << 5;

/// The encoding `embstr` means that Valkey 8.1 keeps the value in one allocation with the key: up to so many bytes of
/// both. A value that has once been too long for its place stays `raw`.
mod embstr {
    pub const MAX: usize = 41;
    /// In the place of a value that had an expiry, for which room is kept.
    pub const MAX_IN_PLACE: usize = 33;
    /// With an expiry from the start, under a key from `LONG_KEY` on.
    pub const MAX_EXPIRING: usize = 39;
    pub const LONG_KEY: usize = 32;
}

impl Shape {
    #[inline(always)]
    fn expiry_at(&self) -> usize {
        HEADER
    }

    #[inline(always)]
    fn long_key_at(&self) -> usize {
        HEADER + if self.expires { 8 } else { 0 }
    }

    #[inline(always)]
    fn payload_at(&self) -> usize {
        self.long_key_at() + if self.long_key { 8 } else { 0 }
    }

    #[inline(always)]
    fn key_at(&self) -> usize {
        self.payload_at() + self.kind.payload_size()
    }

    #[inline(always)]
    fn text_at(&self) -> usize {
        self.key_at() + self.key_len
    }

    /// The block's size in bytes, a size class.
    #[inline(always)]
    fn block_size(&self) -> usize {
        rounded(self.text_at() + self.text_len)
    }

    fn layout(&self) -> Layout {
        Layout::from_size_align(self.block_size(), align_of::<Header>()).expect("a key below 2^62 bytes")
    }

    /// Whether a text is `raw` once it has an expiry that it had not.
    #[inline]
    fn raw_when_expiring(&self) -> bool {
        let (key_len, text_len) = (self.key_len, self.text_len);
        self.kind == Kind::Text && key_len >= embstr::LONG_KEY && key_len + text_len > embstr::MAX_EXPIRING
    }

    #[inline]
    fn flags(&self) -> u8 {
        let expires = if self.expires { EXPIRES } else { 0 };
        let long = if self.long_key { LONG } else { 0 };
        let raw = if self.raw { RAW } else { 0 };
        self.kind as u8 | expires | long | raw
    }
}

/// A key with its value, expiry and clock. See the module for the layout.
pub struct Entry(NonNull<Header>);

// SAFETY: an entry is the only owner of its block and of what the value in it owns, and `Value` is `Send`.
unsafe impl Send for Entry {}
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Value>();
};

// SAFETY: the block's address is all an entry consists of; allocators give addresses of user space, below 2^48.
unsafe impl Item for Entry {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        Entry::key(self)
    }

    #[inline(always)]
    fn volatile(&self) -> bool {
        self.header().flags & EXPIRES != 0 || self.volatile_fields() > 0
    }

    #[inline(always)]
    fn into_ptr(self) -> NonNull<u8> {
        let ptr = self.0.cast();
        mem::forget(self);
        ptr
    }

    #[inline(always)]
    unsafe fn from_ptr(ptr: NonNull<u8>) -> Entry {
        Entry(ptr.cast())
    }
}

impl Entry {
    /// An entry with a string as SET stores it. `expire_at_ms` is in Unix time.
    pub fn string(key: &[u8], bytes: &[u8], expire_at_ms: Option<i64>) -> Entry {
        let kind = string_kind(bytes);
        let text_len = if kind == StringKind::Text { bytes.len() } else { 0 };
        let mut entry = Entry::alloc(key, kind.into(), text_len, expire_at_ms);
        entry.write_string(kind, bytes);
        entry
    }

    /// An entry with any value. `expire_at_ms` is in Unix time.
    pub fn new(key: &[u8], value: Value, expire_at_ms: Option<i64>) -> Entry {
        match value {
            Value::Str(bytes) if bytes.len() <= INLINE_MAX => {
                let mut entry = Entry::alloc(key, Kind::Text, bytes.len(), expire_at_ms);
                entry.write_text(&bytes);
                entry
            }
            Value::Int(number) => {
                let mut entry = Entry::alloc(key, Kind::Int, 0, expire_at_ms);
                entry.write_payload(number);
                entry
            }
            value => {
                let mut entry = Entry::alloc(key, owned_kind(&value), 0, expire_at_ms);
                entry.write_owned(value);
                entry
            }
        }
    }

    /// The key.
    #[inline(always)]
    pub fn key(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the shape says where the key is in the block, and it was written when the block was made.
        unsafe { slice::from_raw_parts(self.at(shape.key_at()), shape.key_len) }
    }

    /// When the entry expires, in ms of Unix time.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<i64> {
        let shape = self.shape();
        // SAFETY: with the flag there are 8 aligned bytes at this place, always written.
        shape.expires.then(|| unsafe { self.at(shape.expiry_at()).cast::<i64>().read() })
    }

    /// Sets or removes the expiry, in ms of Unix time. The value stays.
    pub fn set_expire(&mut self, expire_at_ms: Option<i64>) {
        let shape = self.shape();
        let expires = expire_at_ms.is_some();
        let raw = shape.raw || expires && !shape.expires && shape.raw_when_expiring();
        self.reshape(Shape { expires, raw, ..shape }, true);
        self.write_expire(expire_at_ms);
    }

    /// The 24 bits of the LRU or LFU clock.
    #[inline]
    pub fn lru(&self) -> u32 {
        let [a, b, c] = self.header().clock.get();
        u32::from_le_bytes([a, b, c, 0])
    }

    /// Sets the clock, of which 24 bits are kept. It is no change of the value, so `&self` will do: a read that
    /// touches the clock must not count as a change for a snapshot.
    #[inline]
    pub fn set_lru(&self, clock: u32) {
        let [a, b, c, _] = clock.to_le_bytes();
        self.header().clock.set([a, b, c]);
    }

    /// The value, to be read.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        // SAFETY: each kind is read as what it is.
        unsafe {
            match self.shape().kind {
                Kind::Text => ValueRef::Str(self.text()),
                Kind::Int => ValueRef::Int(*self.payload()),
                Kind::Raw => ValueRef::Str(self.payload::<Vec<u8>>()),
                Kind::List => ValueRef::List(self.payload()),
                Kind::Set => ValueRef::Set(self.payload()),
                Kind::ZSet => ValueRef::ZSet(self.payload()),
                Kind::Hash => ValueRef::Hash(self.payload()),
                Kind::Stream => ValueRef::Stream(self.payload::<Box<Stream>>()),
            }
        }
    }

    /// The value, to be changed in place.
    #[inline]
    pub fn value_mut(&mut self) -> ValueMut<'_> {
        // SAFETY: each kind is taken as what it is.
        unsafe {
            match self.shape().kind {
                Kind::Text | Kind::Int | Kind::Raw => ValueMut::Str,
                Kind::List => ValueMut::List(self.payload_mut()),
                Kind::Set => ValueMut::Set(self.payload_mut()),
                Kind::ZSet => ValueMut::ZSet(self.payload_mut()),
                Kind::Hash => ValueMut::Hash(self.payload_mut()),
                Kind::Stream => ValueMut::Stream(self.payload_mut::<Box<Stream>>()),
            }
        }
    }

    /// Makes the value a string as SET stores it, whatever it was; key, expiry and clock stay.
    #[inline]
    pub fn set_string(&mut self, bytes: &[u8]) {
        self.overwrite_string(bytes, self.expire_at_ms());
    }

    /// Makes the value a string as SET stores it and sets or removes the expiry, with at most one allocation.
    pub fn overwrite_string(&mut self, bytes: &[u8], expire_at_ms: Option<i64>) {
        let kind = string_kind(bytes);
        if kind == StringKind::Long && self.shape().kind == Kind::Raw {
            // One long string after another: its buffer will do, unless it would be mostly empty.
            let old = self.raw_mut();
            if old.capacity() >= bytes.len() && old.capacity() / 2 <= bytes.len() {
                old.clear();
                old.extend_from_slice(bytes);
                return self.set_expire(expire_at_ms);
            }
        }
        let text_len = if kind == StringKind::Text { bytes.len() } else { 0 };
        self.clear_for(kind.into(), text_len, expire_at_ms.is_some());
        self.write_expire(expire_at_ms);
        self.write_string(kind, bytes);
    }

    /// Makes the value an integer; key, expiry and clock stay.
    #[inline]
    pub fn set_int(&mut self, number: i64) {
        let shape = self.shape();
        if shape.kind != Kind::Int {
            self.clear_for(Kind::Int, 0, shape.expires);
        }
        self.write_payload(number);
    }

    /// The value as a buffer that can be edited; it has the encoding `raw` from now on.
    ///
    /// # Panics
    /// If the value is not a string.
    pub fn edit_string(&mut self) -> &mut Vec<u8> {
        let shape = self.shape();
        let bytes = match self.value() {
            _ if shape.kind == Kind::Raw => None,
            ValueRef::Int(number) => Some(number.to_string().into_bytes()),
            ValueRef::Str(bytes) => Some(bytes.to_vec()),
            _ => panic!("only strings are edited as strings"),
        };
        if let Some(bytes) = bytes {
            self.clear_for(Kind::Raw, 0, shape.expires);
            self.write_payload(bytes);
        }
        self.raw_mut()
    }

    /// Puts another value in the place of the present one, which is dropped; key, expiry and clock stay.
    pub fn set_value(&mut self, value: Value) {
        let expires = self.shape().expires;
        match value {
            Value::Int(number) => self.set_int(number),
            Value::Str(bytes) if bytes.len() <= INLINE_MAX => {
                self.clear_for(Kind::Text, bytes.len(), expires);
                self.write_text(&bytes);
            }
            value => {
                self.clear_for(owned_kind(&value), 0, expires);
                self.write_owned(value);
            }
        }
    }

    /// Takes the value out and leaves an empty string.
    pub fn take_value(&mut self) -> Value {
        let shape = self.shape();
        // SAFETY: what is moved out is reshaped away without a drop.
        let value = unsafe { self.read_value() };
        self.reshape(Shape { kind: Kind::Text, raw: false, text_len: 0, ..shape }, false);
        value
    }

    /// The value without the entry.
    pub fn into_value(self) -> Value {
        if let Some(value) = self.short_raw() {
            return value;
        }
        let layout = self.shape().layout();
        // SAFETY: what is moved out is not dropped, as only the block is freed.
        let value = unsafe { self.read_value() };
        // SAFETY: the block was allocated with this layout and is not used again.
        unsafe { dealloc(self.into_ptr().as_ptr(), layout) };
        value
    }

    /// A copy of the value, with its encoding.
    pub fn clone_value(&self) -> Value {
        match (self.shape().kind, self.value()) {
            (Kind::Raw, ValueRef::Str(bytes)) => Value::Raw(bytes.to_vec()),
            (_, value) => self.short_raw().unwrap_or_else(|| value.to_value()),
        }
    }

    /// A short text that is `raw`: it stays so under another key.
    fn short_raw(&self) -> Option<Value> {
        match self.value() {
            ValueRef::Str(text) if text.len() <= embstr::MAX && self.encoding() == "raw" => {
                Some(Value::Raw(text.to_vec()))
            }
            _ => None,
        }
    }

    /// All that the entry owns, in bytes of allocations.
    pub fn mem_bytes(&self) -> usize {
        let shape = self.shape();
        let owned = match shape.kind {
            Kind::Text | Kind::Int => 0,
            // SAFETY: the payload of this kind is a `Vec<u8>`.
            Kind::Raw => rounded(unsafe { self.payload::<Vec<u8>>() }.capacity()),
            _ => self.value().mem_bytes(),
        };
        shape.block_size() + owned
    }

    /// The type of the value.
    pub fn kind(&self) -> Type {
        self.value().kind()
    }

    /// How many fields of the value have an expiry: 0 unless it is a hash.
    #[inline]
    pub fn volatile_fields(&self) -> usize {
        match self.value() {
            ValueRef::Hash(hash) => hash.volatile_len(),
            _ => 0,
        }
    }

    /// Whether the value is a string.
    #[inline]
    pub fn is_string(&self) -> bool {
        matches!(self.value(), ValueRef::Int(_) | ValueRef::Str(_))
    }

    /// The encoding's name for OBJECT ENCODING.
    pub fn encoding(&self) -> &'static str {
        let shape = self.shape();
        match shape.kind {
            Kind::Raw => "raw",
            Kind::Text if shape.raw || shape.key_len + shape.text_len > embstr::MAX => "raw",
            _ => self.value().encoding(),
        }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the block lives as long as the entry, and its header is always written.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    fn at(&self, offset: usize) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().wrapping_add(offset)
    }

    #[inline(always)]
    fn shape(&self) -> Shape {
        let header = self.header();
        let kind = Kind::ALL[usize::from(header.flags & KIND_MASK)];
        let mut shape = Shape {
            kind,
            expires: header.flags & EXPIRES != 0,
            long_key: header.flags & LONG != 0,
            raw: header.flags & RAW != 0,
            key_len: header.key_len.into(),
            text_len: header.text_len.into(),
        };
        if shape.long_key {
            // SAFETY: with the flag there are 8 aligned bytes at this place, always written.
            shape.key_len = unsafe { self.at(shape.long_key_at()).cast::<usize>().read() };
        }
        shape
    }

    /// The text, which is empty unless the kind is `Text`.
    #[inline(always)]
    fn text(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the shape says where the text is in the block; whoever makes room for it writes it.
        unsafe { slice::from_raw_parts(self.at(shape.text_at()), shape.text_len) }
    }

    /// The payload, which is at a multiple of 8.
    ///
    /// # Safety
    /// It must be a `P`.
    #[inline(always)]
    unsafe fn payload<P>(&self) -> &P {
        // SAFETY: the caller says that it is one; it is written when the block is made.
        unsafe { &*self.at(self.shape().payload_at()).cast() }
    }

    /// The payload, to be changed.
    ///
    /// # Safety
    /// It must be a `P`.
    #[inline(always)]
    unsafe fn payload_mut<P>(&mut self) -> &mut P {
        // SAFETY: as in `payload`, and `self` is borrowed exclusively.
        unsafe { &mut *self.at(self.shape().payload_at()).cast() }
    }

    fn raw_mut(&mut self) -> &mut Vec<u8> {
        assert_eq!(self.shape().kind, Kind::Raw);
        // SAFETY: the payload of this kind is a `Vec<u8>`.
        unsafe { self.payload_mut() }
    }

    /// A copy of the value's bits.
    ///
    /// # Safety
    /// The payload must not be used or dropped afterwards.
    unsafe fn read_value(&self) -> Value {
        // SAFETY: each kind is read as what it is, and only once, as the caller says.
        unsafe {
            match self.shape().kind {
                Kind::Text | Kind::Int => self.value().to_value(),
                Kind::Raw => Value::Raw(ptr::read(self.payload())),
                Kind::List => Value::List(ptr::read(self.payload())),
                Kind::Set => Value::Set(ptr::read(self.payload())),
                Kind::ZSet => Value::ZSet(ptr::read(self.payload())),
                Kind::Hash => Value::Hash(ptr::read(self.payload())),
                Kind::Stream => Value::Stream(ptr::read(self.payload())),
            }
        }
    }

    /// A block with key and expiry; payload and text are still to be written.
    #[inline]
    fn alloc(key: &[u8], kind: Kind, text_len: usize, expire_at_ms: Option<i64>) -> Entry {
        let long_key = key.len() >= LONG_KEY;
        let expires = expire_at_ms.is_some();
        let mut shape = Shape { kind, expires, long_key, raw: false, key_len: key.len(), text_len };
        shape.raw = expires && shape.raw_when_expiring();
        let mut entry = Entry::alloc_shape(&shape, [0; 3]);
        entry.write_expire(expire_at_ms);
        // SAFETY: the block is as large as its shape says, and new, so `key` is not in it.
        unsafe { ptr::copy_nonoverlapping(key.as_ptr(), entry.at(shape.key_at()), key.len()) };
        entry
    }

    /// A block of which only the header and a long key's length are written.
    #[inline]
    fn alloc_shape(shape: &Shape, clock: [u8; 3]) -> Entry {
        let layout = shape.layout();
        // SAFETY: the layout has at least the header's size.
        let block = unsafe { alloc(layout) }.cast::<Header>();
        let Some(block) = NonNull::new(block) else { handle_alloc_error(layout) };
        // SAFETY: the block is ours, aligned, and larger than a header.
        unsafe { block.cast::<[u8; 3]>().write(clock) };
        let mut entry = Entry(block);
        entry.write_shape(shape);
        entry
    }

    /// Writes all of the header but the clock, and a long key's length.
    #[inline]
    fn write_shape(&mut self, shape: &Shape) {
        let block = self.0.as_ptr();
        // SAFETY: the block has a header, and 8 aligned bytes more if the key is a long one.
        unsafe {
            (&raw mut (*block).flags).write(shape.flags());
            (&raw mut (*block).key_len).write(if shape.long_key { 0 } else { shape.key_len as u16 });
            (&raw mut (*block).text_len).write(shape.text_len as u16);
            if shape.long_key {
                self.at(shape.long_key_at()).cast::<usize>().write(shape.key_len);
            }
        }
    }

    /// Writes the expiry, for which there must be room, or none.
    #[inline]
    fn write_expire(&mut self, expire_at_ms: Option<i64>) {
        let shape = self.shape();
        assert_eq!(shape.expires, expire_at_ms.is_some());
        if let Some(expire_at_ms) = expire_at_ms {
            // SAFETY: with the flag there are 8 aligned bytes at this place.
            unsafe { self.at(shape.expiry_at()).cast::<i64>().write(expire_at_ms) };
        }
    }

    /// Writes the payload of the kind at hand over what is there, which is not dropped.
    #[inline]
    fn write_payload<P>(&mut self, payload: P) {
        let shape = self.shape();
        assert_eq!(size_of::<P>(), shape.kind.payload_size());
        // SAFETY: the place is in the block, before the key, and a multiple of 8.
        unsafe { self.at(shape.payload_at()).cast::<P>().write(payload) };
    }

    #[inline]
    fn write_text(&mut self, text: &[u8]) {
        let shape = self.shape();
        assert_eq!(shape.text_len, text.len());
        // SAFETY: the shape has room for this text; `text` cannot be in a block that is borrowed exclusively.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), self.at(shape.text_at()), text.len()) };
    }

    #[inline]
    fn write_string(&mut self, kind: StringKind, bytes: &[u8]) {
        match kind {
            StringKind::Text => self.write_text(bytes),
            StringKind::Int(number) => self.write_payload(number),
            StringKind::Long => self.write_payload(bytes.to_vec()),
        }
    }

    /// Writes a payload that owns something, for which the block must have been made.
    fn write_owned(&mut self, value: Value) {
        assert_eq!(self.shape().kind, owned_kind(&value));
        match value {
            Value::Int(_) => unreachable!("an integer owns nothing"),
            Value::Str(bytes) => self.write_payload(bytes.into_vec()),
            Value::Raw(bytes) => self.write_payload(bytes),
            Value::List(list) => self.write_payload(list),
            Value::Set(set) => self.write_payload(set),
            Value::ZSet(zset) => self.write_payload(zset),
            Value::Hash(hash) => self.write_payload(hash),
            Value::Stream(stream) => self.write_payload(stream),
        }
    }

    /// Drops the value and makes room for another, which the caller must write, and for an expiry or none, which
    /// the caller must write if there was none.
    #[inline]
    fn clear_for(&mut self, kind: Kind, text_len: usize, expires: bool) {
        let shape = self.shape();
        self.drop_payload();
        let mut new = Shape { kind, text_len, expires, raw: false, ..shape };
        new.raw = match shape.expires {
            true => kind == Kind::Text && new.key_len + text_len > embstr::MAX_IN_PLACE,
            false => expires && new.raw_when_expiring(),
        };
        self.reshape(new, false);
    }

    /// Drops what the payload owns; the payload must then be written or reshaped away.
    #[inline]
    fn drop_payload(&mut self) {
        // A list's drop may be long but does not panic.
        if !matches!(self.shape().kind, Kind::Text | Kind::Int) {
            // SAFETY: the payload is not used again.
            drop(unsafe { self.read_value() });
        }
    }

    /// Gives the block another shape with the same key: in place if its size class stays, else in a new block. An
    /// expiry stays if there is room for one before and after; a new one is still to be written. The payload and
    /// the text come along if `keep_value`, in which case kind and length must stay.
    #[inline]
    fn reshape(&mut self, new: Shape, keep_value: bool) {
        let old = self.shape();
        if new == old {
            return;
        }
        let (from, to, count) = if keep_value {
            (old.payload_at(), new.payload_at(), old.text_at() + old.text_len - old.payload_at())
        } else {
            (old.key_at(), new.key_at(), old.key_len)
        };
        if new.block_size() == old.block_size() {
            if from != to {
                // SAFETY: both ranges are in the block, as it is large enough for either shape.
                unsafe { ptr::copy(self.at(from), self.at(to), count) };
            }
            self.write_shape(&new);
            return;
        }
        let block = Entry::alloc_shape(&new, self.header().clock.get());
        if old.expires && new.expires {
            // SAFETY: both blocks have an expiry at this place.
            unsafe { ptr::copy_nonoverlapping(self.at(old.expiry_at()), block.at(new.expiry_at()), 8) };
        }
        // SAFETY: both ranges are in their blocks, and the blocks are two.
        unsafe { ptr::copy_nonoverlapping(self.at(from), block.at(to), count) };
        let old_block = mem::replace(self, block);
        // What it owned has been moved or dropped, so only the block is freed.
        let ptr = old_block.into_ptr();
        // SAFETY: the block was allocated with this layout and is not used again.
        unsafe { dealloc(ptr.as_ptr(), old.layout()) };
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.drop_payload();
        let layout = self.shape().layout();
        // SAFETY: the block was allocated with this layout and is not used again.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key().escape_ascii().to_string())
            .field("expire_at_ms", &self.expire_at_ms())
            .field("value", &self.value())
            .finish()
    }
}

/// How SET stores a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringKind {
    Text,
    Int(i64),
    Long,
}

#[inline]
fn string_kind(bytes: &[u8]) -> StringKind {
    match parse_i64(bytes) {
        Some(number) => StringKind::Int(number),
        None if bytes.len() <= INLINE_MAX => StringKind::Text,
        None => StringKind::Long,
    }
}

impl From<StringKind> for Kind {
    #[inline]
    fn from(kind: StringKind) -> Kind {
        match kind {
            StringKind::Text => Kind::Text,
            StringKind::Int(_) => Kind::Int,
            StringKind::Long => Kind::Raw,
        }
    }
}

/// As what a value that is neither an integer nor a short string is kept: a long string has a buffer that can be edited.
fn owned_kind(value: &Value) -> Kind {
    match value {
        Value::Int(_) => Kind::Int,
        Value::Str(_) | Value::Raw(_) => Kind::Raw,
        Value::List(_) => Kind::List,
        Value::Set(_) => Kind::Set,
        Value::ZSet(_) => Kind::ZSet,
        Value::Hash(_) => Kind::Hash,
        Value::Stream(_) => Kind::Stream,
    }
}
