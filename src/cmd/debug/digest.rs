//! DEBUG DIGEST: equal for equal data, whatever the order of the keys.
//!
//! Source: the comments of Valkey's `debug.c`. `xor` adds a part whose place does not matter, `mix` one whose place
//! does.

use crate::{
    base::dtoa::{self, digits_to_buf},
    store::Store,
    value::{ValueRef, set::with_bytes, stream::IdRange},
};
use sha1::{Digest as _, Sha1};

#[derive(Default)]
struct Digest([u8; 20]);

impl Digest {
    fn xor(&mut self, part: &[u8]) {
        for (byte, hashed) in self.0.iter_mut().zip(Sha1::digest(part)) {
            *byte ^= hashed;
        }
    }

    fn mix(&mut self, part: &[u8]) {
        self.xor(part);
        self.0 = Sha1::digest(self.0).into();
    }

    fn add_value(&mut self, value: ValueRef<'_>, volatile: bool, fields_now_ms: i64) {
        match value {
            ValueRef::Int(number) => {
                self.mix(TYPE_STRING);
                self.mix(number.to_string().as_bytes());
            }
            ValueRef::Str(bytes) => {
                self.mix(TYPE_STRING);
                self.mix(bytes);
            }
            ValueRef::List(list) => {
                self.mix(TYPE_LIST);
                list.try_each(false, |elem| {
                    self.mix(&elem.to_vec());
                    true
                });
            }
            ValueRef::Hash(hash) => {
                self.mix(TYPE_HASH);
                hash.each_live(fields_now_ms, |field, value| {
                    let mut pair = Digest::default();
                    pair.mix(&field.to_vec());
                    pair.mix(&value.to_vec());
                    self.xor(&pair.0);
                });
            }
            ValueRef::Stream(stream) => {
                self.mix(TYPE_STREAM);
                stream.log.each(IdRange::ALL, false, |entry| {
                    self.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (field, value) in entry.fields() {
                        self.mix(&field.to_vec());
                        self.mix(&value.to_vec());
                    }
                    true
                });
            }
            ValueRef::Set(set) => {
                self.mix(TYPE_SET);
                set.iter().for_each(|member| with_bytes(member, |bytes| self.xor(bytes)));
            }
            ValueRef::ZSet(zset) => {
                self.mix(TYPE_ZSET);
                for (member, score) in zset.iter_from(0) {
                    let mut pair = Digest::default();
                    member.with_bytes(|bytes| pair.mix(bytes));
                    pair.mix(digits_to_buf(score, &mut [0; dtoa::MAX_LEN]).as_bytes());
                    self.xor(&pair.0);
                }
            }
        }
        if volatile {
            self.xor(b"!!expire!!");
        }
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Types come in as their numbers, as four bytes.
const TYPE_STRING: &[u8] = &0u32.to_be_bytes();
const TYPE_LIST: &[u8] = &1u32.to_be_bytes();
const TYPE_ZSET: &[u8] = &3u32.to_be_bytes();
const TYPE_HASH: &[u8] = &4u32.to_be_bytes();
const TYPE_SET: &[u8] = &2u32.to_be_bytes();
const TYPE_STREAM: &[u8] = &6u32.to_be_bytes();

/// The digest of all databases.
pub(super) fn of_all(store: &Store) -> String {
    let mut all = Digest::default();
    for db in 0..store.databases() {
        if store.len(db) == 0 {
            continue;
        }
        all.mix(&(db as u32).to_be_bytes());
        for entry in store.table(db).iter() {
            let mut one = Digest::default();
            one.mix(entry.key());
            one.add_value(entry.value(), entry.expire_at_ms().is_some(), store.fields_now_ms());
            all.xor(&one.0);
        }
    }
    all.hex()
}

/// The digest of one value: of nothing where the key is not there. A look changes nothing: a key whose time has come
/// stays, and has its digest.
pub(super) fn of_value(store: &Store, db: usize, key: &[u8]) -> String {
    let mut digest = Digest::default();
    let table = store.table(db);
    if let Some(pos) = table.find(table.hash(key), key) {
        let entry = store.entry(db, pos);
        digest.add_value(entry.value(), entry.expire_at_ms().is_some(), store.fields_now_ms());
    }
    digest.hex()
}
