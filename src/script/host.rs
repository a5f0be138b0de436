//! A Lua state with what belongs to it, and the runs of its scripts.

use super::{
    Backend, Interrupt,
    api::{self, Registration},
    cjson,
    convert::{self, Errors},
    meter::Meter,
    sandbox,
    stack::{Kind, Raise, Stack},
};
use crate::resp::{
    Proto,
    error::shown,
    output::Output,
    request::{Args, OwnedArgs},
};
use mlua_sys::lua51::{self as ffi, lua_State};
use std::{
    cell::{Cell, RefCell},
    ffi::{c_int, c_void},
    ptr,
};

/// Instructions between two calls of [`Backend::interrupt`].
const INTERRUPT_STEPS: c_int = 100_000;
/// Once in so many runs some garbage is collected, so that no run has to collect it all.
const COLLECT_RUNS: u32 = 50;
/// With so much garbage, in bytes, all of it is collected.
const COLLECT_FROM_BYTES: usize = 8 << 20;

/// What a state is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// EVAL and its relatives: keys and arguments are globals.
    Scripts,
    /// Libraries of functions, to which keys and arguments are handed.
    Functions,
}

/// A compiled function that the state keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function(i32);

/// On whose behalf Lua code runs.
pub struct Run<'a> {
    pub(super) backend: &'a mut dyn Backend,
    /// FUNCTION LOAD: what was registered.
    pub(super) registered: Option<Vec<Registration>>,
    /// The version in which replies are handed to the script.
    pub(super) proto: Proto,
    /// Arguments of the command that is called.
    pub(super) args: OwnedArgs,
}

/// What a state keeps from run to run beside its values.
pub(super) struct Kept {
    /// A script turned a screw of the garbage collector.
    pub collector_changed: Cell<bool>,
    /// The parameters of `cjson`, and of what `cjson.new` made.
    pub json: RefCell<Vec<cjson::Config>>,
}

/// What natives and the allocator find from a state.
pub(super) struct Shared {
    pub meter: Meter,
    pub run: RefCell<Option<Run<'static>>>,
    pub kept: Kept,
    /// The state itself, as opposed to the coroutines of its scripts.
    pub main: Cell<*mut lua_State>,
    /// Where the thread's stack stood when the run began.
    pub base: Cell<usize>,
}

/// A script's call: what it is handed.
pub struct Call<'a> {
    pub function: Function,
    pub args: Args<'a>,
    /// So many of them are keys.
    pub keys: usize,
}

/// Why a script ended with an error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failure {
    /// The text of the error, its code first; `None` where it has none.
    pub text: Option<Vec<u8>>,
    /// Where it was raised, as `source:line`.
    pub place: Option<Vec<u8>>,
    /// The command that failed has been counted already.
    pub is_counted: bool,
    /// The error is no table as the handler makes them: memory ran out.
    pub is_raw: bool,
}

/// A Lua state.
pub struct Host {
    lua: *mut lua_State,
    /// Outlives the state.
    shared: Box<Shared>,
    mode: Mode,
    runs: u32,
    /// What the state held after all garbage was freed the last time, in bytes.
    live_bytes: usize,
}

// SAFETY: a state is not bound to a thread; whoever has the host has all that points into it. What a run borrows is
// gone when the run is over.
unsafe impl Send for Host {}

impl Drop for Host {
    fn drop(&mut self) {
        self.shared.meter.take();
        // SAFETY: the state is alive, and nothing runs in it.
        unsafe { ffi::lua_close(self.lua) };
    }
}

impl Host {
    /// A new state.
    pub fn new(mode: Mode) -> Host {
        let kept = Kept { collector_changed: Cell::new(false), json: RefCell::default() };
        let shared = Box::new(Shared {
            meter: Meter::default(),
            run: RefCell::new(None),
            kept,
            main: Cell::new(ptr::null_mut()),
            base: Cell::default(),
        });
        shared.meter.take();
        let owner = ptr::from_ref::<Shared>(&shared).cast_mut().cast();
        // SAFETY: the allocator gets the datum that it expects, which lives as long as the state.
        let lua = unsafe { ffi::lua_newstate(allocate, owner) };
        assert!(!lua.is_null(), "memory is not refused");
        shared.main.set(lua);
        let host = Host { lua, shared, mode, runs: 0, live_bytes: 0 };
        sandbox::furnish(&host.stack(), mode);
        host
    }

    fn stack(&self) -> Stack {
        self.shared.meter.take();
        // SAFETY: the state is alive as long as the host, and the host has the meter.
        unsafe { Stack::new(self.lua) }
    }

    /// Memory of the state, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.shared.meter.used_bytes()
    }

    /// Compiles a script. The error is Lua's message.
    pub fn compile(&mut self, source: &[u8]) -> Result<Function, Vec<u8>> {
        let stack = self.stack();
        let name = match self.mode {
            Mode::Scripts => c"@user_script",
            Mode::Functions => c"@user_function",
        };
        let compiled = stack.load(source, name);
        let result = match compiled {
            Ok(()) => return Ok(Function(stack.keep())),
            Err(Raise) => Err(shown(stack.text(-1).unwrap_or_default()).to_vec()),
        };
        stack.pop(1);
        result
    }

    /// Forgets a function.
    pub fn forget(&mut self, function: Function) {
        self.stack().forget(function.0);
    }

    /// Runs a script, and encodes what it returns.
    pub fn run(
        &mut self,
        call: &Call<'_>,
        backend: &mut dyn Backend,
        out: &mut Output,
    ) -> Result<Errors, Failure> {
        let stack = self.stack();
        let run = Run { backend, registered: None, proto: Proto::Resp2, args: OwnedArgs::default() };
        let (ran, finished) = self.within(run, |host| {
            stack.push_native(api::handle_error);
            stack.push_kept(call.function.0);
            host.reset_environment(&stack);
            push_array(&stack, call.args.from(0).take(call.keys));
            if host.mode == Mode::Scripts {
                sandbox::set_global(&stack, b"KEYS");
            }
            push_array(&stack, call.args.from(call.keys));
            if host.mode == Mode::Scripts {
                sandbox::set_global(&stack, b"ARGV");
                stack.call_with(0, 1, 1)
            } else {
                stack.call_with(2, 1, 1)
            }
        });
        let result = match ran {
            Ok(()) => Ok(convert::reply(&stack, out, finished.proto)),
            Err(Raise) => Err(failure(&stack)),
        };
        stack.set_top(0);
        result
    }

    /// Compiles and runs the code of a library, and returns the functions that it registered, or why that failed.
    pub fn load_library(
        &mut self,
        code: &[u8],
        backend: &mut dyn Backend,
    ) -> Result<Vec<Registration>, Vec<u8>> {
        let function = self.compile(code).map_err(|why| [b"Error compiling function: ", &*why].concat())?;
        let stack = self.stack();
        let run =
            Run { backend, registered: Some(Vec::new()), proto: Proto::Resp2, args: OwnedArgs::default() };
        let (ran, finished) = self.within(run, |host| {
            stack.push_kept(function.0);
            host.reset_environment(&stack);
            sandbox::open_library_api(&stack, true);
            stack.call(0, 0)
        });
        sandbox::open_library_api(&stack, false);
        let registered = finished.registered.unwrap_or_default();
        let result = match ran {
            Ok(()) => Ok(registered),
            Err(Raise) => {
                registered.iter().for_each(|function| stack.forget(function.function.0));
                let failure = failure(&stack);
                let text = failure.text.unwrap_or_else(|| b"(null)".to_vec());
                Err([b"Error registering functions: ", &*text].concat())
            }
        };
        stack.set_top(0);
        stack.forget(function.0);
        result
    }

    /// Makes the function on top see the globals that all see, whatever it did to its own before.
    fn reset_environment(&self, stack: &Stack) {
        sandbox::push_globals(stack);
        // SAFETY: a function and above it a table are on top.
        unsafe { ffi::lua_setfenv(stack.raw(), -2) };
    }

    /// Lets Lua code run for a backend.
    fn within<'r, R>(&mut self, run: Run<'r>, f: impl FnOnce(&Host) -> R) -> (R, Finished) {
        // SAFETY: only its lifetime changes, and it is taken out again before this function returns: by `Guard`, also
        // where a panic passes.
        let run = unsafe { std::mem::transmute::<Run<'r>, Run<'static>>(run) };
        struct Guard<'h>(&'h Host);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                if let Ok(mut run) = self.0.shared.run.try_borrow_mut() {
                    *run = None;
                }
            }
        }
        *self.shared.run.borrow_mut() = Some(run);
        self.runs += 1;
        self.shared.base.set(stack_address());
        let guard = Guard(self);
        // SAFETY: the state is alive; the hook finds the run.
        unsafe { ffi::lua_sethook(self.lua, Some(interrupt), ffi::LUA_MASKCOUNT, INTERRUPT_STEPS) };
        let result = f(self);
        // SAFETY: the state is alive.
        unsafe { ffi::lua_sethook(self.lua, None, 0, 0) };
        let mut finished = Finished::default();
        if let Some(run) = self.shared.run.borrow_mut().as_mut() {
            finished = Finished { proto: run.proto, registered: run.registered.take() };
        }
        drop(guard);
        let stack = self.stack();
        sandbox::tidy(&stack);
        if self.mem_bytes() / 2 > self.live_bytes + COLLECT_FROM_BYTES {
            // A script that took much leaves nothing of it to the next.
            stack.collect();
            self.live_bytes = self.mem_bytes();
        } else if self.runs.is_multiple_of(COLLECT_RUNS) {
            // SAFETY: the state is alive, and its collector calls nothing.
            unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCSTEP, COLLECT_RUNS as c_int) };
        }
        (result, finished)
    }
}

/// Where the thread's stack stands.
#[inline(never)]
pub(super) fn stack_address() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here).addr()
}

/// What is left of a run.
#[derive(Default)]
struct Finished {
    proto: Proto,
    registered: Option<Vec<Registration>>,
}

impl Function {
    pub(super) fn kept(number: i32) -> Function {
        Function(number)
    }

    pub(super) fn number(self) -> i32 {
        self.0
    }
}

fn push_array<'a>(stack: &Stack, items: impl ExactSizeIterator<Item = &'a [u8]>) {
    stack.push_table(items.len(), 0);
    for (i, item) in (1..).zip(items) {
        stack.push_bytes(item);
        stack.set_element(-2, i);
    }
}

/// What the error's value on top of the stack says.
fn failure(stack: &Stack) -> Failure {
    match stack.kind(-1) {
        Kind::String | Kind::Number => {
            let text = shown(stack.text(-1).unwrap_or_default());
            Failure { text: Some([b"ERR ", text].concat()), is_raw: true, ..Failure::default() }
        }
        Kind::Table => convert::failure(stack),
        _ => Failure { is_raw: true, ..Failure::default() },
    }
}

/// The allocator of a state.
unsafe extern "C" fn allocate(
    owner: *mut c_void,
    block: *mut c_void,
    old_bytes: usize,
    new_bytes: usize,
) -> *mut c_void {
    // SAFETY: the state was made with this datum, and says of its own blocks how long they are.
    unsafe { (*owner.cast::<Shared>()).meter.allocate(block, old_bytes, new_bytes) }
}

/// Called by Lua each time that a number of instructions has run.
unsafe extern "C-unwind" fn interrupt(lua: *mut lua_State, _: *mut ffi::lua_Debug) {
    let (ended, main) = {
        // SAFETY: the state that calls is alive; the meter is taken right below.
        let stack = unsafe { Stack::new(lua) };
        let held = stack.meter().take();
        let wish = stack.run().backend.interrupt();
        let ended = match wish {
            Interrupt::Continue => false,
            Interrupt::End(why) => {
                api::push_error(&stack, why.as_bytes());
                true
            }
        };
        stack.meter().hold(held);
        (ended, stack.main())
    };
    if ended {
        // From now on each line raises it again, so that no handler of the script outlives it, nor who called a
        // coroutine.
        // SAFETY: both are alive; the error's value is on top, and no value of Rust is left here.
        unsafe {
            for lua in [main, lua] {
                ffi::lua_sethook(lua, Some(interrupt), ffi::LUA_MASKLINE | ffi::LUA_MASKCOUNT, 1);
            }
            ffi::lua_error(lua);
        }
    }
}
