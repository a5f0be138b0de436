//! FUNCTION and FCALL: libraries, what their functions may do, and their payloads.

use crate::support::check_with;
use staywire::testkit::Harness;

const LIBRARY: &str = "#!lua name=lib
local count = 0
redis.register_function('bump', function() count = count + 1 return count end)
redis.register_function('echo', function(keys, args) return {keys, args} end)
redis.register_function{function_name='get', callback=function(keys) return redis.call('GET', keys[1]) end,
    description='reads', flags={'no-writes'}}
redis.register_function{function_name='bad', callback=function() return redis.call('SET', 'k', 1) end,
    flags={'no-writes'}}
redis.register_function('fail', function() error('x') end)
redis.register_function('names', function() return redis.register_function end)
";

fn load(h: &mut Harness, client: usize, code: &str) -> String {
    h.call_args(client, &[b"FUNCTION", b"LOAD", code.as_bytes()])
}

#[test]
fn functions_are_called_by_their_names_in_any_case() {
    let mut h = Harness::new();
    let c = h.connect();
    assert_eq!(load(&mut h, c, LIBRARY), "\"lib\"");
    assert_eq!(load(&mut h, c, LIBRARY), "-ERR Library 'lib' already exists");
    check_with(
        &mut h,
        &[
            ("FCALL bump 0", ":1"),
            ("FCALL BUMP 0", ":2"),
            ("FCALL echo 1 k a b", "[[\"k\"], [\"a\", \"b\"]]"),
            ("FCALL_RO get 1 none", "nil"),
            ("FCALL_RO bump 0", "-ERR Can not execute a script with write flag using *_ro command."),
            (
                "FCALL bad 0",
                "-ERR Write commands are not allowed from read-only scripts. script: bad, on @user_function:7.",
            ),
            ("FCALL fail 0", "-ERR user_function:9: x script: fail, on @user_function:9."),
            ("FCALL names 0", "nil"),
            ("FCALL nope 0", "-ERR Function not found"),
            ("FCALL bump x", "-ERR Bad number of keys provided"),
            ("FCALL bump 1", "-ERR Number of keys can't be greater than number of args"),
            (
                "FUNCTION STATS",
                "[\"running_script\", nil, \"engines\", [\"LUA\", [\"libraries_count\", :1, \"functions_count\", :6]]]",
            ),
            ("FUNCTION DELETE lib", "+OK"),
            ("FCALL bump 0", "-ERR Function not found"),
            ("FUNCTION DELETE lib", "-ERR Library not found"),
        ],
    );
}

#[test]
fn code_that_is_loaded_finds_nothing_but_what_registers() {
    let mut h = Harness::new();
    let c = h.connect();
    for (code, wanted) in [
        ("x", "-ERR Missing library metadata"),
        ("#!lua name=a", "-ERR Invalid library metadata"),
        ("#!lua\nx", "-ERR Library name was not given"),
        ("#!py name=a\nx", "-ERR Engine 'py' not found"),
        (
            "#!lua name=a\nx =",
            "-ERR Error compiling function: user_function:2: unexpected symbol near '<eof>'",
        ),
        ("#!lua name=a\nlocal x = 1", "-ERR No functions registered"),
        (
            "#!lua name=a\nreturn tonumber(1)",
            "-ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global \
             variable 'tonumber'",
        ),
        (
            "#!lua name=a\nredis.register_function('a-b', function() end)",
            "-ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one \
             character long",
        ),
        (
            "#!lua name=a\nlocal f = function() end local r = redis.register_function r('f', f) r('f', f) r('', f)",
            "-ERR Function already exists in the library",
        ),
        ("#!lua name=a\nwhile true do end", "-ERR Error registering functions: ERR FUNCTION LOAD timeout"),
    ] {
        assert_eq!(load(&mut h, c, code), wanted, "{code}");
    }
}

#[test]
fn payloads_bring_libraries_back() {
    let mut h = Harness::new();
    let c = h.connect();
    load(&mut h, c, LIBRARY);
    h.send(c, "FUNCTION DUMP");
    let reply = h.receive_bytes(c);
    let start = reply.iter().position(|&b| b == b'\n').expect("a length") + 1;
    let payload = reply[start..reply.len() - 2].to_vec();
    let restore =
        |h: &mut Harness, policy: &[u8]| h.call_args(c, &[b"FUNCTION", b"RESTORE", &payload, policy]);
    assert_eq!(restore(&mut h, b"APPEND"), "-ERR Library lib already exists");
    assert_eq!(restore(&mut h, b"REPLACE"), "+OK");
    assert_eq!(h.call(c, "FUNCTION FLUSH"), "+OK");
    assert_eq!(
        load(&mut h, c, "#!lua name=other\nredis.register_function('echo', function() end)"),
        "\"other\""
    );
    assert_eq!(restore(&mut h, b"REPLACE"), "-ERR Function echo already exists");
    assert_eq!(h.call(c, "FCALL bump 0"), "-ERR Function not found");
    assert_eq!(restore(&mut h, b"FLUSH"), "+OK");
    assert_eq!(h.call(c, "FCALL bump 0"), ":1");
    assert_eq!(h.call(c, "FUNCTION RESTORE abc"), "-ERR DUMP payload version or checksum are wrong");
}
