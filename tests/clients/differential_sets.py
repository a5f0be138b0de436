"""Random commands about sets, for the differential test."""

KEYS = [f"s{number}" for number in range(7)] + ["{tag}s"]
# The replies whose elements come in any order.
UNORDERED = {"SMEMBERS", "SINTER", "SUNION", "SDIFF"}
WALKS = {"SSCAN"}


class Sets:
    """Part of the generator."""

    def set_key(self):
        return self.key(KEYS)

    def set_member(self):
        kind = self.random.random()
        if kind < 0.45:
            return str(self.random.choice([*range(-5, 40), 32767, 32768, -32769, 2**31, -(2**31) - 1, 2**40]))
        if kind < 0.8:
            return f"m{self.random.randrange(40)}"
        return self.value()

    def some_members(self, most=6):
        count = self.random.randint(1, most)
        if self.chance(0.03):
            return [str(number) for number in range(self.one(100, 130, 520))]
        if self.chance(0.03):
            return [f"{'m' * self.one(1, 64, 65)}{number}" for number in range(self.one(2, 128, 129))]
        return [self.set_member() for _ in range(count)]

    def set_members(self):
        key = self.set_key()
        return self.one(
            ["SADD", key, *self.some_members()],
            ["SADD", key, *self.some_members()],
            ["SADD", key, *self.some_members()],
            ["SREM", key, *self.some_members()],
            ["SREM", key, *self.some_members()],
            ["SMOVE", key, self.set_key(), self.set_member()],
            ["SISMEMBER", key, self.set_member()],
            ["SMISMEMBER", key, *self.some_members()],
            ["SCARD", key],
            ["SMEMBERS", key],
        )

    def set_algebra(self):
        keys = self.keys(usual=KEYS)
        count = len(keys) if self.chance(0.9) else self.index()
        stores = ["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]
        if self.chosen["set-max-intset-entries"] < 512:
            # How Valkey keeps a result of integers and others hangs on which it meets first in its table.
            stores = stores[:1]
        options = self.one([], [], ["LIMIT", self.index()], ["LIMIT", 2], ["LIMIT"], ["LIMIT", 1, "limit", 0], ["BOGUS"])
        return self.one(
            [self.one("SINTER", "SUNION", "SDIFF"), *keys],
            [self.one(*stores), self.set_key(), *keys],
            ["SINTERCARD", count, *keys, *options],
        )

    def set_picks(self):
        key = self.set_key()
        return self.one(
            ["SPOP", key, *self.one([], [1], [2], [9], [100_000], [self.one(0, -1, "abc", 2**63 - 1, 2**63)])],
            ["SRANDMEMBER", key, *self.one([], [self.random.randint(-9, 9)], [self.one(1000, -200, -(2**63), "a", "")])],
        )

    def set_walks(self):
        options = [*self.one([], ["COUNT", 100_000]), *self.one([], ["MATCH", self.one("*", "m*", "1?", "[0-3]")])]
        if self.chance(0.1):
            options += self.one(["NOVALUES"], ["NOSCORES"], ["BOGUS"], ["COUNT", 0], ["COUNT"], ["TYPE", "set"])
        # Another cursor means something to the server alone that gave it.
        cursor = 0 if self.chance(0.95) else self.one("abc", "", "-1", " 0", "99999999999999999999")
        if "COUNT" not in options:
            options += ["COUNT", 100_000]
        return ["SSCAN", self.set_key(), cursor, *options]

    def set_inside(self):
        """How sets are kept. Valkey's names for them, digests, lengths in files."""
        key = self.set_key()
        return self.one(
            ["OBJECT", "ENCODING", key],
            ["DEBUG", "DIGEST-VALUE", key, self.set_key()],
            ["COPY", key, self.set_key(), "REPLACE"],
            ["CONFIG", "SET", "set-max-listpack-entries", self.one(0, 7, 128)],
            ["CONFIG", "SET", "set-max-listpack-value", self.one(0, 2, 64)],
        )

    def set_families(self):
        return {
            self.set_members: 26,
            self.set_algebra: 10,
            self.set_picks: 2,
            self.set_walks: 2,
            self.set_inside: 4,
        }


def predictable(command):
    """A walk from its beginning, and not more random picks than are worth comparing."""
    if command[0].upper() == b"SRANDMEMBER" and len(command) == 3 and command[2][:1] == b"-" and len(command[2]) > 6:
        command[2] = b"-9223372036854775808"
    if command[0].upper() == b"SSCAN" and len(command) > 2 and command[2].lstrip(b"+- 0")[:1].isdigit():
        command[2] = b"0"
        command += [] if any(arg.upper() == b"COUNT" for arg in command) else [b"COUNT", b"100000"]
        command = [arg if not arg.isdigit() or at < 3 else b"100000" for at, arg in enumerate(command)]
    return command


def same_walk(ours, theirs):
    """Whether two walks met the same, where both were whole: what a step of a table brings is the server's own matter."""
    if ours[0] != b"*" or theirs[0] != b"*":
        return False
    whole = ours[1][0][1] == theirs[1][0][1] == b"0"
    return not whole or sorted(ours[1][1][1]) == sorted(theirs[1][1][1])
