"""Libraries and functions that two servers load and call: each reply is compared.

By hand, against running servers: python tests/clients/differential_functions.py --ports 7000 7001
"""

import argparse

import differential_scripts

LIBRARIES = [
    "", "x", "#!lua", "#!lua\n", "#!lua x\n", "#!lua name=\n", "#!lua name=a-b\n", "#!py name=a\nx", "#!lua name=a name=b\n", "#!lua name=a\nx =", "#!lua name=a\nreturn 1",
    "#!lua name='q\n", "#! name=a\nx", "#!lua 'name=a'\nredis.register_function('f', function() return 1 end)", "#!LUA NAME=a\nredis.register_function('f', function() return 2 end)",
    *("#!lua name=a\n" + code for code in differential_scripts.split(r"""
redis.register_function() | redis.register_function(1) | redis.register_function('f') | redis.register_function('f', 1) | redis.register_function(1, function() end) | redis.register_function({}, function() end)
redis.register_function('f', function() end, 1) | redis.register_function('f', function() end) redis.register_function('f', function() end)
redis.register_function{function_name='f'} | redis.register_function{callback=function() end} | redis.register_function{x=1} | redis.register_function{[1]=1} | redis.register_function{} | redis.register_function{function_name='f', callback=1}
redis.register_function{function_name='f', callback=function() end, flags={'x'}} | redis.register_function{function_name='f', callback=function() end, flags=1} | redis.register_function{function_name='f', callback=function() end, flags={1}}
redis.register_function{function_name={}} | redis.register_function{description={}} | redis.register_function{FUNCTION_NAME='f', CALLBACK=function() end} | redis.register_function{function_name='f', callback=function() end, description='d', flags={'no-writes', 'allow-stale'}}
redis.call('x') | x = 1 | return x | error('x') | return tonumber(1) | redis.setresp(3) | return pairs | redis.log(redis.LOG_WARNING, 'x') | redis.log() | redis.x = 1 | server.register_function('g', function() end) | return redis.REDIS_VERSION .. redis.nope
local x = {} x.y.z = 1 | local function f() return f() + 1 end f() | while true do end | redis.register_function('f', function() return redis.register_function('g', function() end) end) | return redis.sha1hex('x') | return KEYS | return cjson
""")),
]  # fmt: skip

LIBRARY = """#!lua name=lib
local count = 0
local function bump() count = count + 1 return count end
redis.register_function('bump', bump)
redis.register_function('echo', function(keys, args) return {keys, args} end)
redis.register_function('set', function(keys, args) return redis.call('set', keys[1], args[1]) end)
redis.register_function{function_name='get', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}
redis.register_function{function_name='ro_set', callback=function(keys) return redis.call('set', keys[1], 1) end, flags={'no-writes'}}
redis.register_function('fail', function() error('x') end)
redis.register_function('fail_table', function() error({err='MY x'}) end)
redis.register_function('fail_call', function() return redis.call('incr', 's') end)
redis.register_function('fail_pcall', function() return redis.pcall('incr', 's') end)
redis.register_function('global', function() x = 1 end)
redis.register_function('absent', function() return nope end)
redis.register_function('keys', function() return KEYS end)
redis.register_function('register', function() return redis.register_function('g', function() end) end)
redis.register_function('json', function() return cjson.encode({1, {a='b'}}) end)
redis.register_function('resp', function() redis.setresp(3) return redis.call('hgetall', 'h') end)
redis.register_function('names', function() local t = {} for k in pairs(redis) do t[#t+1] = k end table.sort(t) return t end)
redis.register_function('globals', function() local t = {} for k in pairs(getmetatable(_G).__index) do t[#t+1] = k end return #t > 20 end)
"""

CALLS = """
bump 0 | bump 0 | BUMP 0 | echo 0 | echo 1 k a b | echo 2 k | echo 2 k l a | echo x | echo -1 | nope 0 | set 1 k v | get 1 k | ro_set 1 k | fail 0 | fail_table 0 | fail_call 0 | fail_pcall 0 | global 0 | absent 0
keys 0 | register 0 | json 0 | resp 0 | names 0
"""


def commands():
    """What is sent, in order."""
    for text in LIBRARIES:
        yield "FUNCTION", "FLUSH"
        yield "FUNCTION", "LOAD", text
        yield "FUNCTION", "LIST"
        yield "FCALL", "f", 0
    yield "FUNCTION", "FLUSH"
    yield "FUNCTION", "LOAD", LIBRARY
    yield "FUNCTION", "LOAD", LIBRARY
    for name in ("FCALL", "FCALL_RO"):
        for call in differential_scripts.split(CALLS):
            yield name, *call.split()
    other = "#!lua name=other\nredis.register_function('bump', function() return 7 end)"
    third = "#!lua name=third\nredis.register_function('third', function() return 3 end)"
    yield "FUNCTION", "LOAD", other
    yield "FUNCTION", "LOAD", "REPLACE", LIBRARY.replace("count + 1", "count + 2")
    yield "FCALL", "bump", 0
    yield "FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\nx ="
    yield "FCALL", "bump", 0
    yield "FUNCTION", "DELETE", "lib"
    yield "FCALL", "bump", 0
    yield "FUNCTION", "LOAD", other
    yield "FUNCTION", "DUMP"
    yield "FUNCTION", "LIST", "WITHCODE"
    yield "FUNCTION", "LOAD", third
    yield "FUNCTION", "STATS"
    for pattern in ("O*", "t?ird", "x", "[o]*"):
        yield "FUNCTION", "LIST", "LIBRARYNAME", pattern
    for line in ("LIST x", "LIST LIBRARYNAME", "LIST WITHCODE WITHCODE", "LOAD", "LOAD x y", "LOAD REPLACE", "DELETE nope", "DELETE", "FLUSH x", "FLUSH a b", "FLUSH SYNC", "RESTORE abc", "RESTORE abc x",
                 "RESTORE abc flush y", "RESTORE", "STATS x", "KILL", "KILL x", "DUMP x", "nope", "DUMP", "FLUSH ASYNC"):  # fmt: skip
        yield "FUNCTION", *line.split()


def compare(left, right, protocols=(2, 3)):
    """Sends all to two servers. Returns the differences as texts."""
    found = []

    def both(*args):
        replies = []
        for connection in (a, b):
            connection.send(*args)
            replies.append(connection.read())
        texts = [differential_scripts.masked(repr(reply)) for reply in replies]
        if texts[0] != texts[1]:
            found.append(f"RESP{protocol} {args!r}\n  {texts[0][:400]}\n  {texts[1][:400]}")
        return replies

    for protocol in protocols:
        with left.connect(protocol=protocol) as a, right.connect(protocol=protocol) as b:
            differential_scripts.prepare(a), differential_scripts.prepare(b)
            for args in commands():
                both(*args)
            # What one server dumped the other takes.
            libraries = ["#!lua name=%s\nredis.register_function('%s', function() return '%s' end)" % (n, n, "x" * 100) for n in "abc"]
            both("FUNCTION", "FLUSH")
            both("FUNCTION", "LOAD", libraries[0])
            for payload in [value for _, value in both("FUNCTION", "DUMP")]:
                both("FUNCTION", "RESTORE", payload)
                both("FUNCTION", "RESTORE", payload, "REPLACE")
                both("FUNCTION", "FLUSH")
                both("FUNCTION", "LOAD", libraries[1])
                both("FUNCTION", "RESTORE", payload)
                both("FUNCTION", "LIST", "LIBRARYNAME", "a")
                both("FUNCTION", "RESTORE", payload, "FLUSH")
                both("FUNCTION", "LIST", "WITHCODE")
                both("FCALL", "a", 0)
                both("FUNCTION", "LOAD", "REPLACE", libraries[0].replace("name=a", "name=z"))
                both("FUNCTION", "FLUSH")
                both("FUNCTION", "LOAD", libraries[0].replace("name=a", "name=z"))
                both("FUNCTION", "RESTORE", payload, "REPLACE")
                both("FUNCTION", "FLUSH")
                both("FUNCTION", "RESTORE", payload[:-1] + b"x")
                both("FUNCTION", "RESTORE", payload[:3])
                both("FUNCTION", "LOAD", libraries[0])
            both("SET", "k", "v")
            for connection in (a, b):
                both("FUNCTION", "RESTORE", connection.call("DUMP", "k"))
            both("FUNCTION", "FLUSH")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, nargs=2, required=True)
    found = compare(*map(differential_scripts.Running, parser.parse_args().ports))
    print(*found, sep="\n")
    print(f"{len(found)} differences")


if __name__ == "__main__":
    main()
