//! The seeded hash for tables whose keys clients choose.

use siphasher::sip::SipHasher13;
use std::hash::BuildHasher;

/// The seed of a server's hash tables: SipHash-1-3 with it as the key (Aumasson and Bernstein, 2012), so that clients
/// cannot choose keys that collide.
#[derive(Clone, Copy, Debug)]
pub struct Seed(pub [u64; 2]);

impl BuildHasher for Seed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0[0], self.0[1])
    }
}
