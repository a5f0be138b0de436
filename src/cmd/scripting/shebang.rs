//! The first line of a script, where it says something of itself: `#!lua flags=no-writes,allow-stale`.
//!
//! Source: <https://valkey.io/topics/lua-api/#eval-flags>.

use crate::{
    command::CmdError,
    resp::{
        error::shown,
        request::{Span, split_quoted},
    },
    script::flags::ScriptFlags,
};

/// The words of a first line that starts with `#!`, and what comes behind it, line end included.
pub(super) struct Shebang<'a> {
    words: Vec<u8>,
    spans: Vec<Span>,
    pub code: &'a [u8],
}

/// Why a first line has no words.
pub(super) enum Broken {
    /// It is no such line.
    Missing,
    /// It does not end.
    Endless,
    /// Quotes are not balanced.
    Unbalanced,
}

impl<'a> Shebang<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Result<Shebang<'a>, Broken> {
        if !text.starts_with(b"#!") {
            return Err(Broken::Missing);
        }
        // C's strings end at a zero byte.
        let end = shown(text).iter().position(|&b| b == b'\n').ok_or(Broken::Endless)?;
        let (mut words, mut spans) = (Vec::new(), Vec::new());
        split_quoted(&text[..end], &mut words, &mut spans).ok_or(Broken::Unbalanced)?;
        Ok(Shebang { words, spans, code: &text[end..] })
    }

    /// What stands behind `#!`.
    pub(super) fn engine(&self) -> &[u8] {
        self.words().next().and_then(|word| word.strip_prefix(b"#!")).unwrap_or_default()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.words[span.start as usize..][..span.len as usize])
    }
}

/// The flags of a script, and its code.
pub(super) fn script_flags(body: &[u8]) -> Result<(ScriptFlags, &[u8]), CmdError> {
    let shebang = match Shebang::parse(body) {
        Ok(shebang) => shebang,
        Err(Broken::Missing) => return Ok((ScriptFlags::UNDECLARED, body)),
        Err(Broken::Endless) => return Err(CmdError::new("ERR Invalid script shebang")),
        Err(Broken::Unbalanced) => return Err(CmdError::new("ERR Invalid engine in script shebang")),
    };
    if !shebang.engine().eq_ignore_ascii_case(b"lua") {
        let word = shebang.words().next().unwrap_or_default();
        return Err(CmdError::with([b"ERR Unexpected engine in script shebang: ", shown(word)].concat()));
    }
    let mut flags = ScriptFlags::default();
    for word in shebang.words().skip(1) {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(CmdError::with([b"ERR Unknown lua shebang option: ", shown(word)].concat()));
        };
        for name in names.split(|&b| b == b',').filter(|_| !names.is_empty()) {
            let flag = ScriptFlags::named(name).filter(|_| name.iter().all(|b| !b.is_ascii_uppercase()));
            let unexpected = || [b"ERR Unexpected flag in script shebang: ", shown(name)].concat();
            flags = flags.or(flag.ok_or_else(|| CmdError::with(unexpected()))?);
        }
    }
    Ok((flags, shebang.code))
}
