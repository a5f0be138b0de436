//! Libraries of functions: the texts that FUNCTION LOAD took, one behind the other.

use super::{Broken, CRC, FOOTER_BYTES, Reader, VERSION_COMMON, VERSION_VALKEY, Writer};

/// Stands before the text of a library.
const LIBRARY: u8 = 245;
/// The same in a form that no release reads.
const LIBRARY_OF_OLD: u8 = 246;

/// Why FUNCTION RESTORE refuses a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionsError {
    /// Version or checksum do not fit.
    Footer,
    OldFormat,
    /// It holds something else.
    NoFunction,
    Body(Broken),
}

/// The texts of libraries with a version and a checksum, as FUNCTION DUMP answers them.
pub fn dump_functions<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Writer::default();
    for text in texts {
        out.byte(LIBRARY);
        out.string(text);
    }
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(&VERSION_COMMON.to_le_bytes());
    let sum = CRC.checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The texts in a payload that FUNCTION DUMP made, here or at another server.
pub fn restore_functions(payload: &[u8]) -> Result<Vec<Vec<u8>>, FunctionsError> {
    let at = payload.len().checked_sub(FOOTER_BYTES).ok_or(FunctionsError::Footer)?;
    let (body, footer) = payload.split_at(at);
    let (version, sum) = footer.split_at(2);
    let version = u16::from_le_bytes([version[0], version[1]]);
    let known = version <= VERSION_COMMON || version == VERSION_VALKEY;
    if !known || sum != [0; 8] && sum != CRC.checksum(&payload[..at + 2]).to_le_bytes() {
        return Err(FunctionsError::Footer);
    }
    let mut input = Reader::new(body);
    let mut texts = Vec::new();
    while !input.is_at_end() {
        match input.byte().map_err(FunctionsError::Body)? {
            LIBRARY => texts.push(input.string().map_err(FunctionsError::Body)?.into_owned()),
            LIBRARY_OF_OLD => return Err(FunctionsError::OldFormat),
            _ => return Err(FunctionsError::NoFunction),
        }
    }
    Ok(texts)
}
