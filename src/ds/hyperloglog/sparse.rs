//! Registers as runs of equal ones, in one or two bytes each:
//!
//! - `00nnnnnn`: n + 1 registers are 0;
//! - `01nnnnnn nnnnnnnn`: the same for up to 16384;
//! - `1vvvvvnn`: n + 1 registers are v + 1.

use super::{Invalid, REGISTERS};

/// The longest run of zeros in one byte.
const SHORT_ZEROS: usize = 64;
/// The longest run of a value.
const VALUES_MAX_LEN: usize = 4;
/// The largest value that a run can have.
const MAX_VALUE: u8 = 32;
/// How far from a change runs are joined: so many are looked at.
const JOIN_STEPS: usize = 5;

/// Some registers that are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// So many are 0.
    Zeros(usize),
    /// The value, and how many have it.
    Values(u8, usize),
}

impl Run {
    /// The run at the start of `bytes`, and its size; `None` where `bytes` ends too soon.
    fn read(bytes: &[u8]) -> Option<(Run, usize)> {
        let first = *bytes.first()?;
        Some(match first >> 6 {
            0 => (Run::Zeros(usize::from(first) + 1), 1),
            1 => (Run::Zeros((usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(1)?)) + 1), 2),
            _ => (Run::Values((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1), 1),
        })
    }

    /// Appends the run, unless it is empty.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Run::Zeros(0) | Run::Values(_, 0) => {}
            Run::Zeros(len @ ..=SHORT_ZEROS) => out.push((len - 1) as u8),
            Run::Zeros(len) => out.extend([0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]),
            Run::Values(value, len) => out.push(0x80 | (value - 1) << 2 | (len - 1) as u8),
        }
    }

    /// How many registers it is.
    pub fn len(self) -> usize {
        match self {
            Run::Zeros(len) | Run::Values(_, len) => len,
        }
    }

    /// A run has at least one register.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same value for `len` registers.
    fn with_len(self, len: usize) -> Run {
        match self {
            Run::Zeros(_) => Run::Zeros(len),
            Run::Values(value, _) => Run::Values(value, len),
        }
    }
}

/// All runs, and in how many bytes each is written. One that is cut off goes on with a zero.
pub(super) fn runs(mut bytes: &[u8]) -> impl Iterator<Item = (Run, usize)> + '_ {
    std::iter::from_fn(move || {
        let cut_off = [*bytes.first()?, 0];
        let (run, size) = Run::read(bytes).or_else(|| Run::read(&cut_off))?;
        bytes = bytes.get(size..).unwrap_or_default();
        Some((run, size))
    })
}

/// All runs with the index of their first register, if they are as many registers as there should be.
pub(super) fn checked(bytes: &[u8]) -> Result<impl Iterator<Item = (usize, Run)> + '_, Invalid> {
    let (mut at, mut index) = (0, 0);
    while at < bytes.len() {
        let (run, size) = Run::read(&bytes[at..]).ok_or(Invalid::Registers)?;
        index += run.len();
        if index > REGISTERS {
            return Err(Invalid::Registers);
        }
        at += size;
    }
    if index != REGISTERS {
        return Err(Invalid::Registers);
    }
    Ok(runs(bytes).scan(0, |index, (run, _)| {
        let first = *index;
        *index += run.len();
        Some((first, run))
    }))
}

/// Gives a register a value if it has a smaller one; whether it had. The runs begin at `start`. `None` where that cannot
/// be written, or would need more than `max_len` bytes in all.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    index: usize,
    value: u8,
    max_len: usize,
) -> Result<Option<bool>, Invalid> {
    if value > MAX_VALUE {
        return Ok(None);
    }
    let (mut at, mut first, mut before) = (start, 0, start);
    let (run, size) = loop {
        let (run, size) = Run::read(&bytes[at..]).ok_or(Invalid::Registers)?;
        if index < first + run.len() {
            break (run, size);
        }
        (before, at, first) = (at, at + size, first + run.len());
    };
    if let Run::Values(old, _) = run
        && old >= value
    {
        return Ok(Some(false));
    }
    // The run falls into what is before the register, the register, and what is behind it.
    let mut parts = Vec::with_capacity(5);
    run.with_len(index - first).write(&mut parts);
    Run::Values(value, 1).write(&mut parts);
    run.with_len(first + run.len() - 1 - index).write(&mut parts);
    if parts.len() > size && bytes.len() + parts.len() - size > max_len {
        return Ok(None);
    }
    bytes.splice(at..at + size, parts);
    join(bytes, before);
    Ok(Some(true))
}

/// Joins neighbours of one value from the run at `at` on, as far as a change can reach.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_STEPS {
        let Some((run, size)) = Run::read(bytes.get(at..).unwrap_or_default()) else { return };
        if let Run::Values(value, len) = run
            && let Some((Run::Values(next, more), _)) = Run::read(&bytes[at + size..])
            && next == value
            && len + more <= VALUES_MAX_LEN
        {
            bytes.remove(at);
            let mut joined = Vec::with_capacity(1);
            Run::Values(value, len + more).write(&mut joined);
            bytes[at] = joined[0];
        } else {
            at += size;
        }
    }
}
