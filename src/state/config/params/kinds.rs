//! Short names for the shapes in the tables beside this file.

use super::super::{Check, Config, Kind, Neglect, Place, Unit};

pub const INT_MAX: i128 = i32::MAX as i128;
pub const UINT_MAX: i128 = u32::MAX as i128;
pub const LONG_MAX: i128 = i64::MAX as i128;

const ANY: Check = |_| Ok(());

pub const fn flag(field: fn(&mut Config) -> &mut bool) -> Kind {
    Kind::Bool(Place::Field(field))
}

pub const fn int(field: fn(&mut Config) -> &mut i64, min: i128, max: i128) -> Kind {
    Kind::Int { place: Place::Field(field), min, max, unit: Unit::Plain }
}

pub const fn memory(field: fn(&mut Config) -> &mut i64, min: i128, max: i128) -> Kind {
    Kind::Int { place: Place::Field(field), min, max, unit: Unit::Memory }
}

pub const fn memory_or_percent(field: fn(&mut Config) -> &mut i64, min: i128, max: i128) -> Kind {
    Kind::Int { place: Place::Field(field), min, max, unit: Unit::MemoryOrPercent }
}

pub const fn choice(field: fn(&mut Config) -> &mut usize, names: &'static [&'static str]) -> Kind {
    Kind::Enum { place: Place::Field(field), names }
}

pub const fn text(field: fn(&mut Config) -> &mut String) -> Kind {
    Kind::Text { place: Place::Field(field), check: ANY }
}

pub const fn checked_text(field: fn(&mut Config) -> &mut String, check: Check) -> Kind {
    Kind::Text { place: Place::Field(field), check }
}

pub const fn stored_flag(default: &'static str) -> Kind {
    Kind::Bool(Place::Stored(default))
}

pub const fn stored_int(default: &'static str, min: i128, max: i128) -> Kind {
    Kind::Int { place: Place::Stored(default), min, max, unit: Unit::Plain }
}

pub const fn stored_memory(default: &'static str, min: i128, max: i128) -> Kind {
    Kind::Int { place: Place::Stored(default), min, max, unit: Unit::Memory }
}

pub const fn stored_choice(default: &'static str, names: &'static [&'static str]) -> Kind {
    Kind::Enum { place: Place::Stored(default), names }
}

pub const fn stored_text(default: &'static str) -> Kind {
    Kind::Text { place: Place::Stored(default), check: ANY }
}

pub const fn stored_checked_text(default: &'static str, check: Check) -> Kind {
    Kind::Text { place: Place::Stored(default), check }
}

pub const fn fixed_flag(value: &'static str, neglect: Neglect) -> Kind {
    Kind::Bool(Place::Fixed(value, neglect))
}

pub const fn fixed_int(value: &'static str, min: i128, max: i128, unit: Unit, neglect: Neglect) -> Kind {
    Kind::Int { place: Place::Fixed(value, neglect), min, max, unit }
}

pub const fn fixed_text(value: &'static str, neglect: Neglect) -> Kind {
    Kind::Text { place: Place::Fixed(value, neglect), check: ANY }
}

pub const fn fixed_list(
    value: &'static str,
    neglect: Neglect,
    check: fn(&[&str]) -> Result<(), String>,
) -> Kind {
    Kind::List { place: Place::Fixed(value, neglect), check }
}
