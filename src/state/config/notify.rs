//! `notify-keyspace-events`: which events are published, and on which channels.
//!
//! Source: <https://valkey.io/topics/notifications/>.

use crate::store::changes::Class;
use std::fmt::{self, Write};

/// The parameter, parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Notify {
    /// `K`: on `__keyspace@<db>__:<key>`.
    pub keyspace: bool,
    /// `E`: on `__keyevent@<db>__:<event>`.
    pub keyevent: bool,
    /// Classes, as bits.
    classes: u32,
}

/// The classes for which `A` stands.
const COMMON: u32 = {
    let mut bits = 0;
    let mut i = 0;
    while i < Class::ALL.len() {
        let class = Class::ALL[i];
        if !matches!(class, Class::KeyMiss | Class::New) {
            bits |= class.bit();
        }
        i += 1;
    }
    bits
};

impl Notify {
    /// The classes to record, as bits: none where no channel is chosen.
    pub fn interest(&self) -> u32 {
        if self.keyspace || self.keyevent { self.classes } else { 0 }
    }

    /// Whether the class with this letter is chosen.
    fn has(&self, letter: char) -> bool {
        Class::ALL.iter().any(|class| class.letter() == letter && self.classes & class.bit() != 0)
    }

    /// Reads the letters of the parameter.
    pub fn parse(text: &str) -> Result<Notify, String> {
        let mut notify = Notify::default();
        for letter in text.chars() {
            match letter {
                'K' => notify.keyspace = true,
                'E' => notify.keyevent = true,
                'A' => notify.classes |= COMMON,
                _ => match Class::ALL.iter().find(|class| class.letter() == letter) {
                    Some(class) => notify.classes |= class.bit(),
                    None => return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
                },
            }
        }
        Ok(notify)
    }
}

impl fmt::Display for Notify {
    /// The letters as CONFIG GET shows them, in Valkey's order: `n` goes unsaid beside `A`, `m` comes last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.classes & COMMON == COMMON {
            f.write_str("A")?;
        } else {
            "g$lshzxetdn".chars().filter(|&c| self.has(c)).try_for_each(|c| f.write_char(c))?;
        }
        if self.keyspace {
            f.write_str("K")?;
        }
        if self.keyevent {
            f.write_str("E")?;
        }
        if self.has('m') {
            f.write_str("m")?;
        }
        Ok(())
    }
}
