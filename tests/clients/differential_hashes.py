"""Random commands about hashes, and which parts of their replies may differ: see differential.py."""

import re

KEYS = [f"h{number}" for number in range(6)]
FIELDS = [f"f{number}" for number in range(8)] + ["", "0", "1", "-1", "12345", "9223372036854775807", "01", "\x00\xff",
                                                  "x" * 64, "y" * 65, "z" * 300]  # fmt: skip
UNORDERED = {"HKEYS", "HVALS"}
TIME_LEFT = {"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"}
FAMILIES = ("hash_writes", "hash_counters", "hash_reads", "hash_keys", "field_expiry", "field_times", "soon", "dumps", "inside")
LIMITS = {"hash-max-listpack-entries": (4, 16, 512), "hash-max-listpack-value": (8, 64)}


class Hashes:
    """The families of commands about hashes; what chooses comes from the generator they are mixed into."""

    def hash_key(self):
        return self.key(KEYS)

    def field(self):
        return self.random.choice(FIELDS)

    def some_fields(self, most=4):
        return [self.field() for _ in range(self.random.randint(1, most))]

    def field_values(self):
        if self.chance(0.03):
            first = self.random.randrange(1000)
            return [arg for number in range(self.one(20, 600)) for arg in (f"n{first + number}", number)]
        return [arg for field in self.some_fields() for arg in (field, self.value())]

    def hash_writes(self):
        key, pairs = self.hash_key(), self.field_values()
        return self.one(
            ["HSET", key, *pairs],
            ["HSET", key, *pairs],
            ["HSET", key, self.field(), self.value()],
            ["HMSET", key, *pairs],
            [self.one("HSET", "HMSET"), key, *pairs, self.field()],
            ["HSETNX", key, self.field(), self.value()],
            ["HDEL", key, *self.some_fields(6)],
            ["HDEL", key, *self.random.sample(FIELDS, len(FIELDS))],
        )

    def hash_counters(self):
        key, field = self.hash_key(), self.field()
        number = repr(self.random.uniform(-1000, 1000)) if self.chance(0.3) else self.value()
        return self.one(
            ["HINCRBY", key, field, self.integer()],
            ["HINCRBYFLOAT", key, field, number],
            ["HSET", key, field, self.integer()],
        )

    def hash_reads(self):
        key, field = self.hash_key(), self.field()
        count = self.one(0, 1, 2, 5, 1000, -1, -5, -100, 2**63 - 1, 2**62 - 1, "abc", -(2**63), "")
        scan = [*self.one([], ["COUNT", self.one(1, 10, 100_000, 0, "abc")]),
                *self.one([], ["MATCH", self.one("*", "f*", "n1*", "[0-9]*", "")]),
                *self.one([], [], ["NOVALUES"], ["NOSCORES" if self.chance(0.2) else "novalues"])]  # fmt: skip
        return self.one(
            ["HGET", key, field],
            ["HMGET", key, *self.some_fields(6)],
            ["HEXISTS", key, field],
            ["HLEN", key],
            ["HSTRLEN", key, field],
            ["HKEYS", key],
            ["HVALS", key],
            ["HGETALL", key],
            ["HRANDFIELD", key],
            ["HRANDFIELD", key, count, *self.one([], ["WITHVALUES"], ["withvalues"], ["BOGUS"] * self.one(1, 2))],
            ["HSCAN", key, self.one(0, 0, 0, 0, 0, "abc", -1, ""), *scan],
        )

    def hash_keys(self):
        key, other = self.hash_key(), self.hash_key()
        return self.one(
            ["DEL", key],
            ["COPY", key, other, *self.one([], ["REPLACE"])],
            ["RENAME", key, other],
            ["OBJECT", "ENCODING", key],
            ["TYPE", key],
            ["SET", key, self.value()],
            ["EXISTS", key],
        )

    def field_list(self):
        fields = self.some_fields()
        count = len(fields) if self.chance(0.95) else self.one(0, 1, 2, -1, 2**63 - 1, "abc", "")
        return [self.one("FIELDS", "fields") if self.chance(0.98) else self.one("BOGUS", ""), count, *fields]

    def field_expiry(self):
        key = self.hash_key()
        name = self.one("HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT")
        unit_ms = name.startswith("HP")
        when = self.instant(unit_ms) if name.endswith("AT") else self.expiry(unit_ms)
        flags = [self.one("NX", "XX", "GT", "LT", "gt", "BOGUS" if self.chance(0.2) else "LT") for _ in range(2)]
        pairs = [arg for field in self.some_fields() for arg in (field, self.value())]
        count = len(pairs) // 2 if self.chance(0.95) else self.one(0, 1, 2, -1, 2**63 - 1, "abc")
        options = self.one([], self.expiry_option("KEEPTTL"), self.expiry_option("KEEPTTL"))
        condition = self.one([], [], ["FNX"], ["FXX"], ["fnx", "FXX"], [self.one("NX", "XX", "BOGUS")])
        return self.one(
            [name, key, when, *flags[: self.one(0, 0, 1, 1, 2)], *self.field_list()],
            [name, key, when, *flags[: self.one(0, 0, 1, 1, 2)], *self.field_list()],
            ["HPERSIST", key, *self.field_list()],
            ["HSETEX", key, *condition, *options, "FIELDS", count, *pairs],
            ["HSETEX", key, *options, *condition, "FIELDS", count, *pairs],
            ["HGETEX", key, *self.one([], self.expiry_option("PERSIST")), *self.field_list()],
            ["HGETDEL", key, *self.field_list()],
        )

    def field_times(self):
        return [self.random.choice(sorted(TIME_LEFT)), self.hash_key(), *self.field_list()]


def bounded(command):
    """A walk starts at the beginning, as steps in the middle of a table are the server's own matter, and nobody is asked
    for more than memory holds."""
    name = command[0].upper()
    if name == b"HSCAN" and len(command) > 2 and command[2].lstrip(b"+- 0")[:1].isdigit():
        command[2] = b"0"
    if name == b"HRANDFIELD" and len(command) > 2 and re.fullmatch(rb"-\d{4,18}|-[1-9]\d{18}", command[2]):
        command[2] = b"-100" if command[2] != b"-9223372036854775808" else command[2]
    return command


def same_reply(name, ours, theirs):
    """Whether replies to a command about hashes are equal but for order and chance; `None`: it is another command."""
    if ours[0] != theirs[0] or ours[0] == b"-":
        return None
    if name == "HGETALL":
        return pairs_of(ours) == pairs_of(theirs)
    if name == "HSCAN" and ours[0] == b"*":
        # What a step of a table brings is the server's own matter; a whole walk is not.
        whole = ours[1][0][1] == theirs[1][0][1] == b"0"
        return sorted(ours[1][1][1]) == sorted(theirs[1][1][1]) if whole else True
    if name in TIME_LEFT and ours[0] == b"*":
        near = 30_000 if name.startswith("HP") else 30
        numbers = [(int(left[1]), int(right[1])) for left, right in zip(ours[1], theirs[1])]
        alike = all(left == right or left > 0 < right and abs(left - right) <= near for left, right in numbers)
        return len(ours[1]) == len(theirs[1]) and alike
    return None


def pairs_of(reply):
    kind, items = reply
    return sorted(items if kind == b"%" else zip(items[::2], items[1::2]))


def shape(reply):
    kind, value = reply
    return (kind, [shape(item) for item in value]) if isinstance(value, list) else (kind, value is None)
