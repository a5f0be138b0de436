"""Random libraries of functions that two servers load, dump, restore, delete and call, by several users."""

import random
import re

import differential_scripts
import harness
from differential_compare import Report

LIBRARIES = ["a", "b", "lib", "Lib", "lib_2", "x9", "other", "LIB_2"]
FUNCTIONS = ["f", "g", "F", "sum", "f1", "f_2", "put", "take", "name"]
FLAGS = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys", "NO-WRITES", "", "nosuch", "raw"]
BODIES = [
    "return {#keys, #args, keys[1], args[1]}", "return redis.call('set', keys[1] or 'k', args[1] or '1')", "return redis.call('get', keys[1] or 'k')",
    "return redis.pcall('get', 'nokey', 'x')", "return redis.call('incr', 'text')", "return redis.pcall('incr', 'text')", "error('broken')", "error({err='MY own'})", "x = 1",
    "return nope", "return redis.error_reply('MY reply')", "return {ok='fine'}", "redis.setresp(3) return redis.call('hgetall', 'h')", "return redis.call('fcall', 'f', 0)",
    "return redis.call('function', 'list')", "return redis.register_function('late', function() end)", "return tostring(KEYS)", "return cjson.encode(args)",
    "redis.call('set', 'k', 1) redis.call('lpush', 'k', 1)", "return redis.call('publish', 'c', 'm')", "return redis.call('keys', '*') and 1", "return redis.acl_check_cmd('set', 'k', 'v')",
    "return server.call('ping')", "return {1, {2, {}}, false, 3.7}", "return redis.call('multi')", "return redis.call('acl', 'whoami')",
]  # fmt: skip
TROUBLE = [
    "redis.call('ping')", "redis.pcall('set', 'k', 'v')", "x = 1", "return x", "error('x')", "error({err='x y'})", "local", "redis.register_function", "redis.register_function('', function() end)",
    "redis.register_function('a-b', function() end)", "redis.register_function('q', 5)", "redis.register_function{function_name='q'}", "redis.register_function{callback=function() end}",
    "redis.register_function{function_name='q', callback=function() end, flags={[2]='no-writes'}}", "redis.register_function{function_name='q', callback=function() end, flags='no-writes'}",
    "redis.register_function{function_name='q', callback=function() end, extra=1}", "redis.register_function('q', function() end, 'd')", "redis.register_function({'q', function() end})",
    "redis.register_function{function_name='q', callback=function() end, flags={'no-writes', 5}}", "redis.register_function{function_name='q', callback=function() end, flags={{}}}",
    "redis.register_function{function_name=5, callback=function() end}", "redis.register_function(5, function() end)", "redis.register_function{function_name='q', callback=function() end, description=5}",
    "redis.set_repl(1)", "redis.breakpoint()", "redis.setresp(3)", "redis.log(redis.LOG_DEBUG, 'x')", "math.randomseed(1)", "local t = setmetatable({}, {}) t.x = 1", "string.x = 1", "_G.y = 1",
    "redis.acl_check_cmd('get', 'k')", "return KEYS[1]", "pcall(redis.register_function, 'f', function() end)", "pcall(redis.register_function, 5)", "local ok, why = pcall(redis.call, 'ping') error(why)",
    "redis.register_function{function_name='a b', callback=function() end}", "redis.register_function{['function_name']='ok1', ['callback']=function() return 1 end, ['flags']={}}", "server.register_function('ok2', function() return 2 end)",
]  # fmt: skip
SHEBANGS = [
    "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!lua name={0}", "#!LUA Name={0}", "#!lua", "#!lua {0}", "#! name={0}",
    "#!js name={0}", "#!lua name={0} name=b", "#!lua name={0} flags=no-writes", "#!lua name=", "#!lua name=a b", "#!lua name='{0}'", "#!lua \"name={0}", "lua name={0}", "", "#", "#!", "#!lua   name={0}  ", "#!lua\tname={0}", "#!lua name={0}\r",
]  # fmt: skip
USERS = {
    "all": "on nopass +@all ~* &*",
    "nokeys": "on nopass +fcall +fcall_ro +function +get +set +multi +exec +discard +ping",
    "some": "on nopass ~k* %R~text +fcall +fcall_ro +get +set +ping +multi +exec +discard",
    "reader": "on nopass %R~* +fcall_ro +get +function|list +function|stats +function|dump +multi +exec +discard",
    "nocall": "on nopass ~* +@all -fcall -function|load",
}


class Play:
    """What is sent."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.payloads = []

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, part):
        return self.random.random() < part

    def function(self, name):
        body = self.one(*BODIES)
        code = f"function(keys, args) {body} end"
        if self.chance(0.5):
            return f"redis.register_function('{name}', {code})"
        parts = [f"function_name='{name}'", f"callback={code}"]
        if self.chance(0.6):
            flags = self.random.choices(FLAGS, [9, 5, 5, 3, 3, 1, 1, 1, 1], k=self.random.randint(0, 3))
            parts.append("flags={%s}" % ", ".join(f"'{flag}'" for flag in flags))
        if self.chance(0.3):
            parts.append(f"description='{self.one('', 'of use', 'x' * 200)}'")
        self.random.shuffle(parts)
        return "redis.register_function{%s}" % ", ".join(parts)

    def library(self):
        # Of two in a library whose names differ by case alone Valkey dies.
        names = self.one(FUNCTIONS, [name for name in FUNCTIONS if name != "F"])
        names = [self.one(*names) for _ in range(self.one(1, 1, 1, 2, 2, 3, 0))]
        names = [name.lower() if "F" in names else name for name in names] if len(names) > 1 else names
        lines = [self.function(name) for name in names]
        if self.chance(0.25):
            lines.insert(self.random.randint(0, len(lines)), self.one(*TROUBLE))
        return "\n".join([self.one(*SHEBANGS).format(self.one(*LIBRARIES)), *lines])

    def call(self):
        keys = [self.one("k", "k2", "text", "h", "other") for _ in range(self.random.randint(0, 3))]
        count = len(keys) if self.chance(0.8) else self.one(-1, 0, 1, 4, 9, "x", "", "1.0", 2**63, "+1")
        name = self.one(*FUNCTIONS, "ok1", "ok2", "late", "q") if self.chance(0.95) else self.one("", "nosuch", "a\0b")
        return [self.one("FCALL", "FCALL", "FCALL_RO", "fcall"), name, count, *keys, *self.random.sample(["1", "two", ""], self.one(0, 0, 1, 2))]

    def manage(self):
        name = self.one(*LIBRARIES)
        payload = self.one(*self.payloads) if self.payloads else b""
        if payload and self.chance(0.1):
            at = self.random.randrange(len(payload))
            payload = self.one(payload[:at], payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :], payload + b"x")
        return [
            "FUNCTION",
            *self.one(
                ["DELETE", name], ["DELETE", name], ["LIST"], ["LIST", "WITHCODE"], ["LIST", "LIBRARYNAME", self.one(name, "*", "l*", "L?b", "[ab]", "[^a]*", "", "lib_\\2", "*_*")],
                ["LIST", "WITHCODE", "LIBRARYNAME", name], ["LIST", "LIBRARYNAME", name, "WITHCODE"], ["LIST", "LIBRARYNAME", "a", "LIBRARYNAME", "b"], ["LIST", self.one("LIBRARYNAME", "x", "")],
                ["DUMP"], ["DUMP"], ["DUMP"], ["STATS"], ["STATS"], ["KILL"], ["FLUSH", *self.one([], ["SYNC"], ["ASYNC"], ["async"], ["x"], ["SYNC", "ASYNC"])],
                *[["RESTORE", payload, *self.one([], ["APPEND"], ["REPLACE"], ["FLUSH"], ["replace"], ["x"], ["FLUSH", "x"])]] * 7,
            ),
        ]  # fmt: skip

    def command(self):
        kind = self.random.random()
        if kind < 0.35:
            return ["FUNCTION", "LOAD", *self.one([], ["REPLACE"], ["REPLACE"], ["replace", "REPLACE"], ["x"] if self.chance(0.2) else []), self.library()]
        if kind < 0.7:
            return self.call()
        if kind < 0.9:
            return self.manage()
        return self.one(
            ["MULTI"], ["MULTI"], ["EXEC"], ["EXEC"], ["DISCARD"], ["SET", "text", "abc"], ["HSET", "h", "f", "v"], ["DEL", "k", "k2", "other"], ["GET", "k"], ["EVAL", "return redis.call('fcall', 'f', 0)", 0],
            ["EVAL", "return redis.call('function', 'load', 'x')", 0], ["AUTH", self.one(*USERS), "x"], ["AUTH", self.one(*USERS), "x"], ["AUTH", "all", "x"], ["COMMAND", "GETKEYS", *self.call()], ["HELLO", self.one(2, 3)],
        )  # fmt: skip


def shown(reply):
    """A reply with sets in one order, and without what hangs on the order of libraries in a hash table."""
    kind, items = reply
    if kind == b"$" and items and items[:1] in (b"\xf5", b"\xf6"):
        return kind, b"what FUNCTION DUMP answers"
    if kind in b"*%" and items and (b"$", b"server") in (items[0], items[0][0]):
        return kind, b"what HELLO answers"
    if kind == b"~" or kind == b"*" and items and all(item[0] == b"+" for item in items):
        return kind, sorted(items)
    if kind == b"*" and items and all(item[0] in b"*%" and item[1] and library_name(item) for item in items):
        return kind, sorted((shown(item) for item in items), key=repr)
    if kind == b"*" and items:
        return kind, [shown(item) for item in items]
    if kind == b"%":
        return kind, [(shown(name), shown(item)) for name, item in items]
    return reply


def masked(reply):
    """Which of several that are there already is named hangs on the order of a hash table; and Valkey has two names for
    what is wrong with a name."""
    text = differential_scripts.masked(repr(reply)).replace("Function names can", "Library names can")
    text = re.sub(r"(Function|Library) \w+ already exists", r"\1 ... already exists", text)
    return text


def library_name(item):
    """Whether it is a library or function of FUNCTION LIST, which come in any order."""
    first = item[1][0] if item[0] == b"*" else item[1][0][0]
    return first in ((b"$", b"library_name"), (b"$", b"name"))


def play(ours, theirs, seed, commands):
    """Sends the same to both; what either dumps is restored by both."""
    play, report = Play(seed), Report(seed)
    with ours.connect() as left, theirs.connect() as right:
        for side in (left, right):
            for name, rules in USERS.items():
                side.call("ACL", "SETUSER", name, *rules.split())
            side.call("SET", "text", "abc")
        for at in range(commands):
            if at % 300 == 299:
                command = [b"RESET"]
            elif at % 300 == 0:
                command = [b"AUTH", b"all", b"x"]
            else:
                command = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in play.command()]
            replies = []
            for side in (left, right):
                side.send(*command)
                replies.append(side.read())
            if command[1:2] == [b"DUMP"] and {kind for kind, _ in replies} == {b"$"}:
                play.payloads = [*play.payloads[-8:], *(payload for _, payload in replies)]
            elif command[0] == b"HELLO":
                assert replies[0][0] == replies[1][0]
            else:
                texts = [masked(shown(reply)) for reply in replies]
                if texts[0] != texts[1]:
                    report.add(at, command, *replies)
        for side, found in ((left, []), (right, [])):
            side.call("RESET")
        listed = []
        for side in (left, right):
            stats = {line.split(":")[0]: line for line in side.call("INFO", "errorstats", "memory").decode().splitlines()}
            listed.append({name: line for name, line in stats.items() if name.startswith("errorstat") or "number_of" in name})
        if listed[0] != listed[1]:
            report.add(commands, [b"INFO"], *(sorted(side.items() - other.items()) for side, other in (listed, listed[::-1])))
    return report


def main():
    """Between servers that run: --ports OURS THEIRS."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, nargs=2, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--commands", type=int, default=20_000)
    options = parser.parse_args()
    report = play(*map(differential_scripts.Running, options.ports), options.seed, options.commands)
    print(report.text())


if __name__ == "__main__":
    main()
