//! `cjson`: Lua's values as JSON and back, with the conversions, limits and messages of lua-cjson 2.1.
//!
//! Source: <https://kyne.au/~mark/software/lua-cjson-manual.html>.

mod decode;
mod encode;

use super::{
    sandbox,
    stack::{Kind, Native, Raise, Results, Stack, c_long},
};
use crate::resp::error::shown;
use std::ptr;

/// Most sets of parameters that one run may make with `cjson.new`.
const CONFIGS_MAX: usize = 4096;

/// What scripts can set. All of it is as at first again after each run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    sparse_as_object: bool,
    sparse_ratio: i32,
    sparse_safe: i32,
    encode_max_depth: i32,
    decode_max_depth: i32,
    encode_invalid: Invalid,
    decode_invalid: bool,
    keep_buffer: bool,
    precision: i32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            sparse_as_object: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_max_depth: 1000,
            decode_max_depth: 1000,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
            keep_buffer: true,
            precision: 14,
        }
    }
}

/// What becomes of numbers that JSON has no form for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Invalid {
    Refused,
    /// Written as C does.
    Written,
    /// Written as `null`.
    Null,
}

/// Pushes the library, with parameters of its own.
pub(super) fn push_library(stack: &Stack) -> Results {
    const FUNCTIONS: [(&str, Native); 10] = [
        ("encode", encode::encode),
        ("decode", decode::decode),
        ("encode_sparse_array", sparse_array),
        ("encode_max_depth", |stack| max_depth(stack, |config| &mut config.encode_max_depth)),
        ("decode_max_depth", |stack| max_depth(stack, |config| &mut config.decode_max_depth)),
        ("encode_number_precision", precision),
        ("encode_keep_buffer", |stack| switch(stack, |config| &mut config.keep_buffer)),
        ("encode_invalid_numbers", encode_invalid_numbers),
        ("decode_invalid_numbers", |stack| switch(stack, |config| &mut config.decode_invalid)),
        ("new", push_library),
    ];
    let number = {
        let mut configs = stack.kept().json.borrow_mut();
        if configs.len() >= CONFIGS_MAX {
            drop(configs);
            return Err(stack.raise(b"not enough memory"));
        }
        configs.push(Config::default());
        configs.len() - 1
    };
    stack.push_table(0, 16);
    for (name, function) in FUNCTIONS {
        stack.push_number(number as f64);
        stack.push_bound_native(function, 1);
        stack.set_field(-2, name.as_bytes());
    }
    push_null(stack);
    stack.set_field(-2, b"null");
    sandbox::set_texts(stack, &[("_NAME", "cjson"), ("_VERSION", "2.1.0")]);
    Ok(1)
}

/// Pushes what stands for `null`, which no table can hold otherwise.
fn push_null(stack: &Stack) {
    stack.push_light(ptr::null());
}

/// Looks at, or changes, the parameters that are bound to the function that runs.
fn with_config<R>(stack: &Stack, f: impl FnOnce(&mut Config) -> R) -> R {
    stack.push_bound(1);
    let number = stack.number(-1) as usize;
    stack.pop(1);
    let mut configs = stack.kept().json.borrow_mut();
    // What a library kept of another run has the usual parameters.
    let number = if number < configs.len() { number } else { 0 };
    f(&mut configs[number])
}

/// Checks how many arguments there are, and fills up with nil.
fn pad(stack: &Stack, n: i32) -> Result<(), Raise> {
    if stack.top() > n {
        return Err(stack.bad_argument(n + 1, "found too many arguments"));
    }
    stack.set_top(n);
    Ok(())
}

/// An argument that is an integer within bounds, and the value that is set now.
fn integer(
    stack: &Stack,
    i: i32,
    (min, max): (i32, i32),
    field: fn(&mut Config) -> &mut i32,
) -> Result<(), Raise> {
    if stack.kind(i) != Kind::Nil {
        let value = c_long(stack.number_arg(i)?) as i32;
        if !(min..=max).contains(&value) {
            return Err(stack.bad_argument(1, format!("expected integer between {min} and {max}")));
        }
        with_config(stack, |config| *field(config) = value);
    }
    let value = with_config(stack, |config| *field(config));
    stack.push_number(value.into());
    Ok(())
}

/// An argument that is one of some words, or a boolean: its place among them. `None` where it is absent.
fn word(stack: &Stack, i: i32, words: &[&str]) -> Result<Option<usize>, Raise> {
    match stack.kind(i) {
        Kind::Nil => Ok(None),
        Kind::Boolean => Ok(Some(stack.boolean(i).into())),
        _ => {
            let text = stack.text_arg(i)?;
            let found = words.iter().position(|word| word.as_bytes() == text);
            found
                .map(Some)
                .ok_or_else(|| stack.bad_argument(i, [b"invalid option '", shown(text), b"'"].concat()))
        }
    }
}

fn set_switch(stack: &Stack, field: fn(&mut Config) -> &mut bool) -> Result<(), Raise> {
    if let Some(value) = word(stack, 1, &["off", "on"])? {
        with_config(stack, |config| *field(config) = value == 1);
    }
    stack.push_boolean(with_config(stack, |config| *field(config)));
    Ok(())
}

fn switch(stack: &Stack, field: fn(&mut Config) -> &mut bool) -> Results {
    pad(stack, 1)?;
    set_switch(stack, field)?;
    Ok(1)
}

fn sparse_array(stack: &Stack) -> Results {
    pad(stack, 3)?;
    set_switch(stack, |config| &mut config.sparse_as_object)?;
    integer(stack, 2, (0, i32::MAX), |config| &mut config.sparse_ratio)?;
    integer(stack, 3, (0, i32::MAX), |config| &mut config.sparse_safe)?;
    Ok(3)
}

fn max_depth(stack: &Stack, field: fn(&mut Config) -> &mut i32) -> Results {
    pad(stack, 1)?;
    integer(stack, 1, (1, i32::MAX), field)?;
    Ok(1)
}

fn precision(stack: &Stack) -> Results {
    pad(stack, 1)?;
    integer(stack, 1, (1, 14), |config| &mut config.precision)?;
    Ok(1)
}

fn encode_invalid_numbers(stack: &Stack) -> Results {
    pad(stack, 1)?;
    let wanted = word(stack, 1, &["off", "on", "null"])?;
    let invalid = with_config(stack, |config| {
        config.encode_invalid = match wanted {
            None => config.encode_invalid,
            Some(0) => Invalid::Refused,
            Some(1) => Invalid::Written,
            Some(_) => Invalid::Null,
        };
        config.encode_invalid
    });
    match invalid {
        Invalid::Null => stack.push_bytes(b"null"),
        other => stack.push_boolean(other == Invalid::Written),
    }
    Ok(1)
}
