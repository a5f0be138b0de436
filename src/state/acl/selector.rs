//! A selector: commands, keys and channels that go together. A call is allowed where one selector allows all of it.

use super::{
    Catalog, RuleError, Terms,
    catalog::Command,
    rules::{LIST_MAX, has_spaces},
};
use crate::{base::glob, resp::error::shown, state::config::words};

/// What is done to a key: read, written, both, or neither, as by EXISTS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyAccess {
    pub read: bool,
    pub write: bool,
}

impl KeyAccess {
    const ALL: KeyAccess = KeyAccess { read: true, write: true };

    /// Whether it holds all that is wanted.
    fn covers(self, wanted: KeyAccess) -> bool {
        (self.read || !wanted.read) && (self.write || !wanted.write)
    }

    /// What stands before the pattern in a rule.
    fn prefix(self) -> &'static [u8] {
        match (self.read, self.write) {
            (true, false) => b"%R~",
            (false, true) => b"%W~",
            _ => b"~",
        }
    }
}

#[derive(Clone, Debug)]
struct KeyPattern {
    access: KeyAccess,
    pattern: Box<[u8]>,
}

/// A rule about commands that is still in force.
#[derive(Clone, Debug)]
struct CommandRule {
    allows: bool,
    /// A command, a category with its `@`, or a command and a first argument; in lower case.
    name: String,
}

/// Commands, keys and channels that go together.
#[derive(Clone, Debug)]
pub struct Selector {
    /// Every command, without a look at the bits.
    all_commands: bool,
    /// The rules begin with `+@all`: commands to come are allowed, too.
    from_all: bool,
    /// A bit for each command.
    commands: Box<[u64]>,
    /// Commands that are allowed with these first arguments.
    first_args: Vec<(Command, Box<[u8]>)>,
    /// The rules about commands in their order, as they are shown.
    rules: Vec<CommandRule>,
    all_keys: bool,
    keys: Vec<KeyPattern>,
    all_channels: bool,
    channels: Vec<Box<[u8]>>,
}

impl Selector {
    /// One that allows nothing, but for the channels that are open by default.
    pub fn new(terms: Terms<'_>) -> Selector {
        Selector {
            all_commands: false,
            from_all: false,
            commands: vec![0; terms.catalog.len().div_ceil(64)].into(),
            first_args: Vec::new(),
            rules: Vec::new(),
            all_keys: false,
            keys: Vec::new(),
            all_channels: terms.all_channels,
            channels: Vec::new(),
        }
    }

    /// Memory held besides its own size, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let rules = self.rules.iter().map(|rule| rule.name.capacity());
        let keys = self.keys.iter().map(|key| key.pattern.len());
        let first_args = self.first_args.iter().map(|(_, arg)| arg.len());
        let channels = self.channels.iter().map(|channel| channel.len());
        size_of_val(&*self.commands)
            + self.rules.capacity() * size_of::<CommandRule>()
            + self.keys.capacity() * size_of::<KeyPattern>()
            + self.first_args.capacity() * size_of::<(Command, Box<[u8]>)>()
            + self.channels.capacity() * size_of::<Box<[u8]>>()
            + rules.chain(keys).chain(first_args).chain(channels).sum::<usize>()
    }

    /// Whether it allows everything.
    pub fn is_unrestricted(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels
    }

    /// Whether a command is allowed with its first argument.
    #[inline]
    pub fn allows_command(&self, id: Command, first_arg: Option<&[u8]>) -> bool {
        self.all_commands || self.has(id) || self.allows_first_arg(id, first_arg)
    }

    #[cold]
    fn allows_first_arg(&self, id: Command, first_arg: Option<&[u8]>) -> bool {
        let Some(arg) = first_arg.map(shown) else { return false };
        self.first_args.iter().any(|(command, allowed)| *command == id && allowed.eq_ignore_ascii_case(arg))
    }

    fn has(&self, id: Command) -> bool {
        self.commands.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Whether any key is allowed.
    #[inline]
    pub fn allows_all_keys(&self) -> bool {
        self.all_keys
    }

    /// Whether any key may be read.
    pub fn may_read_all_keys(&self) -> bool {
        self.all_keys || self.keys.iter().any(|key| key.access.read && *key.pattern == *b"*")
    }

    /// Whether this may be done to a key.
    pub fn allows_key(&self, name: &[u8], wanted: KeyAccess) -> bool {
        let fits = |key: &KeyPattern| key.access.covers(wanted) && glob::matches(&key.pattern, name);
        self.all_keys || self.keys.iter().any(fits)
    }

    /// Whether any channel is allowed.
    #[inline]
    pub fn allows_all_channels(&self) -> bool {
        self.all_channels
    }

    /// Whether a channel is allowed; a pattern of channels only as it stands.
    pub fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        let fits = |allowed: &[u8]| if is_pattern { allowed == name } else { glob::matches(allowed, name) };
        self.all_channels || self.channels.iter().any(|allowed| fits(allowed))
    }

    /// The patterns of channels that it allows.
    pub fn channels(&self) -> &[Box<[u8]>] {
        &self.channels
    }

    /// A selector from its rules between parentheses.
    pub fn parse(text: &[u8], terms: Terms<'_>) -> Result<Selector, RuleError> {
        let mut selector = Selector::new(terms);
        for rule in words(text).unwrap_or_default() {
            selector.apply(&rule, terms.catalog)?;
        }
        Ok(selector)
    }

    /// Follows one rule, or, on an error, leaves all as it was.
    pub fn apply(&mut self, rule: &[u8], catalog: &Catalog) -> Result<(), RuleError> {
        let word = shown(rule).to_ascii_lowercase();
        match word.as_slice() {
            b"allkeys" | b"~*" => (self.all_keys, self.keys) = (true, Vec::new()),
            b"resetkeys" => (self.all_keys, self.keys) = (false, Vec::new()),
            b"allchannels" | b"&*" => (self.all_channels, self.channels) = (true, Vec::new()),
            b"resetchannels" => (self.all_channels, self.channels) = (false, Vec::new()),
            b"allcommands" | b"+@all" => self.reset_commands(true),
            b"nocommands" | b"-@all" => self.reset_commands(false),
            [b'~' | b'%', ..] => self.add_key(rule)?,
            [b'&', ..] => self.add_channel(&rule[1..])?,
            [sign @ (b'+' | b'-'), b'@', ..] => self.set_category(&word[1..], *sign == b'+', catalog)?,
            [sign @ (b'+' | b'-'), name @ ..] => self.set_command(name, *sign == b'+', catalog)?,
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn reset_commands(&mut self, allows: bool) {
        (self.all_commands, self.from_all) = (allows, allows);
        self.commands.fill(if allows { u64::MAX } else { 0 });
        self.first_args.clear();
        self.rules.clear();
    }

    /// `~pattern`, or `%R~pattern` and the like.
    fn add_key(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::KeysAreOpen);
        }
        let (access, pattern) = match rule {
            [b'%', rest @ ..] => key_access(rest)?,
            _ => (KeyAccess::ALL, &rule[1..]),
        };
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if let Some(known) = self.keys.iter_mut().find(|key| *key.pattern == *pattern) {
            known.access.read |= access.read;
            known.access.write |= access.write;
            return Ok(());
        }
        if self.keys.len() >= LIST_MAX {
            return Err(RuleError::TooMany);
        }
        self.keys.push(KeyPattern { access, pattern: pattern.into() });
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::ChannelsAreOpen);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if self.channels.iter().any(|known| **known == *pattern) {
            return Ok(());
        }
        if self.channels.len() >= LIST_MAX {
            return Err(RuleError::TooMany);
        }
        self.channels.push(pattern.into());
        Ok(())
    }

    /// `+@category`: what belongs to it, with all subcommands.
    fn set_category(&mut self, name: &[u8], allows: bool, catalog: &Catalog) -> Result<(), RuleError> {
        let category = catalog.category(&name[1..]).ok_or(RuleError::Unknown)?;
        for (id, _) in catalog.members(category) {
            self.set(id, allows, catalog);
        }
        self.note(String::from_utf8_lossy(name).into_owned(), allows);
        Ok(())
    }

    /// `+command`, `+command|subcommand`, or `+command|argument` for a command that has no subcommands.
    fn set_command(&mut self, name: &[u8], allows: bool, catalog: &Catalog) -> Result<(), RuleError> {
        let bar = name.iter().rposition(|&b| b == b'|').filter(|_| allows);
        if let Some(bar) = bar {
            let (container, arg) = (&name[..bar], &name[bar + 1..]);
            let id = catalog.find(container).ok_or(RuleError::Unknown)?;
            let item = catalog.item(id);
            if item.is_subcommand {
                return Err(RuleError::ArgumentOfSubcommand);
            }
            if arg.is_empty() {
                return Err(RuleError::Syntax);
            }
            if item.subcommands.is_empty() {
                return self.add_first_arg(id, &item.full_name, arg);
            }
        }
        let id = catalog.find(name).ok_or(RuleError::Unknown)?;
        self.set(id, allows, catalog);
        self.note(catalog.item(id).full_name.clone(), allows);
        Ok(())
    }

    fn add_first_arg(&mut self, id: Command, name: &str, arg: &[u8]) -> Result<(), RuleError> {
        // What a file could not hold as one word cannot be a rule.
        let text = std::str::from_utf8(arg).ok().filter(|_| !has_spaces(arg)).ok_or(RuleError::Syntax)?;
        if self.first_args.iter().all(|(command, known)| *command != id || **known != *arg) {
            if self.first_args.len() >= LIST_MAX {
                return Err(RuleError::TooMany);
            }
            self.first_args.push((id, arg.into()));
        }
        self.note(format!("{name}|{text}"), true);
        Ok(())
    }

    /// Allows a command with all its subcommands, or not.
    fn set(&mut self, id: Command, allows: bool, catalog: &Catalog) {
        self.first_args.retain(|(command, _)| *command != id);
        self.all_commands &= allows;
        for id in std::iter::once(id).chain(catalog.item(id).subcommands.clone()) {
            let bit = 1 << (id % 64);
            let word = &mut self.commands[id as usize / 64];
            *word = if allows { *word | bit } else { *word & !bit };
        }
    }

    /// Notes a rule about commands as the last one; what it says again, or says of a whole whose part was named, is
    /// forgotten.
    fn note(&mut self, name: String, allows: bool) {
        self.rules.retain(|rule| match rule.name.strip_prefix(name.as_str()) {
            Some(rest) => !(rest.is_empty() || rest.starts_with('|')),
            None => true,
        });
        self.rules.push(CommandRule { allows, name });
    }

    /// The rules about commands.
    pub fn write_commands(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.from_all { b"+@all" } else { b"-@all" });
        for rule in &self.rules {
            out.extend_from_slice(if rule.allows { b" +" } else { b" -" });
            out.extend_from_slice(rule.name.as_bytes());
        }
    }

    /// The rules about keys.
    pub fn write_keys(&self, out: &mut Vec<u8>) {
        if self.all_keys {
            out.extend_from_slice(b"~*");
        }
        for (i, key) in self.keys.iter().enumerate() {
            if i > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(key.access.prefix());
            out.extend_from_slice(&key.pattern);
        }
    }

    /// The rules about channels.
    pub fn write_channels(&self, out: &mut Vec<u8>) {
        if self.all_channels {
            out.extend_from_slice(b"&*");
        }
        for (i, channel) in self.channels.iter().enumerate() {
            if i > 0 {
                out.push(b' ');
            }
            out.push(b'&');
            out.extend_from_slice(channel);
        }
    }

    /// All rules in one line, from which the same selector can be made.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.all_keys || !self.keys.is_empty() {
            self.write_keys(out);
            out.push(b' ');
        }
        if !self.all_channels {
            out.extend_from_slice(b"resetchannels ");
        }
        if self.all_channels || !self.channels.is_empty() {
            self.write_channels(out);
            out.push(b' ');
        }
        self.write_commands(out);
    }
}

/// The letters before a `~`, and the pattern behind it. Without a `~` the pattern is empty.
fn key_access(rest: &[u8]) -> Result<(KeyAccess, &[u8]), RuleError> {
    let mut access = KeyAccess::default();
    for (i, letter) in rest.iter().enumerate() {
        match letter.to_ascii_uppercase() {
            b'R' if !access.read => access.read = true,
            b'W' if !access.write => access.write = true,
            b'~' if access != KeyAccess::default() => return Ok((access, &rest[i + 1..])),
            _ => return Err(RuleError::Syntax),
        }
    }
    if access == KeyAccess::default() { Err(RuleError::Syntax) } else { Ok((access, b"")) }
}
