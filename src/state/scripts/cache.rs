//! The scripts that EVAL and SCRIPT LOAD brought, by their SHA-1 digests.

use crate::{
    base::hash::Seed,
    script::{Function, Host, Mode, flags::ScriptFlags},
};
use sha1::Sha1;
use std::collections::{BTreeMap, HashMap};

/// Most scripts that EVAL alone brought; the one whose last use is the longest ago gives way.
const EVALUATED_MAX: usize = 500;

/// The SHA-1 digest of a script's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest([u8; 20]);

impl Digest {
    /// The digest of a text.
    pub fn of(text: &[u8]) -> Digest {
        use sha1::Digest as _;
        Digest(Sha1::digest(text).into())
    }

    /// A digest as 40 hexadecimal digits, in any case.
    pub fn parse(digits: &[u8]) -> Option<Digest> {
        let mut digest = [0; 20];
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(Digest(digest))
    }

    /// The 40 digits, in lower case.
    pub fn digits(&self) -> [u8; 40] {
        let mut digits = [0; 40];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[nibble as usize]));
        }
        digits
    }
}

/// A script that is known.
#[derive(Debug)]
pub struct Cached {
    pub body: Box<[u8]>,
    pub flags: ScriptFlags,
    pub function: Function,
    /// When it was used last, as a place in `used`; `None`: it is kept.
    used: Option<u64>,
}

/// Scripts by their digests, and the state in which they run.
pub struct Cache {
    scripts: HashMap<Digest, Cached, Seed>,
    /// Those that EVAL alone brought, by their last use.
    used: BTreeMap<u64, Digest>,
    uses: u64,
    body_bytes: usize,
    /// Scripts that gave way to others.
    pub evicted: u64,
    /// The state, once there was a script; taken out while one runs.
    pub host: Option<Box<Host>>,
}

impl Cache {
    /// No scripts.
    pub fn new(seed: Seed) -> Cache {
        Cache {
            scripts: HashMap::with_hasher(seed),
            used: BTreeMap::new(),
            uses: 0,
            body_bytes: 0,
            evicted: 0,
            host: None,
        }
    }

    /// How many scripts there are.
    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// Memory of texts and tables, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.body_bytes
            + self.scripts.capacity() * size_of::<(Digest, Cached)>()
            + self.used.len() * size_of::<(u64, Digest)>()
    }

    /// Memory of the state, in bytes.
    pub fn state_bytes(&self) -> usize {
        self.host.as_ref().map_or(0, |host| host.mem_bytes())
    }

    /// A script, if it is known.
    pub fn get(&self, digest: &Digest) -> Option<&Cached> {
        self.scripts.get(digest)
    }

    /// The state, made where there is none yet.
    pub fn host(&mut self) -> &mut Host {
        self.host.get_or_insert_with(|| Box::new(Host::new(Mode::Scripts)))
    }

    /// Compiles `code`, a part of `body`, and keeps it: for good, or until others take its place. The error is Lua's.
    pub fn add(
        &mut self,
        digest: Digest,
        (body, code): (&[u8], &[u8]),
        flags: ScriptFlags,
        for_good: bool,
    ) -> Result<(), Vec<u8>> {
        let function = self.host().compile(code)?;
        let mut used = None;
        if !for_good {
            while self.used.len() >= EVALUATED_MAX
                && let Some((_, oldest)) = self.used.pop_first()
            {
                self.remove(&oldest);
                self.evicted += 1;
            }
            self.uses += 1;
            self.used.insert(self.uses, digest);
            used = Some(self.uses);
        }
        self.body_bytes += body.len();
        self.scripts.insert(digest, Cached { body: body.into(), flags, function, used });
        Ok(())
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(script) = self.scripts.remove(digest) {
            self.body_bytes -= script.body.len();
            self.host().forget(script.function);
        }
    }

    /// Notes that a script was used.
    pub fn touch(&mut self, digest: &Digest) {
        let Some(script) = self.scripts.get_mut(digest) else { return };
        // The one used last stays where it is.
        if let Some(used) = script.used.filter(|&used| used != self.uses) {
            self.uses += 1;
            script.used = Some(self.uses);
            self.used.remove(&used);
            self.used.insert(self.uses, *digest);
        }
    }

    /// Keeps a script from giving way to others.
    pub fn keep(&mut self, digest: &Digest) {
        let used = self.scripts.get_mut(digest).and_then(|script| script.used.take());
        used.inspect(|used| {
            self.used.remove(used);
        });
    }

    /// Forgets all scripts, and what the state holds.
    pub fn clear(&mut self) {
        self.scripts.clear();
        self.scripts.shrink_to_fit();
        self.used.clear();
        self.body_bytes = 0;
        self.host = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_whose_last_use_is_longest_ago_gives_way() {
        let mut cache = Cache::new(Seed([1, 2]));
        let text = |i: usize| format!("return {i}").into_bytes();
        let add = |cache: &mut Cache, i: usize, for_good: bool| {
            let body = text(i);
            let added = cache.add(Digest::of(&body), (&body, &body), ScriptFlags::UNDECLARED, for_good);
            assert_eq!(added, Ok(()));
        };
        let has = |cache: &Cache, i: usize| cache.get(&Digest::of(&text(i))).is_some();
        add(&mut cache, 10_000, true);
        (0..EVALUATED_MAX).for_each(|i| add(&mut cache, i, false));
        cache.touch(&Digest::of(&text(0)));
        cache.keep(&Digest::of(&text(1)));
        // One place is free again.
        (1000..1002).for_each(|i| add(&mut cache, i, false));
        assert_eq!([0, 1, 2, 3, 10_000].map(|i| has(&cache, i)), [true, true, false, true, true]);
        assert_eq!((cache.len(), cache.evicted), (EVALUATED_MAX + 2, 1));
        let bytes = cache.mem_bytes();
        cache.clear();
        assert!(cache.is_empty() && cache.mem_bytes() < bytes);
    }

    #[test]
    fn digests_are_written_and_read() {
        let digest = Digest::of(b"return 1");
        assert_eq!(&digest.digits(), b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        assert_eq!(Digest::parse(b"E0E1F9FABFC9D4800C877A703B823AC0578FF8DB"), Some(digest));
        assert_eq!(Digest::parse(b"e0"), None);
        assert_eq!(Digest::parse(&[b'g'; 40]), None);
    }
}
