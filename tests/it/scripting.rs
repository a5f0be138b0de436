//! EVAL, EVALSHA, SCRIPT: what scripts return, call, see and may not do.

use crate::support::check;
use staywire::{state::config::Config, testkit::Harness};

/// Runs scripts without keys on a new server and compares the replies, digests left out.
fn check_scripts(scripts: &[(&str, &str)]) {
    let mut h = Harness::new();
    let c = h.connect();
    for &(script, wanted) in scripts {
        assert_eq!(eval(&mut h, c, script), wanted, "{script}");
    }
}

/// Runs a script without keys; in its error the digest is `SHA`.
fn eval(h: &mut Harness, client: usize, script: &str) -> String {
    let reply = h.call_args(client, &[b"EVAL", script.as_bytes(), b"0"]);
    match reply.split_once(" script: ") {
        Some((text, rest)) => format!("{text} script: SHA{}", &rest[40..]),
        None => reply,
    }
}

#[test]
fn values_become_replies() {
    check_scripts(&[
        ("return 1", ":1"),
        ("return 3.99", ":3"),
        ("return -3.99", ":-3"),
        ("return 0/0", ":-9223372036854775808"),
        ("return '10'", "\"10\""),
        ("return true", ":1"),
        ("return false", "nil"),
        ("return nil", "nil"),
        ("return", "nil"),
        (
            "return print == nil",
            "-ERR user_script:1: Script attempted to access nonexistent global variable 'print' script: SHA, on @user_script:1.",
        ),
        ("return {1, 'a', {true, {}}, nil, 5}", "[:1, \"a\", [:1, []]]"),
        ("return {ok='fine'}", "+fine"),
        ("return {ok='a\\r\\nb'}", "+a  b"),
        ("return {err='MY error\\r\\n+OK\\r\\n'}", "-MY error  +OK"),
        ("return {double=1.5}", "\"1.5\""),
        ("return {map={a=1}}", "[\"a\", :1]"),
        ("return {set={a=true}}", "[\"a\"]"),
        ("return {big_number='12\\r\\n3'}", "\"12  3\""),
        ("return {verbatim_string={format='txt', string='hi'}}", "\"hi\""),
        ("return function() end", "nil"),
        ("local t = {} for i = 1, 3000 do t = {t} end return type(t)", "\"table\""),
    ]);
}

#[test]
fn replies_become_values() {
    check_scripts(&[
        ("return redis.call('SET', 'k', 'v').ok", "\"OK\""),
        ("return redis.call('GET', 'k')", "\"v\""),
        ("return {redis.call('GET', 'none') == false}", "[:1]"),
        ("return type(redis.call('INCR', 'n'))", "\"number\""),
        ("return redis.call('RPUSH', 'l', 1, 2.5, -0.0, 1e15, 1e100)", ":5"),
        (
            "return redis.call('LRANGE', 'l', 0, -1)",
            "[\"1\", \"2.5\", \"0\", \"1000000000000000\", \"1e+100\"]",
        ),
        (
            "redis.setresp(3) redis.call('HSET', 'h', 'f', 'v') return redis.call('HGETALL', 'h').map.f",
            "\"v\"",
        ),
        ("redis.setresp(3) return {redis.call('GET', 'none') == nil}", "[:1]"),
        (
            "redis.setresp(3) redis.call('ZADD', 'z', 1.5, 'm') return {redis.call('ZSCORE', 'z', 'm').double * 2}",
            "[:3]",
        ),
        ("return redis.pcall('INCR', 'k').err", "\"ERR value is not an integer or out of range\""),
        (
            "return redis.call('INCR', 'k')",
            "-ERR value is not an integer or out of range script: SHA, on @user_script:1.",
        ),
        ("return {pcall(redis.call, 'INCR', 'k')}", "[nil, \"ERR value is not an integer or out of range\"]"),
        (
            "return select(2, pcall(redis.call, 'INCR', 'k'))",
            "\"ERR value is not an integer or out of range\"",
        ),
    ]);
}

#[test]
fn commands_are_refused_with_the_texts_of_valkey() {
    check_scripts(&[
        (
            "return redis.call()",
            "-ERR Please specify at least one argument for this call script: SHA, on @user_script:1.",
        ),
        ("return redis.pcall('SET', {}, 1)", "-ERR Command arguments must be strings or integers"),
        ("return redis.pcall('NOPE')", "-ERR Unknown command called from script"),
        ("return redis.pcall('CONFIG', 'NOPE')", "-ERR Unknown command called from script"),
        ("return redis.pcall('GET')", "-ERR Wrong number of args calling command from script"),
        ("return redis.pcall('SUBSCRIBE', 'x')", "-ERR This Redis command is not allowed from script"),
        ("return redis.pcall('EVAL', 'return 1', 0)", "-ERR This Redis command is not allowed from script"),
    ]);
}

#[test]
fn what_all_scripts_see_cannot_be_changed() {
    let at_line = "-ERR user_script:1: Attempt to modify a readonly table script: SHA, on @user_script:1.";
    let native = "-ERR Attempt to modify a readonly table script: SHA, on @user_script:1.";
    check_scripts(&[
        ("x = 1", at_line),
        ("function f() end", at_line),
        ("redis.call = 1", at_line),
        ("_G.tostring = 1", at_line),
        ("string.rep = 1", at_line),
        ("getmetatable('').__index = 1", at_line),
        ("getmetatable(_G).__index = 1", at_line),
        ("rawset(_G, 'x', 1)", native),
        ("rawset(redis, 'call', 1)", native),
        ("setmetatable(_G, {})", native),
        ("table.insert(redis, 1)", native),
        (
            "return {type(next(redis)), getmetatable(redis) == nil, rawget(_G, 'x') == nil, redis == server}",
            "[\"string\", :1, :1, :1]",
        ),
        ("local n = 0 for name in pairs(redis) do n = n + 1 end return n > 20", ":1"),
        ("return {_G == _G._G, _G.redis == redis, ('x'):rep(3), #KEYS, #ARGV}", "[:1, :1, \"xxx\", :0, :0]"),
        ("KEYS[1] = 'x' return #KEYS", ":1"),
        ("return #KEYS", ":0"),
        ("collectgarbage('stop') return collectgarbage('count') > 0", ":1"),
    ]);
}

#[test]
fn scripts_that_take_too_much_get_an_error_and_the_server_lives() {
    let mut h = Harness::new();
    let c = h.connect();
    for (script, wanted) in [
        ("local function f() return 1 + f() end return f()", "stack overflow"),
        ("return ('x'):rep(2^31 - 1)", "resulting string too large"),
        (
            "local s = 'return ' .. ('('):rep(300) .. '1' .. (')'):rep(300) return assert(loadstring(s))",
            "chunk has too many syntax levels",
        ),
        ("return ('a'):rep(100000):find(('a?'):rep(100000))", "pattern too complex"),
        ("return unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return unpack({}, -2147483648, 2147483647)", "too many results to unpack"),
        ("local function f(n) return coroutine.wrap(f)(n + 1) end return f(1)", "C stack overflow"),
        ("local function f(s) return (s:gsub('.', f)) end return f('x')", "stack overflow"),
        ("return cmsgpack.unpack(('\\145'):rep(1e6))", "stack overflow"),
    ] {
        let reply = eval(&mut h, c, script);
        assert!(reply.contains(wanted), "{script}: {}", &reply[..reply.len().min(300)]);
    }
    let nested = b"local t = {} for i = 1, 9000 do t = {t} end return t";
    h.send_args(c, &[b"EVAL", nested, b"0"]);
    let reply = h.receive_bytes(c);
    assert!(reply.ends_with(b"*1\r\n-ERR reached lua stack limit\r\n"));
    assert_eq!(eval(&mut h, c, "return 1"), ":1");
    assert_eq!(eval(&mut h, c, "local function f() return xpcall(f, f) end return f()"), ":1");
}

#[test]
fn what_few_tables_make_much_of_is_refused() {
    let mut h = Harness::new();
    let c = h.connect();
    // Seven times seven tables with the same text in all places.
    let tables = "local t = ('x'):rep(1e6) for i = 1, 7 do t = {t, t, t, t, t, t, t} end ";
    for encode in ["cjson.encode(t)", "cmsgpack.pack(t)"] {
        let reply = eval(&mut h, c, &format!("{tables} return {encode}"));
        assert_eq!(reply, "-ERR user_script:1: not enough memory script: SHA, on @user_script:1.");
    }
    h.call(c, "CLIENT REPLY OFF");
    for result in ["t", "{map={a=t}}", "{set={[t]=1}}", "{{ok='x'}, {t}}"] {
        eval(&mut h, c, &format!("{tables} return {result}"));
    }
    h.call(c, "CLIENT REPLY ON");
    let errors = h.call(c, "INFO errorstats");
    assert!(errors.contains("errorstat_ERR:count=6"), "{errors}");
}

#[test]
fn randomness_goes_on_from_script_to_script() {
    let mut h = Harness::new();
    let c = h.connect();
    let random = "return tostring(math.random())";
    assert_eq!(eval(&mut h, c, random), "\"0.39646477363839\"");
    assert_eq!(eval(&mut h, c, random), "\"0.84048536971234\"");
    assert_eq!(eval(&mut h, c, &format!("math.randomseed(5) {random}")), "\"0.52483957937213\"");
    h.call(c, "SCRIPT FLUSH");
    assert_eq!(eval(&mut h, c, random), "\"0.27285430173988\"");
}

#[test]
fn arguments_are_refused_in_the_order_of_valkey() {
    let mut h = Harness::new();
    let c = h.connect();
    for (call, wanted) in [
        ("bit.bor, 1, {}, 'x'", "bad argument #3 to '?' (number expected, got string)"),
        ("load, 1, {}", "bad argument #2 to '?' (string expected, got table)"),
        ("cmsgpack.unpack_one", "bad argument #1 to '?' (string expected, got no value)"),
        ("setmetatable, redis, 1", "bad argument #2 to '?' (nil or table expected)"),
        ("setmetatable, redis, {}", "Attempt to modify a readonly table"),
        ("struct.size, '\\255'", "bad argument #1 to '?' (invalid format option '\\xff')"),
        ("xpcall, 'a', {}", "false error in error handling"),
        ("redis.log, 2^53, 'x'", "ERR Invalid log level."),
        (
            "redis.set_repl, 2^33",
            "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        ),
    ] {
        let script =
            format!("local r = {{pcall({call})}} if r[3] then r[2] = 'false ' .. r[3] end return r[2]");
        let reply = eval(&mut h, c, &script).replace("\\'", "'");
        assert_eq!(reply, format!("\"{wanted}\""), "{call}");
    }
    assert_eq!(eval(&mut h, c, "return string.gsub(1, '$', error)"), "-ERR  script: SHA, on =[C]:-1.");
    assert_eq!(eval(&mut h, c, "return #cmsgpack.pack(math) > 100"), ":1");
}

#[test]
fn bytecode_is_not_loaded() {
    check_scripts(&[
        ("return {loadstring('\\27Lua')}", "[]"),
        (
            "return select(2, loadstring(string.dump(function() end)))",
            "\"[string \\\"\\x1bLuaQ\\\"]:1: unexpected symbol near \\'char(27)\\'\"",
        ),
        ("local done return load(function() if not done then done = true return 'return 7' end end)()", ":7"),
    ]);
}

#[test]
fn scripts_are_kept_by_their_digests() {
    check(&[
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "-NOSCRIPT No matching script."),
        ("EVALSHA short 0", "-NOSCRIPT No matching script."),
        ("SCRIPT LOAD 'return 1'", "\"e0e1f9fabfc9d4800c877a703b823ac0578ff8db\""),
        ("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0", ":1"),
        ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db x", "[:1, :0]"),
        ("SCRIPT SHOW e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "\"return 1\""),
        (
            "SCRIPT LOAD 'return (1'",
            "-ERR Error compiling script (new function): user_script:1: ')' expected near '<eof>'",
        ),
        ("SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        ("SCRIPT FLUSH", "+OK"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "-NOSCRIPT No matching script."),
        ("EVAL 'return 1' 1", "-ERR Number of keys can't be greater than number of args"),
        ("EVAL 'return 1' -1", "-ERR Number of keys can't be negative"),
        ("EVAL 'return 1' x", "-ERR value is not an integer or out of range"),
        ("EVAL 'return {KEYS[1], ARGV[1], #KEYS, #ARGV}' 1 k a b", "[\"k\", \"a\", :1, :2]"),
        ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now."),
    ]);
}

#[test]
fn scripts_say_what_they_do() {
    check(&[
        (
            "EVAL_RO 'return redis.pcall(\"SET\", \"k\", 1)' 0",
            "-ERR Write commands are not allowed from read-only scripts.",
        ),
        (
            r##"EVAL_RO "#!lua\nreturn 1" 0"##,
            "-ERR Can not execute a script with write flag using *_ro command.",
        ),
    ]);
    check_scripts(&[
        (
            "#!lua flags=no-writes\nreturn redis.pcall('SET', 'k', 1)",
            "-ERR Write commands are not allowed from read-only scripts.",
        ),
        ("#!lua flags=no-writes,allow-oom,allow-stale,no-cluster,allow-cross-slot-keys\nreturn 1", ":1"),
        ("#!lua", "-ERR Invalid script shebang"),
        ("#!lua 'x\nreturn 1", "-ERR Invalid engine in script shebang"),
        ("#!python\nreturn 1", "-ERR Unexpected engine in script shebang: #!python"),
        ("#!lua flags=x\nreturn 1", "-ERR Unexpected flag in script shebang: x"),
        ("#!lua name=x\nreturn 1", "-ERR Unknown lua shebang option: name=x"),
        ("#!lua\nerror('x')", "-ERR user_script:2: x script: SHA, on @user_script:2."),
    ]);
}

#[test]
fn a_script_runs_in_a_transaction_and_breaks_those_of_others() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    h.call(a, "WATCH k");
    assert_eq!(h.call(b, "EVAL 'return redis.call(\"SET\", \"k\", 1)' 0"), "+OK");
    h.call(a, "MULTI");
    assert_eq!(h.call(a, "EVAL 'return 1' 0"), "+QUEUED");
    assert_eq!(h.call(a, "EXEC"), "nil-array");
    h.call(a, "MULTI");
    h.call(a, "EVAL 'return redis.call(\"INCR\", \"k\")' 0");
    h.call(a, "EVAL 'redis.call(\"SELECT\", 3) return redis.call(\"SET\", \"x\", 1)' 0");
    h.call(a, "EXISTS x");
    assert_eq!(h.call(a, "EXEC"), "[:2, +OK, :0]");
    assert_eq!(h.call(a, "EVAL 'return redis.call(\"BLPOP\", \"none\", 0)' 0"), "nil");
}

#[test]
fn errors_are_counted_once() {
    let mut h = Harness::with(Config::default(), 1);
    let c = h.connect();
    h.call(c, "SET k x");
    for script in ["return redis.call('INCR', 'k')", "return redis.pcall('INCR', 'k')"] {
        assert!(eval(&mut h, c, script).starts_with("-ERR value"));
    }
    let info = h.call(c, "INFO everything");
    assert!(info.contains("errorstat_ERR:count=2"), "{info}");
    assert!(info.contains("cmdstat_incr:calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=2"));
    assert!(info.contains("cmdstat_eval:calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=2"));
    assert!(eval(&mut h, c, "return redis.call('NOPE')").contains("Unknown"));
    assert!(eval(&mut h, c, "return {err='MINE x'}").contains("MINE"));
    let info = h.call(c, "INFO everything");
    assert!(info.contains("errorstat_ERR:count=3") && info.contains("errorstat_MINE:count=1"), "{info}");
}

/// A server whose scripts are long from the first interrupt on, with two clients.
fn impatient() -> (Harness, usize, usize) {
    let mut h = Harness::with(Config { busy_threshold_ms: 1, ..Config::default() }, 1);
    let (a, b) = (h.connect(), h.connect());
    (h, a, b)
}

const BUSY: &str = "-BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

#[test]
fn others_are_answered_while_a_script_runs_long() {
    let (mut h, a, b) = impatient();
    for line in
        ["GET x", "PING", "MULTI", "SET x 1", "EXEC", "FUNCTION STATS", "FUNCTION KILL", "SCRIPT KILL"]
    {
        h.send_while_busy(b, line);
    }
    let reply = eval(&mut h, a, "while true do pcall(function() while true do end end) end");
    assert_eq!(reply, "-ERR Script killed by user with SCRIPT KILL. script: SHA, on @user_script:1.");
    let abort = "-EXECABORT Transaction discarded because of: BUSY Valkey is busy running a script. You can only call \
                 SCRIPT KILL or SHUTDOWN NOSAVE.";
    let wanted = [BUSY, BUSY, "+OK", BUSY, abort, BUSY, BUSY, "+OK"];
    assert_eq!(h.receive(b).lines().collect::<Vec<_>>(), wanted);
    assert_eq!((h.call(a, "PING"), h.call(b, "PING")), ("+PONG".into(), "+PONG".into()));
}

#[test]
fn a_script_is_killed_in_coroutines_and_handlers_of_errors() {
    for script in [
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local t = setmetatable({}, {__index = function() while true do end end}) while true do pcall(function() return t.x end) end",
    ] {
        let (mut h, a, b) = impatient();
        h.send_while_busy(b, "SCRIPT KILL");
        let reply = eval(&mut h, a, script);
        assert!(reply.starts_with("-ERR"), "{script}: {reply}");
        assert_eq!(h.receive(b), "+OK");
        assert_eq!(eval(&mut h, a, "return 1"), ":1");
    }
}

#[test]
fn a_script_that_has_written_ends_with_the_server_alone() {
    let (mut h, a, b) = impatient();
    h.send_while_busy(b, "SCRIPT KILL");
    h.send_while_busy(b, "AUTH x");
    h.send_while_busy(b, "SHUTDOWN NOW");
    h.send_while_busy(b, "SHUTDOWN NOSAVE");
    let reply = eval(&mut h, a, "redis.call('SET', 'k', 1) while true do end");
    assert!(reply.starts_with("-ERR Script killed by the server's end."), "{reply}");
    let replies = h.receive(b);
    assert!(replies.starts_with("-UNKILLABLE Sorry the script already executed write commands"), "{replies}");
    assert!(replies.contains(BUSY), "{replies}");
    assert!(h.engine.state.stopping);
}

#[test]
fn a_function_that_runs_long_is_told_of_and_killed() {
    let (mut h, a, b) = impatient();
    let library = "#!lua name=l\nredis.register_function('f', function() while true do end end)";
    h.call_args(a, &[b"FUNCTION", b"LOAD", library.as_bytes()]);
    for line in ["GET x", "FUNCTION STATS", "SCRIPT KILL", "FUNCTION KILL"] {
        h.send_while_busy(b, line);
    }
    assert_eq!(
        h.call(a, "FCALL f 1 k x"),
        "-ERR Script killed by user with FUNCTION KILL. script: f, on @user_function:2."
    );
    let busy = BUSY.replace("SCRIPT KILL", "FUNCTION KILL");
    let stats = "[\"running_script\", [\"name\", \"f\", \"command\", [\"FCALL\", \"f\", \"1\", \"k\", \"x\"], \
                 \"duration_ms\", :2], \"engines\", [\"LUA\", [\"libraries_count\", :1, \"functions_count\", :1]]]";
    assert_eq!(h.receive(b).lines().collect::<Vec<_>>(), [&*busy, stats, &*busy, "+OK"]);
}
