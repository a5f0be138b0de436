//! FUNCTION: the libraries of functions.

use super::{run, script::kill, shebang};
use crate::{
    base::glob,
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
    persist::rdb::{self, Broken, FunctionsError},
    resp::{Proto, error::shown, request::Args},
    script::{Backend, Host, Interrupt, Refused, is_name},
    state::scripts::{Library, NAME_RULE, Policy, load},
};

/// The container FUNCTION.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("function", Group::Scripting, SUBCOMMANDS)
    .doc("7.0.0", "Holds the commands about functions.", "")];

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

const SUBCOMMANDS: &[CommandSpec] = &[
    sub("delete", 3, function_delete)
        .flags(&[Flags::WRITE])
        .doc("7.0.0", "Deletes a library with its functions.", "O(1)")
        .args(&[Arg::new("library-name", ArgKind::String)])
        .tips(ALL_SHARDS),
    sub("dump", 2, function_dump).doc("7.0.0", "Answers all libraries as bytes.", FUNCTIONS),
    sub("flush", -2, function_flush)
        .flags(&[Flags::WRITE])
        .doc("7.0.0", "Deletes all libraries.", FUNCTIONS)
        .args(&[Arg::new(
            "flush-type",
            ArgKind::OneOf(&[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")]),
        )
        .optional()])
        .tips(ALL_SHARDS),
    CommandSpec::new("help", 2, Group::Scripting, function_help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::SCRIPTING])
        .doc("7.0.0", "Explains the subcommands.", "O(1)"),
    sub("kill", 2, function_kill)
        .flags(&[Flags::ALLOW_BUSY])
        .doc("7.0.0", "Ends the function that runs.", "O(1)")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    sub("list", -2, function_list)
        .doc("7.0.0", "Lists the libraries.", FUNCTIONS)
        .args(&[
            Arg::new("library-name-pattern", ArgKind::String).token("LIBRARYNAME").optional(),
            Arg::word("withcode", "WITHCODE").optional(),
        ])
        .tips(&["nondeterministic_output_order"]),
    sub("load", -3, function_load)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .doc("7.0.0", "Makes a library.", "O(1), the compilation left aside.")
        .args(&[Arg::word("replace", "REPLACE").optional(), Arg::new("function-code", ArgKind::String)])
        .tips(ALL_SHARDS),
    sub("restore", -3, function_restore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .doc("7.0.0", "Makes libraries of what FUNCTION DUMP answered.", FUNCTIONS)
        .args(&[
            Arg::new("serialized-value", ArgKind::String),
            Arg::new(
                "policy",
                ArgKind::OneOf(&[
                    Arg::word("flush", "FLUSH"),
                    Arg::word("append", "APPEND"),
                    Arg::word("replace", "REPLACE"),
                ]),
            )
            .optional(),
        ])
        .tips(ALL_SHARDS),
    sub("stats", 2, function_stats)
        .flags(&[Flags::ALLOW_BUSY])
        .doc("7.0.0", "Tells of the function that runs.", "O(1)")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
];

const FUNCTIONS: &str = "O(N) with N being the number of functions.";

const fn sub(name: &'static str, arity: i16, handler: crate::command::Handler) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Scripting, handler)
        .flags(&[Flags::NOSCRIPT])
        .acl(&[Categories::SCRIPTING])
}

/// How long the code of a library may take to register its functions, in milliseconds.
const LOAD_MAX_MS: u64 = 500;

/// The server as a library sees it while it is loaded.
struct Loading<'s, 'a> {
    ctx: &'s mut Ctx<'a>,
    began_ns: u64,
    interrupts: u64,
}

impl Loading<'_, '_> {
    /// Takes libraries through this server, in a state that is put back.
    fn within<R>(ctx: &mut Ctx<'_>, f: impl FnOnce(&mut Host, &mut Loading<'_, '_>) -> R) -> R {
        let mut host = ctx.state.scripts.libraries.take_host();
        let began_ns = ctx.state.clock.ticks_ns();
        let result = f(&mut host, &mut Loading { ctx, began_ns, interrupts: 0 });
        ctx.state.scripts.libraries.host = Some(host);
        result
    }
}

impl Backend for Loading<'_, '_> {
    fn call(&mut self, _: Args<'_>) -> Result<(), Refused> {
        Err(Refused(b"commands cannot be called while a library is loaded".to_vec()))
    }

    fn reply(&mut self) -> &[u8] {
        &[]
    }

    fn set_proto(&mut self, _: Proto) {}

    fn may_call(&mut self, _: Args<'_>) -> Option<bool> {
        None
    }

    fn log(&mut self, level: u8, text: &[u8]) {
        run::log(self.ctx, level, text);
    }

    fn interrupt(&mut self) -> Interrupt {
        let clock = &self.ctx.state.clock;
        self.interrupts += 1;
        let ms = match clock.is_virtual() {
            true => self.interrupts,
            false => clock.ticks_ns().saturating_sub(self.began_ns) / 1_000_000,
        };
        if ms > LOAD_MAX_MS { Interrupt::End("FUNCTION LOAD timeout") } else { Interrupt::Continue }
    }

    fn random(&mut self) -> &mut u64 {
        &mut self.ctx.state.scripts.random
    }

    fn elapsed_ns(&mut self) -> u64 {
        self.ctx.state.clock.ticks_ns()
    }
}

/// The name of a library, as its first line says it, and its code.
fn name_and_code(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Vec<u8>> {
    let shebang = shebang::Shebang::parse(text).map_err(|why| match why {
        shebang::Broken::Missing => b"Missing library metadata".to_vec(),
        _ => b"Invalid library metadata".to_vec(),
    })?;
    let mut name: Option<Vec<u8>> = None;
    for word in shebang.words().skip(1) {
        let Some((_, value)) = word.split_at_checked(5).filter(|(key, _)| key.eq_ignore_ascii_case(b"name="))
        else {
            return Err([b"Invalid metadata value given: ", shown(word)].concat());
        };
        if name.replace(value.to_vec()).is_some() {
            return Err(b"Invalid metadata value, name argument was given multiple times".to_vec());
        }
    }
    let name = name.ok_or(b"Library name was not given")?;
    if !is_name(&name) {
        return Err(NAME_RULE.into());
    }
    let engine = shebang.engine();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err([b"Engine '", shown(engine), b"' not found"].concat());
    }
    Ok((name, shebang.code))
}

fn error(text: Vec<u8>) -> CmdError {
    CmdError::with([b"ERR ".to_vec(), text].concat())
}

/// <https://valkey.io/commands/function-load/>
fn function_load(ctx: &mut Ctx<'_>) -> Outcome {
    let last = ctx.args.len() - 1;
    let mut replace = false;
    for i in 2..last {
        if !ctx.is_word(i, "replace") {
            return Err(error([b"Unknown option given: ", shown(ctx.args.at(i))].concat()));
        }
        replace = true;
    }
    let text = ctx.args.at(last);
    let (name, code) = name_and_code(text).map_err(error)?;
    if !replace && ctx.state.scripts.libraries.iter().any(|(known, _)| known == name) {
        return Err(error([b"Library '", &*name, b"' already exists"].concat()));
    }
    Loading::within(ctx, |host, loading| {
        let library = load(host, (text, code), loading)?;
        let libraries = &mut loading.ctx.state.scripts.libraries;
        libraries.join(host, vec![(name.clone(), library)], Policy::Replace)
    })
    .map_err(error)?;
    ctx.store.changes.dirty += 1;
    ctx.out().bulk(&name);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/function-list/>
fn function_list(ctx: &mut Ctx<'_>) -> Outcome {
    let (mut pattern, mut with_code) = (None, false);
    let mut i = 2;
    while i < ctx.args.len() {
        if !with_code && ctx.is_word(i, "withcode") {
            with_code = true;
        } else if pattern.is_none() && ctx.is_word(i, "libraryname") {
            i += 1;
            let given = ctx.args.get(i);
            pattern = Some(given.ok_or(CmdError::new("ERR library name argument was not given"))?);
        } else {
            return Err(error([b"Unknown argument ", shown(ctx.args.at(i))].concat()));
        }
        i += 1;
    }
    let wanted = |(name, _): &(&[u8], &Library)| {
        pattern.is_none_or(|pattern| glob::matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase()))
    };
    let libraries = &ctx.state.scripts.libraries;
    let out = &mut ctx.session.out;
    out.array(libraries.iter().filter(wanted).count());
    for (name, library) in libraries.iter().filter(wanted) {
        out.map(if with_code { 4 } else { 3 });
        out.bulk(b"library_name");
        out.bulk(name);
        out.bulk(b"engine");
        out.bulk(b"LUA");
        out.bulk(b"functions");
        out.array(library.functions.len());
        for function in &library.functions {
            out.map(3);
            out.bulk(b"name");
            out.bulk(&function.name);
            out.bulk(b"description");
            match &function.description {
                Some(description) => out.bulk(description),
                None => out.null(),
            }
            out.bulk(b"flags");
            out.set(function.flags.names().count());
            function.flags.names().for_each(|flag| out.simple(flag));
        }
        if with_code {
            out.bulk(b"library_code");
            out.bulk(&library.code);
        }
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/function-delete/>
fn function_delete(ctx: &mut Ctx<'_>) -> Outcome {
    if !ctx.state.scripts.libraries.delete(ctx.args.at(2)) {
        return Err(CmdError::new("ERR Library not found"));
    }
    ctx.store.changes.dirty += 1;
    ctx.ok()
}

/// <https://valkey.io/commands/function-flush/>
fn function_flush(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(ctx.wrong_subcommand());
    }
    if ctx.args.len() == 3 && !ctx.is_word(2, "async") && !ctx.is_word(2, "sync") {
        return Err(CmdError::new("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    ctx.state.scripts.libraries.clear();
    ctx.store.changes.dirty += 1;
    ctx.ok()
}

/// <https://valkey.io/commands/function-dump/>
fn function_dump(ctx: &mut Ctx<'_>) -> Outcome {
    let payload = rdb::dump_functions(ctx.state.scripts.libraries.iter().map(|(_, library)| &*library.code));
    ctx.out().bulk(&payload);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/function-restore/>
fn function_restore(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 4 {
        return Err(ctx.wrong_subcommand());
    }
    let policy = if ctx.args.len() == 3 || ctx.is_word(3, "append") {
        Policy::Append
    } else if ctx.is_word(3, "replace") {
        Policy::Replace
    } else if ctx.is_word(3, "flush") {
        Policy::Flush
    } else {
        return Err(CmdError::new(
            "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
        ));
    };
    let payload = ctx.args.at(2);
    let texts = rdb::restore_functions(payload).map_err(|why| {
        CmdError::new(match why {
            FunctionsError::Footer => "ERR DUMP payload version or checksum are wrong",
            FunctionsError::OldFormat => "ERR Pre-GA function format not supported",
            FunctionsError::NoFunction => "ERR given type is not a function",
            FunctionsError::Body(Broken::Truncated | Broken::Corrupt | Broken::Empty) => {
                "ERR Failed loading library data"
            }
        })
    })?;
    Loading::within(ctx, |host, loading| {
        let mut libraries: Vec<(Vec<u8>, Library)> = Vec::new();
        let mut loaded = Ok(());
        for text in &texts {
            loaded = name_and_code(text).and_then(|(name, code)| {
                if libraries.iter().any(|(other, _)| *other == name) {
                    return Err([b"Library '", &*name, b"' already exists"].concat());
                }
                // Each has its own time.
                loading.began_ns = loading.ctx.state.clock.ticks_ns();
                loading.interrupts = 0;
                let library = load(host, (text, code), loading)?;
                libraries.push((name, library));
                Ok(())
            });
            if loaded.is_err() {
                break;
            }
        }
        let known = &mut loading.ctx.state.scripts.libraries;
        match loaded {
            Ok(()) => known.join(host, libraries, policy),
            Err(why) => {
                libraries.iter().for_each(|(_, library)| crate::state::scripts::forget(host, library));
                Err(why)
            }
        }
    })
    .map_err(error)?;
    ctx.store.changes.dirty += 1;
    ctx.ok()
}

/// <https://valkey.io/commands/function-kill/>
fn function_kill(ctx: &mut Ctx<'_>) -> Outcome {
    kill(ctx, false)
}

/// <https://valkey.io/commands/function-stats/>
fn function_stats(ctx: &mut Ctx<'_>) -> Outcome {
    let now_ns = ctx.state.clock.ticks_ns();
    let is_virtual = ctx.state.clock.is_virtual();
    let scripts = &ctx.state.scripts;
    if let Some(running) = scripts.running.as_ref().filter(|running| running.is_script) {
        return Err(running.busy());
    }
    let out = &mut ctx.session.out;
    out.map(2);
    out.bulk(b"running_script");
    match &scripts.running {
        None => out.null(),
        Some(running) => {
            out.map(3);
            out.bulk(b"name");
            out.bulk(running.name.as_bytes());
            out.bulk(b"command");
            let command = running.command.args();
            out.array(command.len());
            command.from(0).for_each(|arg| out.bulk(arg));
            out.bulk(b"duration_ms");
            out.int(running.duration_ms(now_ns, is_virtual) as i64);
        }
    }
    out.bulk(b"engines");
    out.map(1);
    out.bulk(b"LUA");
    out.map(2);
    out.bulk(b"libraries_count");
    out.count(scripts.libraries.len());
    out.bulk(b"functions_count");
    out.count(scripts.libraries.functions_len());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/function-help/>
fn function_help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "FUNCTION",
        &[
            "LOAD [REPLACE] <FUNCTION CODE>",
            "    Make a library of its code, whose first line names it.",
            "DELETE <LIBRARY NAME>",
            "    Delete a library.",
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "    List the libraries whose names match the pattern, or all:",
            "    * the name",
            "    * the engine that runs it",
            "    * its functions",
            "    * its code, with WITHCODE",
            "STATS",
            "    Tell of the function that runs, nil where none does:",
            "    * its name",
            "    * the command that called it",
            "    * for how many milliseconds it has run",
            "    and of the engines that there are.",
            "KILL",
            "    End the function that runs.",
            "FLUSH [ASYNC|SYNC]",
            "    Delete all libraries. Where no mode is given, lazyfree-lazy-user-flush chooses it:",
            "    * ASYNC: free them in the background.",
            "    * SYNC: free them before the reply.",
            "DUMP",
            "    Answer all libraries as bytes that FUNCTION RESTORE takes.",
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
            "    Make libraries of such bytes. The policy says what becomes of those that are there:",
            "    * FLUSH: they are deleted.",
            "    * APPEND: one of the same name is an error. This is the default.",
            "    * REPLACE: one of the same name is replaced; a function of the same name in another library is still",
            "      an error.",
        ],
    )
}
