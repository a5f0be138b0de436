//! The stack of a Lua state as a native function sees it: what Lua's C API offers, with its rules checked.
//!
//! Lua raises an error by a jump over the frames between, which Rust's values do not survive. Three things can raise
//! while a native function runs, and none does here: memory is never refused then (see [`meter`](super::meter)), tables
//! are accessed without metamethods, and keys that a table cannot have are refused before. A native function raises its
//! own error by returning [`Raise`], with the error's value on top of the stack.

use super::{host::Shared, meter::Meter};
use mlua_sys::lua51::{self as ffi, lua_State};
use std::{
    cell::{RefCell, RefMut},
    ffi::{CStr, c_char, c_int, c_void},
    ptr,
};

/// An error is raised; its value is on top of the stack.
#[derive(Debug)]
pub struct Raise;

/// What a native function returns: how many results stand on top of the stack.
pub type Results = Result<i32, Raise>;

/// A function that scripts can call.
pub type Native = fn(&Stack) -> Results;

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// There is no value at this place.
    Absent,
    Nil,
    Boolean,
    LightUserdata,
    Number,
    String,
    Table,
    Function,
    Userdata,
    Thread,
}

impl Kind {
    fn of(kind: c_int) -> Kind {
        match kind {
            ffi::LUA_TNIL => Kind::Nil,
            ffi::LUA_TBOOLEAN => Kind::Boolean,
            ffi::LUA_TLIGHTUSERDATA => Kind::LightUserdata,
            ffi::LUA_TNUMBER => Kind::Number,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            ffi::LUA_TFUNCTION => Kind::Function,
            ffi::LUA_TUSERDATA => Kind::Userdata,
            ffi::LUA_TTHREAD => Kind::Thread,
            _ => Kind::Absent,
        }
    }

    /// The name that scripts see.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Absent => "no value",
            Kind::Nil => "nil",
            Kind::Boolean => "boolean",
            Kind::LightUserdata | Kind::Userdata => "userdata",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::Thread => "thread",
        }
    }
}

/// Where an error was raised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub source: Vec<u8>,
    pub line: i32,
}

/// The stack of the function that runs. Places count from 1; negative ones from the top, -1 first.
#[derive(Clone, Copy)]
pub struct Stack {
    lua: *mut lua_State,
}

/// Most values that a native function may push at a time without [`Stack::ensure`].
const ROOM: i32 = 16;

/// How much of the thread's own stack a script may use, in bytes: threads have two million of them by default.
const DEPTH_MAX_BYTES: usize = 1 << 20;

impl Stack {
    /// The stack of `lua`.
    ///
    /// # Safety
    /// The state must be alive for as long as the value is used, made by [`Host`](super::host::Host), and its meter in
    /// the hands of the host, so that no allocation is refused.
    pub(super) unsafe fn new(lua: *mut lua_State) -> Stack {
        Stack { lua }
    }

    pub(super) fn raw(&self) -> *mut lua_State {
        self.lua
    }

    /// What belongs to the state beside its values.
    fn shared(&self) -> &Shared {
        let mut owner = ptr::null_mut();
        // SAFETY: the state is alive; the host gave it an allocator whose datum is a `Shared` that outlives it.
        unsafe {
            ffi::lua_getallocf(self.lua, &mut owner);
            &*owner.cast::<Shared>()
        }
    }

    /// The state that coroutines belong to.
    pub(super) fn main(&self) -> *mut lua_State {
        self.shared().main.get()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.shared().meter
    }

    /// The run on whose behalf the function was called. At most one borrow at a time: none while Lua code may run.
    pub fn run(&self) -> RefMut<'_, super::host::Run<'static>> {
        let run: &RefCell<Option<super::host::Run<'static>>> = &self.shared().run;
        RefMut::map(run.borrow_mut(), |run| run.as_mut().expect("natives are called during a run"))
    }

    /// What a state keeps between the runs of its scripts.
    pub(super) fn kept(&self) -> &super::host::Kept {
        &self.shared().kept
    }

    /// Frees all that no value leads to.
    pub fn collect(&self) {
        // SAFETY: the state is alive, and its collector calls nothing.
        unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOLLECT, 0) };
    }

    /// Whether so much of the thread's own stack is in use that nothing should go deeper.
    pub fn is_deep(&self) -> bool {
        self.shared().base.get().saturating_sub(super::host::stack_address()) > DEPTH_MAX_BYTES
    }

    /// How many values there are.
    #[inline]
    pub fn top(&self) -> i32 {
        // SAFETY: the state is alive.
        unsafe { ffi::lua_gettop(self.lua) }
    }

    /// A place counted from 1, checked to hold a value or lie just above.
    #[inline]
    fn at(&self, i: i32) -> c_int {
        let top = self.top();
        let place = if i < 0 { top + 1 + i } else { i };
        assert!(place >= 1 && place <= top + 1, "no such place on the stack");
        place
    }

    /// A place that is above the last one too.
    #[inline]
    fn wherever(&self, i: i32) -> c_int {
        if i > 0 { i } else { self.at(i) }
    }

    /// Drops the topmost `n` values.
    #[inline]
    pub fn pop(&self, n: i32) {
        let top = self.top();
        assert!((0..=top).contains(&n), "more popped than there is");
        // SAFETY: there are so many.
        unsafe { ffi::lua_settop(self.lua, top - n) }
    }

    /// Drops values or adds nils, so that there are `n`.
    pub fn set_top(&self, n: i32) {
        assert!((0..=self.top() + ROOM).contains(&n), "a top within the stack");
        // SAFETY: Lua leaves room for 20 values more than a function was called with.
        unsafe { ffi::lua_settop(self.lua, n) }
    }

    /// Makes room for `n` more values; false where that is too many.
    #[inline]
    pub fn ensure(&self, n: usize) -> bool {
        // SAFETY: the state is alive; the check is free of jumps, as memory is not refused.
        c_int::try_from(n).is_ok_and(|n| unsafe { ffi::lua_checkstack(self.lua, n) } != 0)
    }

    /// The type of a value.
    #[inline]
    pub fn kind(&self, i: i32) -> Kind {
        // SAFETY: the place lies within the stack or above its top, which Lua takes for no value.
        Kind::of(unsafe { ffi::lua_type(self.lua, self.wherever(i)) })
    }

    /// The bytes of a string; `None` for what is none. They stand as long as the value is on the stack.
    #[inline]
    pub fn bytes(&self, i: i32) -> Option<&[u8]> {
        if self.kind(i) != Kind::String {
            return None;
        }
        let mut len = 0;
        // SAFETY: it is a string, which Lua does not move while it is on the stack.
        unsafe {
            let start = ffi::lua_tolstring(self.lua, self.at(i), &mut len);
            Some(std::slice::from_raw_parts(start.cast(), len))
        }
    }

    /// The bytes of a string, or of a number as Lua writes it: that becomes a string in its place.
    pub fn text(&self, i: i32) -> Option<&[u8]> {
        if self.kind(i) == Kind::Number {
            // SAFETY: there is a number, for whose text memory is not refused.
            unsafe { ffi::lua_tolstring(self.lua, self.at(i), ptr::null_mut()) };
        }
        self.bytes(i)
    }

    /// A number, or what a string reads as; 0 for all others.
    #[inline]
    pub fn number(&self, i: i32) -> f64 {
        // SAFETY: the place lies within the stack or above.
        unsafe { ffi::lua_tonumber(self.lua, self.wherever(i)) }
    }

    /// Whether a value is a number, or a string that reads as one.
    pub fn is_numeric(&self, i: i32) -> bool {
        // SAFETY: the place lies within the stack or above.
        unsafe { ffi::lua_isnumber(self.lua, self.wherever(i)) != 0 }
    }

    /// Whether a value counts as true.
    pub fn boolean(&self, i: i32) -> bool {
        // SAFETY: the place lies within the stack or above.
        unsafe { ffi::lua_toboolean(self.lua, self.wherever(i)) != 0 }
    }

    /// The address of a table, function, thread or userdata.
    pub fn pointer(&self, i: i32) -> *const c_void {
        // SAFETY: the place lies within the stack.
        unsafe { ffi::lua_topointer(self.lua, self.at(i)) }
    }

    /// The border of a table: where its elements 1, 2, ... end.
    pub fn len(&self, i: i32) -> usize {
        // SAFETY: the place lies within the stack.
        unsafe { ffi::lua_objlen(self.lua, self.at(i)) }
    }

    /// Whether two values are equal without metamethods.
    pub fn raw_equal(&self, a: i32, b: i32) -> bool {
        // SAFETY: both places lie within the stack or above.
        unsafe { ffi::lua_rawequal(self.lua, self.wherever(a), self.wherever(b)) != 0 }
    }
}

/// Pushing. The caller has made room beyond the 16 values that there always is room for.
impl Stack {
    pub fn push_nil(&self) {
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnil(self.lua) }
    }

    #[inline]
    pub fn push_number(&self, n: f64) {
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnumber(self.lua, n) }
    }

    pub fn push_boolean(&self, value: bool) {
        // SAFETY: there is room.
        unsafe { ffi::lua_pushboolean(self.lua, value.into()) }
    }

    #[inline]
    pub fn push_bytes(&self, bytes: &[u8]) {
        // SAFETY: there is room, and memory for the copy is not refused.
        unsafe { ffi::lua_pushlstring_(self.lua, bytes.as_ptr().cast(), bytes.len()) }
    }

    /// A pointer as a value that scripts can only compare.
    pub fn push_light(&self, pointer: *const c_void) {
        // SAFETY: there is room; Lua does not follow the pointer.
        unsafe { ffi::lua_pushlightuserdata(self.lua, pointer.cast_mut()) }
    }

    /// A copy of a value.
    #[inline]
    pub fn push_copy(&self, i: i32) {
        // SAFETY: there is room, and a value at the place.
        unsafe { ffi::lua_pushvalue(self.lua, self.at(i)) }
    }

    /// A native function.
    pub fn push_native(&self, native: Native) {
        self.push_light(native as *const c_void);
        // SAFETY: `enter` finds the function in the one upvalue, which was just pushed.
        unsafe { ffi::lua_pushcclosure(self.lua, enter, 1) }
    }

    /// The `n`th value that was bound to the native function that runs.
    pub fn push_bound(&self, n: i32) {
        // SAFETY: there is room; a place beyond the last upvalue holds nil.
        unsafe { ffi::lua_pushvalue(self.lua, ffi::lua_upvalueindex(n + 1)) }
    }

    /// Takes the topmost `n` values and binds them to a native function, which is pushed.
    pub fn push_bound_native(&self, native: Native, n: i32) {
        self.push_light(native as *const c_void);
        let below = self.at(-1 - n);
        // SAFETY: the function goes below the values, and all of them become upvalues.
        unsafe {
            ffi::lua_insert(self.lua, below);
            ffi::lua_pushcclosure(self.lua, enter, n + 1);
        }
    }

    /// A new table with room for so many elements and fields.
    #[inline]
    pub fn push_table(&self, elements: usize, fields: usize) {
        let int = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
        // SAFETY: there is room.
        unsafe { ffi::lua_createtable(self.lua, int(elements), int(fields)) }
    }

    /// Moves the topmost value below the others, to a place.
    pub fn insert(&self, i: i32) {
        // SAFETY: the place holds a value.
        unsafe { ffi::lua_insert(self.lua, self.at(i)) }
    }

    /// Removes the value at a place.
    pub fn remove(&self, i: i32) {
        // SAFETY: the place holds a value.
        unsafe { ffi::lua_remove(self.lua, self.at(i)) }
    }

    /// Takes the topmost value and puts it at a place.
    pub fn replace(&self, i: i32) {
        // SAFETY: the place holds a value.
        unsafe { ffi::lua_replace(self.lua, self.at(i)) }
    }
}

/// Tables, without metamethods.
impl Stack {
    #[inline]
    fn table(&self, i: i32) -> c_int {
        let place = self.at(i);
        // SAFETY: the place lies within the stack.
        assert!(unsafe { ffi::lua_type(self.lua, place) } == ffi::LUA_TTABLE, "a table");
        place
    }

    /// Replaces the topmost value, a key, by what the table holds there.
    pub fn get(&self, table: i32) {
        // SAFETY: it is a table, and there is a key on top.
        unsafe { ffi::lua_rawget_(self.lua, self.table(table)) }
    }

    /// Pushes a field.
    #[inline]
    pub fn get_field(&self, table: i32, name: &[u8]) {
        let place = self.table(table);
        self.push_bytes(name);
        // SAFETY: it is a table, and there is a key on top.
        unsafe { ffi::lua_rawget_(self.lua, place) }
    }

    /// Pushes an element.
    #[inline]
    pub fn get_element(&self, table: i32, n: i32) {
        // SAFETY: it is a table, and there is room.
        unsafe { ffi::lua_rawgeti_(self.lua, self.table(table), n) }
    }

    /// Takes a key and, above it, a value from the top, and puts them into the table.
    #[inline]
    pub fn set(&self, table: i32) -> Result<(), Raise> {
        let key = self.kind(-2);
        if key == Kind::Nil {
            return Err(self.raise_plain(b"table index is nil"));
        }
        if key == Kind::Number && self.number(-2).is_nan() {
            return Err(self.raise_plain(b"table index is NaN"));
        }
        // SAFETY: it is a table, and the key is one that it can hold.
        unsafe { ffi::lua_rawset(self.lua, self.table(table)) };
        Ok(())
    }

    /// Takes the topmost value and makes it a field.
    #[inline]
    pub fn set_field(&self, table: i32, name: &[u8]) {
        let place = self.table(table);
        self.push_bytes(name);
        self.insert(-2);
        // SAFETY: it is a table; the key is a string.
        unsafe { ffi::lua_rawset(self.lua, place) }
    }

    /// Takes the topmost value and makes it an element.
    #[inline]
    pub fn set_element(&self, table: i32, n: i32) {
        // SAFETY: it is a table.
        unsafe { ffi::lua_rawseti_(self.lua, self.table(table), n) }
    }

    /// Replaces the topmost value, a key that this function pushed or nil to begin with, by the next key and its value;
    /// at the end takes it and returns false.
    #[inline]
    pub fn next(&self, table: i32) -> bool {
        // SAFETY: it is a table, and the key is nil or was found in it: nothing takes keys away meanwhile.
        unsafe { ffi::lua_next(self.lua, self.table(table)) != 0 }
    }

    /// Pushes the metatable of a value; false, and nothing pushed, where it has none.
    pub fn push_metatable(&self, i: i32) -> bool {
        // SAFETY: the place lies within the stack.
        unsafe { ffi::lua_getmetatable(self.lua, self.at(i)) != 0 }
    }

    /// Takes the topmost value, a table or nil, and makes it the metatable of a value.
    pub fn set_metatable(&self, i: i32) {
        debug_assert!(matches!(self.kind(-1), Kind::Table | Kind::Nil));
        // SAFETY: a table or nil is on top, and the place holds a value.
        unsafe { ffi::lua_setmetatable(self.lua, self.at(i)) };
    }

    /// Pushes what is kept in the registry under an address.
    #[inline]
    pub fn push_registered(&self, key: &'static u8) {
        self.push_light(ptr::from_ref(key).cast());
        // SAFETY: the registry is a table, and there is a key on top.
        unsafe { ffi::lua_rawget_(self.lua, ffi::LUA_REGISTRYINDEX) }
    }

    /// Takes the topmost value and keeps it in the registry under an address.
    pub fn register(&self, key: &'static u8) {
        self.push_light(ptr::from_ref(key).cast());
        self.insert(-2);
        // SAFETY: the registry is a table; the key is a pointer.
        unsafe { ffi::lua_rawset(self.lua, ffi::LUA_REGISTRYINDEX) }
    }

    /// Takes the topmost value and keeps it in the registry: its number there.
    pub fn keep(&self) -> i32 {
        // SAFETY: there is a value on top.
        unsafe { ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX) }
    }

    /// Pushes what was kept under a number.
    #[inline]
    pub fn push_kept(&self, number: i32) {
        // SAFETY: the registry is a table.
        unsafe { ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, number) }
    }

    /// Forgets what was kept under a number.
    pub fn forget(&self, number: i32) {
        // SAFETY: the number came from `keep`.
        unsafe { ffi::luaL_unref(self.lua, ffi::LUA_REGISTRYINDEX, number) }
    }
}

/// Calls and errors.
impl Stack {
    /// Calls the function below the topmost `args` values. `results` of it stand in their place then; all for -1. On an
    /// error its value stands there.
    pub fn call(&self, args: i32, results: i32) -> Result<(), Raise> {
        self.call_with(args, results, 0)
    }

    /// The same; the function at place `handler` is called with an error's value where it is raised, and gives the one
    /// that is returned.
    pub fn call_with(&self, args: i32, results: i32, handler: i32) -> Result<(), Raise> {
        let _ = self.at(-1 - args);
        let held = self.meter().release();
        // SAFETY: a value and its arguments stand on top, and the call is protected. Memory may be refused meanwhile.
        let status = unsafe { ffi::lua_pcall(self.lua, args, results, handler) };
        self.meter().hold(held);
        if status == ffi::LUA_OK { Ok(()) } else { Err(Raise) }
    }

    /// Compiles source text, never bytecode, and pushes the function, or the error's value.
    pub fn load(&self, source: &[u8], name: &CStr) -> Result<(), Raise> {
        struct Pieces<'a>(Option<&'a [u8]>);
        unsafe extern "C-unwind" fn read(
            _: *mut lua_State,
            pieces: *mut c_void,
            len: *mut usize,
        ) -> *const c_char {
            // SAFETY: `lua_load` hands back what it was given, and room for the length.
            unsafe {
                let piece = (*pieces.cast::<Pieces<'_>>()).0.take().unwrap_or_default();
                *len = piece.len();
                piece.as_ptr().cast()
            }
        }
        // Bytecode is told by its first byte, so that is never the chunk's own.
        let text = [b" ", source].concat();
        let mut pieces = Pieces(Some(&text));
        let held = self.meter().release();
        // SAFETY: the reader gets its own data; compiling is protected.
        let status =
            unsafe { ffi::lua_load(self.lua, read, ptr::from_mut(&mut pieces).cast(), name.as_ptr()) };
        self.meter().hold(held);
        if status == ffi::LUA_OK { Ok(()) } else { Err(Raise) }
    }

    /// Where the function at a level is: 0 runs, 1 called it. `None` beyond the first, and `Some(None)` for a native one.
    pub fn place(&self, level: i32) -> Option<Option<Place>> {
        let mut info = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed();
        // SAFETY: Lua fills in what is asked for; the texts stand as long as the function does.
        unsafe {
            if ffi::lua_getstack(self.lua, level, info.as_mut_ptr()) == 0 {
                return None;
            }
            ffi::lua_getinfo(self.lua, c"Sl".as_ptr(), info.as_mut_ptr());
            let info = info.assume_init();
            if CStr::from_ptr(info.what).to_bytes() == b"C" {
                return Some(None);
            }
            let source = CStr::from_ptr(info.source).to_bytes().to_vec();
            Some(Some(Place { source, line: info.currentline }))
        }
    }

    /// The beginning of a message: where the caller of the function that runs is.
    fn position(&self) -> Vec<u8> {
        match self.place(1) {
            Some(Some(Place { source, line })) if line > 0 => {
                let name = source.strip_prefix(b"@").or(source.strip_prefix(b"=")).map(<[u8]>::to_vec);
                let name = name.unwrap_or_else(|| chunk_name(&source));
                [&name, format!(":{line}: ").as_bytes()].concat()
            }
            _ => Vec::new(),
        }
    }

    /// Raises a message with the place of the caller before it.
    pub fn raise(&self, message: &[u8]) -> Raise {
        let text = [self.position(), message.to_vec()].concat();
        self.raise_plain(&text)
    }

    /// Raises a message as it is.
    pub fn raise_plain(&self, message: &[u8]) -> Raise {
        if !self.ensure(1) {
            // Nobody needs what stands there any more.
            self.pop(1);
        }
        self.push_bytes(message);
        Raise
    }

    /// Raises that an argument is wrong.
    pub fn bad_argument(&self, mut i: i32, why: impl AsRef<[u8]>) -> Raise {
        let (name, is_method) = self.called_as();
        let mut whose = format!("bad argument #{i} to '{name}'");
        if is_method {
            i -= 1;
            whose = match i {
                0 => format!("calling '{name}' on bad self"),
                _ => format!("bad argument #{i} to '{name}'"),
            };
        }
        self.raise(&[whose.as_bytes(), b" (", why.as_ref(), b")"].concat())
    }

    /// The name by which the function that runs was called, and whether it was with a colon.
    fn called_as(&self) -> (String, bool) {
        let mut info = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed();
        // SAFETY: Lua fills in what is asked for; the texts stand as long as the function does.
        unsafe {
            if ffi::lua_getstack(self.lua, 0, info.as_mut_ptr()) == 0 {
                return ("?".into(), false);
            }
            ffi::lua_getinfo(self.lua, c"n".as_ptr(), info.as_mut_ptr());
            let info = info.assume_init();
            if info.name.is_null() {
                return ("?".into(), false);
            }
            let name = CStr::from_ptr(info.name).to_string_lossy().into_owned();
            (name, CStr::from_ptr(info.namewhat).to_bytes() == b"method")
        }
    }

    fn wrong_type(&self, i: i32, wanted: &str) -> Raise {
        self.bad_argument(i, format!("{wanted} expected, got {}", self.kind(i).name()))
    }

    /// An argument that must be a number.
    pub fn number_arg(&self, i: i32) -> Result<f64, Raise> {
        if self.is_numeric(i) { Ok(self.number(i)) } else { Err(self.wrong_type(i, "number")) }
    }

    /// An argument that must be an integer, cut and wrapped as C does.
    pub fn int_arg(&self, i: i32) -> Result<i32, Raise> {
        Ok(c_long(self.number_arg(i)?) as i32)
    }

    /// The same; `default` where it is absent or nil.
    pub fn int_arg_or(&self, i: i32, default: i32) -> Result<i32, Raise> {
        if matches!(self.kind(i), Kind::Absent | Kind::Nil) { Ok(default) } else { self.int_arg(i) }
    }

    /// An argument that must be a string or a number.
    pub fn text_arg(&self, i: i32) -> Result<&[u8], Raise> {
        match self.text(i) {
            Some(text) => Ok(text),
            None => Err(self.wrong_type(i, "string")),
        }
    }

    /// An argument that must be a table.
    pub fn table_arg(&self, i: i32) -> Result<(), Raise> {
        if self.kind(i) == Kind::Table { Ok(()) } else { Err(self.wrong_type(i, "table")) }
    }
}

/// The name of a chunk that is its own source: its first line, in brackets.
fn chunk_name(source: &[u8]) -> Vec<u8> {
    const MAX: usize = 60 - "[string \"...\"]".len() - 1;
    let line = source.split(|b| b"\r\n".contains(b)).next().unwrap_or_default();
    let cut = &line[..line.len().min(MAX)];
    let dots: &[u8] = if cut.len() < source.len() { b"..." } else { b"" };
    [b"[string \"", cut, dots, b"\"]"].concat()
}

/// A double as C's conversion to `long` gives it on the usual machines: what does not fit is the least number.
pub fn c_long(x: f64) -> i64 {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x);
    if fits { x as i64 } else { i64::MIN }
}

/// The same for C's `int`.
pub fn double_to_int(x: f64) -> i32 {
    let whole = x.trunc();
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole);
    if fits { whole as i32 } else { i32::MIN }
}

/// Where Lua enters a native function.
unsafe extern "C-unwind" fn enter(lua: *mut lua_State) -> c_int {
    let results = {
        // SAFETY: the state is alive while it calls, and is made by the host; the meter is taken right below. The
        // upvalue is the function that `push_native` put there.
        let (stack, native) = unsafe {
            let native = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(1));
            (Stack::new(lua), std::mem::transmute::<*mut c_void, Native>(native))
        };
        let held = stack.meter().take();
        let results = native(&stack);
        stack.meter().hold(held);
        results
    };
    match results {
        Ok(n) => n,
        // SAFETY: the error's value is on top, and no value of Rust that would need to be dropped is left here.
        Err(Raise) => unsafe { ffi::lua_error(lua) },
    }
}
