//! The table of all commands: finds a command by its name.

use super::spec::{Categories, CommandSpec};
use crate::{
    resp::{
        error::{CmdError, shown},
        request::Args,
    },
    state::acl,
};

/// A command's place in the table.
pub type CommandId = u16;

/// A command with its place, and the container that it belongs to.
pub struct Entry {
    pub spec: &'static CommandSpec,
    pub container: Option<&'static CommandSpec>,
    /// The name by which clients call it; empty where `rename-command` took it away.
    pub name: String,
    /// The name as INFO and errors show it: `get`, `client|list`.
    pub full_name: String,
    /// Where its first key stands; 0 where that varies, or there is none.
    pub first_key: usize,
    /// First and last place of the subcommands.
    subcommands: (CommandId, CommandId),
}

/// All commands by name. Names are at most 24 bytes long.
pub struct Table {
    entries: Vec<Entry>,
    /// The names of `entries` as [`packed`]: 0 where that says too little, or for a subcommand.
    packed: Vec<u64>,
    /// Open addressing over `entries`, top level only.
    slots: Vec<CommandId>,
}

const EMPTY: CommandId = CommandId::MAX;

/// A name of at most 8 bytes in one word, without regard to the case of letters. Two names of which one has nothing but
/// letters are equal where their words are.
#[inline]
fn packed(name: &[u8]) -> u64 {
    let mut word = 0;
    for &b in name.iter().take(8) {
        word = word << 8 | u64::from(b | 0x20);
    }
    word
}

fn hash(name: &[u8]) -> usize {
    // FNV-1a without regard to case; the names are our own, so nobody can choose collisions.
    let mut h: u32 = 0x811c_9dc5;
    for b in name {
        h = (h ^ u32::from(b | 0x20)).wrapping_mul(0x0100_0193);
    }
    (h ^ h >> 15) as usize
}

impl Table {
    /// A table of the given families. Panics where two commands have one name.
    pub fn new(families: &[&'static [CommandSpec]]) -> Table {
        let mut entries: Vec<Entry> = Vec::new();
        for spec in families.iter().copied().flatten() {
            let first = entries.len() as CommandId + 1;
            let last = first + spec.subcommands.len() as CommandId;
            entries.push(Entry {
                spec,
                container: None,
                name: spec.name.into(),
                full_name: spec.name.into(),
                first_key: spec.legacy_range().0 as usize,
                subcommands: (first, last),
            });
            for sub in spec.subcommands {
                let full_name = format!("{}|{}", spec.name, sub.name);
                let first_key = sub.legacy_range().0 as usize;
                entries.push(Entry {
                    spec: sub,
                    container: Some(spec),
                    name: sub.name.into(),
                    full_name,
                    first_key,
                    subcommands: (0, 0),
                });
            }
        }
        let mut table = Table { entries, packed: Vec::new(), slots: Vec::new() };
        table.index();
        table
    }

    /// Fills what finds commands by name. Panics where two have one name.
    fn index(&mut self) {
        self.slots = vec![EMPTY; (self.entries.len() * 4).next_power_of_two()];
        for (id, entry) in self.entries.iter().enumerate() {
            let name = &entry.name;
            if entry.container.is_some() || name.is_empty() {
                continue;
            }
            let mut at = hash(name.as_bytes()) & (self.slots.len() - 1);
            while self.slots[at] != EMPTY {
                assert_ne!(&self.entries[self.slots[at] as usize].name, name, "a command is declared twice");
                at = (at + 1) & (self.slots.len() - 1);
            }
            self.slots[at] = id as CommandId;
        }
        let pack = |entry: &Entry| {
            let name = entry.name.as_bytes();
            let fits =
                entry.container.is_none() && name.len() <= 8 && name.iter().all(u8::is_ascii_lowercase);
            if fits { packed(name) } else { 0 }
        };
        self.packed = self.entries.iter().map(pack).collect();
    }

    /// `rename-command`: clients call a command by another name from now on, or, if that is empty, not at all.
    pub fn rename(&mut self, command: &str, name: &str) -> Result<(), &'static str> {
        let id = self.find(command.as_bytes()).ok_or("No such command in rename-command")?;
        if !name.is_empty() && !name.eq_ignore_ascii_case(command) && self.find(name.as_bytes()).is_some() {
            return Err("Target command name already exists");
        }
        self.entries[id as usize].name = name.into();
        if name.is_empty() {
            let (first, end) = self.entries[id as usize].subcommands;
            self.entries[first as usize..end as usize].iter_mut().for_each(|sub| sub.name.clear());
        }
        self.index();
        Ok(())
    }

    /// The command at a place.
    #[inline]
    pub fn entry(&self, id: CommandId) -> &Entry {
        &self.entries[id as usize]
    }

    /// The place of one of the table's commands.
    pub fn id(&self, entry: &Entry) -> CommandId {
        let offset = std::ptr::from_ref(entry).addr() - self.entries.as_ptr().addr();
        (offset / size_of::<Entry>()) as CommandId
    }

    /// All commands, containers before their subcommands.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The commands that are no subcommands.
    pub fn top_level(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.container.is_none() && !e.name.is_empty())
    }

    /// The subcommands of a command.
    pub fn subcommands(&self, entry: &Entry) -> &[Entry] {
        &self.entries[entry.subcommands.0 as usize..entry.subcommands.1 as usize]
    }

    /// What access control knows of the commands.
    pub fn catalog(&self) -> acl::Catalog {
        let item = |entry: &Entry| acl::Item {
            full_name: entry.full_name.clone(),
            categories: entry.spec.all_categories().0,
            is_subcommand: entry.container.is_some(),
            subcommands: entry.subcommands.0..entry.subcommands.1,
        };
        let categories = Categories::all().map(|(name, bits)| (name.trim_start_matches('@'), bits.0));
        acl::Catalog::new(self.entries.iter().map(item).collect(), categories.collect())
    }

    /// Finds a command that is no subcommand, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<CommandId> {
        let mut at = hash(name) & (self.slots.len() - 1);
        while self.slots[at] != EMPTY {
            let id = self.slots[at];
            if self.entries[id as usize].name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    /// Finds a command by its full name, `config|get` or `get`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Entry> {
        let mut parts = name.splitn(2, |&b| b == b'|');
        let entry = self.entry(self.find(parts.next()?)?);
        match parts.next() {
            None => Some(entry),
            Some(sub) => {
                self.subcommands(entry).iter().find(|e| e.spec.name.as_bytes().eq_ignore_ascii_case(sub))
            }
        }
    }

    /// Finds the command, or subcommand, that `args` call; `last` is tried first, since clients repeat themselves.
    #[inline]
    pub fn lookup(&self, args: Args<'_>, last: CommandId) -> Result<CommandId, CmdError> {
        let name = args.at(0);
        let is_last = name.len() <= 8
            && self.packed.get(last as usize).is_some_and(|&word| word == packed(name) && word != 0);
        let id = if is_last { last } else { self.find(name).ok_or_else(|| unknown(args))? };
        let entry = &self.entries[id as usize];
        if entry.spec.subcommands.is_empty() || args.len() < 2 {
            return Ok(id);
        }
        let (first, end) = entry.subcommands;
        let sub = args.at(1);
        let found = (first..end).find(|&i| self.entry(i).spec.name.as_bytes().eq_ignore_ascii_case(sub));
        found.ok_or_else(|| {
            let sub = shown(&sub[..sub.len().min(128)]);
            let container = entry.spec.name.to_ascii_uppercase();
            let tail = format!("'. Try {container} HELP.");
            CmdError::with([b"ERR unknown subcommand '", sub, tail.as_bytes()].concat())
        })
    }
}

#[cold]
fn unknown(args: Args<'_>) -> CmdError {
    let mut text = b"ERR unknown command '".to_vec();
    let name = args.at(0);
    text.extend_from_slice(shown(&name[..name.len().min(128)]));
    text.extend_from_slice(b"', with args beginning with: ");
    let mut length = 0;
    for arg in args.from(1) {
        if length >= 128 {
            break;
        }
        let part = shown(&arg[..arg.len().min(128 - length)]);
        text.push(b'\'');
        text.extend_from_slice(part);
        text.extend_from_slice(b"' ");
        length += part.len() + 3;
    }
    CmdError::with(text)
}
