//! What scripts find: Lua's libraries without what reaches out of the state, and the server's own, all of it the same
//! for every script.
//!
//! Lua 5.1 has no tables that cannot be changed. What scripts see of a library is therefore an empty table, whose
//! metatable leads reads to the real one and refuses writes; the functions that go past metatables know such tables and
//! treat them like what stands behind.

use super::{
    api, bit, cjson, cmsgpack,
    host::Mode,
    meter::MEMORY_MAX_BYTES,
    stack::{Kind, Native, Raise, Results, Stack},
    struct_pack,
};
use mlua_sys::lua51::{self as ffi, lua_CFunction, lua_State};
use std::ffi::{CString, c_int};

const READONLY: &[u8] = b"Attempt to modify a readonly table";

/// Longest pattern: matching goes one frame deeper for each of its items at most.
const PATTERN_MAX_BYTES: usize = 8192;

/// Keys of the registry and of metatables: only their addresses count, so they must differ.
static GLOBALS: u8 = 1;
static REAL_GLOBALS: u8 = 2;
static LIBRARY_GLOBALS: u8 = 3;
static GLOBALS_METATABLE: u8 = 4;
static SHOWN_METATABLE: u8 = 5;
static FROZEN: u8 = 6;

/// What Lua's base library brings and no script gets.
const REMOVED: [&[u8]; 6] = [b"dofile", b"loadfile", b"print", b"newproxy", b"getfenv", b"setfenv"];

/// Fills a new state.
pub(super) fn furnish(stack: &Stack, mode: Mode) {
    let libraries: [lua_CFunction; 4] =
        [ffi::luaopen_base, ffi::luaopen_table, ffi::luaopen_string, ffi::luaopen_math];
    for open in libraries {
        push_original(stack, open);
        stack.call(0, 0).expect("Lua's own libraries load");
    }
    // SAFETY: the globals are a table.
    unsafe { ffi::lua_pushvalue(stack.raw(), ffi::LUA_GLOBALSINDEX) };
    let globals = stack.top();
    for name in REMOVED {
        stack.push_nil();
        stack.set_field(globals, name);
    }
    guard_base(stack, globals);
    edit_library(stack, globals, b"table", |stack| {
        guard(stack, b"insert", insert_unless_frozen);
        for name in [&b"foreach"[..], b"foreachi", b"getn", b"maxn", b"concat"] {
            guard(stack, name, with_real);
        }
    });
    edit_library(stack, globals, b"string", |stack| {
        for name in [&b"find"[..], b"match", b"gmatch", b"gfind", b"gsub"] {
            guard(stack, name, unless_long_pattern);
        }
        set_functions(stack, &[("rep", rep)]);
    });
    edit_library(stack, globals, b"math", |stack| {
        set_functions(stack, &[("random", random), ("randomseed", randomseed)]);
    });
    new_library(stack, globals, b"os", &[("clock", clock)]);
    new_library(stack, globals, b"bit", &bit::FUNCTIONS);
    new_library(stack, globals, b"struct", &struct_pack::FUNCTIONS);
    cmsgpack::push_library(stack);
    stack.set_field(globals, b"cmsgpack");
    cjson::push_library(stack).expect("it has room for its first parameters");
    stack.set_field(globals, b"cjson");
    api::push_table(stack, mode);
    stack.push_copy(-1);
    stack.set_field(globals, b"redis");
    stack.set_field(globals, b"server");
    if mode == Mode::Scripts {
        for name in [&b"__server__err__handler"[..], b"__redis__err__handler"] {
            stack.push_native(api::handle_error);
            stack.set_field(globals, name);
        }
    }
    freeze_all(stack, globals, mode);
    stack.set_top(0);
}

/// The functions of the base library that would see through, or past, a metatable.
fn guard_base(stack: &Stack, globals: i32) {
    stack.push_copy(globals);
    guard(stack, b"rawset", set_unless_frozen);
    guard(stack, b"setmetatable", metatable_unless_frozen);
    stack.get_field(-1, b"next");
    stack.push_bound_native(pairs, 1);
    stack.set_field(-2, b"pairs");
    for name in [&b"next"[..], b"rawget"] {
        guard(stack, name, with_real);
    }
    guard(stack, b"collectgarbage", collect);
    guard(stack, b"getmetatable", metatable);
    let functions: [(&str, Native); 5] = [
        ("unpack", unpack),
        ("load", load),
        ("loadstring", loadstring),
        ("pcall", pcall),
        ("xpcall", xpcall),
    ];
    set_functions(stack, &functions);
    stack.pop(1);
}

fn edit_library(stack: &Stack, globals: i32, name: &[u8], edit: fn(&Stack)) {
    stack.get_field(globals, name);
    edit(stack);
    stack.pop(1);
}

fn new_library(stack: &Stack, globals: i32, name: &[u8], functions: &[(&str, Native)]) {
    stack.push_table(0, functions.len());
    set_functions(stack, functions);
    stack.set_field(globals, name);
}

/// Puts native functions into the table on top of the stack.
pub(super) fn set_functions(stack: &Stack, functions: &[(&str, Native)]) {
    for &(name, function) in functions {
        stack.push_native(function);
        stack.set_field(-2, name.as_bytes());
    }
}

/// Puts texts into the table on top of the stack.
pub(super) fn set_texts(stack: &Stack, texts: &[(&str, &str)]) {
    for &(name, text) in texts {
        stack.push_bytes(text.as_bytes());
        stack.set_field(-2, name.as_bytes());
    }
}

fn push_original(stack: &Stack, function: lua_CFunction) {
    // SAFETY: there is room.
    unsafe { ffi::lua_pushcclosure(stack.raw(), function, 0) };
}

/// Puts `by` before the function of Lua's with this name in the table on top of the stack, which becomes its upvalue.
fn guard(stack: &Stack, name: &[u8], by: lua_CFunction) {
    stack.get_field(-1, name);
    // SAFETY: the function becomes the one upvalue.
    unsafe { ffi::lua_pushcclosure(stack.raw(), by, 1) };
    stack.set_field(-2, name);
}

/// Freezes all that can be reached from the globals, and makes the frozen globals those of all scripts.
fn freeze_all(stack: &Stack, globals: i32, mode: Mode) {
    let mut names = Vec::new();
    stack.push_nil();
    while stack.next(globals) {
        if stack.kind(-1) == Kind::Table && stack.pointer(-1) != stack.pointer(globals) {
            names.extend(stack.bytes(-2).map(<[u8]>::to_vec));
        }
        stack.pop(1);
    }
    // `redis` and `server` stay one table.
    names.retain(|name| name != b"server");
    for name in names {
        stack.get_field(globals, &name);
        freeze(stack);
        stack.set_field(globals, &name);
    }
    stack.get_field(globals, b"redis");
    stack.set_field(globals, b"server");
    freeze_strings(stack, globals);
    refuse_absent(stack, globals);
    stack.push_copy(globals);
    stack.register(&REAL_GLOBALS);
    stack.push_copy(globals);
    freeze(stack);
    let frozen = stack.top();
    stack.push_metatable(frozen);
    stack.register(&GLOBALS_METATABLE);
    stack.push_copy(frozen);
    stack.set_field(globals, b"_G");
    // What scripts get for the metatable of the globals.
    stack.push_table(0, 1);
    stack.push_native(absent);
    stack.set_field(-2, b"__index");
    freeze(stack);
    stack.register(&SHOWN_METATABLE);
    if mode == Mode::Functions {
        stack.push_table(0, 2);
        let library = stack.top();
        api::push_library_table(stack);
        refuse_absent(stack, -1);
        freeze(stack);
        stack.push_copy(-1);
        stack.set_field(library, b"redis");
        stack.set_field(library, b"server");
        refuse_absent(stack, library);
        stack.register(&LIBRARY_GLOBALS);
    }
    stack.push_copy(frozen);
    stack.register(&GLOBALS);
    tidy(stack);
}

/// The metatable that all strings share.
fn freeze_strings(stack: &Stack, globals: i32) {
    stack.push_bytes(b"");
    assert!(stack.push_metatable(-1), "strings have a metatable");
    stack.push_table(0, 1);
    stack.get_field(globals, b"string");
    stack.set_field(-2, b"__index");
    freeze(stack);
    stack.set_field(-2, b"__metatable");
    stack.pop(2);
}

/// Makes reads of what a table does not hold an error.
fn refuse_absent(stack: &Stack, table: i32) {
    let table = if table < 0 { stack.top() + 1 + table } else { table };
    stack.push_table(0, 1);
    stack.push_native(absent);
    stack.set_field(-2, b"__index");
    stack.set_metatable(table);
}

/// Replaces the table on top of the stack by one that shows the same and cannot be changed.
fn freeze(stack: &Stack) {
    let real = stack.top();
    stack.push_table(0, 0);
    stack.push_table(0, 3);
    stack.push_copy(real);
    stack.set_field(-2, b"__index");
    stack.push_native(|stack| Err(stack.raise(READONLY)));
    stack.set_field(-2, b"__newindex");
    stack.push_light((&raw const FROZEN).cast());
    stack.push_copy(real);
    stack.set(-3).expect("a pointer can be a key");
    stack.set_metatable(-2);
    stack.replace(real);
}

/// Puts what stands behind a frozen table on top of the stack into its place.
pub(super) fn unfreeze(stack: &Stack) {
    if push_real(stack, -1) {
        stack.replace(-2);
    }
}

/// Pushes what stands behind a frozen table; false, and nothing pushed, where the value is none.
fn push_real(stack: &Stack, i: i32) -> bool {
    if stack.kind(i) != Kind::Table || !stack.push_metatable(i) {
        return false;
    }
    stack.push_light((&raw const FROZEN).cast());
    stack.get(-2);
    stack.remove(-2);
    let is_frozen = stack.kind(-1) == Kind::Table;
    if !is_frozen {
        stack.pop(1);
    }
    is_frozen
}

/// Whether a value is a table that cannot be changed.
pub(super) fn is_frozen(stack: &Stack, i: i32) -> bool {
    let is_frozen = push_real(stack, i);
    if is_frozen {
        stack.pop(1);
    }
    is_frozen
}

/// Takes the topmost value and makes it a global of all scripts.
pub(super) fn set_global(stack: &Stack, name: &[u8]) {
    stack.push_registered(&REAL_GLOBALS);
    stack.insert(-2);
    stack.set_field(-2, name);
    stack.pop(1);
}

/// Pushes the globals as scripts see them.
pub(super) fn push_globals(stack: &Stack) {
    stack.push_registered(&GLOBALS);
}

/// While a library is loaded, its code finds nothing but what it needs to register functions.
pub(super) fn open_library_api(stack: &Stack, is_loading: bool) {
    stack.push_registered(&GLOBALS_METATABLE);
    stack.push_registered(if is_loading { &LIBRARY_GLOBALS } else { &REAL_GLOBALS });
    stack.set_field(-2, b"__index");
    stack.pop(1);
}

/// Takes back what a script could change beside its own values.
pub(super) fn tidy(stack: &Stack) {
    push_globals(stack);
    // SAFETY: a table is on top, and no function runs, so that it becomes the globals of the state.
    unsafe { ffi::lua_replace(stack.raw(), ffi::LUA_GLOBALSINDEX) };
    {
        let mut json = stack.kept().json.borrow_mut();
        json.truncate(1);
        json[0] = cjson::Config::default();
    }
    if stack.kept().collector_changed.replace(false) {
        const USUAL_PERCENT: c_int = 200;
        // SAFETY: the state is alive.
        unsafe {
            ffi::lua_gc(stack.raw(), ffi::LUA_GCSETPAUSE, USUAL_PERCENT);
            ffi::lua_gc(stack.raw(), ffi::LUA_GCSETSTEPMUL, USUAL_PERCENT);
            ffi::lua_gc(stack.raw(), ffi::LUA_GCRESTART, 0);
        }
    }
}

/// A value as `tostring` shows it, without metamethods.
pub(super) fn describe(stack: &Stack, i: i32) -> Vec<u8> {
    match stack.kind(i) {
        Kind::String | Kind::Number => {
            stack.push_copy(i);
            let text = stack.text(-1).map(<[u8]>::to_vec);
            stack.pop(1);
            text.unwrap_or_default()
        }
        Kind::Boolean => stack.boolean(i).to_string().into_bytes(),
        Kind::Absent | Kind::Nil => b"nil".to_vec(),
        kind => format!("{}: {:p}", kind.name(), stack.pointer(i)).into_bytes(),
    }
}

/// Reads of a global, or of a field, that does not exist.
fn absent(stack: &Stack) -> Results {
    if stack.top() != 2 {
        return Err(stack.raise(b"Wrong number of arguments to luaProtectedTableError"));
    }
    let Some(name) = stack.text(2) else {
        return Err(stack.raise(b"Second argument to luaProtectedTableError must be a string or number"));
    };
    let name = crate::resp::error::shown(name);
    Err(stack.raise(&[b"Script attempted to access nonexistent global variable '", name, b"'"].concat()))
}

/// Does something before one of Lua's own functions, which is the upvalue; `Err`: instead of it.
///
/// # Safety
/// To be called by Lua, as the body of a function.
unsafe fn before(lua: *mut lua_State, check: fn(&Stack) -> Result<(), Raise>) -> c_int {
    let checked = {
        // SAFETY: the state that calls is alive; the meter is taken right below.
        let stack = unsafe { Stack::new(lua) };
        let held = stack.meter().take();
        let checked = check(&stack);
        stack.meter().hold(held);
        checked
    };
    // SAFETY: an error's value is on top where there is one, and no value of Rust is left here. The function finds the
    // arguments where it expects them, and none of those that are guarded looks at upvalues.
    unsafe {
        match (checked, ffi::lua_tocfunction(lua, ffi::lua_upvalueindex(1))) {
            (Ok(()), Some(original)) => original(lua),
            _ => ffi::lua_error(lua),
        }
    }
}

/// Refuses to change a frozen table, unless Lua's own function has something against the arguments.
fn refuse_frozen(stack: &Stack, arguments_fit: bool) -> Result<(), Raise> {
    if arguments_fit && is_frozen(stack, 1) { Err(stack.raise_plain(READONLY)) } else { Ok(()) }
}

unsafe extern "C-unwind" fn set_unless_frozen(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { before(lua, |stack| refuse_frozen(stack, stack.top() >= 3)) }
}

unsafe extern "C-unwind" fn metatable_unless_frozen(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { before(lua, |stack| refuse_frozen(stack, matches!(stack.kind(2), Kind::Nil | Kind::Table))) }
}

unsafe extern "C-unwind" fn insert_unless_frozen(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        before(lua, |stack| {
            let fit = stack.top() == 2 || stack.top() == 3 && stack.is_numeric(2);
            refuse_frozen(stack, fit)
        })
    }
}

/// Lets a function that only reads see what stands behind a frozen table.
unsafe extern "C-unwind" fn with_real(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        before(lua, |stack| {
            if push_real(stack, 1) {
                stack.replace(1);
            }
            Ok(())
        })
    }
}

unsafe extern "C-unwind" fn unless_long_pattern(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        before(lua, |stack| {
            let is_long = stack.bytes(2).is_some_and(|pattern| pattern.len() > PATTERN_MAX_BYTES);
            // A plain search has no pattern.
            if is_long && !stack.boolean(4) {
                return Err(stack.raise(b"pattern too complex"));
            }
            // What is called for each match may search again.
            if stack.is_deep() { Err(stack.raise(b"stack overflow")) } else { Ok(()) }
        })
    }
}

/// `collectgarbage`: what it changes is taken back after the run.
unsafe extern "C-unwind" fn collect(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        before(lua, |stack| {
            stack.kept().collector_changed.set(true);
            Ok(())
        })
    }
}

/// `getmetatable`: a frozen table shows none, but for the globals.
unsafe extern "C-unwind" fn metatable(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        before(lua, |stack| {
            if is_frozen(stack, 1) {
                push_globals(stack);
                let is_globals = stack.raw_equal(1, -1);
                // In their place a table whose metatable shows itself as the wanted one.
                stack.push_table(0, 0);
                if is_globals {
                    stack.push_table(0, 1);
                    stack.push_registered(&SHOWN_METATABLE);
                    stack.set_field(-2, b"__metatable");
                    stack.set_metatable(-2);
                }
                stack.replace(1);
                stack.set_top(1);
            }
            Ok(())
        })
    }
}

/// `pairs`, to which Lua's own `next` is bound.
fn pairs(stack: &Stack) -> Results {
    stack.table_arg(1)?;
    if is_frozen(stack, 1) {
        stack.push_registered(&REAL_GLOBALS);
        stack.get_field(-1, b"next");
        stack.remove(-2);
    } else {
        stack.push_bound(1);
    }
    stack.push_copy(1);
    stack.push_nil();
    Ok(3)
}

/// `unpack`, with arithmetic that does not overflow.
fn unpack(stack: &Stack) -> Results {
    if push_real(stack, 1) {
        stack.replace(1);
    }
    stack.table_arg(1)?;
    let first = stack.int_arg_or(2, 1)?;
    let last = match stack.kind(3) {
        Kind::Absent | Kind::Nil => i32::try_from(stack.len(1)).unwrap_or(i32::MAX),
        _ => stack.int_arg(3)?,
    };
    if first > last {
        return Ok(0);
    }
    let n = i64::from(last) - i64::from(first) + 1;
    if !usize::try_from(n).is_ok_and(|n| stack.ensure(n)) {
        return Err(stack.raise(b"too many results to unpack"));
    }
    (first..=last).for_each(|i| stack.get_element(1, i));
    Ok(n as i32)
}

/// `loadstring(text, name)`: of source text only.
fn loadstring(stack: &Stack) -> Results {
    let source = stack.text_arg(1)?.to_vec();
    let name = match stack.kind(2) {
        Kind::Absent | Kind::Nil => source.clone(),
        _ => stack.text_arg(2)?.to_vec(),
    };
    compile(stack, &source, &name)
}

/// `load(function, name)`: the function's texts are gathered first, so that nothing runs in the middle of compiling.
fn load(stack: &Stack) -> Results {
    let name = match stack.kind(2) {
        Kind::Absent | Kind::Nil => b"=(load)".to_vec(),
        _ => stack.text_arg(2)?.to_vec(),
    };
    if stack.kind(1) != Kind::Function {
        let got = stack.kind(1).name();
        return Err(stack.bad_argument(1, format!("function expected, got {got}")));
    }
    let mut source = Vec::new();
    loop {
        stack.push_copy(1);
        let called = stack.call(0, 1);
        let piece = match (called, stack.kind(-1)) {
            (Ok(()), Kind::Nil) => Some(Vec::new()),
            (Ok(()), _) => stack.text(-1).map(<[u8]>::to_vec),
            (Err(Raise), _) => {
                stack.push_nil();
                stack.insert(-2);
                return Ok(2);
            }
        };
        stack.pop(1);
        match piece {
            Some(piece) if piece.is_empty() => break,
            Some(piece) if source.len() + piece.len() <= MEMORY_MAX_BYTES => source.extend_from_slice(&piece),
            _ => {
                stack.push_nil();
                let why: &[u8] = if piece.is_none() {
                    b"reader function must return a string"
                } else {
                    b"not enough memory"
                };
                stack.push_bytes(why);
                return Ok(2);
            }
        }
    }
    compile(stack, &source, &name)
}

fn compile(stack: &Stack, source: &[u8], name: &[u8]) -> Results {
    let name = CString::new(crate::resp::error::shown(name)).unwrap_or_default();
    match stack.load(source, &name) {
        Ok(()) => Ok(1),
        Err(Raise) => {
            stack.push_nil();
            stack.insert(-2);
            Ok(2)
        }
    }
}

/// `pcall`: errors that are tables with a text come back as that text, as scripts know it from before there were tables.
fn pcall(stack: &Stack) -> Results {
    if stack.top() == 0 {
        // What is called then is the place of the first result.
        stack.push_boolean(true);
    }
    let called = stack.call(stack.top() - 1, -1);
    if called.is_err() && stack.meter().is_short() {
        stack.collect();
    }
    if called.is_err() && stack.kind(-1) == Kind::Table {
        stack.get_field(-1, b"err");
        if matches!(stack.kind(-1), Kind::String | Kind::Number) {
            stack.replace(-2);
        } else {
            stack.pop(1);
        }
    }
    if !stack.ensure(1) {
        return Err(stack.raise(b"stack overflow"));
    }
    stack.push_boolean(called.is_ok());
    stack.insert(1);
    Ok(stack.top())
}

/// `xpcall`: its handler is called behind the error, where it can be interrupted like everything else.
fn xpcall(stack: &Stack) -> Results {
    if stack.kind(2) == Kind::Absent {
        return Err(stack.bad_argument(2, "value expected"));
    }
    stack.set_top(2);
    stack.push_copy(1);
    let called = stack.call(0, -1);
    if !stack.ensure(2) {
        return Err(stack.raise(b"stack overflow"));
    }
    if called.is_err() {
        let is_callable = stack.kind(2) == Kind::Function;
        stack.push_copy(2);
        stack.insert(-2);
        if !is_callable || stack.call(1, 1).is_err() {
            stack.set_top(2);
            stack.push_bytes(b"error in error handling");
        }
    }
    stack.push_boolean(called.is_ok());
    stack.replace(2);
    Ok(stack.top() - 1)
}

/// `string.rep`, which knows beforehand how long the result gets.
fn rep(stack: &Stack) -> Results {
    let text = stack.text_arg(1)?;
    let n = usize::try_from(stack.int_arg(2)?).unwrap_or(0);
    let room = || MEMORY_MAX_BYTES.saturating_sub(stack.meter().used_bytes());
    if text.len().checked_mul(n).is_some_and(|len| (room() / 2..MEMORY_MAX_BYTES).contains(&len)) {
        stack.collect();
    }
    let room = room();
    match text.len().checked_mul(n) {
        Some(len) if len <= room / 2 => stack.push_bytes(&text.repeat(n)),
        _ => return Err(stack.raise(b"resulting string too large")),
    }
    Ok(1)
}

/// Where `math.random` starts: the generator of C's `lrand48`, as it stands without a seed.
pub const RANDOM_START: u64 = 0x1234_abcd_330e;

/// `math.random`, the same on every machine.
fn random(stack: &Stack) -> Results {
    const LEAST_BITS: u64 = (1 << 48) - 1;
    const MAX: u64 = i32::MAX as u64;
    let r = {
        let mut run = stack.run();
        let state = run.backend.random();
        *state = state.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & LEAST_BITS;
        (*state >> 17) % MAX
    };
    let r = r as f64 / MAX as f64;
    match stack.top() {
        0 => stack.push_number(r),
        1 => {
            let upper = stack.int_arg(1)?;
            if upper < 1 {
                return Err(stack.bad_argument(1, "interval is empty"));
            }
            stack.push_number((r * f64::from(upper)).floor() + 1.0);
        }
        2 => {
            let (lower, upper) = (stack.int_arg(1)?, stack.int_arg(2)?);
            if lower > upper {
                return Err(stack.bad_argument(2, "interval is empty"));
            }
            // The width wraps as C's does.
            let width = upper.wrapping_sub(lower).wrapping_add(1);
            stack.push_number((r * f64::from(width)).floor() + f64::from(lower));
        }
        _ => return Err(stack.raise(b"wrong number of arguments")),
    }
    Ok(1)
}

fn randomseed(stack: &Stack) -> Results {
    let seed = stack.int_arg(1)?;
    *stack.run().backend.random() = u64::from(seed as u32) << 16 | 0x330e;
    Ok(0)
}

/// `os.clock`: in seconds.
fn clock(stack: &Stack) -> Results {
    let seconds = stack.run().backend.elapsed_ns() as f64 / 1e9;
    // Whole microseconds, as the system counts them.
    stack.push_number((seconds * 1e6).floor() / 1e6);
    Ok(1)
}
