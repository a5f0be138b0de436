//! A parameter: its name, the values it takes, and where its value is kept.

use super::{Config, values};

/// A parameter's shape: what values it takes, and how they are written.
pub enum Kind {
    Bool(Place<bool>),
    Int {
        place: Place<i64>,
        min: i128,
        max: i128,
        unit: Unit,
    },
    Enum {
        place: Place<usize>,
        names: &'static [&'static str],
    },
    Text {
        place: Place<String>,
        check: Check,
    },
    /// A text of any bytes.
    Bytes(fn(&mut Config) -> &mut Vec<u8>),
    /// Any other shape, of one argument or several.
    Special {
        get: fn(&Config) -> String,
        set: fn(&mut Config, &[&[u8]]) -> Result<(), String>,
    },
    /// Several arguments of something that is not built.
    List {
        place: Place<String>,
        check: fn(&[&str]) -> Result<(), String>,
    },
}

/// What is wrong with a text.
pub type Check = fn(&str) -> Result<(), String>;

/// The values that CONFIG REWRITE writes, one a line.
pub(super) type Written = fn(&Config) -> Vec<Vec<u8>>;

/// Where a value is kept.
pub enum Place<T> {
    /// In a field, whose reader minds it.
    Field(fn(&mut Config) -> &mut T),
    /// Beside the fields, with this default: nothing depends on it, since what it tunes is not built.
    Stored(&'static str),
    /// Nowhere: what it is about is not built, so this is what holds.
    Fixed(&'static str, Neglect),
}

/// What neglecting another value than the one that holds would mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Neglect {
    /// Less comfort: the value is taken, and logged as without effect.
    Harmless,
    /// Danger for data, access or memory: the value is refused.
    Hazard,
    /// Refused with a text of Valkey's.
    Refused(&'static str),
}

/// How an integer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Plain,
    /// Bytes, also as `10mb`.
    Memory,
    /// Bytes, or a share as `5%`, which is kept as a negative number.
    MemoryOrPercent,
    /// A file mode.
    Octal,
}

/// One parameter.
pub struct Param {
    pub name: &'static str,
    pub alias: Option<&'static str>,
    pub kind: Kind,
    /// Only at the start.
    pub immutable: bool,
    /// Only at the start, unless `enable-protected-configs` says otherwise.
    pub protected: bool,
    /// Takes several arguments.
    pub many: bool,
    /// Its value is kept from logs.
    pub sensitive: bool,
    /// Found by its name, not by a pattern.
    pub hidden: bool,
    /// Not while the data is being loaded.
    pub deny_loading: bool,
    /// Several lines of a file add up, where the last one of another parameter wins.
    pub adds_up: bool,
    /// What CONFIG REWRITE writes behind the name, a line for each item, where that is not the plain value.
    pub(super) written: Option<Written>,
    /// Written by CONFIG REWRITE though it has its default.
    pub(super) always_written: bool,
}

/// A parameter, to be refined by the methods below.
pub(super) const fn param(name: &'static str, kind: Kind) -> Param {
    Param {
        name,
        alias: None,
        kind,
        immutable: false,
        protected: false,
        many: false,
        sensitive: false,
        hidden: false,
        deny_loading: false,
        adds_up: false,
        written: None,
        always_written: false,
    }
}

impl Param {
    pub(super) const fn alias(mut self, alias: &'static str) -> Param {
        self.alias = Some(alias);
        self
    }

    pub(super) const fn immutable(mut self) -> Param {
        self.immutable = true;
        self
    }

    pub(super) const fn protected(mut self) -> Param {
        self.protected = true;
        self
    }

    pub(super) const fn many(mut self) -> Param {
        self.many = true;
        self
    }

    pub(super) const fn sensitive(mut self) -> Param {
        self.sensitive = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Param {
        self.hidden = true;
        self
    }

    pub(super) const fn adds_up(mut self) -> Param {
        self.adds_up = true;
        self
    }

    pub(super) const fn written(mut self, lines: Written) -> Param {
        self.written = Some(lines);
        self
    }

    pub(super) const fn always_written(mut self) -> Param {
        self.always_written = true;
        self
    }

    pub(super) const fn deny_loading(mut self) -> Param {
        self.deny_loading = true;
        self
    }
}

/// What became of a value that was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It holds, or is kept until what it tunes is built.
    Kept,
    /// It is kept, or let go, and changes nothing: what it is about is not built.
    Ignored,
}

/// Why a value is refused whose feature is not built.
const NOT_BUILT: &str =
    "this feature is not built yet, and ignoring it could endanger data, access or memory";

impl Param {
    /// The value as CONFIG GET shows it.
    pub fn get(&self, config: &mut Config) -> Vec<u8> {
        match &self.kind {
            Kind::Bool(place) => self.shown(config, place, |&on| if on { "yes".into() } else { "no".into() }),
            Kind::Int { place, unit, .. } => {
                self.shown(config, place, |&n| values::show_int(n.into(), *unit))
            }
            Kind::Enum { place, names } => self.shown(config, place, |&at| names[at].to_string()),
            Kind::Text { place, .. } | Kind::List { place, .. } => self.shown(config, place, String::clone),
            Kind::Bytes(field) => field(config).clone(),
            Kind::Special { get, .. } => get(config).into_bytes(),
        }
    }

    fn shown<T>(&self, config: &mut Config, place: &Place<T>, show: impl Fn(&T) -> String) -> Vec<u8> {
        match place {
            Place::Field(field) => show(field(config)).into_bytes(),
            Place::Stored(default) => {
                config.stored.get(self.name).map_or(*default, String::as_str).as_bytes().to_vec()
            }
            Place::Fixed(value, _) => value.as_bytes().to_vec(),
        }
    }

    /// Takes a value as a file or CONFIG SET writes it; the error says what is wrong with it, as Valkey words it.
    pub fn set(&self, config: &mut Config, args: &[&[u8]]) -> Result<Taken, String> {
        if !self.many && args.len() != 1 {
            return Err("wrong number of arguments".into());
        }
        let first = args.first().copied().unwrap_or_default();
        match &self.kind {
            Kind::Bool(place) => {
                let on = values::parse_bool(first)?;
                self.keep(config, place, on, |&on| if on { "yes".into() } else { "no".into() })
            }
            Kind::Int { place, min, max, unit } => {
                let n = values::parse_int(first, *unit, *min, *max)?;
                match place {
                    // What is kept in a field has bounds that fit.
                    Place::Field(field) => {
                        *field(config) = n as i64;
                        Ok(Taken::Kept)
                    }
                    _ => self.put(config, place, values::show_int(n, *unit)),
                }
            }
            Kind::Enum { place, names } => {
                let at = values::parse_enum(first, names)?;
                self.keep(config, place, at, |&at| names[at].to_string())
            }
            Kind::Text { place, check } => {
                let text = values::text(first)?;
                check(text)?;
                self.keep(config, place, text.to_string(), String::clone)
            }
            Kind::List { place, check } => {
                let texts: Vec<&str> = args.iter().map(|arg| values::text(arg)).collect::<Result<_, _>>()?;
                check(&texts)?;
                self.keep(config, place, texts.join(" "), String::clone)
            }
            Kind::Bytes(field) => {
                *field(config) = first.to_vec();
                Ok(Taken::Kept)
            }
            Kind::Special { set, .. } => set(config, args).map(|()| Taken::Kept),
        }
    }

    fn keep<T>(
        &self,
        config: &mut Config,
        place: &Place<T>,
        value: T,
        show: impl Fn(&T) -> String,
    ) -> Result<Taken, String> {
        match place {
            Place::Field(field) => {
                *field(config) = value;
                Ok(Taken::Kept)
            }
            _ => self.put(config, place, show(&value)),
        }
    }

    /// Keeps a value that is in no field, if anywhere.
    fn put<T>(&self, config: &mut Config, place: &Place<T>, shown: String) -> Result<Taken, String> {
        match place {
            Place::Field(_) => Ok(Taken::Kept),
            Place::Stored(default) if shown == *default => {
                config.stored.remove(self.name);
                Ok(Taken::Kept)
            }
            Place::Stored(_) => {
                config.stored.insert(self.name, shown);
                Ok(Taken::Ignored)
            }
            Place::Fixed(value, _) if shown == *value => Ok(Taken::Kept),
            Place::Fixed(_, Neglect::Harmless) => Ok(Taken::Ignored),
            Place::Fixed(_, Neglect::Hazard) => Err(NOT_BUILT.into()),
            Place::Fixed(_, Neglect::Refused(why)) => Err((*why).into()),
        }
    }

    /// Whether no value can be kept: CONFIG REWRITE then leaves the lines of a file alone.
    pub fn is_fixed(&self) -> bool {
        match &self.kind {
            Kind::Bool(place) => matches!(place, Place::Fixed(..)),
            Kind::Int { place, .. } => matches!(place, Place::Fixed(..)),
            Kind::Enum { place, .. } => matches!(place, Place::Fixed(..)),
            Kind::Text { place, .. } | Kind::List { place, .. } => matches!(place, Place::Fixed(..)),
            Kind::Bytes(_) | Kind::Special { .. } => false,
        }
    }
}
