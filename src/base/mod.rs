//! Floor 0: values without a home of their own: clock, randomness, numbers, glob.

pub mod ldouble;
pub mod num;
pub mod rng;
