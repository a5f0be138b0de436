//! Floor 0: values without a home of their own: clock, randomness, hashing, numbers, glob.

pub mod clock;
pub mod glob;
pub mod hash;
pub mod journal;
pub mod ldouble;
pub mod num;
pub mod rng;
