"""Random commands on sorted sets and on places in them, for differential.py."""

ZSET_KEYS = [f"z{number}" for number in range(5)] + ["{tag}z"]
SET_KEYS = ["s0", "s1", "{tag}s"]
# All members of one score, as lexicographic ranges want it: other commands do not write here.
LEX_KEYS = ["zl0", "zl1"]
# Places: scores that are geohashes.
GEO_KEYS = ["zg0", "zg1"]
KEYS = [*ZSET_KEYS, *GEO_KEYS]
LIMITS = {"zset-max-listpack-entries": (0, 4, 16, 128), "zset-max-listpack-value": (0, 8, 64)}
SCORES = ["0", "1", "-1", "2", "3", "1.5", "-0", "0.1", "1e3", "inf", "-inf", "+inf", "1e300", "-1e300", "5e-324", "0x10",
          "3.0000000000000004", "123456789012345680", "9007199254740993", "4611686018427387904", "1e17", "1e21", "1e-7",
          "-1.7976931348623157e308", "10", "100", "1000", "-3", "7"]  # fmt: skip
ODD_SCORES = ["nan", "", " 1", "1 ", "abc", "1e400", "1e-400", "0x", "(1", "1\x00"]
MEMBERS = [f"m{number}" for number in range(30)] + [str(number) for number in range(-3, 12)] + \
    ["", "\x00\xff", "-0", "01", "A" * 64, "B" * 65, "z" * 300, "9223372036854775807"]  # fmt: skip
PLACES = [("13.361389", "38.115556"), ("15.087269", "37.502669"), ("2.349014", "48.864716"), ("0", "0"), ("-0.1", "51.5"),
          ("180", "85.05112878"), ("-180", "-85.05112878"), ("179.99", "0.1"), ("-179.99", "-0.1"), ("2.3491", "48.8648"),
          ("-73.9733487", "40.7648057"), ("116.40", "39.90"), ("20", "80"), ("20.1", "-80")]  # fmt: skip
ODD_PLACES = [("181", "0"), ("0", "86"), ("nan", "0"), ("0", "abc"), ("", ""), ("1e400", "0")]
RADII = ["0", "1", "10", "100", "500", "1000", "5000", "10000", "200000", "2000000", "20000000", "1e10", "0.5"]


def harmless(command):
    """The command without what no two servers agree on, or what the other one does not survive."""
    name = command[0].upper()
    if name == b"ZADD" and len(command) > 1 and command[1].decode("latin-1") in LEX_KEYS:
        # Lexicographic ranges are of members with one score.
        return [b"0" if at % 2 == 0 and at > 0 else arg for at, arg in enumerate(command)]
    if name == b"ZRANDMEMBER" and len(command) > 2 and len(command[2]) > 4 and command[2] != b"-9223372036854775808":
        return [*command[:2], b"1000", *command[3:]]
    if name == b"ZSCAN" and len(command) > 2 and command[2] not in (b"0", b"", b"abc", b"-1", b"nan"):
        # Where a walk goes on is a server's own affair.
        return [*command[:2], b"0", *command[3:]]
    words = [arg.upper() for arg in command]
    stores = name == b"GEOSEARCHSTORE" or name.startswith(b"GEORADIUS") and {b"STORE", b"STOREDIST"} & set(words)
    if stores and b"COUNT" in words[:-1] and b"ANY" not in words:
        # Which of two equally near ones is taken is open.
        return [b"1000" if at > 0 and words[at - 1] == b"COUNT" else arg for at, arg in enumerate(command)]
    return command


def same_reply(name, command, ours, theirs):
    """Whether two replies that are not equal say the same; None where there is nothing special about them."""
    if name.startswith("GEO") and ours[0] == theirs[0] == b"*" and b"COUNT" in map(bytes.upper, command):
        # Among equally near ones the order is open, and which of them is left out.
        return [distance(place) for place in ours[1]] == [distance(place) for place in theirs[1]]
    if name != "ZSCAN" or ours[0] != b"*" or theirs[0] != b"*":
        return None
    # In the order of a hash table; how far one step goes is a server's own affair.
    cursors = [reply[1][0][1] for reply in (ours, theirs)]
    return cursors != [b"0", b"0"] or sorted(ours[1][1][1]) == sorted(theirs[1][1][1])


def distance(place):
    """What is known of a place that was found but its name and where it is."""
    return place[1][1] if place[0] == b"*" and place[1][1][0] == b"$" else place[0]


class SortedSets:
    """Makers of commands for the generator."""

    def zset_key(self):
        return self.key(ZSET_KEYS)

    def zset_keys(self, most=4):
        return [self.zset_key() for _ in range(self.random.randint(1, most))]

    def score(self):
        if self.chance(0.02):
            return self.random.choice(ODD_SCORES)
        if self.chance(0.3):
            return repr(self.random.uniform(-10, 10) * 10.0 ** self.random.randint(-8, 20))
        return self.random.choice(SCORES)

    def zset_member(self):
        return self.random.choice(MEMBERS) if self.chance(0.95) else self.value()

    def zset_members(self, most=5):
        return [self.zset_member() for _ in range(self.random.randint(1, most))]

    def scored_members(self):
        count = self.random.randint(1, 4) if self.chance(0.98) else 140
        if count > 100:
            return [arg for number in range(count) for arg in (self.score(), f"many{number}")]
        return [arg for _ in range(count) for arg in (self.score(), self.zset_member())]

    def score_end(self):
        if self.chance(0.03):
            return self.random.choice(ODD_SCORES)
        return self.one("", "", "(") + self.random.choice(SCORES)

    def lex_end(self):
        return self.one("-", "+", "[" + self.zset_member(), "(" + self.zset_member(), "[", "(", "[m1", "(m2", "m" if self.chance(0.1) else "[m")

    def limit(self):
        return ["LIMIT", self.index(), self.index()] if self.chance(0.3) else []

    def with_scores(self):
        return self.one([], ["WITHSCORES"], ["withscores"])

    def options(self, *words, probability=0.3):
        return [self.one(*word) if isinstance(word, tuple) else word for word in words if self.chance(probability)]

    def zadd(self):
        if self.chance(0.15):
            key = self.random.choice(LEX_KEYS)
            return ["ZADD", key, *[arg for member in self.zset_members(8) for arg in ("0", member)]]
        words = self.options("NX", "XX", "GT", "LT", "CH", "INCR", probability=0.12)
        pairs = self.scored_members()
        if "INCR" in words and self.chance(0.9):
            pairs = pairs[:2]
        return self.one(
            ["ZADD", self.zset_key(), *words, *pairs],
            ["ZADD", self.zset_key(), *words, *pairs],
            ["ZADD", self.zset_key(), *pairs],
            ["ZINCRBY", self.zset_key(), self.score(), self.zset_member()],
        )

    def zread(self):
        key, member = self.zset_key(), self.zset_member()
        if self.chance(0.02):
            return [self.one("SET", "RPUSH"), self.random.choice(LEX_KEYS), "0"]
        if self.chance(0.02):
            return ["DEL", self.random.choice(LEX_KEYS)]
        return self.one(
            ["ZSCORE", key, member],
            ["ZMSCORE", key, *self.zset_members()],
            ["ZCARD", key],
            ["ZCOUNT", key, self.score_end(), self.score_end()],
            ["ZLEXCOUNT", self.random.choice(LEX_KEYS), self.lex_end(), self.lex_end()],
            [self.one("ZRANK", "ZREVRANK"), key, member, *self.one([], [], ["WITHSCORE"], ["BOGUS"])],
            ["ZRANDMEMBER", key],
            ["ZRANDMEMBER", key, self.one(0, 1, 3, -5, 1000, "x", -(2**63), 2**63 - 1), *self.one([], ["WITHSCORES"], ["BOGUS"])],
            ["ZSCAN", key, "0", "COUNT", 10000, *self.options("NOSCORES"), *self.one([], ["MATCH", "m*"], ["MATCH"])],
            ["DEBUG", "DIGEST-VALUE", key, self.random.choice(LEX_KEYS)],
            ["OBJECT", "ENCODING", key],
        )

    def zrange(self):
        key, lex = self.zset_key(), self.random.choice(LEX_KEYS)
        store = self.chance(0.2)
        head = ["ZRANGESTORE", self.zset_key()] if store else ["ZRANGE"]
        tail = [] if store and self.chance(0.9) else self.with_scores()
        rev = self.options("REV")
        return self.one(
            [*head, key, self.index(), self.index(), *rev, *tail, *(self.limit() if self.chance(0.1) else [])],
            [*head, key, self.score_end(), self.score_end(), "BYSCORE", *rev, *self.limit(), *tail],
            [*head, lex, self.lex_end(), self.lex_end(), "BYLEX", *rev, *self.limit(), *(tail if self.chance(0.1) else [])],
            ["ZREVRANGE", key, self.index(), self.index(), *self.with_scores()],
            [self.one("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), key, self.score_end(), self.score_end(), *self.with_scores(),
             *self.limit()],
            [self.one("ZRANGEBYLEX", "ZREVRANGEBYLEX"), lex, self.lex_end(), self.lex_end(), *self.limit()],
            ["ZRANGE", key, 0, -1, "WITHSCORES"],
        )  # fmt: skip

    def zremove(self):
        key = self.zset_key()
        return self.one(
            ["ZREM", key, *self.zset_members(8)],
            ["ZREM", self.random.choice(LEX_KEYS), *self.zset_members(8)],
            ["ZREMRANGEBYRANK", key, self.index(), self.index()],
            ["ZREMRANGEBYSCORE", key, self.score_end(), self.score_end()],
            ["ZREMRANGEBYLEX", self.random.choice(LEX_KEYS), self.lex_end(), self.lex_end()],
        )

    def zpop(self):
        keys = self.zset_keys()
        count = len(keys) if self.chance(0.9) else self.index()
        options = self.one([], [], ["COUNT", self.index()], ["COUNT", 2], ["COUNT", 1, "COUNT", 1], ["BOGUS"])
        end = self.one("MIN", "MAX", "min", "MIDDLE" if self.chance(0.1) else "MAX")
        return self.one(
            [self.one("ZPOPMIN", "ZPOPMAX"), self.zset_key(), *self.one([], [self.index()])],
            ["ZMPOP", count, *keys, end, *options],
            [self.one("BZPOPMIN", "BZPOPMAX"), *keys, self.timeout()],
            ["BZMPOP", self.timeout(), count, *keys, end, *options],
        )

    def zcombine(self):
        keys = [self.key(ZSET_KEYS + LEX_KEYS + SET_KEYS) for _ in range(self.random.randint(1, 4))]
        count = len(keys) if self.chance(0.95) else self.index()
        name = self.one("ZUNION", "ZINTER", "ZDIFF")
        options = []
        if name != "ZDIFF" or self.chance(0.05):
            if self.chance(0.4):
                options += ["WEIGHTS", *[self.score() for _ in keys]]
            if self.chance(0.4):
                options += ["AGGREGATE", self.one("SUM", "MIN", "MAX", "sum", "AVG" if self.chance(0.1) else "MIN")]
        return self.one(
            [name, count, *keys, *options, *self.with_scores()],
            [name + "STORE", self.zset_key(), count, *keys, *options, *(["WITHSCORES"] if self.chance(0.02) else [])],
            ["ZINTERCARD", count, *keys, *self.one([], ["LIMIT", self.index()])],
        )

    def sorted_sets(self):
        makers = [self.zadd, self.zread, self.zrange, self.zremove, self.zpop, self.zcombine]
        return self.random.choices(makers, [8, 6, 6, 2, 2, 4])[0]()

    def place(self):
        if self.chance(0.05):
            return list(self.random.choice(ODD_PLACES))
        if self.chance(0.3):
            return [repr(self.random.uniform(-180, 180)), repr(self.random.uniform(-85, 85))]
        return list(self.random.choice(PLACES))

    def named_place(self):
        """A place with its name. No two names are at one place: which of two equally near ones comes first is open."""
        number = self.random.randrange(40)
        if number < len(PLACES):
            return [*PLACES[number], f"p{number}"]
        odd = self.chance(0.05)
        place = self.random.choice(ODD_PLACES) if odd else (self.random.uniform(-180, 180), self.random.uniform(-85, 85))
        return [*place, f"p{number}"]

    def unit(self):
        return self.one("m", "km", "ft", "mi", "KM", "yd" if self.chance(0.1) else "m")

    def around(self):
        """Options of a search: how much, in which order, with what."""
        options = [[self.one("ASC", "DESC")]] if self.chance(0.7) else []
        if self.chance(0.3):
            options.append(["COUNT", self.one(1, 2, 5, 100, 0, -1, "x"), *self.options("ANY", probability=0.2)])
        options += [[word] for word in self.options("WITHCOORD", "WITHDIST", "WITHHASH", probability=0.25)]
        self.random.shuffle(options)
        return [arg for option in options for arg in option]

    def geo(self):
        key, member = self.key(GEO_KEYS), f"p{self.random.randrange(40)}"
        center = self.one(["FROMMEMBER", member], ["FROMLONLAT", *self.place()])
        shape = self.one(
            ["BYRADIUS", self.random.choice(RADII), self.unit()],
            ["BYBOX", self.random.choice(RADII), self.random.choice(RADII), self.unit()],
        )
        parts = [center, shape, self.around()]
        if self.chance(0.03):
            parts.append(self.one(center, shape, ["BOGUS"], ["STOREDIST"]))
        self.random.shuffle(parts)
        query = [arg for part in parts for arg in part]
        store = [self.one("STORE", "STOREDIST"), self.key(GEO_KEYS + ZSET_KEYS)] if self.chance(0.15) else []
        radius = [self.random.choice(RADII), self.unit(), *(self.around() if not store or self.chance(0.1) else []), *store]
        ro = "_RO" if self.chance(0.3) else ""
        places = [arg for _ in range(self.random.randint(1, 4)) for arg in self.named_place()]
        choices = [
            ["GEOADD", key, *self.options("NX", "XX", "CH", probability=0.1), *places],
            ["GEODIST", key, member, f"p{self.random.randrange(40)}", *self.one([], [self.unit()])],
            [self.one("GEOHASH", "GEOPOS"), self.one(key, key, self.zset_key()), *self.zset_members(2), member],
            ["GEOSEARCH", key, *query],
            ["GEOSEARCHSTORE", self.key(GEO_KEYS + ZSET_KEYS), key, *query, *self.options("STOREDIST")],
            ["GEORADIUS" + ro, key, *self.place(), *radius],
            ["GEORADIUSBYMEMBER" + ro, key, member, *radius],
            ["ZRANGE", key, 0, -1, "WITHSCORES"],
            ["DEL", key],
        ]
        return self.random.choices(choices, [10, 3, 3, 6, 2, 4, 4, 2, 0.3])[0]


def blocking_command(chooser):
    """A command about few sorted sets, half of them blocking without a timeout."""
    key = lambda: f"q{chooser.randrange(4)}"
    keys = [key() for _ in range(chooser.randint(1, 3))]
    pairs = [arg for _ in range(chooser.choice([1, 1, 2, 4])) for arg in (chooser.randrange(9), f"m{chooser.randrange(40)}")]
    end = chooser.choice(["MIN", "MAX"])
    choices = [
        [chooser.choice(["BZPOPMIN", "BZPOPMAX"]), *keys, 0],
        ["BZMPOP", 0, len(keys), *keys, end, *chooser.choice([[], ["COUNT", 2], ["COUNT", 9]])],
        ["ZADD", key(), *pairs],
        ["ZADD", key(), *chooser.choice([["XX"], ["NX", "CH"], ["GT"]]), *pairs],
        ["ZINCRBY", key(), 1, pairs[1]],
        ["ZUNIONSTORE", key(), 2, key(), key()],
        ["ZRANGESTORE", key(), key(), 0, 1],
        ["GEOADD", key(), 10, 20, pairs[1]],
        ["SADD", key(), "a", "b"],
        ["BLPOP", *keys, 0],
        ["RPUSH", key(), "a"],
        ["ZPOPMIN", key()],
        ["ZREM", key(), pairs[1]],
        ["RENAME", key(), key()],
        ["COPY", key(), key(), "REPLACE"],
        ["MOVE", key(), 1],
        ["DEL", key()],
        ["MULTI"],
        ["EXEC"],
        ["ZRANGE", key(), 0, -1, "WITHSCORES"],
    ]
    weights = [9, 9, 12, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 7, 1]
    command = chooser.choices(choices, weights)[0]
    return [str(arg).encode() for arg in command]
