//! A user: a name, passwords, and what whoever logs in by them may do.

use super::{RuleError, Selector, Terms, rules::LIST_MAX};
use crate::{
    resp::error::shown,
    state::pubsub::{Kind, Subscriptions},
};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The SHA-256 of a password.
type Hash = [u8; 32];

/// A user. It is changed on a copy that then takes its place, so that either all rules hold or none.
#[derive(Clone, Debug)]
pub struct User {
    pub name: Box<[u8]>,
    pub enabled: bool,
    /// Any password will do.
    pub nopass: bool,
    /// `sanitize-payload`: what RESTORE is given is looked at closely. It always is.
    sanitize: bool,
    passwords: Vec<Hash>,
    /// The first one is the user's own.
    selectors: Vec<Selector>,
    /// One selector allows everything.
    pub unrestricted: bool,
}

impl User {
    /// A user who may nothing.
    pub fn new(name: &[u8], terms: Terms<'_>) -> User {
        User {
            name: name.into(),
            enabled: false,
            nopass: false,
            sanitize: true,
            passwords: Vec::new(),
            selectors: vec![Selector::new(terms)],
            unrestricted: false,
        }
    }

    /// A user who may everything, without a password.
    pub fn almighty(name: &[u8], terms: Terms<'_>) -> User {
        let mut user = User::new(name, terms);
        for rule in ["+@all", "~*", "&*", "on", "nopass"] {
            user.apply(rule.as_bytes(), terms).expect("these rules hold for anyone");
        }
        user
    }

    /// Memory held, in bytes, with the name in the index of all users.
    pub fn mem_bytes(&self) -> usize {
        let selectors = self.selectors.iter().map(|selector| size_of::<Selector>() + selector.mem_bytes());
        size_of::<User>()
            + 2 * (self.name.len() + size_of::<Box<[u8]>>())
            + self.passwords.capacity() * size_of::<Hash>()
            + selectors.sum::<usize>()
    }

    /// The selectors, the user's own first.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Whether anyone may be this user without logging in.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.nopass && self.enabled
    }

    /// Whether a password is the user's. The time this takes tells nothing of where passwords differ.
    pub fn accepts(&self, password: &[u8]) -> bool {
        if !self.enabled || self.nopass {
            return self.enabled;
        }
        let given = hash(password);
        self.passwords.iter().fold(false, |found, known| {
            let differing = given.iter().zip(known).fold(0, |differing, (a, b)| differing | (a ^ b));
            found | (differing == 0)
        })
    }

    /// `requirepass`: this password alone, or, if it is empty, any.
    pub fn set_password(&mut self, password: &[u8]) {
        self.nopass = password.is_empty();
        self.passwords = if password.is_empty() { Vec::new() } else { vec![hash(password)] };
    }

    /// Follows one rule, or, on an error, leaves all as it was.
    pub fn apply(&mut self, rule: &[u8], terms: Terms<'_>) -> Result<(), RuleError> {
        let word = shown(rule).to_ascii_lowercase();
        match word.as_slice() {
            // As in Valkey no rule at all.
            _ if rule.is_empty() => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"skip-sanitize-payload" => self.sanitize = false,
            b"sanitize-payload" => self.sanitize = true,
            b"nopass" => self.set_password(b""),
            b"resetpass" => (self.nopass, self.passwords) = (false, Vec::new()),
            [b'>', ..] => self.add_password(hash(&rule[1..]))?,
            [b'#', ..] => self.add_password(parse_hash(&rule[1..])?)?,
            [b'<', ..] => self.remove_password(hash(&rule[1..]))?,
            [b'!', ..] => self.remove_password(parse_hash(&rule[1..])?)?,
            [b'(', ..] if rule.len() > 1 && rule.ends_with(b")") => {
                let selector = Selector::parse(&rule[1..rule.len() - 1], terms)?;
                if self.selectors.len() >= LIST_MAX {
                    return Err(RuleError::TooMany);
                }
                self.selectors.push(selector);
            }
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => *self = User::new(&self.name, terms),
            _ => self.selectors[0].apply(rule, terms.catalog)?,
        }
        self.unrestricted = self.selectors.iter().any(Selector::is_unrestricted);
        Ok(())
    }

    fn add_password(&mut self, hash: Hash) -> Result<(), RuleError> {
        if !self.passwords.contains(&hash) {
            if self.passwords.len() >= LIST_MAX {
                return Err(RuleError::TooMany);
            }
            self.passwords.push(hash);
        }
        self.nopass = false;
        Ok(())
    }

    fn remove_password(&mut self, hash: Hash) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|known| *known == hash).ok_or(RuleError::NoSuchPassword)?;
        self.passwords.remove(at);
        Ok(())
    }

    /// The words of what holds for the user, in the order in which they are shown.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + Clone {
        let enabled = if self.enabled { "on" } else { "off" };
        let sanitize = if self.sanitize { "sanitize-payload" } else { "skip-sanitize-payload" };
        [Some(enabled), self.nopass.then_some("nopass"), Some(sanitize)].into_iter().flatten()
    }

    /// The hashes of the passwords, in hexadecimal digits.
    pub fn password_hashes(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.passwords.iter().map(|hash| {
            hash.iter().fold(String::with_capacity(64), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes it");
                text
            })
        })
    }

    /// The line that says all of the user: `user name on ...`.
    pub fn line(&self) -> Vec<u8> {
        let mut line = [b"user ", &*self.name].concat();
        for flag in self.flags() {
            line.push(b' ');
            line.extend_from_slice(flag.as_bytes());
        }
        for hash in self.password_hashes() {
            line.extend_from_slice(b" #");
            line.extend_from_slice(hash.as_bytes());
        }
        for (i, selector) in self.selectors.iter().enumerate() {
            line.extend_from_slice(if i == 0 { b" " } else { b" (" });
            selector.write(&mut line);
            if i > 0 {
                line.push(b')');
            }
        }
        line
    }

    /// Whether one selector or another allows a channel; a pattern of channels only as it stands.
    pub fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        self.selectors.iter().any(|selector| selector.allows_channel(name, is_pattern))
    }

    /// Whether subscriptions of `before` may be closed to this user, who takes its place. As in Valkey they stay where
    /// no channel was allowed before: they are from an earlier login.
    pub fn may_lose_channels(&self, before: &User) -> bool {
        let allows_any = |s: &Selector| s.allows_all_channels() || !s.channels().is_empty();
        !self.selectors.iter().any(Selector::allows_all_channels) && before.selectors.iter().any(allows_any)
    }

    /// Whether all subscriptions of a session are to channels that are allowed.
    pub fn allows_subscriptions(&self, subscriptions: &Subscriptions) -> bool {
        [Kind::Pattern, Kind::Channel, Kind::Shard].into_iter().all(|kind| {
            let names = subscriptions.names(kind);
            names.iter().all(|name| self.allows_channel(name, kind == Kind::Pattern))
        })
    }
}

fn hash(password: &[u8]) -> Hash {
    Sha256::digest(password).into()
}

/// 64 hexadecimal digits, in lower case.
fn parse_hash(text: &[u8]) -> Result<Hash, RuleError> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return Err(RuleError::BadHash);
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or(RuleError::BadHash)?;
        *byte = high << 4 | low;
    }
    Ok(hash)
}
