//! The RDB format: values as bytes that redis-server and Valkey read, and theirs as values.
//!
//! What is written has version 10, which Redis 7.0 reads; a hash whose fields expire is written as Valkey 9 does. What is
//! read may be as old as version 1: the encodings that were given up since are taken apart. Nothing read is trusted: all
//! lengths are checked, and memory is taken as the bytes come, never for what they announce.
//!
//! Source: <https://rdb.fnordig.de/file_format.html>, and the comments of Valkey's `rdb.h`.

mod functions;
mod hashes;
mod lists;
mod old;
mod read;
mod sets;
mod streams;
#[cfg(test)]
mod tests;
mod write;
mod zsets;

pub use functions::{FunctionsError, dump_functions, restore_functions};
pub use read::Reader;
pub use write::{Writer, saved_len};

use crate::value::{Limits, Value, ValueRef};
use crc::{CRC_64_REDIS, Crc, Table};

/// The version that is written.
pub const VERSION: u16 = 10;
/// The newest version of Redis's and Valkey's common format.
const VERSION_COMMON: u16 = 11;
/// Versions from here on are Valkey's own again; those between are of Redis alone.
const VERSION_VALKEY: u16 = 80;

const CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);
/// Behind a dumped value: its version and the checksum.
const FOOTER_BYTES: usize = 10;

/// The number that says how a value is encoded.
pub(super) mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const ZSET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const ZSET_2: u8 = 5;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const ZSET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const ZSET_LISTPACK: u8 = 17;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const STREAM_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    pub const STREAM_3: u8 = 21;
    /// Valkey's: each field with its expiry.
    pub const HASH_EXPIRING: u8 = 22;
}

/// Why bytes are no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// They end too early.
    Truncated,
    /// They mean nothing.
    Corrupt,
    /// A collection without elements, which no key can hold.
    Empty,
}

/// Why RESTORE refuses a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreError {
    /// Version or checksum do not fit.
    Footer,
    Body(Broken),
}

/// Writes a value: the number of its encoding, then what it holds.
pub fn write_value(out: &mut Writer, value: ValueRef<'_>) {
    match value {
        ValueRef::Int(number) => {
            out.byte(kind::STRING);
            out.int(number);
        }
        ValueRef::Str(bytes) => {
            out.byte(kind::STRING);
            out.string(bytes);
        }
        ValueRef::List(list) => lists::write(out, list),
        ValueRef::Hash(hash) => hashes::write(out, hash),
        ValueRef::Set(set) => sets::write(out, set),
        ValueRef::ZSet(zset) => zsets::write(out, zset),
        ValueRef::Stream(stream) => streams::write(out, stream),
    }
}

/// Reads a value whose encoding has the number `kind`.
pub fn read_value(input: &mut Reader<'_>, kind: u8, limits: &Limits) -> Result<Value, Broken> {
    match kind {
        kind::STRING => Ok(Value::string(&input.string()?)),
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            lists::read(input, kind, &limits.list).map(Value::List)
        }
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => {
            streams::read(input, kind).map(|stream| Value::Stream(Box::new(stream)))
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => {
            sets::read(input, kind, &limits.set).map(Value::Set)
        }
        kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK | kind::HASH_EXPIRING => {
            hashes::read(input, kind, &limits.hash).map(Value::Hash)
        }
        kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => {
            zsets::read(input, kind, &limits.zset).map(Value::ZSet)
        }
        _ => Err(Broken::Corrupt),
    }
}

/// A value with its version and a checksum, as DUMP answers it. Source: <https://valkey.io/commands/dump/>.
pub fn dump(value: ValueRef<'_>) -> Vec<u8> {
    let mut out = Writer::default();
    write_value(&mut out, value);
    let mut bytes = out.into_bytes();
    let version = if bytes.first() == Some(&kind::HASH_EXPIRING) { VERSION_VALKEY } else { VERSION };
    bytes.extend_from_slice(&version.to_le_bytes());
    let sum = CRC.checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The value in a payload that DUMP made, here or at another server. Its checksum is looked at if `checked`.
pub fn restore(payload: &[u8], checked: bool, limits: &Limits) -> Result<Value, RestoreError> {
    let at = payload.len().checked_sub(FOOTER_BYTES).ok_or(RestoreError::Footer)?;
    let (body, footer) = payload.split_at(at);
    let (version, sum) = footer.split_at(2);
    let version = u16::from_le_bytes([version[0], version[1]]);
    let known = version <= VERSION_COMMON || version == VERSION_VALKEY;
    if !known || checked && sum != CRC.checksum(&payload[..at + 2]).to_le_bytes() {
        return Err(RestoreError::Footer);
    }
    let mut input = Reader::new(body);
    let value = input.byte().and_then(|kind| read_value(&mut input, kind, limits));
    // What stands behind the value is not looked at, as in the reference.
    value.map_err(RestoreError::Body)
}
