//! Access control: users, their rules, and what was refused. Nothing here knows a file or a socket.
//!
//! Source: <https://valkey.io/topics/acl/>.

mod catalog;
pub mod log;
mod rules;
mod selector;
#[cfg(test)]
mod tests;
mod user;

pub use catalog::{Catalog, Command, Item};
pub use rules::{RuleError, Terms, has_spaces, joined};
pub use selector::{KeyAccess, Selector};
pub use user::User;

use crate::resp::error::shown;
use slab::Slab;
use std::collections::BTreeMap;

/// A user's place among all; used again after its end.
pub type UserId = usize;

/// Who may everything and has no name: the server itself.
pub const SUPERUSER: UserId = 0;
/// Whom every new connection is.
pub const DEFAULT_USER: UserId = 1;

/// The name of [`DEFAULT_USER`].
pub const DEFAULT_NAME: &[u8] = b"default";

/// Most users of one server.
const USERS_MAX: usize = 1 << 20;

/// All users.
pub struct Acl {
    users: Slab<User>,
    by_name: BTreeMap<Box<[u8]>, UserId>,
    /// Memory of the users, in bytes.
    users_bytes: usize,
    pub catalog: Catalog,
    pub log: log::RefusalLog,
}

impl std::ops::Index<UserId> for Acl {
    type Output = User;

    #[inline]
    fn index(&self, id: UserId) -> &User {
        &self.users[id]
    }
}

impl Acl {
    /// With the default user alone, who may everything.
    pub fn new(catalog: Catalog) -> Acl {
        let mut acl = Acl {
            users: Slab::new(),
            by_name: BTreeMap::new(),
            users_bytes: 0,
            catalog,
            log: log::RefusalLog::default(),
        };
        let almighty = |name| User::almighty(name, acl.terms(false));
        let (superuser, default) = (almighty(b"(superuser)"), almighty(DEFAULT_NAME));
        acl.users.insert(superuser);
        acl.put(default);
        acl
    }

    /// Memory of the users and of what was refused, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.users_bytes + self.log.mem_bytes()
    }

    /// What rules are read with.
    pub fn terms(&self, all_channels: bool) -> Terms<'_> {
        Terms { catalog: &self.catalog, all_channels }
    }

    /// Whether whoever connects is logged in already.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.users[DEFAULT_USER].is_open()
    }

    /// A user by name.
    pub fn find(&self, name: &[u8]) -> Option<UserId> {
        self.by_name.get(name).copied()
    }

    /// All users that have a name, in its order.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> + '_ {
        self.by_name.values().map(|&id| &self.users[id])
    }

    /// Sets the password of the default user; see [`User::set_password`].
    pub fn set_default_password(&mut self, password: &[u8]) {
        let user = &mut self.users[DEFAULT_USER];
        self.users_bytes -= user.mem_bytes();
        user.set_password(password);
        self.users_bytes += user.mem_bytes();
    }

    /// Puts a user into the place of the one with its name, or into a new one.
    pub fn put(&mut self, user: User) -> UserId {
        self.users_bytes += user.mem_bytes();
        if let Some(id) = self.find(&user.name) {
            self.users_bytes -= std::mem::replace(&mut self.users[id], user).mem_bytes();
            return id;
        }
        let name = user.name.clone();
        let id = self.users.insert(user);
        self.by_name.insert(name, id);
        id
    }

    /// Removes a user. Nobody may be that user any more.
    pub fn remove(&mut self, id: UserId) {
        let user = self.users.remove(id);
        self.users_bytes -= user.mem_bytes();
        self.by_name.remove(&user.name);
    }

    /// A user as these rules make of the one with that name, or of a new one. The error is what ACL SETUSER replies.
    pub fn changed<'a>(
        &self,
        name: &[u8],
        words: impl Iterator<Item = &'a [u8]>,
        all_channels: bool,
    ) -> Result<User, Vec<u8>> {
        let terms = self.terms(all_channels);
        let rules = joined(words).map_err(|word| {
            [b"Unmatched parenthesis in acl selector starting at '", shown(word), b"'."].concat()
        })?;
        let mut user = match self.find(name) {
            Some(id) => self[id].clone(),
            None if self.by_name.len() >= USERS_MAX => return Err(b"Too many users".to_vec()),
            None => User::new(name, terms),
        };
        for rule in rules {
            user.apply(&rule, terms).map_err(|error| {
                [b"Error in ACL SETUSER modifier '", shown(&rule), b"': ", error.text().as_bytes()].concat()
            })?;
        }
        Ok(user)
    }

    /// The users that a file's text describes, the default one among them. The error tells all that is wrong with it;
    /// `file` is its name there.
    pub fn parse_file(&self, text: &[u8], file: &str, all_channels: bool) -> Result<Vec<User>, Vec<u8>> {
        let mut reader =
            FileReader { acl: self, file, all_channels, users: BTreeMap::new(), errors: Vec::new() };
        for (i, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if !line.is_empty() {
                reader.line(line, i + 1);
            }
        }
        let FileReader { mut users, mut errors, .. } = reader;
        if !errors.is_empty() {
            errors.extend_from_slice(
                b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
            );
            return Err(errors);
        }
        users
            .entry(DEFAULT_NAME.into())
            .or_insert_with(|| User::almighty(DEFAULT_NAME, self.terms(all_channels)));
        Ok(users.into_values().collect())
    }

    /// The text of a file that describes all users.
    pub fn file_text(&self) -> Vec<u8> {
        self.users().flat_map(|user| [user.line(), b"\n".to_vec()].concat()).collect()
    }
}

/// Reads a file of users, and gathers what is wrong with it.
struct FileReader<'a> {
    acl: &'a Acl,
    file: &'a str,
    all_channels: bool,
    users: BTreeMap<Box<[u8]>, User>,
    errors: Vec<u8>,
}

impl FileReader<'_> {
    /// `user name rule ...`
    fn line(&mut self, line: &[u8], number: usize) {
        let file = self.file;
        let mut words = line.split(|&b| b == b' ');
        let name = words.next().filter(|word| *word == b"user").and_then(|_| words.next());
        let Some(name) = name else {
            return self
                .error(format!("{file}:{number} should start with user keyword followed by the username. "));
        };
        let shown_name = String::from_utf8_lossy(shown(name));
        if has_spaces(name) {
            return self
                .error(format!("'{file}:{number}: username '{shown_name}' contains invalid characters. "));
        }
        if self.users.contains_key(name) {
            return self.error(format!("WARNING: Duplicate user '{shown_name}' found on line {number}. "));
        }
        if self.users.len() >= USERS_MAX {
            return self.error(format!("{file}:{number}: Too many users. "));
        }
        let terms = self.acl.terms(self.all_channels);
        let mut user = User::new(name, terms);
        let Ok(rules) = joined(words) else {
            return self.error(format!("{file}:{number}: Unmatched parenthesis in selector definition."));
        };
        let mut is_broken = false;
        for rule in &rules {
            let rule = rule.trim_ascii();
            match user.apply(rule, terms) {
                Ok(()) => {}
                // What is not known is no secret.
                Err(error @ RuleError::Unknown) => {
                    let (rule, why) = (String::from_utf8_lossy(shown(rule)), error.text());
                    self.error(format!("{file}:{number}: Error in applying operation '{rule}': {why}. "));
                }
                // What follows may be wrong because of the first.
                Err(error) if !std::mem::replace(&mut is_broken, true) => {
                    self.error(format!("{file}:{number}: {}. ", error.text()));
                }
                Err(_) => {}
            }
        }
        self.users.insert(name.into(), user);
    }

    fn error(&mut self, text: String) {
        self.errors.extend_from_slice(text.as_bytes());
    }
}
