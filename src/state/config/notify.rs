//! `notify-keyspace-events`: which events are published, and on which channels.
//!
//! Source: <https://valkey.io/topics/notifications/>.

use crate::store::changes::Class;
use std::fmt;

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
    /// The letters as CONFIG GET shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common = self.classes & COMMON == COMMON;
        if common {
            f.write_str("A")?;
        }
        for class in Class::ALL {
            if self.classes & class.bit() != 0 && !(common && COMMON & class.bit() != 0) {
                write!(f, "{}", class.letter())?;
            }
        }
        if self.keyspace {
            f.write_str("K")?;
        }
        if self.keyevent {
            f.write_str("E")?;
        }
        Ok(())
    }
}
