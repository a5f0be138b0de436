//! HyperLogLogs: how many different elements were seen, to about 0.81 %, in at most 12 KiB.
//!
//! Each element's hash chooses one of 16384 registers, which keeps the longest run of zeros, and the 1 behind it, that
//! the rest of a hash began with (Flajolet, Fusy, Gandouet and Meunier, "HyperLogLog: the analysis of a near-optimal
//! cardinality estimation algorithm", 2007). The estimate is Ertl's ("New cardinality estimation algorithms for
//! HyperLogLog sketches", 2017).
//!
//! The bytes are those of the reference: `HYLL`, the encoding, three unused bytes, the last estimate (8, little-endian,
//! not valid where its highest bit is set), and the registers: dense, 6 bits each, or sparse, as runs of equal ones.
//! They may come from anywhere, so nothing is taken for granted.

mod murmur;
mod sparse;
#[cfg(test)]
mod tests;

pub use sparse::Run;

/// How many bits of a hash choose the register.
const INDEX_BITS: u32 = 14;
/// The number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// How many bits of a hash are left for the run of zeros.
const RUN_BITS: usize = 64 - INDEX_BITS as usize;
/// The largest value that a register has room for, plus 1.
const VALUES: usize = 64;

const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const ESTIMATE_AT: usize = 8;
const HEADER: usize = 16;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
/// Bytes of a dense one.
const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;

/// What was thought to be a HyperLogLog is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// From its header on.
    Header,
    /// Its registers are not what the header says.
    Registers,
}

/// How the registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Dense,
    Sparse,
}

/// All registers, a byte each.
pub type Registers = [u8; REGISTERS];

/// A new one, which has seen nothing.
pub fn new() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + 2);
    bytes.extend_from_slice(MAGIC);
    bytes.push(SPARSE);
    bytes.resize(HEADER, 0);
    Run::Zeros(REGISTERS).write(&mut bytes);
    bytes
}

/// Checks the header and, of a dense one, the length.
pub fn encoding(bytes: &[u8]) -> Result<Encoding, Invalid> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        return Err(Invalid::Header);
    }
    match bytes[ENCODING_AT] {
        DENSE if bytes.len() == DENSE_LEN => Ok(Encoding::Dense),
        SPARSE => Ok(Encoding::Sparse),
        _ => Err(Invalid::Header),
    }
}

/// The last estimate, if nothing changed since.
pub fn last_estimate(bytes: &[u8]) -> Option<u64> {
    let estimate = bytes.get(ESTIMATE_AT..HEADER)?.try_into().ok().map(u64::from_le_bytes)?;
    (estimate >> 63 == 0).then_some(estimate)
}

/// Keeps an estimate for the next time.
pub fn keep_estimate(bytes: &mut [u8], estimate: u64) {
    if let Some(place) = bytes.get_mut(ESTIMATE_AT..HEADER) {
        place.copy_from_slice(&estimate.to_le_bytes());
    }
}

/// Says that the last estimate does not hold any more.
pub fn forget_estimate(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(HEADER - 1) {
        *byte |= 0x80;
    }
}

/// Adds an element; whether a register changed. A sparse one becomes dense where it would be longer than
/// `sparse_max_len` bytes.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_max_len: usize) -> Result<bool, Invalid> {
    let hash = murmur::hash(element);
    let index = hash as usize % REGISTERS;
    // A bit behind the last one ends the longest run.
    let run = (hash >> INDEX_BITS | 1 << RUN_BITS).trailing_zeros() + 1;
    raise(bytes, index, run as u8, sparse_max_len)
}

/// Gives a register a value if it has a smaller one; whether it had. See [`add`].
pub fn raise(bytes: &mut Vec<u8>, index: usize, value: u8, sparse_max_len: usize) -> Result<bool, Invalid> {
    if encoding(bytes)? == Encoding::Sparse {
        if let Some(raised) = sparse::raise(bytes, HEADER, index, value, sparse_max_len)? {
            if raised {
                forget_estimate(bytes);
            }
            return Ok(raised);
        }
        make_dense(bytes)?;
    }
    let registers = &mut bytes[HEADER..];
    let is_less = dense_get(registers, index) < value;
    if is_less {
        dense_set(registers, index, value);
    }
    Ok(is_less)
}

/// Makes a sparse one dense; whether it was sparse.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<bool, Invalid> {
    if encoding(bytes)? == Encoding::Dense {
        return Ok(false);
    }
    let mut dense = vec![0; DENSE_LEN];
    dense[..HEADER].copy_from_slice(&bytes[..HEADER]);
    dense[ENCODING_AT] = DENSE;
    for (index, run) in sparse::checked(&bytes[HEADER..])? {
        if let Run::Values(value, len) = run {
            (index..index + len).for_each(|index| dense_set(&mut dense[HEADER..], index, value));
        }
    }
    *bytes = dense;
    Ok(true)
}

/// Raises `registers` to those of a HyperLogLog.
pub fn merge(bytes: &[u8], registers: &mut Registers) -> Result<(), Invalid> {
    match encoding(bytes)? {
        Encoding::Dense => {
            for (register, value) in registers.iter_mut().zip(dense_values(&bytes[HEADER..])) {
                *register = value.max(*register);
            }
        }
        Encoding::Sparse => {
            for (index, run) in sparse::checked(&bytes[HEADER..])? {
                if let Run::Values(value, len) = run {
                    registers[index..index + len].iter_mut().for_each(|r| *r = value.max(*r));
                }
            }
        }
    }
    Ok(())
}

/// How many different elements it has seen, approximately.
pub fn estimate(bytes: &[u8]) -> Result<u64, Invalid> {
    let mut histogram = [0; VALUES];
    match encoding(bytes)? {
        Encoding::Dense => {
            dense_values(&bytes[HEADER..]).for_each(|value| histogram[usize::from(value)] += 1)
        }
        Encoding::Sparse => {
            for (_, run) in sparse::checked(&bytes[HEADER..])? {
                match run {
                    Run::Zeros(len) => histogram[0] += len,
                    Run::Values(value, len) => histogram[usize::from(value)] += len,
                }
            }
        }
    }
    Ok(estimate_of(&histogram))
}

/// How many different elements these registers have seen, approximately.
pub fn estimate_of_registers(registers: &Registers) -> u64 {
    let mut histogram = [0; VALUES];
    registers.iter().for_each(|&value| histogram[usize::from(value) % VALUES] += 1);
    estimate_of(&histogram)
}

/// The runs of a sparse one, whether or not they are as many registers as there should be, and in how many bytes each is
/// written.
pub fn runs(bytes: &[u8]) -> impl Iterator<Item = (Run, usize)> + '_ {
    sparse::runs(bytes.get(HEADER..).unwrap_or_default())
}

/// The values of all registers.
pub fn registers(bytes: &[u8]) -> Result<Box<Registers>, Invalid> {
    let mut registers = Box::new([0; REGISTERS]);
    merge(bytes, &mut registers)?;
    Ok(registers)
}

fn dense_get(registers: &[u8], index: usize) -> u8 {
    let (byte, shift) = (index * 6 / 8, index * 6 % 8);
    let pair = u16::from_le_bytes([registers[byte], registers.get(byte + 1).copied().unwrap_or(0)]);
    (pair >> shift & 0x3f) as u8
}

fn dense_set(registers: &mut [u8], index: usize, value: u8) {
    let (byte, shift) = (index * 6 / 8, index * 6 % 8);
    let next = registers.get(byte + 1).copied().unwrap_or(0);
    let pair =
        u16::from_le_bytes([registers[byte], next]) & !(0x3f << shift) | u16::from(value & 0x3f) << shift;
    let [low, high] = pair.to_le_bytes();
    registers[byte] = low;
    if let Some(next) = registers.get_mut(byte + 1) {
        *next = high;
    }
}

fn dense_values(registers: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let (triples, _) = registers.as_chunks();
    triples.iter().flat_map(|&[a, b, c]| [a & 0x3f, a >> 6 | b << 2 & 0x3f, b >> 4 | c << 4 & 0x3f, c >> 2])
}

/// The estimate from how many registers have which value.
fn estimate_of(histogram: &[usize; VALUES]) -> u64 {
    /// 0.5 / ln 2
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let m = REGISTERS as f64;
    let share = |n: usize| n as f64 / m;
    let mut z = m * tau(1.0 - share(histogram[RUN_BITS + 1]));
    for &n in histogram[1..=RUN_BITS].iter().rev() {
        z = (z + n as f64) * 0.5;
    }
    z += m * sigma(share(histogram[0]));
    (ALPHA * m * m / z).round() as u64
}

/// Ertl's sigma: the part of the registers that are 0.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Ertl's tau: the part of the registers that are full.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
