//! The table of all commands: finds a command by its name.

use super::spec::CommandSpec;
use crate::resp::{
    error::{CmdError, shown},
    request::Args,
};

/// A command's place in the table.
pub type CommandId = u16;

/// A command with its place, and the container that it belongs to.
pub struct Entry {
    pub spec: &'static CommandSpec,
    pub container: Option<&'static CommandSpec>,
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
        let mut top = Vec::new();
        for spec in families.iter().copied().flatten() {
            top.push(entries.len() as CommandId);
            let first = entries.len() as CommandId + 1;
            let last = first + spec.subcommands.len() as CommandId;
            entries.push(Entry {
                spec,
                container: None,
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
                    full_name,
                    first_key,
                    subcommands: (0, 0),
                });
            }
        }
        let mut slots = vec![EMPTY; (top.len() * 4).next_power_of_two()];
        for id in top {
            let name = entries[id as usize].spec.name;
            let mut at = hash(name.as_bytes()) & (slots.len() - 1);
            while slots[at] != EMPTY {
                assert_ne!(entries[slots[at] as usize].spec.name, name, "a command is declared twice");
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = id;
        }
        let pack = |entry: &Entry| {
            let name = entry.spec.name.as_bytes();
            let fits =
                entry.container.is_none() && name.len() <= 8 && name.iter().all(u8::is_ascii_lowercase);
            if fits { packed(name) } else { 0 }
        };
        let packed = entries.iter().map(pack).collect();
        Table { entries, packed, slots }
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
        self.entries.iter().filter(|e| e.container.is_none())
    }

    /// The subcommands of a command.
    pub fn subcommands(&self, entry: &Entry) -> &[Entry] {
        &self.entries[entry.subcommands.0 as usize..entry.subcommands.1 as usize]
    }

    /// Finds a command that is no subcommand, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<CommandId> {
        let mut at = hash(name) & (self.slots.len() - 1);
        while self.slots[at] != EMPTY {
            let id = self.slots[at];
            if self.entries[id as usize].spec.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    /// Finds a command by its full name, `config|get` or `get`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|e| e.full_name.as_bytes().eq_ignore_ascii_case(name))
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
