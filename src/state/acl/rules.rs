//! Rules as ACL SETUSER, files and configurations write them: what they may look like, and what is wrong with one.
//!
//! Source: <https://valkey.io/topics/acl/>.

use super::Catalog;
use crate::resp::error::shown;

/// Most patterns, passwords, selectors or first arguments that a user's rules may list, each.
pub const LIST_MAX: usize = 1 << 14;

/// What rules are read with.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    pub catalog: &'a Catalog,
    /// `acl-pubsub-default`: whether all channels are open to who is new.
    pub all_channels: bool,
}

/// Why a rule does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleError {
    /// There is no such command or category.
    Unknown,
    Syntax,
    KeysAreOpen,
    ChannelsAreOpen,
    NoSuchPassword,
    BadHash,
    ArgumentOfSubcommand,
    TooMany,
}

impl RuleError {
    /// The sentence about it.
    pub const fn text(self) -> &'static str {
        match self {
            RuleError::Unknown => "Unknown command or category name in ACL",
            RuleError::Syntax => "Syntax error",
            RuleError::KeysAreOpen => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
                 effect. Try 'resetkeys' to start with an empty list of patterns"
            }
            RuleError::ChannelsAreOpen => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            RuleError::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            RuleError::BadHash => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
            RuleError::ArgumentOfSubcommand => "Allowing first-arg of a subcommand is not supported",
            RuleError::TooMany => "Too many rules of this kind",
        }
    }
}

/// Whether a name or pattern holds what parts words in files.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|b| b.is_ascii_whitespace() || matches!(b, 0 | 0x0b))
}

/// Puts selectors that are spread over several words together again. All words but the first end at a zero byte, as in
/// Valkey. The error is the word that opens a selector without an end.
pub fn joined<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Vec<u8>>, &'a [u8]> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        let closes = word.ends_with(b")");
        match &mut open {
            Some((_, text)) => {
                text.push(b' ');
                text.extend_from_slice(shown(word));
                if closes {
                    rules.extend(open.take().map(|(_, text)| text));
                }
            }
            None if word.starts_with(b"(") && !closes => open = Some((word, word.to_vec())),
            None => rules.push(word.to_vec()),
        }
    }
    match open {
        Some((word, _)) => Err(word),
        None => Ok(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_put_together() {
        let joined = |line: &'static str| joined(line.split(' ').map(str::as_bytes));
        let text = |rules: Vec<Vec<u8>>| {
            rules.iter().map(|rule| String::from_utf8_lossy(rule).into_owned()).collect::<Vec<_>>().join(";")
        };
        assert_eq!(
            joined("on (+get ~a) (~b) ( +set  ~c )").map(text),
            Ok("on;(+get ~a);(~b);( +set  ~c )".into())
        );
        assert_eq!(joined("(+get ~a\0b &c\0)").map(text), Ok("(+get ~a &c".into()));
        assert_eq!(joined(") a)").map(text), Ok(");a)".into()));
        assert_eq!(joined("on (+get (+set").map(text), Err(b"(+get".as_slice()));
    }
}
