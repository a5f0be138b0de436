//! Byte strings as arrays of bits. Bit 0 is the most significant one of the first byte.

/// Counts the bits that are set.
#[inline]
pub fn count_ones(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has the instruction.
        return unsafe { count_ones_popcnt(bytes) };
    }
    count_ones_of_words(bytes)
}

/// The same, compiled to one instruction a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn count_ones_popcnt(bytes: &[u8]) -> u64 {
    count_ones_of_words(bytes)
}

#[inline(always)]
fn count_ones_of_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let whole: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// Counts the bits from `first` to `last`, both included and within the string, that are set.
pub fn count_ones_between(bytes: &[u8], first: usize, last: usize) -> u64 {
    let (from, to) = (first / 8, last / 8);
    let before = bytes[from] & !(0xff >> (first % 8));
    let behind = bytes[to] & !(0xff << (7 - last % 8));
    count_ones(&bytes[from..=to]) - u64::from(before.count_ones()) - u64::from(behind.count_ones())
}

/// Where the first bit of the value `bit` is, from bit `first` to bit `last`, both included and within the string.
pub fn find(bytes: &[u8], bit: bool, first: usize, last: usize) -> Option<usize> {
    // What is looked for becomes 1, and what does not count 0.
    let flip = if bit { 0 } else { u64::MAX };
    let mut at = first / 8;
    let mut skip = u64::MAX >> (first % 8);
    let end = last / 8 + 1;
    while at < end {
        let mut word = [if bit { 0 } else { 0xff }; 8];
        let len = (end - at).min(8);
        word[..len].copy_from_slice(&bytes[at..at + len]);
        let found = (u64::from_be_bytes(word) ^ flip) & skip;
        if found != 0 {
            let pos = at * 8 + found.leading_zeros() as usize;
            return (pos <= last).then_some(pos);
        }
        (at, skip) = (at + 8, u64::MAX);
    }
    None
}

/// Bit `at`; 0 behind the end.
#[inline]
pub fn get(bytes: &[u8], at: u64) -> bool {
    usize::try_from(at / 8)
        .ok()
        .and_then(|byte| bytes.get(byte))
        .is_some_and(|byte| byte << (at % 8) & 0x80 != 0)
}

/// Sets bit `at`, which must be within the string.
#[inline]
pub fn set(bytes: &mut [u8], at: u64, bit: bool) {
    let (byte, mask) = (&mut bytes[(at / 8) as usize], 0x80 >> (at % 8));
    if bit {
        *byte |= mask;
    } else {
        *byte &= !mask;
    }
}

/// Bytes that a field of 64 bits can touch.
const WINDOW: usize = 9;

/// The bytes around a field, zeros behind the end, and how far its last bit is from theirs.
fn window(bytes: &[u8], at: u64, width: u32) -> (u128, u32) {
    let start = usize::try_from(at / 8).unwrap_or(usize::MAX).min(bytes.len());
    let there = &bytes[start..bytes.len().min(start + WINDOW)];
    let mut all = [0; 16];
    all[16 - WINDOW..][..there.len()].copy_from_slice(there);
    (u128::from_be_bytes(all), 8 * WINDOW as u32 - (at % 8) as u32 - width)
}

fn mask(width: u32) -> u128 {
    (1 << width) - 1
}

/// The unsigned integer of `width` bits, at most 64, from bit `at` on; bits behind the end are 0.
pub fn get_field(bytes: &[u8], at: u64, width: u32) -> u64 {
    let (window, shift) = window(bytes, at, width);
    (window >> shift & mask(width)) as u64
}

/// Writes the `width` low bits of `value` from bit `at` on. They must be within the string.
pub fn set_field(bytes: &mut [u8], at: u64, width: u32, value: u64) {
    let (window, shift) = window(bytes, at, width);
    let window = window & !(mask(width) << shift) | (u128::from(value) & mask(width)) << shift;
    let start = (at / 8) as usize;
    let len = (bytes.len() - start).min(WINDOW);
    bytes[start..][..len].copy_from_slice(&window.to_be_bytes()[16 - WINDOW..][..len]);
}

/// What is made of several strings, bit by bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    And,
    Or,
    Xor,
    /// Of the first string alone.
    Not,
    /// In the first string and in no other.
    Diff,
    /// In any other string and not in the first.
    Diff1,
    /// In the first string and in any other.
    AndOr,
    /// In exactly one string.
    One,
}

/// Strings are worked on so many bytes at a time, which stay in the fastest cache.
const BLOCK: usize = 4096;

/// Combines strings, the shorter ones with zeros behind their ends, into one as long as the longest.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = vec![0; len];
    for (number, block) in result.chunks_mut(BLOCK).enumerate() {
        combine_block(operation, sources, number * BLOCK, block);
    }
    result
}

/// Writes the part of the result from `at` on to `out`, which is zeroed.
fn combine_block(operation: Operation, sources: &[&[u8]], at: usize, out: &mut [u8]) {
    let len = out.len();
    let part =
        |source: &'_ &[u8]| -> std::ops::Range<usize> { at.min(source.len())..(at + len).min(source.len()) };
    let apply = |out: &mut [u8], source: &&[u8], f: fn(u8, u8) -> u8| {
        for (out, &byte) in out.iter_mut().zip(&source[part(source)]) {
            *out = f(*out, byte);
        }
    };
    let Some((first, others)) = sources.split_first() else { return };
    match operation {
        Operation::And => {
            apply(out, first, |_, byte| byte);
            for other in others {
                let there = part(other).len();
                apply(out, other, |out, byte| out & byte);
                out[there..].fill(0);
            }
        }
        Operation::Or => sources.iter().for_each(|source| apply(out, source, |out, byte| out | byte)),
        Operation::Xor => sources.iter().for_each(|source| apply(out, source, |out, byte| out ^ byte)),
        Operation::Not => apply(out, first, |_, byte| !byte),
        Operation::Diff | Operation::AndOr => {
            others.iter().for_each(|other| apply(out, other, |out, byte| out | byte));
            let there = part(first).len();
            if operation == Operation::Diff {
                apply(out, first, |out, byte| byte & !out);
            } else {
                apply(out, first, |out, byte| byte & out);
            }
            out[there..].fill(0);
        }
        Operation::Diff1 => {
            others.iter().for_each(|other| apply(out, other, |out, byte| out | byte));
            apply(out, first, |out, byte| out & !byte);
        }
        Operation::One => {
            let mut many = [0; BLOCK];
            for source in sources {
                for ((out, many), &byte) in out.iter_mut().zip(&mut many).zip(&source[part(source)]) {
                    *many |= *out & byte;
                    *out |= byte;
                }
            }
            out.iter_mut().zip(&many).for_each(|(out, many)| *out &= !many);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn random(rng: &mut Rng, len: u64) -> Vec<u8> {
        let len = rng.below(len + 1);
        let sparse = rng.below(3);
        (0..len)
            .map(|_| match sparse {
                0 => rng.next_u64() as u8,
                1 => 1u8.checked_shl(rng.below(200) as u32).unwrap_or(0),
                _ => !1u8.checked_shl(rng.below(200) as u32).unwrap_or(0),
            })
            .collect()
    }

    fn bit(bytes: &[u8], at: usize) -> bool {
        at / 8 < bytes.len() && bytes[at / 8] & (0x80 >> (at % 8)) != 0
    }

    #[test]
    fn counts_and_finds() {
        for seed in 0..300 {
            println!("seed {seed}");
            let mut rng = Rng::new(seed);
            let bytes = random(&mut rng, 70);
            let bits: Vec<bool> = (0..bytes.len() * 8).map(|at| bit(&bytes, at)).collect();
            assert_eq!(count_ones(&bytes), bits.iter().filter(|bit| **bit).count() as u64);
            assert_eq!(count_ones(&bytes), count_ones_of_words(&bytes));
            for _ in 0..if bits.is_empty() { 0 } else { 50 } {
                let first = rng.below(bits.len() as u64) as usize;
                let last = first + rng.below((bits.len() - first) as u64) as usize;
                let part = &bits[first..=last];
                assert_eq!(
                    count_ones_between(&bytes, first, last),
                    part.iter().filter(|b| **b).count() as u64
                );
                for wanted in [false, true] {
                    let found = part.iter().position(|bit| *bit == wanted).map(|at| first + at);
                    assert_eq!(find(&bytes, wanted, first, last), found, "{first} {last}");
                }
            }
        }
    }

    #[test]
    fn bits_and_fields() {
        for seed in 0..300 {
            println!("seed {seed}");
            let mut rng = Rng::new(seed);
            let mut bytes = random(&mut rng, 30);
            let mut bits: Vec<bool> = (0..bytes.len() * 8).map(|at| bit(&bytes, at)).collect();
            for _ in 0..50 {
                let (at, width) = (rng.below(260), 1 + rng.below(64) as u32);
                let model = |bits: &[bool]| {
                    (at..at + u64::from(width))
                        .fold(0u64, |n, at| n << 1 | u64::from(*bits.get(at as usize).unwrap_or(&false)))
                };
                assert_eq!(get_field(&bytes, at, width), model(&bits));
                assert_eq!(get(&bytes, at), *bits.get(at as usize).unwrap_or(&false));
                if at + u64::from(width) <= bits.len() as u64 {
                    let value = rng.next_u64();
                    set_field(&mut bytes, at, width, value);
                    (0..width)
                        .for_each(|n| bits[at as usize + n as usize] = value >> (width - 1 - n) & 1 == 1);
                    let one = rng.below(bits.len() as u64);
                    set(&mut bytes, one, value & 1 == 1);
                    bits[one as usize] = value & 1 == 1;
                    assert!(bits.iter().enumerate().all(|(at, &is)| bit(&bytes, at) == is));
                }
            }
        }
        assert_eq!(get_field(&[1], u64::MAX - 100, 64), 0);
        assert!(!get(&[255], u64::MAX));
    }

    #[test]
    fn strings_are_combined() {
        use Operation::*;
        for seed in 0..80 {
            println!("seed {seed}");
            let mut rng = Rng::new(seed);
            let most = [10, 9000][seed as usize % 2];
            let sources: Vec<Vec<u8>> = (0..1 + rng.below(5)).map(|_| random(&mut rng, most)).collect();
            let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
            let len = sources.iter().map(|source| source.len()).max().unwrap();
            for operation in [And, Or, Xor, Not, Diff, Diff1, AndOr, One] {
                let used = if operation == Not { &sources[..1] } else { &sources };
                let result = combine(operation, used);
                assert_eq!(result.len(), if operation == Not { sources[0].len() } else { len });
                for at in 0..result.len() * 8 {
                    let first = bit(used[0], at);
                    let ones = used.iter().filter(|source| bit(source, at)).count();
                    let others = ones > usize::from(first);
                    let wanted = match operation {
                        And => ones == used.len(),
                        Or => ones > 0,
                        Xor => ones % 2 == 1,
                        Not => !first,
                        Diff => first && !others,
                        Diff1 => !first && others,
                        AndOr => first && others,
                        One => ones == 1,
                    };
                    assert_eq!(bit(&result, at), wanted, "{operation:?} {at}");
                }
            }
        }
    }
}
