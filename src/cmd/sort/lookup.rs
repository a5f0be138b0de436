//! The patterns of BY and GET: a key, or a field of a hash, whose name has the element in it.

use crate::{store::Store, value::ValueRef};
use memchr::{memchr, memmem};

/// A pattern. Source: <https://valkey.io/commands/sort/>.
pub(super) struct Pattern<'a> {
    /// All of it.
    whole: &'a [u8],
    /// What stands before and behind the `*` in the key's name.
    around: Option<(&'a [u8], &'a [u8])>,
    /// Behind `->`.
    field: Option<&'a [u8]>,
}

impl<'a> Pattern<'a> {
    pub fn new(whole: &'a [u8]) -> Pattern<'a> {
        let Some(star) = memchr(b'*', whole) else { return Pattern { whole, around: None, field: None } };
        let (before, behind) = (&whole[..star], &whole[star + 1..]);
        let (behind, field) = match memmem::find(behind, b"->") {
            Some(at) if at + 2 < behind.len() => (&behind[..at], Some(&behind[at + 2..])),
            _ => (behind, None),
        };
        Pattern { whole, around: Some((before, behind)), field }
    }

    /// Whether it names another key for each element.
    pub fn varies(&self) -> bool {
        self.around.is_some()
    }

    /// What it finds for an element; `#` is the element itself.
    pub fn find(&self, store: &mut Store, db: usize, element: &[u8]) -> Option<Vec<u8>> {
        if self.whole == b"#" {
            return Some(element.to_vec());
        }
        let (before, behind) = self.around?;
        let key = [before, element, behind].concat();
        let pos = store.read(db, &key)?;
        let now_ms = store.now_ms;
        let entry = store.entry(db, pos);
        match (entry.value(), self.field) {
            (ValueRef::Int(number), None) => Some(number.to_string().into_bytes()),
            (ValueRef::Str(bytes), None) => Some(bytes.to_vec()),
            (ValueRef::Hash(hash), Some(field)) => hash.get(field, now_ms).map(|value| value.to_vec()),
            _ => None,
        }
    }
}
