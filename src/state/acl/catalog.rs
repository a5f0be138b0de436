//! What rules can name: commands and subcommands, by the names that no `rename-command` changes, and categories.

use std::{collections::BTreeMap, ops::Range};

/// A command's place in the table of commands.
pub type Command = u16;

/// A command as rules see it.
#[derive(Debug)]
pub struct Item {
    /// In lower case: `get`, `client|list`.
    pub full_name: String,
    /// Its categories, as bits.
    pub categories: u32,
    pub is_subcommand: bool,
    pub subcommands: Range<Command>,
}

/// All that rules can name.
#[derive(Default, Debug)]
pub struct Catalog {
    commands: Vec<Item>,
    by_name: BTreeMap<String, Command>,
    categories: Vec<(&'static str, u32)>,
}

impl Catalog {
    /// The commands in the order of the table, and the names of categories with their bits.
    pub fn new(commands: Vec<Item>, categories: Vec<(&'static str, u32)>) -> Catalog {
        let names = commands.iter().enumerate().map(|(id, item)| (item.full_name.clone(), id as Command));
        Catalog { by_name: names.collect(), commands, categories }
    }

    /// How many commands there are, subcommands included.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// A command by its full name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<Command> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        self.by_name.get(&name).copied()
    }

    /// A command by its place.
    pub fn item(&self, id: Command) -> &Item {
        &self.commands[id as usize]
    }

    /// The bits of a category, by its name in any case.
    pub fn category(&self, name: &[u8]) -> Option<u32> {
        let found = self.categories.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
        found.map(|(_, bits)| *bits)
    }

    /// The names of all categories.
    pub fn categories(&self) -> impl ExactSizeIterator<Item = &'static str> + '_ {
        self.categories.iter().map(|(name, _)| *name)
    }

    /// The commands of a category.
    pub fn members(&self, category: u32) -> impl Iterator<Item = (Command, &Item)> + '_ {
        let all = self.commands.iter().enumerate().map(|(id, item)| (id as Command, item));
        all.filter(move |(_, item)| item.categories & category != 0)
    }
}
