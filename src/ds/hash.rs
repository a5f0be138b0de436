//! The keyed hash under every table that holds keys chosen by clients.

use siphasher::sip::SipHasher13;

/// SipHash-1-3 (Aumasson and Bernstein, 2012) of `bytes` under `seed`: whoever does not know the seed cannot
/// make keys collide.
#[inline]
pub fn hash(seed: [u64; 2], bytes: &[u8]) -> u64 {
    SipHasher13::new_with_keys(seed[0], seed[1]).hash(bytes)
}
