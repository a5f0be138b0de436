//! Floor 0: values without a home of their own: clock, randomness, hashing, numbers, glob.

pub mod clock;
pub mod dtoa;
pub mod geohash;
pub mod glob;
pub mod hash;
pub mod journal;
pub mod ldouble;
pub mod num;
pub mod rng;
pub mod slot;

/// What the system says of an error, without the number that the standard library appends.
pub fn os_error_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}
