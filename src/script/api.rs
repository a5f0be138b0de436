//! `redis.*`, also called `server.*`: what scripts can ask of the server.
//!
//! Source: <https://valkey.io/topics/lua-api/>.

use super::{
    Refused, convert,
    flags::ScriptFlags,
    host::{Function, Mode},
    sandbox,
    stack::{Kind, Place, Raise, Results, Stack, c_long, double_to_int},
};
use crate::{
    base::{
        dtoa::{self, f64_to_buf},
        num::{MAX_INT_LEN, i64_to_buf},
    },
    resp::{Proto, error::shown, request::OwnedArgs},
};
use sha1::{Digest, Sha1};

/// A function that a library registered.
#[derive(Clone, Debug)]
pub struct Registration {
    pub name: Vec<u8>,
    pub description: Option<Vec<u8>>,
    pub flags: ScriptFlags,
    pub function: Function,
}

/// The levels of the log by name; their numbers are their places.
const LOG_LEVELS: [&str; 4] = ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"];

/// The versions that scripts choose features by: those that INFO and HELLO give, and of the Valkey that is the reference.
const VERSIONS: [(&str, &str); 3] =
    [("REDIS_VERSION", "7.2.4"), ("VALKEY_VERSION", "8.1.8"), ("SERVER_NAME", "valkey")];
const VERSION_NUMBERS: [(&str, u32); 2] =
    [("REDIS_VERSION_NUM", 0x0007_0204), ("VALKEY_VERSION_NUM", 0x0008_0108)];

/// To the log of changes and to replicas.
const REPL_ALL: i32 = 3;
const REPLICATION: [(&str, i32); 5] =
    [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", REPL_ALL)];

/// Pushes the table `redis`.
pub(super) fn push_table(stack: &Stack, mode: Mode) {
    stack.push_table(0, 32);
    let functions: [(&str, super::stack::Native); 9] = [
        ("call", |stack| call(stack, true)),
        ("pcall", |stack| call(stack, false)),
        ("setresp", setresp),
        ("sha1hex", sha1hex),
        ("error_reply", error_reply),
        ("status_reply", status_reply),
        ("set_repl", set_repl),
        ("acl_check_cmd", acl_check_cmd),
        ("log", log),
    ];
    sandbox::set_functions(stack, &functions);
    set_constants(stack);
    for (name, number) in REPLICATION {
        stack.push_number(number.into());
        stack.set_field(-2, name.as_bytes());
    }
    if mode == Mode::Scripts {
        let of_debugger: [(&str, super::stack::Native); 3] = [
            ("breakpoint", |stack| {
                stack.push_boolean(false);
                Ok(1)
            }),
            ("debug", |_| Ok(0)),
            ("replicate_commands", |stack| {
                stack.push_boolean(true);
                Ok(1)
            }),
        ];
        sandbox::set_functions(stack, &of_debugger);
    }
}

/// Pushes the table `redis` as the code of a library sees it while it is loaded.
pub(super) fn push_library_table(stack: &Stack) {
    stack.push_table(0, 16);
    let functions: [(&str, super::stack::Native); 2] =
        [("register_function", register_function), ("log", log)];
    sandbox::set_functions(stack, &functions);
    set_constants(stack);
}

fn set_constants(stack: &Stack) {
    for (level, name) in (0..).zip(LOG_LEVELS) {
        stack.push_number(f64::from(level));
        stack.set_field(-2, name.as_bytes());
    }
    for (name, text) in VERSIONS {
        stack.push_bytes(text.as_bytes());
        stack.set_field(-2, name.as_bytes());
    }
    for (name, number) in VERSION_NUMBERS {
        stack.push_number(number.into());
        stack.set_field(-2, name.as_bytes());
    }
}

/// Pushes an error as scripts get it: a table whose field `err` is the text. Text that starts with `-` has a code of its
/// own, other text gets the common one.
pub(super) fn push_error(stack: &Stack, text: &[u8]) {
    let (code, message) = match text {
        [b'-', text @ ..] => match text.iter().position(|&b| b == b' ') {
            Some(end) => (&text[..end], &text[end + 1..]),
            None => (&b"ERR"[..], text),
        },
        text => (&b"ERR"[..], text),
    };
    let is_break = |b: &u8| b"\r\n".contains(b);
    let start = message.iter().position(|b| !is_break(b)).unwrap_or(message.len());
    let end = message.iter().rposition(|b| !is_break(b)).map_or(start, |last| last + 1);
    stack.push_table(0, 3);
    stack.push_bytes(shown(&[code, b" ", &message[start..end]].concat()));
    stack.set_field(-2, b"err");
}

/// Raises such an error.
fn raise(stack: &Stack, text: &str) -> Raise {
    push_error(stack, text.as_bytes());
    Raise
}

/// Gathers the arguments of a command from the stack, and takes them.
fn gather(stack: &Stack, args: &mut OwnedArgs) -> Result<(), &'static str> {
    args.clear();
    let n = stack.top();
    if n == 0 {
        return Err("Please specify at least one argument for this call");
    }
    for i in 1..=n {
        match stack.kind(i) {
            Kind::String => args.push(stack.bytes(i).unwrap_or_default()),
            Kind::Number => {
                let x = stack.number(i);
                // Whole numbers are written out: they may stand where no exponent may.
                const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;
                if x.abs() <= WHOLE_MAX && x.trunc() == x {
                    args.push(i64_to_buf(x as i64, &mut [0; MAX_INT_LEN]));
                } else if x.is_nan() {
                    args.push(if x.is_sign_negative() { b"-nan" } else { b"nan" });
                } else {
                    args.push(f64_to_buf(x, &mut [0; dtoa::MAX_LEN]).as_bytes());
                }
            }
            _ => return Err("Command arguments must be strings or integers"),
        }
    }
    stack.pop(n);
    Ok(())
}

/// `redis.call` and `redis.pcall`: the latter returns errors instead of raising them.
fn call(stack: &Stack, raises: bool) -> Results {
    let mut run = stack.run();
    let run = &mut *run;
    let failed = match gather(stack, &mut run.args) {
        Err(why) => {
            push_error(stack, why.as_bytes());
            true
        }
        Ok(()) => match run.backend.call(run.args.args()) {
            Err(Refused(why)) => {
                push_error(stack, &why);
                convert::mark_counted(stack);
                true
            }
            Ok(()) => {
                let reply = run.backend.reply();
                convert::push_reply(stack, reply);
                reply.first() == Some(&b'-')
            }
        },
    };
    if failed && raises { Err(Raise) } else { Ok(1) }
}

/// Whether the client may run a command.
fn acl_check_cmd(stack: &Stack) -> Results {
    let mut run = stack.run();
    let run = &mut *run;
    gather(stack, &mut run.args).map_err(|why| raise(stack, why))?;
    match run.backend.may_call(run.args.args()) {
        Some(may) => {
            stack.push_boolean(may);
            Ok(1)
        }
        None => Err(raise(stack, "Invalid command passed to server.acl_check_cmd()")),
    }
}

fn setresp(stack: &Stack) -> Results {
    if stack.top() != 1 {
        return Err(raise(stack, "server.setresp() requires one argument."));
    }
    let proto = match c_long(stack.number(1)) {
        2 => Proto::Resp2,
        3 => Proto::Resp3,
        _ => return Err(raise(stack, "RESP version must be 2 or 3.")),
    };
    let mut run = stack.run();
    run.proto = proto;
    run.backend.set_proto(proto);
    Ok(0)
}

/// Nothing follows the changes yet, so there is nothing to choose.
fn set_repl(stack: &Stack) -> Results {
    if stack.top() != 1 {
        return Err(raise(stack, "server.set_repl() requires one argument."));
    }
    if double_to_int(stack.number(1)) & !REPL_ALL != 0 {
        return Err(raise(
            stack,
            "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        ));
    }
    Ok(0)
}

fn sha1hex(stack: &Stack) -> Results {
    if stack.top() != 1 {
        return Err(raise(stack, "wrong number of arguments"));
    }
    let digest = Sha1::digest(stack.text(1).unwrap_or_default());
    stack.push_bytes(hex(&digest).as_bytes());
    Ok(1)
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The only argument of a function that makes a reply.
fn only_text(stack: &Stack) -> Option<&[u8]> {
    let text = if stack.top() == 1 { stack.bytes(1) } else { None };
    if text.is_none() {
        push_error(stack, b"wrong number or type of arguments");
    }
    text
}

fn error_reply(stack: &Stack) -> Results {
    if let Some(text) = only_text(stack) {
        let text = shown(text);
        match text.first() {
            Some(b'-') => push_error(stack, text),
            _ => push_error(stack, &[b"-", text].concat()),
        }
    }
    Ok(1)
}

fn status_reply(stack: &Stack) -> Results {
    if only_text(stack).is_some() {
        stack.push_table(0, 1);
        stack.push_copy(1);
        stack.set_field(-2, b"ok");
    }
    Ok(1)
}

fn log(stack: &Stack) -> Results {
    if stack.top() < 2 {
        return Err(raise(stack, "server.log() requires two arguments or more."));
    }
    if !stack.is_numeric(1) {
        return Err(raise(stack, "First argument must be a number (log level)."));
    }
    let level = c_long(stack.number(1));
    if !(0..LOG_LEVELS.len() as i64).contains(&level) {
        return Err(raise(stack, "Invalid log level."));
    }
    let mut text = Vec::new();
    for i in 2..=stack.top() {
        if let Some(part) = stack.text(i) {
            if i > 2 {
                text.push(b' ');
            }
            text.extend_from_slice(part);
        }
    }
    stack.run().backend.log(level as u8, &text);
    Ok(0)
}

/// Called with an error's value where it is raised: makes a table of it that says where that was.
pub(super) fn handle_error(stack: &Stack) -> Results {
    stack.set_top(1);
    let place = match stack.place(1) {
        // A native function says less than whoever called it.
        Some(None) => {
            stack.place(2).map(|place| place.unwrap_or(Place { source: b"=[C]".to_vec(), line: -1 }))
        }
        place => place.flatten(),
    };
    if stack.kind(1) != Kind::Table {
        let text = sandbox::describe(stack, 1);
        stack.push_table(0, 3);
        stack.push_bytes(shown(&[b"ERR ", &*text].concat()));
        stack.set_field(-2, b"err");
    } else if sandbox::is_frozen(stack, 1) {
        stack.push_table(0, 2);
    }
    if let Some(Place { source, line }) = place {
        stack.push_bytes(&source);
        stack.set_field(-2, b"source");
        stack.push_number(line.into());
        stack.set_field(-2, b"line");
    }
    Ok(1)
}

/// `redis.register_function(name, function)` or with a table of named arguments.
fn register_function(stack: &Stack) -> Results {
    if stack.run().registered.is_none() {
        return Err(raise(stack, "server.register_function can only be called on FUNCTION LOAD command"));
    }
    let registration = match stack.top() {
        1 => named_registration(stack),
        2 => positional_registration(stack),
        _ => Err("wrong number of arguments to server.register_function"),
    };
    let registration = registration.map_err(|why| raise(stack, why))?;
    let mut run = stack.run();
    let registered = run.registered.get_or_insert_default();
    registered.push(registration);
    Ok(0)
}

/// Whether it can be the name of a library or function.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_')
}

fn positional_registration(stack: &Stack) -> Result<Registration, &'static str> {
    let name = stack.text(1).ok_or("first argument to server.register_function must be a string")?.to_vec();
    if stack.kind(2) != Kind::Function {
        return Err("second argument to server.register_function must be a function");
    }
    let function = Function::kept(stack.keep());
    Ok(Registration { name, description: None, flags: ScriptFlags::default(), function })
}

fn named_registration(stack: &Stack) -> Result<Registration, &'static str> {
    if stack.kind(1) != Kind::Table {
        return Err(
            "calling server.register_function with a single argument is only applicable to Lua table \
                    (representing named arguments).",
        );
    }
    let (mut name, mut description, mut flags) = (None, None, ScriptFlags::default());
    let mut function: Option<Function> = None;
    let mut refused = None;
    stack.push_nil();
    while stack.next(1) {
        // The key must stay as it is, or the walk would lose its place.
        stack.push_copy(-2);
        let key = stack.text(-1).map(<[u8]>::to_ascii_lowercase);
        stack.pop(1);
        let why = match key.as_deref() {
            None => Some("named argument key given to server.register_function is not a string"),
            Some(b"function_name") => {
                name = stack.text(-1).map(<[u8]>::to_vec);
                name.is_none()
                    .then_some("function_name argument given to server.register_function must be a string")
            }
            Some(b"description") => {
                description = stack.text(-1).map(<[u8]>::to_vec);
                description
                    .is_none()
                    .then_some("description argument given to server.register_function must be a string")
            }
            Some(b"callback") if stack.kind(-1) == Kind::Function => {
                stack.push_copy(-1);
                let before = function.replace(Function::kept(stack.keep()));
                before.inspect(|before| stack.forget(before.number()));
                None
            }
            Some(b"callback") => {
                Some("callback argument given to server.register_function must be a function")
            }
            Some(b"flags") if stack.kind(-1) == Kind::Table => match read_flags(stack) {
                Some(read) => {
                    flags = read;
                    None
                }
                None => Some("unknown flag given"),
            },
            Some(b"flags") => {
                Some("flags argument to server.register_function must be a table representing function flags")
            }
            Some(_) => Some("unknown argument given to server.register_function"),
        };
        stack.pop(1);
        if why.is_some() {
            stack.pop(1);
            refused = why;
            break;
        }
    }
    let refused = match (&name, function) {
        _ if refused.is_some() => refused,
        (None, _) => Some("server.register_function must get a function name argument"),
        (_, None) => Some("server.register_function must get a callback argument"),
        _ => None,
    };
    match (refused, name, function) {
        (None, Some(name), Some(function)) => Ok(Registration { name, description, flags, function }),
        (why, _, function) => {
            function.inspect(|function| stack.forget(function.number()));
            Err(why.unwrap_or_default())
        }
    }
}

/// The flags in the array on top of the stack; `None` where one is not known.
fn read_flags(stack: &Stack) -> Option<ScriptFlags> {
    let mut flags = ScriptFlags::default();
    for i in 1.. {
        stack.get_element(-1, i);
        let is_end = stack.kind(-1) == Kind::Nil;
        let flag = stack.text(-1).and_then(|name| ScriptFlags::named(shown(name)));
        stack.pop(1);
        if is_end {
            break;
        }
        flags = flags.or(flag?);
    }
    Some(flags)
}
