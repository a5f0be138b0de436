"""Choosing arguments, and random commands about strings, lists and keys of any type: see differential.py."""

I64_MAX = 2**63 - 1
STRING_KEYS = [f"k{number}" for number in range(7)] + ["{tag}a", "k\x00\xff"]
LIST_KEYS = [f"l{number}" for number in range(7)] + ["{tag}b", ""]
# To be sorted, and what they are sorted by: see `sorting`.
SORT_KEYS = ["o0", "o1", "l0", "l1", "s0", "z0", "z1"]
WEIGHT_KEYS = [f"w{number}" for number in range(8)] + ["wa", "wb", "w"]
INTEGERS = [0, 1, -1, 2, 3, 10, 100, -100, 9999, 10000, 2**31, I64_MAX, I64_MAX - 1, -I64_MAX, -(2**63)]
ODD_NUMBERS = ["", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "nan", "inf", "-inf", "0x10", "9223372036854775808",
               "-9223372036854775809", "99999999999999999999", "abc", "1\x00"]  # fmt: skip
FLOATS = ["0", "0.1", "0.2", "-0.3", "3.0e3", "1e-5", "1e17", "5.0e-10", "1e4000", "nan", "inf", "-inf", "1.5 ", " 2",
          "", "abc", "123456789.123456789", "0.30000000000000004", "1e308", "-1e18", "17179869184.5"]  # fmt: skip
WORDS = ["", "a", "b", "c", "ab", "hello", "0", "1", "-1", "12345", "x" * 26, "y" * 45, "z" * 200, "\r\n", "\x00\xff",
         *("e" * length for length in range(30, 45)),
         "foobar", "ohmytext", "mynewtext", "3.5", "q" * 5000]  # fmt: skip
# What would expire while the test runs would do so at another command on each server.
NOT_SOON = [number for number in INTEGERS if not 0 < number < 10**6]
MAY_EXPIRE = {b"SET", b"GETEX", b"SETEX", b"PSETEX", b"EXPIRE", b"PEXPIRE", b"HEXPIRE", b"HPEXPIRE", b"HSETEX",
              b"HGETEX", b"RESTORE", b"MSETEX"}  # fmt: skip
ODD_EXPIRIES = [0, -1, -100, I64_MAX, -(2**63), I64_MAX // 1000, "abc", "", "1.5"]
INSTANTS_S = [4_000_000_000, 4_000_000_001, 9_000_000_000, 1, 0, -1, I64_MAX, I64_MAX // 1000, "abc"]



def whole_walk(command):
    """A walk from its beginning to its end: on what one step meets, and so deletes where it has expired, servers differ."""
    if command[1].lstrip(b"+- 0")[:1].isdigit():
        command[1] = b"0"
    if b"COUNT" not in [arg.upper() for arg in command]:
        command += [b"COUNT", b"100000"]
    return [b"100000" if at > 0 and command[at - 1].upper() == b"COUNT" and arg.isdigit() and int(arg) else arg
            for at, arg in enumerate(command)]  # fmt: skip


class Plain:
    """The generator's ways to choose, and the families that are about no type of their own."""

    # Choosing arguments.

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def key(self, usual=None):
        """Any key, mostly one of the usual ones."""
        return self.random.choice(usual if usual and self.chance(0.9) else self.every_key)

    def string_key(self):
        return self.key(STRING_KEYS)

    def list_key(self):
        return self.key(LIST_KEYS)

    def keys(self, most=4, usual=None):
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
            ["DELIFEQ", key, value],
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
            ["MSETEX", self.index() if self.chance(0.1) else len(pairs) // 2, *pairs,
             *self.one([], ["NX"], ["XX"]), *self.one([], self.expiry_option("KEEPTTL"))],
        )  # fmt: skip

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

    def scan(self):
        """A walk starts at the beginning and is asked for at once: what one step brings is the server's own matter."""
        options = [["COUNT", 100_000]]
        if self.chance(0.4):
            options.append(["MATCH", self.one("*", "k*", "{tag}*", "k1", "[hs]?", "nothing*", "", "x[0-9]")])
        if self.chance(0.4):
            options.append(["TYPE", self.one("string", "LIST", "set", "zset", "hash", "stream", "bogus")])
        if self.chance(0.05):
            options.append(self.one(["NOVALUES"], ["BOGUS", 1], ["TYPE"], ["COUNT", 0], ["COUNT", "abc"]))
        self.random.shuffle(options)
        cursor = 0 if self.chance(0.95) else self.one("abc", "", "-1", " 0", "99999999999999999999")
        return ["SCAN", cursor, *(arg for option in options for arg in option)]

    def sorting(self):
        """SORT of what is made of few digits and letters, by keys and fields whose names end in those."""
        if self.chance(0.3):
            return self.one(
                ["SET", self.one(*WEIGHT_KEYS), self.one("3", "1", "2", "-5.5", "1e3", "", "b", "a" if self.chance(0.3) else "7")],
                ["HSET", "w" + self.one("0", "1", "2", "a"), "f", self.one("10", "9", "-1", "x")],
                ["RPUSH", self.one("o0", "o1"), *(self.one("0", "1", "2", "3", "7", "-1") for _ in range(self.one(1, 3, 9)))],
                ["RPUSH", self.one("o0", "o1"), self.one("a", "b", "", "\xff", "1.5")],
                ["DEL", self.one(*WEIGHT_KEYS, *WEIGHT_KEYS, "o0", "o1")],
            )
        patterns = ["w*", "w*", "w*->f", "k*", "h*->f1", "nothing*", "s*", "w*->", "->f", "*", "**"]
        by = ["BY", self.one(*patterns, "nosort", "nosort", "")] if self.chance(0.5) else []
        gets = [arg for _ in range(self.one(0, 0, 0, 1, 2, 3)) for arg in ("GET", self.one("#", *patterns, "plain"))]
        # Equal texts have no order among themselves.
        tied = by and "*" in by[1]
        alpha = ["ALPHA"] if self.chance(0.15 if tied else 0.6) else []
        options = [by, gets, alpha, self.one([], ["ASC"], ["DESC"], ["desc"])]
        name = self.one("SORT", "SORT", "SORT_RO")
        if not (tied and alpha):
            # Of what has no order, and of texts that collation finds equal, any may come first.
            limited = self.chance(0.3) and not (gets and (alpha or by))
            options.append(["LIMIT", self.index(), self.index()] if limited else [])
            if name == "SORT" or self.chance(0.1):
                options.append(["STORE", self.one("o0", "o1", "l0", self.key())] if self.chance(0.3) else [])
        if self.chance(0.03):
            options.append(self.one(["BOGUS"], ["LIMIT", 1], ["GET"], ["BY"], ["STORE"]))
        self.random.shuffle(options)
        return [name, self.key(SORT_KEYS), *(arg for option in options for arg in option)]

    def dumps(self):
        """Values as bytes, the other server's and our own."""
        if self.chance(0.4) or not self.payloads:
            return ["DUMP", self.key()]
        payload = self.random.choice(self.payloads)
        if self.chance(0.1):
            # Not well formed, as the checksum shows.
            at = self.random.randrange(len(payload) + 1)
            payload = self.one(payload[:at], payload[:at] + b"\x55" + payload[at + 1 :], b"", payload + b"\x00")
        options = [["REPLACE"]] if self.chance(0.7) else []
        ttl = 0 if self.chance(0.6) else self.expiry(True)
        if self.chance(0.2):
            # Far off without ABSTTL, too, should that get lost.
            ttl = self.one(10**12, 4 * 10**12, 4 * 10**12, 9 * 10**12, 0, -1, I64_MAX, "abc")
            options.append(["ABSTTL"])
        if self.chance(0.2):
            options.append(["IDLETIME", self.one(0, 1000, 10**6, -1, "abc", I64_MAX)])
        if self.chance(0.1):
            options.append(["FREQ", self.one(0, 5, 255, 256, -1, "abc")])
        if self.chance(0.02):
            options.append(self.one(["BOGUS"], ["FREQ"], ["IDLETIME"]))
        self.random.shuffle(options)
        return ["RESTORE", self.key(), ttl, payload, *(arg for option in options for arg in option)]

    def soon(self):
        """Something ends within milliseconds; the play waits for that."""
        key, wait_ms = self.key(), self.random.randint(1, 6)
        if self.in_multi:
            return ["PTTL", key]
        self.wait_ms = wait_ms
        return self.one(
            ["PEXPIRE", key, wait_ms],
            ["PEXPIRE", key, wait_ms],
            ["SET", key, self.value(), "PX", wait_ms],
            ["PSETEX", key, wait_ms, self.value()],
            ["GETEX", key, "PX", wait_ms],
            ["HPEXPIRE", key, wait_ms, "FIELDS", 2, self.field(), self.field()],
            ["HSETEX", key, "PX", wait_ms, "FIELDS", 1, self.field(), self.value()],
        )

    def inside(self):
        """What is kept, and how, as far as it is the same in both."""
        return self.one(["DEBUG", "DIGEST-VALUE", *self.keys()], ["DEBUG", "DIGEST"], ["MEMORY", "USAGE", self.key()],
                        ["OBJECT", "ENCODING", self.key()], ["OBJECT", "ENCODING", self.key()])  # fmt: skip

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
        name = self.random.choice(sorted(self.limits))
        return self.one(
            ["PING"],
            ["PING", self.value()],
            ["ECHO", self.value()],
            ["PUBLISH", self.key(), self.value()],
            ["NOSUCHCOMMAND", self.value(), self.value()],
            ["", "a"],
            ["OBJECT"],
            ["CONFIG", "SET", "list-compress-depth", self.one(0, 1, 2)],
            ["CONFIG", "SET", name, self.random.choice(self.limits[name])],
            ["COMMAND", self.one("GETKEYS", "GETKEYSANDFLAGS"), *self.one(["SET", "a", "b", "GET"], ["SET", "a", "b"],
                                             ["MSET", "a", 1, "b", 2], ["LMPOP", 2, "a", "b", "LEFT"], ["PING"],
                                             ["BLPOP", "a", "b", 0], ["GET"], ["COPY", "a", "b"])],
            ["PUBSUB", "NUMPAT"],
        )  # fmt: skip
